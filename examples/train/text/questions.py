"""Question: one thing the model is documented to answer, and the files that list them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import arithmetic
from .accept import Accept

DIRECTORY = Path(__file__).parent / "data" / "questions"


@dataclass(frozen=True)
class Question:
    """A question in several wordings. `held_back` wordings are for measuring, never for training.

    Questions of one `family` ask the same of different things; a single question has none.
    """

    topic: str
    phrasings: tuple[str, ...]
    held_back: tuple[str, ...]
    answer: str
    accept: Accept
    family: str = ""
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The first wording: what the documentation lists."""
        return self.phrasings[0]

    @property
    def subject(self) -> str:
        """What the question asks about: the first fact of its row."""
        return self.facts[0][1] if self.facts else ""


def load(directory: Path = DIRECTORY) -> tuple[Question, ...]:
    """Every documented question, in the order of the files' names."""
    tables = [tomllib.loads(path.read_text("utf-8")) for path in sorted(directory.glob("*.toml"))]
    return tuple(question for table in tables for question in read(table))


def titles(directory: Path = DIRECTORY) -> dict[str, str]:
    """The heading of every topic."""
    tables = [tomllib.loads(path.read_text("utf-8")) for path in sorted(directory.glob("*.toml"))]
    return {table["topic"]: table["title"] for table in tables}


def read(document: Mapping[str, Any]) -> Iterator[Question]:
    """The questions of one file: those of its tables first, then the single ones."""
    shared = {key: value for key, value in document.items() if key not in ("tables", "questions")}
    if "phrasings" in shared:
        yield from _rows(shared)
    for table in document.get("tables", ()):
        yield from _rows({**shared, **table})
    for single in document.get("questions", ()):
        yield _question({**shared, **single}, {})


def _rows(table: Mapping[str, Any]) -> Iterator[Question]:
    rows = table["rows"]
    for row in arithmetic.rows(rows) if isinstance(rows, str) else rows:
        yield _question(table, dict(zip(table["columns"], row, strict=True)))


def _question(table: Mapping[str, Any], row: dict[str, str]) -> Question:
    facts = {**row, "spelled": "-".join(row["word"])} if "word" in row else row
    number = table.get("number")
    return Question(
        topic=table["topic"],
        phrasings=tuple(_filled(expand_all(table["phrasings"]), facts)),
        held_back=tuple(_filled(table["held_back"], facts)),
        answer=sentence(fill(table["answer"], facts)),
        accept=Accept(
            words=tuple(fill(word, facts) for word in table.get("accept", ())),
            number=fill(number, facts) if number is not None else None,
        ),
        family=table["phrasings"][0] if row else "",
        facts=tuple(facts.items()),
    )


def _filled(patterns: Iterable[str], facts: Mapping[str, str]) -> Iterator[str]:
    return (sentence(fill(pattern, facts)) for pattern in patterns)


def fill(pattern: str, facts: Mapping[str, str]) -> str:
    """`pattern` with every `{name}` replaced by its fact."""
    return re.sub(r"\{(\w+)\}", lambda found: facts[found[1]], pattern)


def sentence(text: str) -> str:
    """`text` with a capital first letter, except where it is one spelled word."""
    return text if re.fullmatch(r"\w(-\w)+", text) else text[:1].upper() + text[1:]


def expand_all(patterns: Iterable[str]) -> tuple[str, ...]:
    """Every wording the patterns stand for, without repeats."""
    return tuple(dict.fromkeys(text for pattern in patterns for text in expand(pattern)))


def expand(pattern: str) -> Iterator[str]:
    """Every wording of `pattern`, where `(a|b|)` stands for a, b or nothing; groups may hold groups."""
    inner = re.search(r"\(([^()]*)\)", pattern)
    if inner is None:
        yield re.sub(r" +", " ", pattern).strip()
        return
    for choice in inner[1].split("|"):
        yield from expand(pattern[: inner.start()] + choice + pattern[inner.end() :])


def normal(text: str) -> str:
    """`text` without case, punctuation and repeated spaces: what makes two wordings the same."""
    return " ".join(re.sub(r"[^\w'+*/=-]+", " ", text.lower()).split())
