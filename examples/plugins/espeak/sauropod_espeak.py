"""How five languages are said, by the program espeak-ng, in the symbols Kokoro was trained with.

A text is read clause by clause, so that words are said as they are next to each other; punctuation is kept as itself.
What espeak-ng writes is IPA with a tie between the letters of one sound (`t^ʃ`); Kokoro has one symbol for some of
these, and knows the rest without the tie. The table is that of misaki (Apache-2.0), with which Kokoro was trained.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection, Iterator, Sequence

from sauropod.abc import Phonemizer, Pronounced

VOICES = {"es": "es", "fr-fr": "fr-fr", "it": "it", "pt-br": "pt-br", "hi": "hi"}
"""What espeak-ng calls each language."""

SOUNDS = {
    "a^ɪ": "I",
    "a^ʊ": "W",
    "d^z": "ʣ",
    "d^ʒ": "ʤ",
    "e^ɪ": "A",
    "o^ʊ": "O",
    "ə^ʊ": "Q",
    "s^s": "S",
    "t^s": "ʦ",
    "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y",
    "r.": "ɽ",  # of Hindi, and no end of a sentence
    "ʱ": "ʰ",  # Kokoro has one symbol for what is breathed after, voiced or not
    "^": "",
    "-": "",
}
MARKS = {mark: mark for mark in ';:,.!?—…"()“”'} | {"«": "“", "»": "”", "।": ".", "–": "—", "¿": "", "¡": ""}
"""Punctuation, and what Kokoro has for it."""

TOKEN = re.compile(rf"(?P<mark>[{re.escape(''.join(MARKS))}])|(?P<clause>[^{re.escape(''.join(MARKS))}]+)")
DECIMAL = re.compile(r"(?<=\d)[.,:](?=\d)")
SWITCH = re.compile(r"\([^)]*\)")
"""espeak-ng tells so that it goes on in another language."""


class Espeak(Phonemizer):
    """Needs the program; a clause may take it `timeout` seconds. Raises `FileNotFoundError` if it is not installed."""

    def __init__(self, program: str = "espeak-ng", timeout: float = 10.0) -> None:
        found = shutil.which(program)
        if found is None:
            raise FileNotFoundError(f"the program {program} is not installed; try: apt install espeak-ng")
        self._program = found
        self._timeout = timeout

    @property
    def languages(self) -> Collection[str]:
        return tuple(VOICES)

    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        protected = DECIMAL.sub("\ue000", text)  # 3.14 is no end of a clause
        said: list[Pronounced] = []
        for token in TOKEN.finditer(protected):
            begin, end = token.span()
            if token["mark"]:
                said.append(Pronounced(begin, end, MARKS[token["mark"]], text[end : end + 1].isspace()))
            else:
                said += self._clause(text, begin, end, language)
        return said

    def _clause(self, text: str, begin: int, end: int, language: str) -> Iterator[Pronounced]:
        words = [(begin + each.start(), begin + each.end()) for each in re.finditer(r"\S+", text[begin:end])]
        if not words:
            return
        sounds = self._sounds(text[words[0][0] : words[-1][1]], language)
        if len(sounds) != len(words):  # a number of several words, or words that are said as one
            words, sounds = [(words[0][0], words[-1][1])], [" ".join(sounds)]
        for (first, last), sound in zip(words, sounds, strict=True):
            yield Pronounced(first, last, sound, text[last : last + 1].isspace())

    def _sounds(self, clause: str, language: str) -> list[str]:
        """What espeak-ng says, word by word."""
        printable = "".join(character if character.isprintable() else " " for character in clause)
        command = [self._program, "-q", "--ipa", "--tie=^", "-b", "1", "-v", VOICES[language], "--stdin"]
        done = subprocess.run(
            command, input=printable.encode(), capture_output=True, timeout=self._timeout, check=False
        )
        if done.returncode:
            raise RuntimeError(
                f"espeak-ng ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
            )
        said = SWITCH.sub("", done.stdout.decode(errors="replace"))
        for sound, symbol in SOUNDS.items():
            said = said.replace(sound, symbol)
        return said.split()
