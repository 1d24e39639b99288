"""For authors of backends and of applications: fakes as strict as the real thing, and synthetic models."""

from sauropod.testing.conformance import check_language_model
from sauropod.testing.fake import FakeBackend, FakeLanguageModel, FakeOptions
from sauropod.testing.fake_speech import (
    FakeRecognizer,
    FakeSpeechOptions,
    FakeSynthesizer,
    FakeTurnDetector,
    FakeVoiceDetector,
    speech_of,
)
from sauropod.testing.violation import ContractViolation

__all__ = [
    "ContractViolation",
    "FakeBackend",
    "FakeLanguageModel",
    "FakeOptions",
    "FakeRecognizer",
    "FakeSpeechOptions",
    "FakeSynthesizer",
    "FakeTurnDetector",
    "FakeVoiceDetector",
    "check_language_model",
    "speech_of",
]
