"""Normalisation: written English as the words that are said, each with the stretch of the text it stands for."""

from sauropod._speech.english.normalisation.reading import normalised
from sauropod._speech.english.normalisation.said import Kind, Said, Tone

__all__ = ["Kind", "Said", "Tone", "normalised"]
