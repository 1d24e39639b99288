"""Sentences: what is read aloud for the recogniser to learn from, and what it is tested on.

A third is what people say to the demo language model and what it answers. The rest is there so that words are heard
and not sentences: the same sentences with words exchanged, and words in random order.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..text import material
from ..text.documented import TOPICS
from ..text.phrasing import habits
from ..text.questions import Question, normal
from .lexicon import WORD, Lexicon, lexicon, number

ASKING = frozenset((
    "what", "what's", "whats", "which", "who", "who's", "whose", "whom", "when", "where", "where's", "why", "how",
    "how's", "is", "are", "am", "was", "were", "do", "does", "did", "can", "could", "will", "would", "should", "may",
    "must", "has", "have", "had", "shall", "isn't", "aren't", "don't", "doesn't", "didn't", "can't",
))  # fmt: skip
"""A sentence that begins with one of these is a question."""
INSIDE = frozenset(["what", "which", "who", "whom", "where", "when", "why", "how"])


def written(text: str) -> str | None:
    """`text` as it is spoken and shown: numbers in words, one mark at its end. None if it cannot be spoken plainly.

    Whether it ends in a question mark depends on its words alone, so that it can be learned.
    """
    text = re.sub(r"\s*\+\s*(?=\d)", " plus ", text)
    text = re.sub(r"(?<=\d)\s*-\s*(?=\d)", " minus ", text)
    text = re.sub(r"(?<=\d)\s*[*×]\s*(?=\d)", " times ", text)
    text = re.sub(r"\s*=$", " equals", text)
    text = re.sub(r"\d+", lambda found: number(int(found[0])) if len(found[0]) < 6 else found[0], text)
    text = re.sub(r"[:;]", ",", re.sub(r"!", ".", text)).strip()
    if re.search(r"[^A-Za-z' ,.?]|\w-\w", text) or not WORD.search(text):
        return None
    asked = text.endswith("?")
    text = re.sub(r"[,.? ]+$", "", text)
    last = re.split(r"[.?] ", text)[-1]
    words = [word.lower() for word in WORD.findall(last)]
    first = next((word for word in WORD.findall(last.split(", ")[-1])), words[0]).lower()
    question = words[0] in ASKING or first in ASKING or (asked and not INSIDE.isdisjoint(words))
    return text[:1].upper() + text[1:] + ("?" if question else ".")


def plain(text: str) -> str:
    """`text` in lower case without punctuation: what a word error rate compares."""
    return " ".join(word.lower() for word in WORD.findall(text))


@dataclass(frozen=True)
class Sentences:
    """Draws sentences. Wordings that are held back are never among those to train on."""

    material: material.Material = field(default_factory=material.trained)
    words: Lexicon = field(default_factory=lexicon)

    def trained(self, rng: random.Random) -> Iterator[str]:
        """Sentences to train on, without end."""
        kinds = (self._asked, self._answered, self._framed, self._exchanged, self._shuffled)
        while True:
            text = rng.choices(kinds, (16, 10, 12, 28, 34))[0](rng)
            if text is not None and normal(text) not in self.material.secret and self.words.knows(text):
                yield text

    def held_back(self, rng: random.Random) -> Iterator[str]:
        """Sentences of wordings that are never trained, without end and without repeats."""
        seen = set()
        while True:
            question = self._question(rng)
            text = written(rng.choice(question.held_back)) if question.held_back else None
            if text is not None and text not in seen and self.words.knows(text):
                seen.add(text)
                yield text

    def shuffled(self, rng: random.Random) -> Iterator[str]:
        """Words in random order, without end."""
        while True:
            yield self._shuffled(rng)

    def _question(self, rng: random.Random) -> Question:
        topic = rng.choices(tuple(TOPICS), tuple(TOPICS.values()))[0]
        return rng.choice(self.material.topics[topic])

    def _asked(self, rng: random.Random) -> str | None:
        text = rng.choice(self._question(rng).phrasings)
        if rng.random() < 0.25:
            for long, short in habits().short.items():
                text = text.replace(long, short)
        return written(text)

    def _answered(self, rng: random.Random) -> str | None:
        return written(self._question(rng).answer)

    def _framed(self, rng: random.Random) -> str | None:
        text = self._asked(rng)
        if text is None:
            return None
        if rng.random() < 0.3:
            return written(text[:-1] + rng.choice(habits().after) + text[-1])
        before = rng.choice(habits().before)
        first = WORD.findall(text)[0]
        small = self.words.written.get(first.lower(), first)
        starts = before.rstrip().endswith((".", "!", "?", ":"))
        return written(before + (text if starts else small + text[len(first) :]))

    def _exchanged(self, rng: random.Random) -> str | None:
        """A sentence in which one word in three is another one."""
        text = self._answered(rng) if rng.random() < 0.3 else self._asked(rng)
        if text is None:
            return None
        every = tuple(self.words.written.values())
        return written(WORD.sub(lambda found: rng.choice(every) if rng.random() < 0.35 else found[0], text))

    def _shuffled(self, rng: random.Random) -> str:
        """Two to eight words; two sentences now and then."""
        every = tuple(self.words.written.values())
        count = rng.choice((1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 8))
        text = " ".join(rng.choice(every) for _ in range(count))
        if count > 3 and rng.random() < 0.15:
            parts = text.split(" ")
            at = rng.randint(1, count - 2)
            parts[at] += ","
            text = " ".join(parts)
        return text[:1].upper() + text[1:] + "."
