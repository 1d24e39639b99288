"""A conversation of ten turns: how many prompt tokens are computed again beyond those of the new turn.

Every turn sends the whole conversation as text, as chat clients do. Random weights say what no tokenizer would write
that way again, so the answers are kept to words that are one token each; with a trained model that is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import attrs

from benchmarks.harness.program import run
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.rounds import interleave, sides
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Ask, Reading, Side
from benchmarks.harness.vocabulary import word_tokens

__all__ = ["measure"]

SERVING = Serving(slots=16, context=4096)
TURNS = 10
WORDS = 100
BIAS = 60.0
"""More than the logits of random weights differ."""


@attrs.frozen
class Talk:
    """The turns of one conversation, as the client saw them."""

    turns: Sequence[Reading]

    @property
    def new(self) -> int:
        """Tokens that nobody could have computed before: what each prompt adds to the prompt and answer before it."""
        pairs = pairwise(self.turns)
        return sum(turn.prompt_tokens - before.prompt_tokens - before.tokens for before, turn in pairs)

    @property
    def computed(self) -> int:
        """Of all prompts but the first, which is all new."""
        return sum(turn.prompt_tokens - turn.cached_tokens for turn in self.turns[1:])

    @property
    def again(self) -> float:
        """Tokens computed beyond the new ones, in per cent of these."""
        return 100 * (self.computed - self.new) / self.new

    @property
    def last_first(self) -> float:
        """Time to first token in the last turn."""
        return self.turns[-1].first


async def measure(setup: Setup) -> Sequence[Row]:
    """What was computed again, of all turns together, and the time to first token at the end."""
    bias = dict.fromkeys(word_tokens(setup.model), BIAS)

    async def talk(side: Side, number: int) -> Talk:
        return await _talk(setup, side, Prompts(number), bias)

    async with sides(setup, SERVING) as both:
        return _rows(await interleave(setup, both, talk))


async def _talk(setup: Setup, side: Side, prompts: Prompts, bias: Mapping[int, float]) -> Talk:
    conversation: list[tuple[str, str]] = []
    turns = []
    for _ in range(TURNS):
        conversation.append(("user", prompts.text(setup.words(WORDS))))
        turns.append(await side.ask(Ask(tuple(conversation), setup.answer, bias)))
        conversation.append(("assistant", turns[-1].text))
    return Talk(turns)


def _rows(talks: Sequence[Sequence[Talk]]) -> Sequence[Row]:
    work = f"{TURNS}-turn conversation"
    goal = Goal(at_most=2.0, relative=False)
    return [
        Row.of(work, "prompt tokens computed again", "% of the new", [[t.again for t in side] for side in talks], goal),
        Row.of(work, "prompt tokens computed", "", [[talk.computed for talk in side] for side in talks]),
        Row.of(work, "first token, last turn", "s", [[talk.last_first for talk in side] for side in talks]),
    ]


if __name__ == "__main__":
    run(__doc__, measure)
