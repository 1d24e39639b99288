"""Kokoro's symbols: what stands for a sound, and its number in the graph."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from sauropod._log import log
from sauropod.errors import UnsupportedModel

__all__ = ["BUILT_IN", "PAD", "Symbols", "read_symbols"]

logger = log("sauropod.backends.onnx")

PAD = 0
"""Before and after every phrase."""

_RUNS = (
    *((1, ";:,.!?"), (9, '—…"()“” \u0303ʣʥʦʨᵝ\uab67AI'), (31, "O"), (33, "Q"), (35, "ST"), (39, "W"), (41, "Yᵊabcdef")),
    *((50, "hijklmnopqrstuvwxyzɑɐɒæ"), (75, "βɔɕç"), (80, "ɖðʤə"), (85, "ɚɛɜ"), (90, "ɟ"), (92, "ɡ"), (99, "ɥ")),
    *(
        (101, "ɨɪʝ"),
        (110, "ɯɰŋɳɲɴø"),
        (118, "ɸθœ"),
        (123, "ɹ"),
        (125, "ɾɻ"),
        (128, "ʁɽʂʃʈʧ"),
        (135, "ʊʋ"),
        (138, "ʌɣɤ"),
    ),
    *((142, "χʎ"), (147, "ʒʔ"), (156, "ˈˌː"), (162, "ʰ"), (164, "ʲ"), (169, "↓"), (171, "→↗↘"), (177, "ᵻ")),
)
BUILT_IN: Mapping[str, int] = {
    symbol: first + place for first, symbols in _RUNS for place, symbol in enumerate(symbols)
}
"""Those of Kokoro-82M v1.0 (`vocab` in its config.json)."""


@attrs.define(eq=False)
class Symbols:
    """Phonemes to numbers. What the model has no number for is left out, and logged once."""

    numbers: Mapping[str, int]
    _missed: set[str] = attrs.field(factory=set, init=False)

    @property
    def space(self) -> int | None:
        """What stands between words."""
        return self.numbers.get(" ")

    def encode(self, phonemes: str) -> tuple[int, ...]:
        """The numbers of the symbols."""
        missing = {symbol for symbol in phonemes if symbol not in self.numbers} - self._missed
        if missing:
            self._missed |= missing
            logger.warning("The voice knows no symbol for %s: left out.", ", ".join(map(repr, sorted(missing))))
        return tuple(self.numbers[symbol] for symbol in phonemes if symbol in self.numbers)


def read_symbols(files: Sequence[Path], metadata: Mapping[str, str]) -> Symbols:
    """From `tokenizer.json`, `config.json`, or what the graph says of itself; else those of Kokoro-82M v1.0.

    Raises `UnsupportedModel` for a file that says something else than symbols and numbers.
    """
    for path in files:
        if (found := _vocabulary(path.name, path.read_bytes())) is not None:
            return Symbols(found)
    told = metadata.get("kokoro_config")  # kokoro-onnx's exports
    found = None if told is None else _vocabulary("The graph's kokoro_config", told.encode())
    return Symbols(BUILT_IN if found is None else found)


def _vocabulary(name: str, content: bytes) -> Mapping[str, int] | None:
    """None where there is none in it: the config.json beside a tokenizer.json has none."""
    try:
        told: Any = json.loads(content)
    except ValueError as error:
        raise UnsupportedModel(f"{name} is no JSON: {error}. Fetch it anew.") from error
    inner = told.get("model") if isinstance(told, dict) and "vocab" not in told else told
    vocabulary = inner.get("vocab") if isinstance(inner, dict) else None
    if vocabulary is None:
        return None
    if not isinstance(vocabulary, dict) or not all(_is_number(each) for each in vocabulary.values()):
        raise UnsupportedModel(f"{name} has a vocab that is no mapping of symbols to numbers. Fetch it anew.")
    return {symbol: number for symbol, number in vocabulary.items() if len(symbol) == 1 and number != PAD}


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
