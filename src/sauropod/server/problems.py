"""Problem: what goes wrong, in OpenAI's words: a status, a type, a code, and which parameter is at fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec

from sauropod import errors
from sauropod.server.store import DuplicateRecord, MissingRecord, StoreError, UnfinishedRecord

__all__ = ["Problem", "invalid", "missing", "problem_of"]


@attrs.define(eq=False)
class Problem(Exception):
    """Raised anywhere in the server; a client is told `body()` with `status`.

    `retry` is None where the client's own rule is right, False where trying again cannot help, and a number of seconds
    after which it may.
    """

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    retry: bool | float | None = None

    def __str__(self) -> str:
        return self.message

    @property
    def error(self) -> dict[str, Any]:
        """The object that OpenAI's clients know as `error`."""
        return {"message": self.message, "type": self.type, "param": self.param, "code": self.code}

    @property
    def headers(self) -> dict[str, str]:
        """What tells a client's retries what to do. A body that nobody reads on ends the connection."""
        headers = {"connection": "close"} if self.status in (408, 413) else {}
        if self.retry is False:
            headers["x-should-retry"] = "false"
        elif self.retry is not None:
            headers["retry-after"] = f"{self.retry:g}"
        return headers

    def body(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode({"error": self.error})


def invalid(message: str, param: str | None = None, code: str | None = None) -> Problem:
    """The request is wrong: 400."""
    return Problem(400, message, param=param, code=code)


def missing(message: str, code: str | None = None, param: str | None = None) -> Problem:
    """What is asked for is not there: 404."""
    return Problem(404, message, code=code, param=param)


def _crashed(error: Exception) -> Problem:
    quarantined = isinstance(error, errors.BackendCrashed) and error.quarantined
    return Problem(503, str(error), "server_error", "worker_lost", retry=False if quarantined else 1.0)


def _not_there(error: Exception) -> str:
    name = getattr(error, "id", "")
    return f"'after' is {name!r}, which is not in this list. Leave it out to begin at the front."


_KNOWN: Mapping[type[Exception], Callable[[Exception], Problem]] = {
    DuplicateRecord: lambda error: invalid(str(error), "items", "duplicate_item"),
    UnfinishedRecord: lambda error: Problem(
        409, str(error), code="response_in_progress", param="previous_response_id", retry=1.0
    ),
    MissingRecord: lambda error: invalid(_not_there(error), "after", "invalid_value"),
    errors.PromptTooLong: lambda error: invalid(str(error), "input", "context_length_exceeded"),
    errors.QueueFull: lambda error: Problem(429, str(error), "rate_limit_error", "rate_limit_exceeded", retry=1.0),
    errors.InvalidGrammar: lambda error: invalid(str(error), code="invalid_json_schema"),
    errors.InvalidSampling: lambda error: invalid(str(error), code="invalid_value"),
    errors.RequestError: lambda error: invalid(str(error)),
    errors.ModelNotFound: lambda error: missing(str(error), "model_not_found", "model"),
    errors.BackendCrashed: _crashed,
    errors.OutOfMemory: lambda error: Problem(503, str(error), "server_error", "out_of_memory", retry=10.0),
    errors.ClosedError: lambda error: Problem(503, str(error), "server_error", "model_closed", retry=1.0),
    StoreError: lambda error: Problem(503, str(error), "server_error", "store_failed", retry=5.0),
    errors.LoadError: lambda error: Problem(500, str(error), "server_error", "model_not_loaded", retry=False),
    errors.SauropodError: lambda error: Problem(500, str(error), "server_error", "server_error"),
}
"""From the particular to the general: the first that fits counts."""


def problem_of(error: Exception) -> Problem:
    """What a client is told of an exception. What nobody foresaw tells nothing of the server's inside."""
    while isinstance(error, ExceptionGroup):  # of tasks that ended with the first of them
        error = error.exceptions[0]
    if isinstance(error, Problem):
        return error
    for kind, made in _KNOWN.items():
        if isinstance(error, kind):
            return made(error)
    return Problem(500, "The server had an error of its own. Its log says more.", "server_error", "server_error")
