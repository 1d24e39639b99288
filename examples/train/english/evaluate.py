"""Evaluate: how often the shipped network says a held-back word as the dictionary does.

python -m examples.train.english.evaluate --sources build/english
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from sauropod._speech.english.alphabet import ACCENTS
from sauropod._speech.english.letters import Letters

from .dictionaries import ASSETS
from .wordlists import SOURCES
from .words import Word, drawn

STRESSES = str.maketrans("", "", "ˈˌ")


def distance(one: str, other: str) -> int:
    """How many symbols are put in, left out or exchanged (Levenshtein)."""
    row = list(range(len(other) + 1))
    for at, symbol in enumerate(one, 1):
        corner, row[0] = row[0], at
        for place, wanted in enumerate(other, 1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (symbol != wanted))
    return row[-1]


def measured(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Of what was said and should have been: the shares of wrong words and of wrong symbols."""
    wrong = sum(said != wanted for said, wanted in pairs) / len(pairs)
    symbols = sum(distance(*pair) for pair in pairs) / sum(len(wanted) for _, wanted in pairs)
    return {"words": round(wrong, 4), "symbols": round(symbols, 4)}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, default=SOURCES, help="where the word lists are")
    parser.add_argument("--model", type=Path, default=ASSETS / "letters.npz")
    parser.add_argument("--seed", type=int, default=7, help="as trained")
    given = parser.parse_args()
    letters = Letters(given.model.read_bytes())
    _, held = drawn(given.sources, given.seed)
    for accent, name in enumerate(ACCENTS):
        words: list[Word] = [word for word in held if word.accent == accent]
        began = time.perf_counter()
        pairs = [(letters.say(word.letters, name), word.phonemes) for word in words]
        spent = (time.perf_counter() - began) / len(words)
        bare = [(said.translate(STRESSES), wanted.translate(STRESSES)) for said, wanted in pairs]
        report = {"accent": name, "count": len(words), "wrong": measured(pairs), "without stress": measured(bare)}
        print(json.dumps(report | {"milliseconds": round(1000 * spent, 3)}))


if __name__ == "__main__":
    main()
