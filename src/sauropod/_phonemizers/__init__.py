"""Who can read a language aloud: what is installed, and English, which comes with sauropod."""

from sauropod._phonemizers.english import English
from sauropod._phonemizers.installed import Phonemizers

__all__ = ["English", "Phonemizers"]
