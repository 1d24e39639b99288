"""The backend `fake`: models made of arithmetic, by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import attrs

from sauropod.abc import (
    Backend,
    Device,
    LanguageModel,
    LoadOptions,
    Source,
    SpeechModel,
)
from sauropod.errors import DeviceUnavailable, UnsupportedInput
from sauropod.testing.fake_speech import (
    FakeRecognizer,
    FakeSpeechOptions,
    FakeSynthesizer,
    FakeTurnDetector,
    FakeVoiceDetector,
)

__all__ = ["FakeBackend"]

from sauropod.testing.fake import FakeLanguageModel, FakeOptions, die

SPEECH: Mapping[str, Callable[[FakeSpeechOptions], SpeechModel]] = {
    "recognizer": FakeRecognizer,
    "synthesizer": FakeSynthesizer,
    "voice_detector": FakeVoiceDetector,
    "turn_detector": FakeTurnDetector,
}


class FakeBackend(Backend):
    """Registered as `fake`: `Engine("fake:", options={"slots": 2})` needs no native library and no model file.

    `fake:recognizer`, `fake:synthesizer`, `fake:voice_detector` and `fake:turn_detector` hear and speak.
    """

    suffixes: ClassVar[Sequence[str]] = ()

    def devices(self) -> Sequence[Device]:
        return [Device("cpu", "arithmetic", 1 << 30, 1 << 30)]

    def load(self, source: Source, options: LoadOptions) -> LanguageModel | SpeechModel:
        if options.device not in ("auto", "cpu"):
            raise DeviceUnavailable(f"The fake backend computes on the CPU only; {options.device!r} was asked for.")
        make = SPEECH.get(source.name)
        if make is not None:
            return make(FakeSpeechOptions(**options.extra))
        known = {field.name for field in attrs.fields(FakeOptions)}
        unknown = set(options.extra) - known
        if unknown:
            raise UnsupportedInput(f"The fake backend has no option {sorted(unknown)[0]!r}; it has {sorted(known)}.")
        given = {name: getattr(options, name) for name in ("slots", "context_length", "step_tokens", "cache_length")}
        chosen = {name: value for name, value in given.items() if value is not None}
        try:
            settings = FakeOptions(**{**chosen, **options.extra})
        except (TypeError, ValueError) as error:
            raise UnsupportedInput(f"The fake backend cannot be like that: {error}.") from error
        time.sleep(settings.load_seconds)
        if settings.load_crashes:
            die(settings.last_words)
        return FakeLanguageModel(settings)
