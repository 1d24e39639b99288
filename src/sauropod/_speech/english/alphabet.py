"""Alphabet: what the letter-to-sound network reads, and what it says."""

from __future__ import annotations

from sauropod._speech.english.dictionary import SYMBOLS

__all__ = ["ACCENTS", "BLANK", "LETTERS", "LONGEST", "SAID"]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SAID = "-AIOQWYabdfhijklmnpstuvwz" + SYMBOLS
"""A place for each of the network's outputs; the first stands for nothing."""
BLANK = 0
ACCENTS = ("us", "gb")
LONGEST = 24
"""Letters that are read at once."""
