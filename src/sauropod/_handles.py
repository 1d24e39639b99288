"""What an engine holds on to: a model in a worker, or one that is reached without."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs

from sauropod._attaching import heard
from sauropod._mailbox import Mailbox
from sauropod._runtime.link import Exchange, Link
from sauropod._runtime.pool import Isolation, WorkerPool
from sauropod._runtime.protocol import (
    Compute,
    CountInputs,
    CountTokens,
    Decode,
    Devices,
    Embed,
    Encode,
    End,
    Failed,
    Generate,
    Load,
    Piece,
    PromptText,
    Reply,
    Unload,
)
from sauropod._stream import LocalRun, RemoteRun, Run
from sauropod._values.asking import ChatOptions
from sauropod._values.info import Device, ModelInfo
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.messages import Message
from sauropod._values.sampling import SamplingParams
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod._values.speech import SpeechInfo
from sauropod.abc import ChatModel
from sauropod.errors import ClosedError, UnsupportedInput, UnsupportedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ChatHandle", "Handle", "Loaded", "SpeechHandle", "WorkerHandle", "ask", "devices_of"]

SEEDS = 2**32 - 1
"""How many seeds there are; the one after them would mean to llama.cpp: draw one."""

GRACE = 2.0
"""Seconds for which whoever is cancelled waits for an end that is under way."""

AskedFor = TypeVar("AskedFor", Compute, CountInputs, CountTokens, Decode, Devices, Embed, Encode, Load)
Info = TypeVar("Info")


class Handle(Protocol):
    """A model that is ready."""

    @property
    def info(self) -> ModelInfo: ...

    def start(self, prompt: PromptText, sampling: SamplingParams, priority: Priority) -> Run:
        """A request, to begin when its first event is asked for."""

    async def embed(self, inputs: Sequence[str | tuple[str, str]], priority: Priority) -> NDArray[np.float32]: ...

    async def count_tokens(self, prompt: PromptText) -> int: ...

    async def count_embedded(self, inputs: Sequence[str | tuple[str, str]]) -> int: ...

    async def tokenize(self, text: str, special: bool) -> list[int]: ...

    async def detokenize(self, tokens: Sequence[int]) -> str: ...

    async def aclose(self) -> None:
        """Give the model back. Cancelling only ends the waiting."""


@attrs.define(eq=False)
class Loaded(Generic[Info]):
    """A model in a worker."""

    pool: WorkerPool
    link: Link
    model: int
    info: Info

    @classmethod
    async def load(
        cls,
        pool: WorkerPool,
        worker: str,
        isolation: Isolation,
        backend: str,
        source: Source,
        options: LoadOptions,
        scheduling: SchedulerOptions,
    ) -> Self:
        """Load a model in the worker of that name. A load that fails or is cancelled leaves nothing behind."""
        link = pool.acquire(worker, isolation)
        model = pool.number()
        try:
            info = await ask(link, Load(pool.number(), model, backend, source, options, scheduling))
            cls.check(info)
        except BaseException:
            ended = _leave(pool, link, model)
            with anyio.move_on_after(GRACE, shield=True):
                await ended()
            raise
        return cls(pool, link, model, info)

    @classmethod
    def check(cls, info: Any) -> None:
        """Raise `UnsupportedModel` for a model of another kind than this is a handle of."""

    async def aclose(self) -> None:
        ended = _leave(self.pool, self.link, self.model)
        try:
            await ended()
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(GRACE, shield=True):
                await ended()
            raise


@attrs.define(eq=False)
class WorkerHandle(Loaded[ModelInfo]):
    """A language model in a worker."""

    @classmethod
    def check(cls, info: Any) -> None:
        if not isinstance(info, ModelInfo):
            raise UnsupportedModel(
                f"{info.name} is a {info.kind.replace('_', ' ')}, not a language model. Use it with "
                "sauropod.Transcriber, sauropod.Voice or sauropod.VoiceDetector."
            )

    def speech_info(self, **own: Any) -> SpeechInfo:
        """What it is as ears or a mouth; `own` is what only that part knows."""
        info = self.info
        return SpeechInfo(
            name=info.name,
            backend=info.backend,
            batch=info.slots,
            parameters=info.parameters,
            weight_bytes=info.placement.weight_bytes if info.placement else 0,
            licence=info.licence,
            placement=info.placement,
            **own,
        )

    def start(self, prompt: PromptText, sampling: SamplingParams, priority: Priority) -> Run:
        seed = int.from_bytes(os.urandom(4), "little") % SEEDS if sampling.seed is None else sampling.seed
        requests = [
            Generate(
                self.pool.number(),
                self.model,
                prompt,
                attrs.evolve(sampling, seed=(seed + index) % SEEDS, n=1),
                priority,
                sampling.seed is not None,
            )
            for index in range(sampling.n)
        ]
        return LocalRun(self.link, requests, self.info.syntax, self.info.audio_rate)

    async def tokens(
        self, prompt: PromptText, sampling: SamplingParams, priority: Priority
    ) -> AsyncGenerator[int, None]:
        """The tokens of one text as they are chosen, for models whose tokens are no text. Closing it stops them."""
        seed = int.from_bytes(os.urandom(4), "little") % SEEDS if sampling.seed is None else sampling.seed
        sampling = attrs.evolve(sampling, seed=seed, n=1)
        mailbox: Mailbox[tuple[int, Reply]] = Mailbox()
        exchange = Exchange(Generate(self.pool.number(), self.model, prompt, sampling, priority, False), mailbox)
        self.link.submit(exchange)
        try:
            while True:
                _, reply = await mailbox.get()
                match reply:
                    case Piece():
                        yield reply.token
                    case End():
                        return
                    case Failed():
                        reply.throw()
        finally:
            self.link.cancel(exchange)

    async def embed(self, inputs: Sequence[str | tuple[str, str]], priority: Priority) -> NDArray[np.float32]:
        import numpy as np

        vectors = await ask(self.link, Embed(self.pool.number(), self.model, inputs, priority))
        return np.stack(vectors)

    async def count_tokens(self, prompt: PromptText) -> int:
        prompt = await heard(prompt, self.info.audio_rate)
        count: int = await ask(self.link, CountTokens(self.pool.number(), self.model, prompt))
        return count

    async def count_embedded(self, inputs: Sequence[str | tuple[str, str]]) -> int:
        count: int = await ask(self.link, CountInputs(self.pool.number(), self.model, inputs))
        return count

    async def tokenize(self, text: str, special: bool) -> list[int]:
        tokens: list[int] = await ask(self.link, Encode(self.pool.number(), self.model, text, special))
        return tokens

    async def detokenize(self, tokens: Sequence[int]) -> str:
        text: str = await ask(self.link, Decode(self.pool.number(), self.model, tokens))
        return text


@attrs.define(eq=False)
class SpeechHandle(Loaded[SpeechInfo]):
    """A model in a worker that hears or speaks."""

    @classmethod
    def check(cls, info: Any) -> None:
        if not isinstance(info, SpeechInfo):
            raise UnsupportedModel(f"{info.name} is a language model. Use it with sauropod.Engine.")

    async def compute(self, items: Sequence[Any], priority: Priority) -> Sequence[Any]:
        """The results of some items, in their order. Cancelling takes them back."""
        results: Sequence[Any] = await ask(self.link, Compute(self.pool.number(), self.model, items, priority))
        return results


@attrs.define(eq=False)
class ChatHandle:
    """A model that batches by itself or is somewhere else."""

    model: ChatModel

    @property
    def info(self) -> ModelInfo:
        return self.model.info

    def start(self, prompt: PromptText, sampling: SamplingParams, priority: Priority) -> Run:
        if sampling.grammar is not None and sampling.grammar.kind not in self.info.grammars:
            raise UnsupportedInput(
                f"{self.info.name} cannot be held to a grammar of the kind {sampling.grammar.kind}. Leave grammar out."
            )
        return RemoteRun(self.model.stream(self._conversation(prompt), prompt.chat, sampling))

    async def embed(self, inputs: Sequence[str | tuple[str, str]], priority: Priority) -> NDArray[np.float32]:
        texts = [given for given in inputs if isinstance(given, str)]
        if len(texts) < len(inputs):
            raise UnsupportedInput(f"{self.info.name} embeds single texts; pairs are for rerankers.")
        return await self.model.embed(texts)

    async def count_tokens(self, prompt: PromptText) -> int:
        return await self.model.count_tokens(self._conversation(prompt), prompt.chat)

    async def count_embedded(self, inputs: Sequence[str | tuple[str, str]]) -> int:
        """As far as it can be told: what each takes as something a user says."""
        said = [[Message("user", given)] for given in inputs if isinstance(given, str)]
        return sum([await self.model.count_tokens(messages, ChatOptions()) for messages in said])

    async def tokenize(self, text: str, special: bool) -> list[int]:
        raise self._tells_no_tokens()

    async def detokenize(self, tokens: Sequence[int]) -> str:
        raise self._tells_no_tokens()

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            await self.model.aclose()

    def _tells_no_tokens(self) -> UnsupportedInput:
        return UnsupportedInput(f"{self.info.name} keeps its tokens to itself. Only count_tokens() tells of them.")

    def _conversation(self, prompt: PromptText) -> Sequence[Message]:
        if prompt.text is not None or prompt.tokens is not None:
            raise UnsupportedInput(f"{self.info.name} takes conversations only, not raw text or tokens.")
        return prompt.messages


async def devices_of(pool: WorkerPool, worker: str, isolation: Isolation, backend: str) -> Sequence[Device]:
    """What a backend can compute on, asked in the worker of that name."""
    link = pool.acquire(worker, isolation)
    try:
        devices: Sequence[Device] = await ask(link, Devices(pool.number(), backend))
        return devices
    finally:
        ended = _leave(pool, link)
        with anyio.move_on_after(GRACE, shield=True):
            await ended()


async def ask(link: Link, request: AskedFor) -> Any:
    """Send a request that has one answer, and wait for it. Cancelling takes it back."""
    mailbox: Mailbox[tuple[int, Reply]] = Mailbox()
    exchange = Exchange(request, mailbox)
    link.submit(exchange)
    try:
        _, reply = await mailbox.get()
    finally:
        link.cancel(exchange)
    if isinstance(reply, Failed):
        reply.throw()
    return getattr(reply, "value", None)


def _leave(pool: WorkerPool, link: Link, model: int | None = None) -> Callable[[], Awaitable[object]]:
    """Unload a model, and with the last one end the worker, which gives memory back more surely than anything.

    Done at once and as a whole, so that nothing can come between; what is returned waits for the end of it.
    """
    if pool.leave(link):
        return partial(anyio.to_thread.run_sync, link.join, abandon_on_cancel=True)
    if model is not None:
        mailbox: Mailbox[tuple[int, Reply]] = Mailbox()
        with contextlib.suppress(ClosedError):
            link.submit(Exchange(Unload(pool.number(), model), mailbox))
            return mailbox.get
    return anyio.lowlevel.checkpoint
