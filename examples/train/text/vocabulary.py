"""Vocabulary: every word form of the documented questions and answers, for a recogniser to learn.

python -m examples.train.text.vocabulary
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path

from .questions import Question, load

PATH = Path(__file__).parent / "data" / "vocabulary.txt"


def words(questions: Iterable[Question]) -> list[str]:
    """The word forms in order, in lower case: of all wordings, held back or not, and of the answers."""
    texts = (text for each in questions for text in (*each.phrasings, *each.held_back, each.answer))
    return sorted({word for text in texts for word in re.findall(r"[a-z]+(?:'[a-z]+)?", _said(text))})


def _said(text: str) -> str:
    """`text` in lower case, without spelled words: letters are words already."""
    return re.sub(r"\b\w(?:-\w)+\b", " ", text.lower())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=PATH)
    given = parser.parse_args()
    found = words(load())
    given.to.write_text("\n".join(found) + "\n", "utf-8")
    print(f"{given.to}: {len(found)} word forms")


if __name__ == "__main__":
    main()
