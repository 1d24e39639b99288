"""Checking what a server tells of a response: every event by the official SDK's types, and all of them by their order.

The order checker is a stack: a response holds items, an item holds parts, and what is opened last is closed first.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, get_args

import attrs
from openai.types.responses import Response as SdkResponse
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel

__all__ = ["check_events", "check_response", "parsed"]

_EVENTS: dict[str, type[BaseModel]] = {
    get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(get_args(ResponseStreamEvent)[0])
}
_kinds: tuple[type[BaseModel], ...] = (SdkResponse, *_EVENTS.values())
for _kind in _kinds:
    _kind.model_rebuild()  # which they put off until first used, and take their time for
_LAST = {"response.completed", "response.incomplete", "response.failed"}
_REQUIRED = {
    *("id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "instructions"),
    *("max_output_tokens", "max_tool_calls", "model", "output", "parallel_tool_calls", "previous_response_id"),
    *("conversation", "prompt_cache_key", "reasoning", "safety_identifier", "service_tier", "store", "temperature"),
    *("text", "tool_choice", "tools", "top_p", "top_logprobs", "presence_penalty", "frequency_penalty", "truncation"),
    *("usage", "user", "metadata", "background"),
}


def parsed(stream: bytes) -> list[dict[str, Any]]:
    """The events of a body of server-sent events. The name of each is its type."""
    found = []
    for block in stream.decode().split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        event, data = lines
        payload = json.loads(data.removeprefix("data: "))
        assert event == f"event: {payload['type']}"
        found.append(payload)
    return found


def check_response(response: dict[str, Any]) -> None:
    """Every field is there, and each is what the SDK says."""
    assert set(response) >= _REQUIRED, _REQUIRED - set(response)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SdkResponse.model_validate(response)
    assert (response["status"] == "completed") == (response["completed_at"] is not None)
    ids = [item["id"] for item in response["output"]]
    assert len(set(ids)) == len(ids)


@attrs.define
class _Stack:
    """What is open."""

    response: str
    items: list[dict[str, Any]] = attrs.field(factory=list)
    item: dict[str, Any] | None = None
    part: str | None = None
    """The type of the open part."""
    text: str = ""
    done: bool = False
    """Whether the item's own text, arguments or input were told as a whole."""

    def take(self, event: dict[str, Any]) -> None:
        name = event["type"].removeprefix("response.")
        if name == "output_item.added":
            assert self.item is None, "items interleave"
            assert event["output_index"] == len(self.items)
            self.item, self.text, self.done = event["item"], "", False
            assert self.item["type"] != "message" or self.item["content"] == []
            return
        assert self.item is not None, f"{name} outside of an item"
        assert event["output_index"] == len(self.items)
        if name == "output_item.done":
            self._item_done(event["item"])
            return
        assert event["item_id"] == self.item["id"]
        if name.startswith("content_part."):
            self._part(event, name)
        elif name.endswith(".delta"):
            assert not self.done
            self._right_place(name)
            self.text += event["delta"]
        elif name.endswith(".done"):
            assert not self.done
            self._right_place(name)
            told = event.get("text", event.get("arguments", event.get("input")))
            assert told == self.text
            self.done = True
        else:
            raise AssertionError(f"{name} is no event that is known")

    def _right_place(self, name: str) -> None:
        kind = name.rpartition(".")[0]
        assert self.item is not None
        if kind in ("output_text", "reasoning_text"):
            assert self.part == kind, f"{name} outside of its part"
        else:
            wanted = {"function_call_arguments": "function_call", "custom_tool_call_input": "custom_tool_call"}
            assert self.item["type"] == wanted[kind]

    def _part(self, event: dict[str, Any], name: str) -> None:
        kind = event["part"]["type"]
        if name == "content_part.added":
            assert self.part is None, "parts interleave"
            assert event["part"]["text"] == ""
            self.part = kind
            return
        assert self.part == kind
        assert self.done, "a part ends before its text does"
        assert event["part"]["text"] == self.text
        self.part = None

    def _item_done(self, item: dict[str, Any]) -> None:
        assert self.item is not None
        assert self.part is None, "an item ends before its part does"
        assert self.done, "an item ends before what is in it does"
        assert {key: item.get(key) for key in ("id", "type", "call_id", "name")} == {
            key: self.item.get(key) for key in ("id", "type", "call_id", "name")
        }, "an item became another"
        assert item.get("status", "completed") in ("completed", "incomplete")
        self.items.append(item)
        self.item = None


def check_events(events: Sequence[dict[str, Any]], *, queued: bool = False) -> dict[str, Any]:
    """The response they end with. Raises `AssertionError` for any event out of its order or not as the SDK has it."""
    _check_types(events)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    names = [event["type"] for event in events]
    opening = ["response.created", "response.queued"] if queued else ["response.created"]
    opening.append("response.in_progress")
    assert names[: len(opening)] == opening
    assert [name for name in names if name in _LAST] == [names[-1]], "a stream has one end"
    stack = _Stack(events[0]["response"]["id"])
    for event in events[len(opening) : -1]:
        stack.take(event)
    final: dict[str, Any] = events[-1]["response"]
    assert stack.item is None, "an item is open at the end"
    assert final["id"] == stack.response
    assert final["output"] == stack.items
    check_response(final)
    return final


def _check_types(events: Iterable[dict[str, Any]]) -> None:
    for event in events:
        _EVENTS[event["type"]].model_validate(event)
        if "response" in event:
            assert set(event["response"]) >= _REQUIRED
        if event["type"].startswith("response.output_text.") and event["type"] != "response.output_text.annotation":
            assert "logprobs" in event
