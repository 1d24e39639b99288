"""Small random models that onnxruntime loads: ears and mouths with the exact contracts of the real ones."""

from sauropod.testing.models.speech.parakeet import ParakeetLayout, tiny_parakeet
from sauropod.testing.models.speech.whisper import tiny_whisper

__all__ = ["ParakeetLayout", "tiny_parakeet", "tiny_whisper"]
