"""How users' code is typed. Checked by `mypy --strict`, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import sauropod
from sauropod import blocking
from sauropod.abc import Backend, Chunk, Device, LanguageModel, LoadOptions, ModelInfo, Sampled, Source


@dataclass
class City:
    name: str
    people: int


@sauropod.tool
def population(city: str) -> int:
    """How many people live in a city."""
    return len(city)


async def asynchronous() -> None:
    engine = sauropod.Engine("demo", device="cpu", slots=4, isolation="thread")
    async with engine as opened:
        assert_type(opened, sauropod.Engine)
        completion = await engine.complete("Hi", temperature=0, max_tokens=5, stop="x", tools=[sauropod.Tool("clock")])
        assert_type(completion, sauropod.Completion)
        assert_type(completion.text, str)
        assert_type(completion.stop_reason, sauropod.StopReason)
        assert_type(completion.logprobs, Sequence[sauropod.TokenLogprob] | None)
        assert_type(completion.usage.cached_tokens, int)
        async for event in engine.stream([sauropod.Message.user("Hi")], sampling=sauropod.SamplingParams(top_k=1)):
            match event:
                case sauropod.TextDelta(text=text):
                    assert_type(text, str)
                case sauropod.ToolCallClosed(tool_call=call):
                    assert_type(call, sauropod.ToolCall)
                case sauropod.Finished(completion=completion):
                    assert_type(completion, sauropod.Completion)
        assert_type(engine.stream([1, 2, 3]).text(), AsyncIterator[str])
        assert_type(await engine.embed(["a", ("query", "document")]), NDArray[np.float32])
        assert_type(await engine.count_tokens("Hi"), int)
        assert_type(await engine.detokenize(await engine.tokenize("Hi")), str)
        assert_type(engine.info, sauropod.ModelInfo)
    await sauropod.Engine(Path("model.gguf")).open()
    await sauropod.Engine({"repo": "org/repo", "quantization": "Q4_K_M"}).open()
    assert_type(await engine.complete("Hi", returns=City), City)
    assert_type(await engine.complete("Hi", returns=int, temperature=0), int)
    assert_type(await engine.run("Hi", tools=[population]), sauropod.RunResult[str])
    assert_type((await engine.run("Hi", tools=[population], returns=City, max_rounds=3)).value, City)
    async with engine.run("Hi", tools=[population], approve=lambda call: call.name == "population") as run:
        async for happened in run:
            assert_type(happened, sauropod.RunEvent)
    assert_type(run.result, sauropod.RunResult[str])
    assert_type(population("Oslo"), int)
    await engine.complete("Hi", temprature=0)  # type: ignore[call-overload]
    await engine.complete("Hi", temperature="hot")  # type: ignore[call-overload]
    sauropod.Engine("demo", isolation="container")  # type: ignore[arg-type]


def synchronous() -> None:
    with blocking.Engine("demo", slots=4) as engine:
        assert_type(engine.complete("Hi", max_tokens=5), sauropod.Completion)
        for event in engine.stream("Hi"):
            assert_type(event, sauropod.StreamEvent)
        assert_type(engine.complete("Hi", returns=City), City)
        assert_type(engine.run("Hi", tools=[population]).result, sauropod.RunResult[str])
        assert_type(engine.embed("a"), NDArray[np.float32])
        assert_type(engine.count_tokens("Hi", raw=True), int)
    blocking.Engine("demo", slot=4)  # type: ignore[call-arg]


class Parrot(LanguageModel):
    """The least a plug-in's model has to have."""

    @property
    def info(self) -> ModelInfo:
        raise NotImplementedError

    @property
    def eos(self) -> Sequence[int]:
        return ()

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        return list(text.encode())

    def piece(self, token: int) -> bytes:
        return bytes([token])

    def open(
        self, slot: int, sampling: sauropod.SamplingParams, prompt: Sequence[int], generated: Sequence[int]
    ) -> None: ...

    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        return [Sampled(chunk.slot, chunk.tokens[-1]) for chunk in chunks if chunk.sample]


class ParrotBackend(Backend):
    """The least a plug-in has to have."""

    def devices(self) -> Sequence[Device]:
        return [Device("cpu")]

    def load(self, source: Source, options: LoadOptions) -> LanguageModel:
        return Parrot()
