"""Material: everything conversations are drawn from, read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from . import questions, tools, words
from .questions import Question, normal
from .tools import Shape
from .words import Words


@dataclass(frozen=True)
class Material:
    """Questions, words and tool shapes. `secret` holds the wordings that training may not use."""

    words: Words
    questions: tuple[Question, ...]
    own: tuple[Shape, ...]
    others: tuple[Shape, ...]
    topics: Mapping[str, tuple[Question, ...]] = field(repr=False)
    families: Mapping[str, tuple[Question, ...]] = field(repr=False)
    secret: frozenset[str] = field(repr=False)
    measuring: bool = False


def trained() -> Material:
    """What training draws from."""
    return _material(words.trained(), tools.load("trained"), measuring=False)


def unseen() -> Material:
    """What measuring draws from: values, wordings and tools that training never uses."""
    return _material(words.unseen(), tools.load("unseen"), measuring=True)


def _material(lists: Words, others: tuple[Shape, ...], *, measuring: bool) -> Material:
    every = questions.load()
    return Material(
        words=lists,
        questions=every,
        own=tools.load("own"),
        others=others,
        topics=_grouped((each.topic, each) for each in every),
        families=_grouped((each.family, each) for each in every if each.family),
        secret=frozenset(normal(text) for each in every for text in each.held_back),
        measuring=measuring,
    )


def _grouped(pairs: Iterable[tuple[str, Question]]) -> dict[str, tuple[Question, ...]]:
    groups: defaultdict[str, list[Question]] = defaultdict(list)
    for key, question in pairs:
        groups[key].append(question)
    return {key: tuple(group) for key, group in groups.items()}
