"""/v1/conversations: all eight routes."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response as Answer
from starlette.routing import Route

from sauropod.server.http.calls import answer, body_of, server_of
from sauropod.server.http.pages import page_asked, page_of
from sauropod.server.problems import Problem, invalid, missing
from sauropod.server.responding.history import kept
from sauropod.server.store import ConversationRecord
from sauropod.server.wire.conversations import (
    MOST_ITEMS,
    AddItems,
    CreateConversation,
    UpdateConversation,
    conversation_object,
)
from sauropod.server.wire.decoding import decoded
from sauropod.server.wire.responses.inputs import read_input

__all__ = ["routes"]


async def create(request: Request) -> Answer:
    """POST /v1/conversations"""
    server, body = server_of(request), await body_of(request)
    asked = decoded(CreateConversation, body or b"{}")
    items = _items(request, asked.items or [])
    record = ConversationRecord(
        id=server.new_id("conv"), created_at=int(server.now()), metadata=msgspec.json.encode(asked.metadata or {})
    )
    await server.store.create_conversation(record, kept(items))
    return _object(record)


async def retrieve(request: Request) -> Answer:
    """GET /v1/conversations/{id}"""
    return _object(await _record(request))


async def update(request: Request) -> Answer:
    """POST /v1/conversations/{id}"""
    asked = decoded(UpdateConversation, await body_of(request))
    record = await _record(request)
    await server_of(request).store.set_metadata(record.id, msgspec.json.encode(asked.metadata or {}))
    return _object(await _record(request))


async def delete(request: Request) -> Answer:
    """DELETE /v1/conversations/{id}"""
    name = request.path_params["id"]
    if not await server_of(request).store.delete_conversation(name):
        raise _unknown(name)
    return answer({"id": name, "object": "conversation.deleted", "deleted": True})


async def add_items(request: Request) -> Answer:
    """POST /v1/conversations/{id}/items"""
    asked = decoded(AddItems, await body_of(request))
    record = await _record(request)
    items = _items(request, asked.items)
    if not await server_of(request).store.append_items(record.id, kept(items)):
        raise _unknown(record.id)
    return answer(page_of([msgspec.json.encode(item) for item in items], [item["id"] for item in items], False))


async def list_items(request: Request) -> Answer:
    """GET /v1/conversations/{id}/items"""
    asked, record = page_asked(request), await _record(request)
    page = await server_of(request).store.conversation_items(
        record.id, after=asked.after, limit=asked.limit, order=asked.order
    )
    return answer(page_of([each.payload for each in page.items], [each.id for each in page.items], page.has_more))


async def retrieve_item(request: Request) -> Answer:
    """GET /v1/conversations/{id}/items/{item_id}"""
    record, item_id = await _record(request), request.path_params["item_id"]
    item = await server_of(request).store.conversation_item(record.id, item_id)
    if item is None:
        raise _unknown_item(record.id, item_id)
    return Answer(item.payload, media_type="application/json")


async def delete_item(request: Request) -> Answer:
    """DELETE /v1/conversations/{id}/items/{item_id}"""
    record, item_id = await _record(request), request.path_params["item_id"]
    if not await server_of(request).store.delete_conversation_item(record.id, item_id):
        raise _unknown_item(record.id, item_id)
    return _object(record)


routes = [
    Route("/v1/conversations", create, methods=["POST"]),
    Route("/v1/conversations/{id}", retrieve, methods=["GET"]),
    Route("/v1/conversations/{id}", update, methods=["POST"]),
    Route("/v1/conversations/{id}", delete, methods=["DELETE"]),
    Route("/v1/conversations/{id}/items", add_items, methods=["POST"]),
    Route("/v1/conversations/{id}/items", list_items, methods=["GET"]),
    Route("/v1/conversations/{id}/items/{item_id}", retrieve_item, methods=["GET"]),
    Route("/v1/conversations/{id}/items/{item_id}", delete_item, methods=["DELETE"]),
]


def _items(request: Request, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(given) > MOST_ITEMS:
        raise invalid(f"At most {MOST_ITEMS} items can be added at once; got {len(given)}. Add them in parts.", "items")
    items = read_input(given, server_of(request).new_id, "items")
    if any(item["type"] == "item_reference" for item in items):
        raise invalid("A conversation keeps items themselves, and no references to them.", "items")
    return items


async def _record(request: Request) -> ConversationRecord:
    name = request.path_params["id"]
    record = await server_of(request).store.conversation(name)
    if record is None:
        raise _unknown(name)
    return record


def _object(record: ConversationRecord) -> Answer:
    return answer(conversation_object(record.id, record.created_at, msgspec.Raw(record.metadata)))


def _unknown(name: str) -> Problem:
    return missing(f"Conversation with id '{name}' not found.", "conversation_not_found", "conversation_id")


def _unknown_item(name: str, item_id: str) -> Problem:
    return missing(f"Item with id '{item_id}' not found in the conversation '{name}'.", param="item_id")
