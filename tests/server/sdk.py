"""The official SDK's types as an oracle: what a server sends is valid under them, and has nothing else in it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

import msgspec
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

__all__ = ["chunks_of", "put_together", "strict"]

T = TypeVar("T", bound=BaseModel)

OWN = frozenset({"reasoning_content"})
"""What this server sends beyond the SDK's types."""


def strict(kind: type[T], value: Any, own: Collection[str] = OWN) -> T:
    """The value, a Struct or plain data, as one of the SDK's types."""
    data = json.loads(msgspec.json.encode(value))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = kind.model_validate(data, strict=True)
    assert set(_extras(found)) <= set(own), set(_extras(found)) - set(own)
    return found


def chunks_of(stream: bytes) -> list[ChatCompletionChunk]:
    """The chunks of a body of server-sent events, each checked. The last event is `[DONE]`."""
    *events, last = [line for line in stream.decode().split("\n\n") if line and not line.startswith(":")]
    assert last == "data: [DONE]"
    return [strict(ChatCompletionChunk, json.loads(event.removeprefix("data: "))) for event in events]


def put_together(chunks: list[ChatCompletionChunk]) -> dict[str, Any]:
    """What the SDK's own accumulator makes of chunks, as plain data that compares with a completion's."""
    state = ChatCompletionStreamState[None]()
    for chunk in chunks:
        list(state.handle_chunk(chunk))
    return plain(state.current_completion_snapshot)


def plain(completion: ChatCompletion) -> dict[str, Any]:
    """A completion without what only a chunk or only an accumulator has, and without what is null."""
    data = completion.model_dump(exclude_none=True, exclude={"object"})
    for choice in data["choices"]:
        for call in choice["message"].get("tool_calls", []):
            call.pop("index", None)
            call.get("function", {}).pop("parsed_arguments", None)
    return data


def _extras(found: Any) -> Iterator[str]:
    if isinstance(found, list):
        for each in found:
            yield from _extras(each)
    if isinstance(found, BaseModel):
        yield from found.model_extra or {}
        for name in type(found).model_fields:
            yield from _extras(getattr(found, name))
