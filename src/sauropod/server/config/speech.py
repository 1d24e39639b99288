"""VoiceSettings and HearingSettings: models that speak, and the one that hears."""

# ruff: noqa: RUF009 (a key is attrs' own field)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from sauropod.server.config.errors import ConfigurationError, Fault
from sauropod.server.config.keys import key
from sauropod.server.config.kinds import Kind, number, one_of, parsed, text, whole
from sauropod.server.config.naming import SOURCE, SOURCE_KEYS, Source, source_text
from sauropod.server.config.reading import read_table, written

__all__ = ["DETECTOR", "HEARING", "HearingSettings", "VoiceSettings"]

VOICES = {"kokoro": "onnx-community/Kokoro-82M-v1.0-ONNX", "orpheus": "unsloth/orpheus-3b-0.1-ft-GGUF:Q4_K_M"}
EARS = "ggml-org/Voxtral-Mini-3B-2507-GGUF"
"""Voxtral, where nobody says which."""

WORD = text("a name", empty=False)


@attrs.frozen(kw_only=True)
class VoiceSettings:
    """A voice that is served under a name."""

    type: Literal["kokoro", "orpheus"] = key(
        one_of("kokoro", "orpheus"), "the kind of model that speaks", default="kokoro"
    )
    model: Source | None = key(
        SOURCE,
        "which model it is",
        default=None,
        says="`demo` for the voice `demo`, else its type's best known",
    )
    voice: str | None = key(
        WORD, "one of its voices, or several: `af_heart:0.7+af_bella:0.3`", default=None, says="its first"
    )
    speed: float = key(number(0.5, 2), "how fast it speaks", default=1.0)
    language: str | None = key(WORD, "how texts are read, such as `en-gb`", default=None, says="the voice's own")
    device: str | None = key(WORD, "as for models", default=None, says='`"auto"`')
    threads: int | None = key(whole(1), "of the CPU", default=None, says="all cores")

    @property
    def source(self) -> Source:
        """The model's name, as `sauropod.Voice` takes it."""
        chosen = VOICES[self.type] if self.model is None else self.model
        return f"orpheus:{source_text(chosen)}" if self.type == "orpheus" else chosen

    def voice_options(self) -> dict[str, Any]:
        """The keyword arguments of `sauropod.Voice`: those that are set."""
        return _set(self, "voice", "speed", "language", "device", "threads")


@attrs.frozen(kw_only=True)
class HearingSettings:
    """The model that hears."""

    type: Literal["parakeet", "voxtral"] | None = key(
        one_of("parakeet", "voxtral"),
        "its kind",
        default=None,
        says="by the model",
    )
    model: Source | None = key(SOURCE, "which model it is", default=None, says="the best-known one of its type")
    multimodal_projector: Source | None = key(
        SOURCE, "the part of Voxtral that hears, by its file", default=None, says="found by itself"
    )
    language: str | None = key(WORD, "what is spoken, where a model has to be told", default=None)
    device: str | None = key(WORD, "as for models", default=None, says='`"auto"`')
    threads: int | None = key(whole(1), "of the CPU", default=None, says="all cores")

    @property
    def source(self) -> Source | None:
        """The model's name, as `sauropod.Transcriber` takes it. None is the one that it takes by itself."""
        if self.type != "voxtral":
            return self.model
        return f"voxtral:{source_text(EARS if self.model is None else self.model)}"

    def transcriber_options(self) -> dict[str, Any]:
        """The keyword arguments of `sauropod.Transcriber`: those that are set."""
        chosen = _set(self, "language", "device", "threads")
        if self.multimodal_projector is not None:
            chosen["projector"] = self.multimodal_projector
        return chosen


def _set(part: Any, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(part, name)) is not None}


def _hearing(value: Any) -> HearingSettings | None:
    if value is None or isinstance(value, HearingSettings):
        return value
    if isinstance(value, str):
        return HearingSettings(model=value) if value.strip() else None
    if not isinstance(value, Mapping):
        raise ValueError
    source = {name: each for name, each in value.items() if name in SOURCE_KEYS}
    if not source:
        return read_table(HearingSettings, value)
    if "model" in value:
        raise ConfigurationError(
            [Fault(f"is given, and so is {next(iter(source))!r}. Leave one of them out", ("model",))]
        )
    rest = {name: each for name, each in value.items() if name not in SOURCE_KEYS}
    return read_table(HearingSettings, {**rest, "model": source})


def _written(value: HearingSettings | None) -> Any:
    if value is None:
        return ""
    table = written(value)
    return table["model"] if table.keys() == {"model"} else table


def _parse(given: str) -> Any:
    return parsed(given) if given.lstrip().startswith("{") else given


HEARING = Kind(
    "model",
    'a model\'s name, a table such as {type = "voxtral"} or {repo = "org/repo"}, or "" for none',
    _hearing,
    _parse,
    _written,
)


def _detector(value: Any) -> Source | None:
    return None if value is None or value == "" else SOURCE.check(value)


DETECTOR = attrs.evolve(
    SOURCE,
    what=f'{SOURCE.what}, "auto", or "" for none',
    check=_detector,
    write=lambda value: "" if value is None else SOURCE.write(value),
)
