"""For authors of backends and of applications: fakes as strict as the real thing, and synthetic models."""

from sauropod.testing.audio_codec_check import check_audio_codec
from sauropod.testing.conformance import check_language_model
from sauropod.testing.fake import FakeLanguageModel, FakeOptions
from sauropod.testing.fake_backend import FakeBackend
from sauropod.testing.fake_speech import (
    FakeRecognizer,
    FakeSpeechOptions,
    FakeSynthesizer,
    FakeTurnDetector,
    FakeVoiceDetector,
    speech_of,
)
from sauropod.testing.phonemizer_check import check_phonemizer
from sauropod.testing.recognizer_check import check_recognizer
from sauropod.testing.synthesizer_check import check_synthesizer
from sauropod.testing.turn_detector_check import check_turn_detector
from sauropod.testing.violation import ContractViolation
from sauropod.testing.voice_detector_check import check_voice_detector

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
    "check_audio_codec",
    "check_language_model",
    "check_phonemizer",
    "check_recognizer",
    "check_synthesizer",
    "check_turn_detector",
    "check_voice_detector",
    "speech_of",
]
