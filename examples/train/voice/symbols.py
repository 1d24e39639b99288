"""Symbols: Kokoro's alphabet with its ids, and what stands for those that flite never says.

The ids are those of hexgrad/Kokoro-82M's `config.json` (as in the package kokoro-onnx 0.6.1): 114 symbols and the pad.
The meaning of the letters is misaki's: `A I O Q W Y` are diphthongs, `ʧ ʤ` affricates, `T` a flap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PAD = "$"
PRIMARY, SECONDARY = "ˈ", "ˌ"
PAUSES = ";:,.!?—…"
QUOTES = '"()“”'
NULLS = "ː\u0303ʰʲᵝ↓→↗↘"
"""Marks that change a sound by shades that this voice does not have: they take no time."""

_IDS = (
    (0, "$;:,.!?"),
    (9, '—…"()“” \u0303ʣʥʦʨᵝꭧAI'),
    (31, "O"),
    (33, "Q"),
    (35, "ST"),
    (39, "W"),
    (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"),
    (75, "βɔɕç"),
    (80, "ɖðʤə"),
    (85, "ɚɛɜ"),
    (90, "ɟ"),
    (92, "ɡ"),
    (99, "ɥ"),
    (101, "ɨɪʝ"),
    (110, "ɯɰŋɳɲɴø"),
    (118, "ɸθœ"),
    (123, "ɹ"),
    (125, "ɾɻ"),
    (128, "ʁɽʂʃʈʧ"),
    (135, "ʊʋ"),
    (138, "ʌɣɤ"),
    (142, "χʎ"),
    (147, "ʒʔ"),
    (156, "ˈˌː"),
    (162, "ʰ"),
    (164, "ʲ"),
    (169, "↓"),
    (171, "→↗↘"),
    (177, "ᵻ"),
)  # runs of neighbouring ids

VOCABULARY: Mapping[str, int] = {
    symbol: first + place for first, symbols in _IDS for place, symbol in enumerate(symbols)
}
"""The id of every symbol."""

SIZE = 178
"""Rows of Kokoro's embedding: ids are below it."""

_FEW = "T—…:;“”()ʣʥʦʨꭧSaceoqrxyβɕçɖɟɥɨʝɯɰɳɲɴøɸœɻʁɽʂʈʋɣɤχʎ"
_NEAR = 'ɾ,.,,""""zʤsʧʧʃækɛOkɹhivʃhdʤjᵻjuwnnŋɜfɜɹɹɾʃtvɡʌhl'
NEAREST: Mapping[str, str] = dict(zip(_FEW, _NEAR, strict=True))
"""For each symbol that is never or seldom trained, the trained one that sounds most like it."""


def encode(symbols: Iterable[str]) -> list[int]:
    """The ids of symbols, those that are unknown left out, with the pad at both ends: (n + 2)."""
    return [0, *(VOCABULARY[symbol] for symbol in symbols if symbol in VOCABULARY and symbol != PAD), 0]
