"""/v1/realtime/client_secrets: keys for one kind of session and a short time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from sauropod.server.problems import invalid
from sauropod.server.wire.decoding import decoded
from sauropod.server.wire.realtime.session import AnySession

__all__ = ["ClientSecret", "CreateClientSecret", "read_secret"]


class ExpiresAfter(Struct):
    """Seconds after it was made."""

    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Meta(ge=10, le=7200)] = 600


class CreateClientSecret(Struct, kw_only=True):
    """The body. Without a session it is one as it is by default."""

    expires_after: ExpiresAfter | None = None
    session: dict[str, Any] | None = None

    @property
    def seconds(self) -> int:
        return (self.expires_after or ExpiresAfter()).seconds


class ClientSecret(Struct, kw_only=True):
    """The key, until when it opens, and the session that comes with it."""

    value: str
    expires_at: int
    session: AnySession


def read_secret(body: bytes) -> CreateClientSecret:
    """Raises `Problem`."""
    asked = decoded(CreateClientSecret, body or b"{}")
    if asked.session is not None and asked.session.get("type") not in (None, "realtime", "transcription"):
        raise invalid(
            f"'session.type' is 'realtime' or 'transcription'; got {asked.session['type']!r}.",
            "session.type",
            "invalid_value",
        )
    return asked
