"""Corpus: the sentences that the voices speak to be learned from, drawn from a seed.

A third are what the demo language model is asked and says, a third are built from everyday words, a third are words of
misaki's dictionary in a row: no sense, but every neighbourhood of sounds.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable
from importlib.resources import files

from ..text.questions import load

SUBJECTS = (
    "I", "we", "they", "she", "he", "you", "my brother", "your friend", "the teacher", "a doctor", "the children",
    "people", "everyone", "nobody", "the little girl", "an old man", "our neighbours", "the driver", "this machine",
)  # fmt: skip
VERBS = (
    "saw", "found", "wanted", "bought", "kept", "made", "heard about", "talked about", "looked at", "forgot",
    "remembered", "will need", "could use", "should bring", "would like", "can see", "asked for", "thought of",
    "walked past", "opened", "closed", "wrote down", "carried", "showed me", "gave us", "told you about", "enjoyed",
)  # fmt: skip
THINGS = (
    "the weather", "a cup of coffee", "some fresh bread", "the big yellow bus", "a good book", "the front door",
    "another question", "the answer", "a short story", "the news", "a cold glass of water", "the red bicycle",
    "the whole picture", "a quiet place", "the music", "her birthday", "a long journey", "their new house", "the box",
    "the same thing", "a few minutes", "the north wind", "three apples", "a warm jacket", "the blue car", "one of them",
)  # fmt: skip
WHEN = (
    "today", "tomorrow morning", "last week", "on Monday", "in the evening", "after lunch", "before it was dark",
    "again", "at the station", "near the river", "in the garden", "with a smile", "as soon as possible", "this year",
    "every day", "at seven o'clock", "for a while", "because it was late", "when the rain stopped", "if you want",
)  # fmt: skip
OPENINGS = (
    "Well,", "Yes,", "No,", "Of course,", "However,", "Sorry,", "Please,", "Now,", "First,", "Then", "So", "But", "And",
    "Perhaps", "Sometimes", "Usually", "Hello,", "Thank you,", "I think", "I am not sure, but", "As you know,",
)  # fmt: skip
QUESTIONS = (
    "what is", "where is", "who wanted", "how was", "did you see", "can you tell me about", "why did they want",
    "do you like", "have you found", "is that", "when will we get", "which one is", "could you open", "are those",
)  # fmt: skip
SMALL = (
    "the", "a", "of", "to", "in", "and", "is", "was", "with", "for", "on", "or", "that", "it", "not", "are", "his",
    "her", "from", "by", "as", "at", "be", "this", "have", "had", "but", "they", "were", "an", "which", "their", "we",
)  # fmt: skip
SHORT = (
    "Yes", "No", "Hello", "Hi", "Good morning", "Good night", "Goodbye", "Thank you", "Thanks", "Please", "Sorry",
    "Of course", "Okay", "Sure", "Wait", "Stop", "Go on", "I see", "That is right", "Not yet", "Maybe", "See you soon",
)  # fmt: skip


def sentences(count: int, rng: random.Random) -> list[str]:
    """`count` lines, each of one sentence or a few."""
    documented = _documented()
    words = _words()
    kinds: tuple[Callable[[], str], ...] = (
        lambda: rng.choice(documented),
        lambda: built(rng),
        lambda: _row(words, rng),
        lambda: _numbers(rng),
        lambda: rng.choice(SHORT) + rng.choice(".!.,?"),
    )
    return [rng.choices(kinds, (30, 28, 34, 5, 3))[0]() for _ in range(count)]


def built(rng: random.Random) -> str:
    """A sentence of everyday words."""
    if rng.random() < 0.2:
        text = f"{rng.choice(QUESTIONS)} {rng.choice(THINGS)}" + rng.choice(("", f" {rng.choice(WHEN)}"))
        return text[0].upper() + text[1:] + "?"
    text = f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(THINGS)}"
    if rng.random() < 0.6:
        text += f" {rng.choice(WHEN)}"
    if rng.random() < 0.25:
        text += f"{rng.choice((', and', ', but', ' because', '; so', ', while'))} {rng.choice(SUBJECTS)} "
        text += f"{rng.choice(VERBS)} {rng.choice(THINGS)}"
    if rng.random() < 0.3:
        text = f"{rng.choice(OPENINGS)} {text}"
    return text[0].upper() + text[1:] + rng.choices(".!", (9, 1))[0]


def _row(words: list[str], rng: random.Random) -> str:
    """Words of the dictionary in a row, every third or so a small one, with commas and quotes."""
    row = [rng.choice(SMALL) if rng.random() < 0.35 else rng.choice(words) for _ in range(rng.randint(1, 9))]
    row = [f'"{word}"' if rng.random() < 0.02 else word for word in row]
    row = [word + rng.choice(",,,;:") if rng.random() < 0.08 else word for word in row[:-1]] + row[-1:]
    return " ".join(row).capitalize() + rng.choices(".?!", (8, 1, 1))[0]


def _numbers(rng: random.Random) -> str:
    """A sentence with numbers, or letters one by one."""
    if rng.random() < 0.3:
        return "It is spelled " + ", ".join(rng.sample("ABCDEFGHIJKLMNOPQRSTUVWXYZ", rng.randint(2, 6))) + "."
    number = rng.randint(0, rng.choice((12, 100, 2000, 100000)))
    return rng.choice(("The answer is {}.", "{} and {} more.", "That is {} degrees.", "In {}, it was new.")).format(
        number, rng.randint(0, 50)
    )


def _documented() -> list[str]:
    """The demo language model's questions and answers."""
    texts = {text for each in load() for text in (*each.phrasings, each.answer)}
    return sorted(clean for text in texts if (clean := plain(text)) and len(clean) < 160)


def _words() -> list[str]:
    """The words of misaki's larger dictionary of American English, and its smaller one twice."""
    tables = [json.loads((files("misaki") / f"data/us_{name}.json").read_text("utf-8")) for name in ("gold", "silver")]
    gold, silver = ([word for word in table if re.fullmatch("[a-z]{2,14}", word)] for table in tables)
    return gold * 2 + silver


def plain(text: str) -> str:
    """A text on one line, without what flite does not read."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s.,;:!?'\"()+%$-]", " ", text)).strip()


def unique(lines: Iterable[str]) -> list[str]:
    """The lines without what was there before, in order."""
    return list(dict.fromkeys(lines))
