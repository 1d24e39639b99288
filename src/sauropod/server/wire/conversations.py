"""The Conversations API: bodies and objects."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from sauropod.server.wire.responses.request import Metadata

__all__ = ["AddItems", "CreateConversation", "UpdateConversation", "conversation_object"]

MOST_ITEMS = 20
"""Of one request, as at OpenAI."""


class CreateConversation(Struct):
    """The body of `POST /v1/conversations`."""

    items: list[dict[str, Any]] | None = None
    metadata: Metadata | None = None


class UpdateConversation(Struct):
    """The body of `POST /v1/conversations/{id}`."""

    metadata: Metadata | None


class AddItems(Struct):
    """The body of `POST /v1/conversations/{id}/items`."""

    items: list[dict[str, Any]]


def conversation_object(id: str, created_at: int, metadata: Any) -> dict[str, Any]:
    """The conversation, without what is said in it."""
    return {"id": id, "object": "conversation", "created_at": created_at, "metadata": metadata}
