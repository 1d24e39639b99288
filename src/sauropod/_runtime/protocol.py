"""What a worker is told, and what it answers. Everything here is picklable."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias

import attrs

from sauropod._values.completion import Timings
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.messages import Message, Tool
from sauropod._values.sampling import SamplingParams, StopReason
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.errors import BackendError, SauropodError

__all__ = [
    "Answer",
    "Cancel",
    "CountTokens",
    "Devices",
    "Embed",
    "End",
    "Failed",
    "Generate",
    "Load",
    "Piece",
    "PromptText",
    "Replies",
    "Reply",
    "Request",
    "Unload",
    "WorkerTraceback",
]


@attrs.frozen
class PromptText:
    """A prompt before it is rendered and encoded: a conversation, a text that is continued as it is, or tokens."""

    messages: Sequence[Message] = ()
    tools: Sequence[Tool] = ()
    options: Mapping[str, Any] = attrs.field(factory=dict)
    """Variables for the chat template."""
    text: str | None = None
    tokens: Sequence[int] | None = None


# -- to the worker; `id` names the exchange, `model` the model it is about -------------------------------------------


@attrs.frozen
class Load:
    id: int
    model: int
    backend: str
    source: Source
    options: LoadOptions
    scheduling: SchedulerOptions


@attrs.frozen
class Generate:
    """Write one text.

    With `afresh` nothing that was computed before is used, if the model is idle. `generated` are tokens of the text
    that were said before, by a worker that was lost.
    """

    id: int
    model: int
    prompt: PromptText
    sampling: SamplingParams
    priority: Priority
    afresh: bool
    generated: Sequence[int] = ()


@attrs.frozen
class Embed:
    id: int
    model: int
    inputs: Sequence[str | tuple[str, str]]
    priority: Priority = Priority.NORMAL


@attrs.frozen
class CountTokens:
    id: int
    model: int
    prompt: PromptText


@attrs.frozen
class Devices:
    """What the named backend can compute on."""

    id: int
    backend: str


@attrs.frozen
class Unload:
    id: int
    model: int


@attrs.frozen
class Cancel:
    """Nobody waits for this exchange any more. It is not answered."""

    id: int


Request: TypeAlias = Load | Generate | Embed | CountTokens | Devices | Unload | Cancel


# -- from the worker, several at a time, each with the id of its exchange --------------------------------------------


class Piece(NamedTuple):
    """A token of a text, and the text that became certain with it. A plain tuple, because there are so many."""

    token: int
    text: str
    logprob: float | None
    top: Sequence[tuple[int, bytes, float]]
    bytes: bytes


@attrs.frozen
class End:
    """The last of a `Generate`: the rest of the text, and what is known of all of it."""

    text: str
    stop_reason: StopReason
    stop: str | int | None
    prompt_tokens: int
    cached_tokens: int
    timings: Timings


@attrs.frozen
class Answer:
    """The only reply of every other exchange that went well."""

    value: Any


class WorkerTraceback(Exception):
    """Where in the worker an error came from, as text: the cause of what is raised here."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@attrs.frozen
class Failed:
    """The last reply of an exchange that did not."""

    error: SauropodError
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failed:
        """What is no error of ours becomes a `BackendError`."""
        trace = "".join(traceback.format_exception(error))
        if not isinstance(error, SauropodError):
            error = BackendError(f"The backend failed: {type(error).__name__}: {error}")
        return cls(error, trace)

    def throw(self) -> NoReturn:
        """Raise it, with its origin as the cause."""
        raise self.error from (WorkerTraceback(self.trace) if self.trace else None)


Reply: TypeAlias = Piece | End | Answer | Failed

Replies: TypeAlias = list[tuple[int, Reply]]
"""What a worker sends at once: replies, each with the id of its exchange."""
