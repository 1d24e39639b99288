"""How fast an engine reads and writes with so many requests at once."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from statistics import median
from typing import ClassVar

import anyio
import attrs

from sauropod import Engine, ModelInfo, UnsupportedInput

__all__ = ["Figures", "Plan", "measure", "require_tokens", "warm_up"]


@attrs.frozen
class Plan:
    """What is to be measured."""

    requests: Sequence[int]
    """How many at once, one row of figures for each."""
    prompt: int
    generate: int
    repeat: int

    short_prompt: ClassVar[int] = 8
    """What writing starts from: as little as may be."""

    @property
    def context_length(self) -> int:
        """The room one request needs."""
        return max(self.prompt, self.short_prompt + self.generate) + 8


@attrs.frozen
class Figures:
    """What was measured. Tokens per second of all requests together, and seconds."""

    requests: int
    reading: float
    writing: float
    first_token_p50: float
    first_token_p95: float


@attrs.frozen
class Asked:
    """One request, and how long it took as its sender saw it."""

    seconds: float
    prompt_tokens: int
    completion_tokens: int


async def measure(engine: Engine, requests: int, plan: Plan) -> Figures:
    """Medians over the repetitions of `plan`; the percentiles are over all its requests."""
    reading, writing, waits = [], [], []
    for _ in range(plan.repeat):
        asked, seconds = await _together(engine, requests, plan.prompt, 1)
        reading.append(sum(each.prompt_tokens for each in asked) / seconds)
        waits += [each.seconds for each in asked]
        asked, seconds = await _together(engine, requests, plan.short_prompt, plan.generate)
        writing.append(sum(each.completion_tokens for each in asked) / seconds)
    return Figures(requests, median(reading), median(writing), median(waits), percentile(waits, 0.95))


def require_tokens(info: ModelInfo, name: str) -> None:
    """Raises `UnsupportedInput` for a model that cannot be given random tokens, which is how reading is measured."""
    if not info.vocabulary_size:
        raise UnsupportedInput(f"{name} takes conversations and no tokens, so measure it where it runs, not from here.")


async def warm_up(engine: Engine) -> None:
    """The first request pays for what is set up once."""
    await _together(engine, 1, Plan.short_prompt, 4)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


async def _together(engine: Engine, requests: int, prompt: int, generate: int) -> tuple[list[Asked], float]:
    """So many requests at the same moment, and how long all of them took."""
    asked: list[Asked] = []

    async def ask(tokens: Sequence[int]) -> None:
        began = time.perf_counter()
        completion = await engine.complete(tokens, max_tokens=generate, ignore_eos=True)
        usage = completion.usage
        computed = usage.prompt_tokens - usage.cached_tokens
        asked.append(Asked(time.perf_counter() - began, computed, usage.completion_tokens))

    prompts = [_tokens(prompt, engine.info.vocabulary_size) for _ in range(requests)]
    began = time.perf_counter()
    async with anyio.create_task_group() as group:
        for tokens in prompts:
            group.start_soon(ask, tokens)
    return asked, time.perf_counter() - began


def _tokens(count: int, vocabulary: int) -> Sequence[int]:
    """Random tokens, other ones each time, so that no prompt begins like another."""
    return [random.randrange(vocabulary) for _ in range(count)]
