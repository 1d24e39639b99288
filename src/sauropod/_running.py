"""`ToolRun`: a model that calls tools, and is told what they gave, until it answers.

ask → the model calls → all its calls at once → tell the results → ask again → … → an answer
"""

from __future__ import annotations

import asyncio
import inspect
import math
import time
from collections.abc import Awaitable, Callable, Collection, Generator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar

import anyio
import anyio.to_thread
import attrs
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from sauropod._stream import TextStream, value_of
from sauropod._typed.functions import FunctionTool
from sauropod._typed.schemas import plain_json
from sauropod._values.completion import Completion, Finished
from sauropod._values.messages import Message, ToolCall
from sauropod._values.running import (
    RoundFinished,
    RunEvent,
    RunFinished,
    RunLimits,
    RunResult,
    RunStop,
    ToolFinished,
    ToolStarted,
)
from sauropod._values.sampling import StopReason
from sauropod.errors import ClosedError, RunTimeout

__all__ = ["Ask", "ToolRun", "outcome", "told"]

T = TypeVar("T")

Tell: TypeAlias = Callable[[RunEvent], None]


class Ask(Protocol):
    """Asks the model to go on with a conversation, in its first round or a later one, with its tools or without."""

    def __call__(self, messages: Sequence[Message], *, first: bool, with_tools: bool) -> TextStream: ...


@attrs.define(eq=False)
class ToolRun(Generic[T]):
    """The rounds of a conversation in which the model may call tools.

        result = await engine.run("What is the weather in Oslo?", tools=[get_weather])

        async with engine.run("…", tools=[get_weather]) as run:
            async for event in run:
                ...
        print(run.result.text)

    Leaving the block cancels the model and every tool that is running; functions in threads are left alone.
    """

    _ask: Ask
    _messages: list[Message]
    _functions: Mapping[str, FunctionTool[..., Any]]
    _described: Collection[str]
    """Names of tools that are no functions."""
    _limits: RunLimits
    _returns: Any
    _clock: Callable[[], float] = time.monotonic
    _completions: list[Completion] = attrs.field(factory=list)
    _result: RunResult[T] | None = None
    _group: TaskGroup | None = None
    _scope: anyio.CancelScope | None = None
    """Around all that runs."""
    _events: MemoryObjectReceiveStream[RunEvent | Exception] | None = None
    _used: bool = False

    @property
    def result(self) -> RunResult[T]:
        """What came of it. Raises `ClosedError` until the run has come to its end."""
        if self._result is None:
            raise ClosedError("The run has not come to its end, so there is no result. Iterate over it first.")
        return self._result

    @property
    def messages(self) -> Sequence[Message]:
        """The conversation as far as it has come: what is there if the run fails, too."""
        return tuple(self._messages)

    def __await__(self) -> Generator[Any, Any, RunResult[T]]:
        return self._to_the_end().__await__()

    async def _to_the_end(self) -> RunResult[T]:
        async with self:
            async for _ in self:
                pass
        return self.result

    # -- as a stream -----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._used:
            raise ClosedError("A run is used once. Make a new one with engine.run().")
        self._used = True
        self._scope = anyio.CancelScope()
        sending, self._events = anyio.create_memory_object_stream[RunEvent | Exception](math.inf)
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._pump, sending, self._scope)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._group is not None
        assert self._events is not None
        await self.aclose()
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            if group.split(lambda each: each is error)[1] is not None:
                raise
            # else only what goes on by itself from here, which it does as it was raised
        finally:
            self._events.close()

    async def aclose(self) -> None:
        """Stop it from another task: whoever iterates over it finds its end, with `ClosedError` for a result."""
        if self._scope is not None:
            self._scope.cancel()

    def __aiter__(self) -> Self:
        if self._events is None:
            raise ClosedError("A run is iterated over inside `async with engine.run(…) as run`; or await it.")
        return self

    async def __anext__(self) -> RunEvent:
        assert self._events is not None
        try:
            event = await self._events.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        if isinstance(event, Exception):
            raise event
        return event

    # -- rounds ----------------------------------------------------------------------------------------------------

    async def _pump(self, sending: MemoryObjectSendStream[RunEvent | Exception], scope: anyio.CancelScope) -> None:
        """Run the rounds, and tell what happens; an error last."""
        with sending, scope:
            try:
                with anyio.move_on_after(self._limits.timeout) as limit:
                    await self._rounds(sending.send_nowait)
                if limit.cancelled_caught:
                    raise RunTimeout(
                        f"The run took longer than {self._limits.timeout:g} s, and was stopped in its round "
                        f"{len(self._completions)}. Give it a larger timeout, or ask for less.",
                        messages=self._messages,
                    )
            except Exception as error:
                sending.send_nowait(error)

    async def _rounds(self, tell: Tell) -> None:
        for number in range(self._limits.max_rounds):
            last = number == self._limits.max_rounds - 1
            async with self._ask(self._messages, first=number == 0, with_tools=not last or number == 0) as stream:
                async for event in stream:
                    if not isinstance(event, Finished):
                        tell(event)
            completion = stream.completion
            self._completions.append(completion)
            self._messages.append(completion.message)
            tell(RoundFinished(number, completion))
            stop = self._stop(completion, last=last, forced=last and number > 0)
            if stop is not None:
                self._result = self._finished(completion, stop)
                tell(RunFinished(self._result))
                return
            self._messages += await self._execute(number, completion.tool_calls, tell)

    def _stop(self, completion: Completion, *, last: bool, forced: bool) -> RunStop | None:
        """Why the run ends now; None if it goes on."""
        calls = completion.tool_calls
        if completion.stop_reason in (StopReason.MAX_TOKENS, StopReason.CONTEXT_LENGTH):
            return RunStop.TRUNCATED
        if any(call.name in self._described for call in calls):
            return RunStop.PENDING
        if not calls:
            return RunStop.ROUNDS if forced else RunStop.ANSWER
        return RunStop.ROUNDS if last else None

    def _finished(self, completion: Completion, stop: RunStop) -> RunResult[T]:
        answer: Any = completion.text
        if self._returns is not None:
            answer = None if completion.tool_calls else value_of(completion, self._returns)
        messages, completions = tuple(self._messages), tuple(self._completions)
        return RunResult(answer, completion.text, stop, messages, completions, tuple(completion.tool_calls))

    # -- calls -----------------------------------------------------------------------------------------------------

    async def _execute(self, number: int, calls: Sequence[ToolCall], tell: Tell) -> list[Message]:
        """Execute calls, all at once. Their results, in their order."""
        results: dict[int, ToolFinished] = {}

        async def execute(place: int, call: ToolCall) -> None:
            began = self._clock()
            content, error = await self._result_of(number, call, tell)
            results[place] = ToolFinished(number, call, content, error, self._clock() - began)
            tell(results[place])

        async with anyio.create_task_group() as group:
            for place, call in enumerate(calls):
                group.start_soon(execute, place, call)
        return [Message.tool(results[place].content, call=call) for place, call in enumerate(calls)]

    async def _result_of(self, number: int, call: ToolCall, tell: Tell) -> tuple[str, Exception | None]:
        """What the model is told of a call, and what went wrong."""
        return await told(partial(self._outcome, number, call, tell))

    async def _outcome(self, number: int, call: ToolCall, tell: Tell) -> str:
        function = self._functions.get(call.name)
        if function is None:
            raise LookupError(f"there is no tool {call.name!r}; there are {', '.join(self._functions) or 'none'}")
        refusal = await self._refusal(call)
        if refusal:
            return f"This call was not allowed: {refusal}"
        tell(ToolStarted(number, call))
        with anyio.move_on_after(self._limits.tool_timeout):
            return await outcome(function, call)
        raise TimeoutError(f"it took longer than {self._limits.tool_timeout:g} s")

    async def _refusal(self, call: ToolCall) -> str:
        """Why a call may not be executed; empty if it may."""
        if self._limits.approve is None:
            return ""
        answer = self._limits.approve(call)
        if inspect.isawaitable(answer):
            answer = await answer
        if answer is True:
            return ""
        return (isinstance(answer, str) and answer) or "the user does not want it"


async def told(work: Callable[[], Awaitable[str]]) -> tuple[str, Exception | None]:
    """What a model is told of a call: what `work` gives, or what went wrong, and that itself."""
    try:
        return await work(), None
    except asyncio.CancelledError:
        if _is_cancelled():
            raise
        error = RuntimeError("it was cancelled")  # by itself: what it waited for was
        return f"Error: {error}", error
    except Exception as error:
        return _sendable(f"Error: {type(error).__name__}: {_said(error)}"), error


async def outcome(function: FunctionTool[..., Any], call: ToolCall) -> str:
    """What a function gives, as text. Raises what it raises."""
    return _sendable(plain_json(await _called(function, call)))


async def _called(function: FunctionTool[..., Any], call: ToolCall) -> Any:
    """Call a function where it belongs: one that awaits here, any other in a thread."""
    if _awaits(function.function):
        result = function.call_with(call.arguments)
    else:
        result = await anyio.to_thread.run_sync(partial(function.call_with, call.arguments), abandon_on_cancel=True)
    return await result if inspect.isawaitable(result) else result


def _is_cancelled() -> bool:
    """Whether this task is being cancelled, where a `CancelledError` of asyncio has come up."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _said(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # an error of the user's own, with an error in it
        return "(which cannot say what is wrong)"


def _sendable(text: str) -> str:
    """Text that any process can read: half a character is none."""
    return text.encode(errors="replace").decode()


def _awaits(function: Any) -> bool:
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
