"""Word lists: misaki's dictionaries and CMU's, read out of their packages as data.

pip download --no-deps misaki==0.9.4 --dest build/english
npm pack cmu-pronouncing-dictionary@3.0.0 --pack-destination build/english
"""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from sauropod._speech.english.alphabet import ACCENTS
from sauropod._speech.english.dictionary import Entry
from sauropod._speech.english.lexicon import Lexicon
from sauropod._speech.english.special import Context

from .arpabet import phonemes

SOURCES = Path("build/english")
MISAKI = "misaki-0.9.4-py3-none-any.whl"
CMU = "cmu-pronouncing-dictionary-3.0.0.tgz"
LISTED = re.compile(r"""^  ["']?([a-z][a-z']*[a-z])["']?: ["']([A-Z012 ]+)""", re.MULTILINE)


def read(sources: Path, accent: str) -> dict[str, Entry]:
    """All words misaki has of an accent, `us` or `gb`; the gold list goes before the silver one."""
    words: dict[str, Entry] = {}
    with zipfile.ZipFile(sources / MISAKI) as archive:
        for quality in ("gold", "silver"):
            listed = json.loads(archive.read(f"misaki/data/{accent}_{quality}.json"))
            for word, said in listed.items():
                words.setdefault(word, entry(said, gold=quality == "gold"))
    return words


def entry(said: str | Mapping[str, str | None], *, gold: bool) -> Entry:
    """One word of a list: its phonemes, or several by part of speech."""
    if isinstance(said, str):
        return Entry(said, {}, gold)
    tagged = {tag: phonemes or "" for tag, phonemes in said.items() if tag != "DEFAULT"}
    return Entry(said["DEFAULT"] or "", tagged, gold)


def names(sources: Path) -> dict[str, Entry]:
    """What only CMU has: names above all, in American English. What a known word's ending explains is left out."""
    lexicon = Lexicon(read(sources, ACCENTS[0]).get, british=False)
    with tarfile.open(sources / CMU) as archive:
        index = archive.extractfile("package/index.js")
        assert index is not None
        text = index.read().decode()
    return {
        word: Entry(phonemes(said), {}, gold=False)
        for word, said in LISTED.findall(text)
        if lexicon.say(word, None, Context()) is None
    }


def licence(sources: Path) -> bytes:
    """The licence that comes with misaki's lists."""
    with zipfile.ZipFile(sources / MISAKI) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("licenses/LICENSE")))
