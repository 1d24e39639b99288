"""What a worker is told, and what it answers, and how that is pickled between processes."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias

import attrs

from sauropod._values.asking import ChatOptions
from sauropod._values.audio import AudioFrame
from sauropod._values.completion import Timings
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.messages import Message
from sauropod._values.sampling import SamplingParams, StopReason
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.errors import BackendError, SauropodError, UnsupportedInput

__all__ = [
    "Answer",
    "Began",
    "Cancel",
    "Compute",
    "CountInputs",
    "CountTokens",
    "Decode",
    "Devices",
    "Embed",
    "Encode",
    "End",
    "Failed",
    "Generate",
    "Load",
    "ModelRequest",
    "Parcel",
    "Piece",
    "PromptText",
    "Replies",
    "Reply",
    "Request",
    "Unload",
    "WorkerTraceback",
    "pack",
]


@attrs.frozen
class PromptText:
    """A prompt before it is rendered and encoded: a conversation, a text that is continued as it is, or tokens.

    A `text` with tokens `before` or `after` it is only text: marks in it mean nothing. `audio` stands where a text
    has places for it; that of a conversation is in its messages.
    """

    messages: Sequence[Message] = ()
    chat: ChatOptions = attrs.field(factory=ChatOptions)
    """What goes with a conversation."""
    text: str | None = None
    tokens: Sequence[int] | None = None
    before: Sequence[int] = ()
    after: Sequence[int] = ()
    audio: Sequence[AudioFrame] = ()


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
class CountInputs:
    """How many tokens `Embed` would compute."""

    id: int
    model: int
    inputs: Sequence[str | tuple[str, str]]


@attrs.frozen
class Encode:
    """The tokens of a text: as a whole prompt, or as what is only text."""

    id: int
    model: int
    text: str
    special: bool


@attrs.frozen
class Decode:
    """The text of tokens, marks included."""

    id: int
    model: int
    tokens: Sequence[int]


@attrs.frozen
class Compute:
    """Items for a `SpeechModel`, answered by its results in their order."""

    id: int
    model: int
    items: Sequence[Any]
    priority: Priority = Priority.NORMAL


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


ModelRequest: TypeAlias = Generate | Embed | CountTokens | CountInputs | Encode | Decode | Compute
"""What is asked of a loaded model."""

Request: TypeAlias = Load | ModelRequest | Devices | Unload | Cancel


@attrs.frozen
class Parcel:
    """A request on its way to another process.

    It is pickled where it was asked for, before any lock is taken, and unpickled where a fault can still be told to
    whoever waits for `id`: requests hold what users and plug-ins made.
    """

    id: int
    data: bytes
    generated: Sequence[int] = ()
    """More tokens that a `Generate` has said."""

    @classmethod
    def of(cls, request: Request) -> Parcel:
        """Raises `UnsupportedInput` for what cannot be pickled."""
        try:
            return cls(request.id, pickle.dumps(request))
        except Exception as error:
            raise UnsupportedInput(
                f"The request cannot be sent to the worker process ({type(error).__name__}: {error}). {_PLAIN}"
            ) from error

    def open(self) -> Request:
        """The request. Raises `UnsupportedInput` for what cannot be unpickled."""
        try:
            request: Request = pickle.loads(self.data)
        except Exception as error:
            raise UnsupportedInput(
                f"The worker process cannot read the request ({type(error).__name__}: {error}). {_PLAIN}"
            ) from error
        if isinstance(request, Generate) and self.generated:
            return attrs.evolve(request, generated=(*request.generated, *self.generated))
        return request


_PLAIN = (
    "Pass plain strings, numbers, lists and dicts, or instances of classes that can be imported there "
    '(those of the main program cannot), or load the model with isolation="thread".'
)


# -- from the worker, several at a time, each with the id of its exchange --------------------------------------------


@attrs.frozen
class Began:
    """The first of a `Generate`: what its prompt has become. Given again if the request is resumed."""

    prompt_tokens: int
    prefill: str = ""
    """How the prompt ends after the model's turn has begun."""
    kept_messages: int = 0
    dropped_messages: int = 0
    dropped_tokens: int = 0


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
        """What is no error of ours, or cannot be sent, becomes a `BackendError`."""
        import traceback  # only where something failed

        trace = "".join(traceback.format_exception(error))
        if not isinstance(error, SauropodError) or not _can_be_sent(error):
            error = BackendError(f"The backend failed: {type(error).__name__}: {error}")
        return cls(error, trace)

    def throw(self) -> NoReturn:
        """Raise it, with its origin as the cause."""
        raise self.error from (WorkerTraceback(self.trace) if self.trace else None)


Reply: TypeAlias = Began | Piece | End | Answer | Failed

Replies: TypeAlias = list[tuple[int, Reply]]
"""What a worker sends at once: replies, each with the id of its exchange."""


def pack(replies: Replies) -> bytes:
    """Replies as they are sent by a worker process. What a plug-in answered and cannot be pickled is a failure."""
    try:
        return pickle.dumps(replies)
    except Exception:
        return pickle.dumps([each if _can_be_sent(each[1]) else _unsent(*each) for each in replies])


def _unsent(id: int, reply: Reply) -> tuple[int, Reply]:
    return id, Failed(BackendError(f"The backend's answer cannot be sent from the worker process: {reply!r:.500}"))


def _can_be_sent(value: object) -> bool:
    """Whether it arrives as what it is. Exceptions with arguments of their own often do not."""
    try:
        return type(pickle.loads(pickle.dumps(value))) is type(value)
    except Exception:
        return False
