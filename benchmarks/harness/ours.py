"""sauropod as one side of a comparison, through its public interface."""

from __future__ import annotations

import time
from typing import Self

import attrs

from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Ask, Reading
from sauropod import AskOptions, Engine, Grammar, Message, Prompt, TextDelta
from sauropod._runtime.pool import Isolation

__all__ = ["Ours"]


@attrs.define(eq=False)
class Ours:
    """An engine with its model in a worker process, unless `isolation` says otherwise."""

    setup: Setup
    serving: Serving
    isolation: Isolation = "process"
    name: str = "sauropod"
    _engine: Engine = attrs.field(init=False)

    async def __aenter__(self) -> Self:
        self._engine = await Engine(
            self.setup.model,
            device="cpu",
            isolation=self.isolation,
            threads=self.setup.threads,
            slots=self.serving.slots,
            context_length=self.serving.context,
            cache_length=self.serving.context * self.serving.slots,
            step_tokens=self.setup.step_tokens,
        ).open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._engine.aclose()

    async def ask(self, ask: Ask) -> Reading:
        messages = [Message(role, text) for role, text in ask.messages]  # type: ignore[arg-type]
        grammar = Grammar.json_schema(ask.schema) if ask.schema is not None else None
        options: AskOptions = {"grammar": grammar, "ignore_eos": grammar is None, "logit_bias": ask.bias}
        return (await self._read(messages, ask.tokens, options)).checked(ask.exactly)

    async def go_on(self, text: str, tokens: int) -> Reading:
        """What comes after `text`, without a chat template."""
        read = await self._read(text, tokens, {"raw": True, "ignore_eos": True})
        return read.checked(tokens)

    async def _read(self, prompt: Prompt, tokens: int, options: AskOptions) -> Reading:
        begin = time.perf_counter()
        arrivals = []
        asked: AskOptions = {**options, "temperature": 0, "max_tokens": tokens}
        async with self._engine.stream(prompt, **asked) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    arrivals.append(time.perf_counter() - begin)
            done = stream.completion
        usage, queued = done.usage, done.timings.queued
        return Reading(done.text, arrivals, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, queued)
