"""Phonemizer: English text as what Kokoro was trained to say."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.resources import files

from sauropod._speech.english.british import british
from sauropod._speech.english.dictionary import Dictionary, Entry
from sauropod._speech.english.letters import Letters
from sauropod._speech.english.lexicon import Lexicon
from sauropod._speech.english.reader import Reader
from sauropod._speech.english.unknown import Unknown
from sauropod._values.speech import Pronounced
from sauropod.errors import UnsupportedInput

__all__ = ["English"]

ACCENTS = {"en-us": "us", "en-gb": "gb"}


class English:
    """A `Phonemizer` in misaki's symbols. A language's dictionary is unpacked when it is first used, in 20 ms."""

    def __init__(self) -> None:
        self._lists: dict[str, Dictionary] = {}
        self._readers: dict[str, Reader] = {}
        self._network: Letters | None = None

    @property
    def languages(self) -> Collection[str]:
        """American and British English."""
        return tuple(ACCENTS)

    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        """Every word, number and mark of the text: in order, none over another.

        Numbers and abbreviations are read out, markup and emoji left out, words of other scripts passed over.
        Raises `UnsupportedInput` for a language that is not in `languages`.
        """
        accent = ACCENTS.get(language.lower().replace("_", "-"))
        if accent is None:
            raise UnsupportedInput(f"English is read as {' or '.join(ACCENTS)}, not as {language!r}.")
        return self._reader(accent).read(text)

    def _reader(self, accent: str) -> Reader:
        if accent not in self._readers:
            lexicon = self._british() if accent == "gb" else self._american()
            self._readers[accent] = Reader(lexicon, Unknown(lexicon, self._letters))
        return self._readers[accent]

    def _american(self) -> Lexicon:
        return Lexicon(self._list("us").find, lambda word: self._list("names").find(word), british=False)

    def _british(self) -> Lexicon:
        """What only Americans list is said as Britons would say it."""
        american = self._american()

        def borrowed(word: str) -> Entry | None:
            entry = american.find(word)
            return entry and Entry(british(word, entry.phonemes), {}, gold=False)

        return Lexicon(self._list("gb").find, borrowed, british=True)

    def _list(self, name: str) -> Dictionary:
        if name not in self._lists:
            self._lists[name] = Dictionary(_asset(f"{name}.zlib"))
        return self._lists[name]

    def _letters(self) -> Letters:
        if self._network is None:
            self._network = Letters(_asset("letters.npz"))
        return self._network


def _asset(name: str) -> bytes:
    return (files("sauropod") / "assets" / "english" / name).read_bytes()
