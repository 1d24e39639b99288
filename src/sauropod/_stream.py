"""A request's answer while it is being written."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import anyio
import attrs

from sauropod._attaching import heard
from sauropod._mailbox import Mailbox
from sauropod._runtime.link import Exchange, Link
from sauropod._runtime.protocol import Answer, Began, End, Failed, Generate, Piece, Reply
from sauropod._typed.schemas import built
from sauropod._typed.validity import fault_of, fault_under
from sauropod._values.completion import Choice, Completion, Finished, StreamEvent, TextDelta, Timings, Usage
from sauropod._values.grammar import Grammar
from sauropod._values.sampling import StopReason
from sauropod._values.syntax import Syntax
from sauropod._writing import Writing
from sauropod.errors import BackendError, ClosedError, InvalidOutput, SauropodError

__all__ = ["LocalRun", "RemoteRun", "Run", "TextStream", "value_of"]

_CLOSED = "The stream was closed while it was being read."


class Run(Protocol):
    """A request under way. It begins when the first event is asked for."""

    async def next(self) -> StreamEvent:
        """The next event. The last is `Finished`."""

    async def aclose(self) -> None:
        """Stop it, and wait until it has let go of what it held. Whoever waits in `next` gets a `ClosedError`."""

    def abandon(self) -> None:
        """Stop it soon. The garbage collector may call this anywhere, so it takes no lock."""

    @property
    def usage(self) -> Usage:
        """What it has used so far, as far as that can be told."""


@attrs.define(eq=False)
class TextStream:
    """The events of one request: text, thoughts and calls as they are written, then one `Finished`.

        async with engine.stream("Tell me a story.") as stream:
            async for event in stream:
                ...
        print(stream.completion.usage)

    Leaving the block, or letting go of the stream, stops the model and frees its slot. A stream belongs to the event
    loop it was first used in, and to one task at a time.
    """

    _run: Run
    _grammar: Grammar | None = None
    """What every text has to be, which is looked at once more at the end."""
    _strict: Mapping[str, str] = attrs.field(factory=dict)
    """The schemas of tools whose calls were held to them, by their names; which is looked at once more too."""
    _returns: Any = None
    """The type of which the answer is to be an instance."""
    _completion: Completion | None = None
    _closed: bool = False
    _failed: bool = False

    @property
    def completion(self) -> Completion:
        """The whole answer. Raises `ClosedError` until the stream has come to its end."""
        if self._completion is None:
            raise ClosedError("The stream has not come to its end, so there is no completion. Iterate over it first.")
        return self._completion

    @property
    def usage(self) -> Usage:
        """What it has used so far: the prompt as soon as it is known, and tokens as they come."""
        return self._run.usage if self._completion is None else self._completion.usage

    @property
    def value(self) -> Any:
        """The answer as an instance of the type that was asked for with `returns`.

        Raises `ClosedError` until the stream has come to its end, and `InvalidOutput` if the answer is no such thing.
        """
        return value_of(self.completion, self._returns)

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
            self._check(event.completion)
            self._completion = event.completion
        return event

    def _check(self, completion: Completion) -> None:
        """Raises `InvalidOutput` if a text that came to its end is not what it was held to."""
        for choice in completion.choices:
            if fault := self._fault(choice):
                self._failed = True
                raise InvalidOutput(
                    f"The model's answer is not what it was held to: {fault}. Its backend is at fault.",
                    text=choice.text,
                )

    def _fault(self, choice: Choice) -> str:
        """What is wrong with a text that was held to something."""
        for call in choice.tool_calls:
            if call.name in self._strict and (fault := fault_under(dict(call.arguments), self._strict[call.name])):
                return f"it calls {call.name}, and {fault}"
        ended = choice.stop_reason is StopReason.EOS and not choice.tool_calls
        return fault_of(choice.text, self._grammar) if ended and self._grammar is not None else ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._completion is None and not self._closed:
            self._run.abandon()


def value_of(completion: Completion, type_: Any) -> Any:
    """A completion as an instance of a type. Raises `InvalidOutput` if it is none."""
    choice = completion.choices[0]
    if choice.stop_reason is StopReason.STOP:
        why, what = f"it came to {choice.stop!r}, at which it was to stop", "Ask without stop"
    else:
        count = completion.usage.completion_tokens
        why, what = (
            f"{choice.stop_reason} was reached after {count} tokens",
            "Ask with a larger max_tokens, or for less",
        )
    if choice.stop_reason is not StopReason.EOS:
        raise InvalidOutput(
            f"The model's answer ended in the middle, because {why}. {what}.", text=choice.text, truncated=True
        )
    if choice.tool_calls:
        raise InvalidOutput(
            "The model called a tool instead of answering. The error's tool_calls are its calls; run() executes them.",
            text=choice.text,
            tool_calls=choice.tool_calls,
        )
    return built(type_, choice.text)


@attrs.define(eq=False)
class LocalRun:
    """A request to a model in a worker: one exchange for each text that is wanted."""

    link: Link
    requests: Sequence[Generate]
    syntax: Syntax | None = None
    audio_rate: int = 0
    """Samples a second of what the model hears."""
    _closed: bool = False
    _reading: anyio.CancelScope | None = None
    """Around the reading of audio."""
    _mailbox: Mailbox[tuple[int, Reply]] | None = None
    _exchanges: list[Exchange] = attrs.field(factory=list)
    _writing: list[Writing] = attrs.field(init=False)
    _ready: deque[StreamEvent] = attrs.field(factory=deque)

    def __attrs_post_init__(self) -> None:
        self._writing = [Writing(index, request, self.syntax) for index, request in enumerate(self.requests)]

    async def next(self) -> StreamEvent:
        if self._mailbox is None:
            await self._hear()
            self._mailbox = self._submit()
        while not self._ready:
            index, reply = await self._mailbox.get()
            self._take(index, reply)
        return self._ready.popleft()

    async def aclose(self) -> None:
        self._closed = True
        if self._reading is not None:
            self._reading.cancel()
        self._cancel()
        if self._mailbox is not None:
            self._mailbox.put((0, Failed(ClosedError(_CLOSED))))

    def abandon(self) -> None:
        for exchange in self._exchanges:
            self.link.abandon(exchange)

    def _cancel(self) -> None:
        for exchange in self._exchanges:
            self.link.cancel(exchange)

    async def _hear(self) -> None:
        """Read the audio of the prompt, which all of the texts share."""
        prompt = self.requests[0].prompt
        read = prompt
        with anyio.CancelScope() as self._reading:
            read = await heard(prompt, self.audio_rate)
        if self._closed:
            raise ClosedError(_CLOSED)
        if read is not prompt:
            self.requests = [attrs.evolve(request, prompt=read) for request in self.requests]

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
            case Began():
                writing.begin(reply)
            case Piece():
                self._ready.extend(writing.take(reply))
            case End():
                self._ready.extend(writing.finish(reply))
                if all(each.end is not None for each in self._writing):
                    self._ready.append(Finished(self._complete()))
            case Failed():
                self._cancel()
                reply.throw()
            case Answer():
                raise AssertionError("a text was answered as if it were something else")

    @property
    def usage(self) -> Usage:
        first = self._writing[0]
        return Usage(
            first.began.prompt_tokens if first.began is not None else 0,
            first.end.cached_tokens if first.end is not None else 0,
            sum(len(each.tokens) for each in self._writing),
            sum(each.reasoning_tokens for each in self._writing),
        )

    def _complete(self) -> Completion:
        ends = [writing.end for writing in self._writing if writing.end is not None]
        first = ends[0]
        longest = max(end.timings.total for end in ends)
        timings = Timings(first.timings.queued, first.timings.prompt, longest - first.timings.first_token)
        choices = tuple(each.choice() for each in self._writing)
        return Completion(choices, self.usage, timings, self._writing[0].ledger())


@attrs.define(eq=False)
class RemoteRun:
    """A request to a `ChatModel`, which streams the same events by itself."""

    events: AsyncIterator[StreamEvent]
    _reading: anyio.CancelScope | None = None
    usage: Usage = attrs.field(factory=lambda: Usage(0, 0, 0, 0), init=False)
    """Nobody tells before the end."""

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
