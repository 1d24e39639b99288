"""What happens while a model calls tools and is told what they gave: rounds, calls, results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

import attrs

from sauropod._values.checks import integer, is_finite
from sauropod._values.completion import (
    Completion,
    ReasoningDelta,
    TextDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallDropped,
    ToolCallOpened,
    Usage,
)
from sauropod._values.messages import Message, ToolCall
from sauropod.errors import InvalidOutput, UnsupportedInput

__all__ = [
    "Approve",
    "RoundFinished",
    "RunEvent",
    "RunFinished",
    "RunLimits",
    "RunResult",
    "RunStop",
    "ToolFinished",
    "ToolStarted",
]

T_co = TypeVar("T_co", covariant=True)


Approve: TypeAlias = Callable[[ToolCall], bool | str | Awaitable[bool | str]]
"""Says whether a call may be executed: only if it is True. False, or the reason why not, is told to the model."""


@attrs.frozen
class RunLimits:
    """How far a run may go."""

    max_rounds: int = attrs.field(default=8, validator=integer(UnsupportedInput, 1, 2**31 - 1))
    """How often the model is asked. In the last round of several it has to answer, because it may not call."""
    timeout: float | None = attrs.field(default=None)
    """Seconds for all of it."""
    tool_timeout: float | None = attrs.field(default=60.0)
    """Seconds for one call."""
    approve: Approve | None = attrs.field(default=None)
    """Is asked before a call is executed."""

    @timeout.validator
    @tool_timeout.validator
    def _lasts(self, field: attrs.Attribute[float | None], seconds: float | None) -> None:
        if seconds is not None and not (is_finite(seconds) and seconds > 0):
            raise UnsupportedInput(f"{field.name} is a number of seconds above 0, or None; got {seconds!r}.")

    @approve.validator
    def _called(self, _: object, approve: Approve | None) -> None:
        if approve is not None and not callable(approve):
            raise UnsupportedInput(f"approve is a function of a call; got {type(approve).__name__}.")


class RunStop(StrEnum):
    """Why a run ended."""

    ANSWER = "answer"
    """The model answered."""
    ROUNDS = "rounds"
    """It had called tools in all the rounds there were, and had to answer without them in the last."""
    TRUNCATED = "truncated"
    """The answer, or a call, was cut off by `max_tokens` or the length of the context. Calls that were complete by then
    were not executed, and are pending."""
    PENDING = "pending"
    """It called a tool that is only described, and no function: the call is for whoever asked."""


@attrs.frozen
class RoundFinished:
    """The model has said its say, once: an answer, or calls that are executed next."""

    round: int
    """Counted from 0."""
    completion: Completion


@attrs.frozen
class ToolStarted:
    """A call is allowed, and its function runs now."""

    round: int
    call: ToolCall


@attrs.frozen
class ToolFinished:
    """A call has a result, which the model is told as the next message."""

    round: int
    call: ToolCall
    content: str
    """What the model is told."""
    error: Exception | None = None
    """What went wrong, if something did."""
    seconds: float = 0.0


@attrs.frozen
class RunResult(Generic[T_co]):
    """What came of it."""

    _answer: T_co | None
    text: str
    stop: RunStop
    messages: Sequence[Message]
    """The whole conversation, with what was given, all calls and results, and the answer."""
    completions: Sequence[Completion]
    """One for each round."""
    pending: Sequence[ToolCall] = ()
    """Calls nobody has executed, if the run ended because of them."""

    @property
    def value(self) -> T_co:
        """The answer: an instance of the type that was asked for with `returns`, or the text.

        Raises `InvalidOutput` if such an instance was asked for and the run ended with calls instead.
        """
        if self._answer is None and self.pending:
            raise InvalidOutput(
                f"The run ended with calls of tools and no answer, because of {self.stop}. Look at result.pending.",
                text=self.text,
                tool_calls=self.pending,
            )
        return self._answer  # type: ignore[return-value]

    @property
    def usage(self) -> Usage:
        """Of all rounds together."""
        used = [completion.usage for completion in self.completions]
        return Usage(
            sum(each.prompt_tokens for each in used),
            sum(each.cached_tokens for each in used),
            sum(each.completion_tokens for each in used),
            sum(each.reasoning_tokens for each in used),
        )


@attrs.frozen
class RunFinished:
    """The last event of a run."""

    result: RunResult[object]


RunEvent: TypeAlias = (
    TextDelta
    | ReasoningDelta
    | ToolCallOpened
    | ToolCallDelta
    | ToolCallClosed
    | ToolCallDropped
    | RoundFinished
    | ToolStarted
    | ToolFinished
    | RunFinished
)
"""What a run yields."""
