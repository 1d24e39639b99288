"""Small random models that onnxruntime loads: ears and mouths with the exact contracts of the real ones."""

from sauropod.testing.models.speech.kokoro import KokoroOptions, tiny_kokoro, tiny_voice
from sauropod.testing.models.speech.parakeet import ParakeetLayout, tiny_parakeet
from sauropod.testing.models.speech.smart_turn import tiny_smart_turn
from sauropod.testing.models.speech.snac import tiny_snac
from sauropod.testing.models.speech.vad import tiny_marblenet, tiny_silero
from sauropod.testing.models.speech.whisper import tiny_whisper

__all__ = [
    "KokoroOptions",
    "ParakeetLayout",
    "tiny_kokoro",
    "tiny_marblenet",
    "tiny_parakeet",
    "tiny_silero",
    "tiny_smart_turn",
    "tiny_snac",
    "tiny_voice",
    "tiny_whisper",
]
