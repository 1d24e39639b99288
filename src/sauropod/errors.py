"""Every exception sauropod raises, in one tree.

    SauropodError
      LoadError               before anything runs
        BackendNotFound         (LookupError)
        ModelNotFound           (FileNotFoundError)
        UnsupportedModel        (ValueError)
        DeviceUnavailable       (RuntimeError)
      RequestError            this request is wrong or unwelcome; others go on
        PromptTooLong           (ValueError)
        UnsupportedInput        (ValueError)
        InvalidSampling         (ValueError)
        InvalidGrammar          (ValueError)
        QueueFull               (RuntimeError)
      BackendError            (RuntimeError) the backend failed; the native cause is chained
        BackendCrashed
        OutOfMemory             (MemoryError)
        InvalidOutput           (ValueError) the model's answer is not what was asked for
      RunTimeout              (TimeoutError) the rounds of calls took too long
      ClosedError             (RuntimeError) the engine is already closed

Each message says what failed, why, and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "BackendCrashed",
    "BackendError",
    "BackendNotFound",
    "ClosedError",
    "DeviceUnavailable",
    "InvalidGrammar",
    "InvalidOutput",
    "InvalidSampling",
    "LoadError",
    "ModelNotFound",
    "OutOfMemory",
    "PromptTooLong",
    "QueueFull",
    "RequestError",
    "RunTimeout",
    "SauropodError",
    "UnsupportedInput",
    "UnsupportedModel",
]


class SauropodError(Exception):
    """The base of everything raised on purpose by this library."""


class LoadError(SauropodError):
    """A model could not be made ready."""


class BackendNotFound(LoadError, LookupError):
    """No installed backend has this name, or the one that would do lacks its libraries."""


class ModelNotFound(LoadError, FileNotFoundError):
    """The source names no model that can be reached."""

    def __str__(self) -> str:  # FileNotFoundError's own form expects an errno
        return str(self.args[0]) if self.args else ""


class UnsupportedModel(LoadError, ValueError):
    """The file is there but is damaged, not a model, or of a kind this build cannot run."""


class DeviceUnavailable(LoadError, RuntimeError):
    """The device asked for is not there. Nothing falls back to another in silence."""


class RequestError(SauropodError):
    """This request cannot be served; every other one is undisturbed."""


class PromptTooLong(RequestError, ValueError):
    """The prompt leaves no room for an answer in the model's context, or a text is more than can be embedded.

    `tokens` is the length (a lower bound where `exact` is False: a hopelessly long text is refused before it is
    tokenised in full), `limit` the context length or, if `embedded`, the most that can be embedded, all in tokens.
    """

    def __init__(self, tokens: int, limit: int, exact: bool = True, embedded: bool = False) -> None:
        super().__init__(tokens, limit, exact, embedded)
        self.tokens = tokens
        self.limit = limit
        self.exact = exact
        self.embedded = embedded

    def __str__(self) -> str:
        count = f"{self.tokens:,}" if self.exact else f"at least {self.tokens:,}"
        if self.embedded:
            return (
                f"The text is {count} tokens, and this model embeds at most {self.limit:,}. "
                "Shorten it, or embed it in parts."
            )
        return (
            f"The prompt is {count} tokens and the context holds {self.limit:,}, one of which must be left for "
            f"the answer. Shorten the prompt, or load the model with a larger context_length."
        )


class UnsupportedInput(RequestError, ValueError):
    """The model cannot take this input, or cannot do this kind of work."""


class InvalidSampling(RequestError, ValueError):
    """A sampling parameter is out of range, not a number, or contradicts another."""


class InvalidGrammar(RequestError, ValueError):
    """A grammar or schema is not well-formed, is too large, or asks for what cannot be enforced."""


class QueueFull(RequestError, RuntimeError):
    """As many requests are waiting as the engine was told to hold. Try again later.

    `waiting` is how many wait and `limit` how many may.
    """

    def __init__(self, waiting: int, limit: int) -> None:
        super().__init__(waiting, limit)
        self.waiting = waiting
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"{self.waiting} requests are already waiting, and this engine holds {self.limit}. "
            f"Try again shortly, or load the model with more slots or a larger queue."
        )


class BackendError(SauropodError, RuntimeError):
    """The backend failed. The native error is chained as `__cause__` where there was one."""


class BackendCrashed(BackendError):
    """The worker process died while this request was in it.

    `signal` is the name of the signal that ended it (`"SIGSEGV"`) or None, `exit_code` the code it
    left with or None, `output` the last lines of native output. `quarantined` is True for a request
    that was in flight in two crashes: it is not tried again.
    """

    def __init__(
        self,
        message: str,
        *,
        signal: str | None = None,
        exit_code: int | None = None,
        output: Sequence[str] = (),
        quarantined: bool = False,
    ) -> None:
        super().__init__(message)
        self.signal = signal
        self.exit_code = exit_code
        self.output = tuple(output)
        self.quarantined = quarantined


class OutOfMemory(BackendError, MemoryError):
    """The device or the machine has no room for the model or its cache."""


class InvalidOutput(BackendError, ValueError):
    """The model's answer is not what was asked for: it ended too early, or is not of the type or grammar.

    `text` is what it wrote, `truncated` whether it ended too early (`max_tokens`, a full context, a stop string), and
    `tool_calls` are the calls it made instead of answering.
    """

    def __init__(
        self, message: str, *, text: str = "", truncated: bool = False, tool_calls: Sequence[Any] = ()
    ) -> None:
        super().__init__(message)
        self.text = text
        self.truncated = truncated
        self.tool_calls = tuple(tool_calls)


class RunTimeout(SauropodError, TimeoutError):
    """`Engine.run` took longer than it was given. `messages` is the conversation as far as it came."""

    def __init__(self, message: str, *, messages: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.messages = tuple(messages)

    def __str__(self) -> str:  # OSError's own form expects an errno
        return str(self.args[0]) if self.args else ""


class ClosedError(SauropodError, RuntimeError):
    """The engine or stream was used after it was closed, or before it was opened."""
