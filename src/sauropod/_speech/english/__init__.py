"""English: text as it is said, in the symbols Kokoro was trained with."""

from sauropod._speech.english.phonemizer import English

__all__ = ["English"]
