"""A request's answer while it is being written."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from types import TracebackType
from typing import Protocol, Self

import anyio
import attrs

from sauropod._runtime.link import Exchange, Link
from sauropod._runtime.mailbox import Mailbox
from sauropod._runtime.protocol import Answer, End, Failed, Generate, Piece, Reply
from sauropod._values.completion import (
    Choice,
    Completion,
    Finished,
    StreamEvent,
    TextDelta,
    Timings,
    TokenLogprob,
    Usage,
)
from sauropod.errors import BackendError, ClosedError, SauropodError

__all__ = ["LocalRun", "RemoteRun", "Run", "TextStream"]


class Run(Protocol):
    """A request under way. It begins when the first event is asked for."""

    async def next(self) -> StreamEvent:
        """The next event. The last is `Finished`."""

    async def aclose(self) -> None:
        """Stop it, and wait until it has let go of what it held. Whoever waits in `next` gets a `ClosedError`."""

    def abandon(self) -> None:
        """Stop it soon. The garbage collector may call this anywhere, so it takes no lock."""


@attrs.define(eq=False)
class TextStream:
    """The events of one request: any number of `TextDelta`, then one `Finished`.

        async with engine.stream("Tell me a story.") as stream:
            async for event in stream:
                ...
        print(stream.completion.usage)

    Leaving the block, or letting go of the stream, stops the model and frees its slot. A stream belongs to the event
    loop it was first used in, and to one task at a time.
    """

    _run: Run
    _completion: Completion | None = None
    _closed: bool = False
    _failed: bool = False

    @property
    def completion(self) -> Completion:
        """The whole answer. Raises `ClosedError` until the stream has come to its end."""
        if self._completion is None:
            raise ClosedError("The stream has not come to its end, so there is no completion. Iterate over it first.")
        return self._completion

    async def text(self) -> AsyncIterator[str]:
        """Only the text, as it comes. With `n` above 1 the texts are mixed; look at the events instead."""
        async for event in self:
            if isinstance(event, TextDelta):
                yield event.text

    async def aclose(self) -> None:
        """Stop the request if it is still running."""
        self._closed = True
        await self._run.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        if self._completion is not None or self._failed:
            raise StopAsyncIteration
        if self._closed:
            raise ClosedError("The stream is closed. Make a new one with engine.stream().")
        try:
            event = await self._run.next()
        except Exception:  # which a cancellation is not: after that the stream goes on
            self._failed = True
            raise
        if isinstance(event, Finished):
            self._completion = event.completion
        return event

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._completion is None and not self._closed:
            self._run.abandon()


@attrs.define(eq=False)
class _Writing:
    """One text of a request, as far as it has come."""

    text: list[str] = attrs.field(factory=list)
    tokens: list[int] = attrs.field(factory=list)
    logprobs: list[TokenLogprob] = attrs.field(factory=list)
    shown: int = 0
    """How many of the log-probabilities have been given out with an event."""
    end: End | None = None

    def take(self, piece: Piece) -> None:
        self.text.append(piece.text)
        self.tokens.append(piece.token)
        if piece.logprob is not None:
            alternatives = tuple(TokenLogprob(token, data, logprob) for token, data, logprob in piece.top)
            self.logprobs.append(TokenLogprob(piece.token, piece.bytes, piece.logprob, alternatives))

    def delta(self, text: str, index: int) -> TextDelta:
        news, self.shown = self.logprobs[self.shown :], len(self.logprobs)
        return TextDelta(text, index, tuple(news))

    def choice(self, reported: bool) -> Choice:
        assert self.end is not None
        return Choice(
            "".join(self.text),
            self.end.stop_reason,
            tuple(self.tokens),
            self.end.stop,
            tuple(self.logprobs) if reported else None,
        )


@attrs.define(eq=False)
class LocalRun:
    """A request to a model in a worker: one exchange for each text that is wanted."""

    link: Link
    requests: Sequence[Generate]
    _mailbox: Mailbox[tuple[int, Reply]] | None = None
    _exchanges: list[Exchange] = attrs.field(factory=list)
    _writing: list[_Writing] = attrs.field(init=False)
    _ready: deque[StreamEvent] = attrs.field(factory=deque)

    def __attrs_post_init__(self) -> None:
        self._writing = [_Writing() for _ in self.requests]

    async def next(self) -> StreamEvent:
        if self._mailbox is None:
            self._mailbox = self._submit()
        while not self._ready:
            index, reply = await self._mailbox.get()
            self._take(index, reply)
        return self._ready.popleft()

    async def aclose(self) -> None:
        self._cancel()
        if self._mailbox is not None:
            self._mailbox.put((0, Failed(ClosedError("The stream was closed while it was being read."))))

    def abandon(self) -> None:
        for exchange in self._exchanges:
            self.link.abandon(exchange)

    def _cancel(self) -> None:
        for exchange in self._exchanges:
            self.link.cancel(exchange)

    def _submit(self) -> Mailbox[tuple[int, Reply]]:
        mailbox: Mailbox[tuple[int, Reply]] = Mailbox()
        self._exchanges = [Exchange(request, mailbox, index) for index, request in enumerate(self.requests)]
        try:
            for exchange in self._exchanges:
                self.link.submit(exchange)
        except SauropodError:
            self._cancel()
            raise
        return mailbox

    def _take(self, index: int, reply: Reply) -> None:
        writing = self._writing[index]
        match reply:
            case Piece():
                writing.take(reply)
                if reply.text:
                    self._ready.append(writing.delta(reply.text, index))
            case End():
                writing.end = reply
                if reply.text or writing.shown < len(writing.logprobs):
                    writing.text.append(reply.text)
                    self._ready.append(writing.delta(reply.text, index))
                if all(each.end is not None for each in self._writing):
                    self._ready.append(Finished(self._complete()))
            case Failed():
                self._cancel()
                reply.throw()
            case Answer():
                raise AssertionError("a text was answered as if it were something else")

    def _complete(self) -> Completion:
        reported = self.requests[0].sampling.logprobs is not None
        ends = [writing.end for writing in self._writing if writing.end is not None]
        first = ends[0]
        usage = Usage(first.prompt_tokens, first.cached_tokens, sum(len(each.tokens) for each in self._writing))
        longest = max(end.timings.total for end in ends)
        timings = Timings(first.timings.queued, first.timings.prompt, longest - first.timings.first_token)
        return Completion(tuple(each.choice(reported) for each in self._writing), usage, timings)


@attrs.define(eq=False)
class RemoteRun:
    """A request to a `ChatModel`, which streams the same events by itself."""

    events: AsyncIterator[StreamEvent]
    _reading: anyio.CancelScope | None = None

    async def next(self) -> StreamEvent:
        with anyio.CancelScope() as self._reading:
            try:
                event = await anext(self.events)
            except StopAsyncIteration:
                raise BackendError(
                    "The model's stream ended without a Finished event; its plug-in is at fault."
                ) from None
            finally:
                self._reading = None
            if isinstance(event, Finished):
                await self.aclose()
            return event
        raise ClosedError("The stream was closed while it was being read.")

    async def aclose(self) -> None:
        if self._reading is not None:
            self._reading.cancel()  # which closes it where it is read
        elif isinstance(self.events, AsyncGenerator):
            await self.events.aclose()

    def abandon(self) -> None:
        """Left to the event loop, which closes a generator that nobody holds any more."""
