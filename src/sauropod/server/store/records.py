"""What is kept, as values. Payloads are JSON, and only read outside of the store."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

__all__ = ["ConversationRecord", "FilePage", "FileRecord", "Item", "LoggedEvent", "Page", "ResponseRecord"]


@attrs.frozen
class Item:
    """Something that was said, called or given: an item of OpenAI's, as JSON."""

    id: str
    payload: bytes


@attrs.frozen
class LoggedEvent:
    """One event of a response's stream, as JSON."""

    sequence: int
    """From 0, as the client is told."""
    payload: bytes


@attrs.frozen
class Page:
    """Some items of a longer list."""

    items: Sequence[Item]
    has_more: bool


@attrs.frozen(kw_only=True)
class ResponseRecord:
    """A response, and the request that it answers. Times are seconds since 1970."""

    id: str
    created_at: int
    completed_at: int | None = None
    status: str
    model: str
    previous_response_id: str | None = None
    conversation_id: str | None = None
    background: bool = False
    expires_at: int | None = None
    """None is never."""
    request: bytes = b""
    response: bytes = b""


@attrs.frozen(kw_only=True)
class ConversationRecord:
    """A conversation, without its items."""

    id: str
    created_at: int
    metadata: bytes


@attrs.frozen(kw_only=True)
class FileRecord:
    """A file, without what is in it."""

    id: str
    created_at: int
    bytes: int
    filename: str
    purpose: str
    expires_at: int | None = None
    """None is never."""


@attrs.frozen
class FilePage:
    """Some of the files."""

    files: Sequence[FileRecord]
    has_more: bool
