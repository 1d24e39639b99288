"""What holds of everything that a client of the Realtime API is told: the SDK's types, and the order.

`Told` takes the events of one connection, one after the other, and fails at the first that is not as it should be.
"""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import attrs
from openai.types.realtime import (
    ConversationItem,
    RealtimeResponse,
    RealtimeServerEvent,
    RealtimeSessionCreateRequest,
    RealtimeSessionCreateResponse,
    RealtimeTranscriptionSessionCreateRequest,
    RealtimeTranscriptionSessionCreateResponse,
)
from pydantic import BaseModel, TypeAdapter

__all__ = ["Told", "check_session"]

_EVENTS: dict[str, type[BaseModel]] = {
    get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(get_args(RealtimeServerEvent)[0])
}
_KINDS: tuple[type[BaseModel], ...] = (
    *_EVENTS.values(),
    RealtimeSessionCreateRequest,
    RealtimeSessionCreateResponse,
    RealtimeTranscriptionSessionCreateRequest,
    RealtimeTranscriptionSessionCreateResponse,
)
for _kind in _KINDS:
    _kind.model_rebuild()  # which they put off until first used, and take their time for
_ITEMS: TypeAdapter[Any] = TypeAdapter(ConversationItem)

_SESSIONS: dict[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "realtime": (RealtimeSessionCreateRequest, RealtimeSessionCreateResponse),
    "transcription": (RealtimeTranscriptionSessionCreateRequest, RealtimeTranscriptionSessionCreateResponse),
}
_OPTIONAL = {
    "conversation.item.input_audio_transcription.completed": {"logprobs", "languages"},
    "conversation.item.input_audio_transcription.delta": {"logprobs"},
}
"""Fields that may be left out. All others that a type has are there."""
_TURNS = {"create_response", "interrupt_response", "idle_timeout_ms", "eagerness"}
"""Which the type of a transcription session's answer lacks, and the one of its events has."""
_PARTS = {"audio": "output_audio", "text": "output_text"}


def check_session(session: dict[str, Any]) -> None:
    """Every field that either type has is there, and nothing else."""
    kinds = _SESSIONS[session["type"]]
    for kind in kinds:
        _strict(kind, session, extras=_TURNS | {name for other in kinds for name in other.model_fields})
    assert set(session) == {name for kind in kinds for name in kind.model_fields}


def _strict(kind: type[BaseModel], value: dict[str, Any], extras: Iterable[str] = ()) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = kind.model_validate(value, strict=True)
    assert set(_extras(found)) <= set(extras), set(_extras(found)) - set(extras)


def _extras(found: Any) -> Iterator[str]:
    if isinstance(found, list):
        for each in found:
            yield from _extras(each)
    if isinstance(found, BaseModel):
        yield from found.model_extra or {}
        for name in type(found).model_fields:
            yield from _extras(getattr(found, name))


@attrs.define
class _Item:
    """An item of a response."""

    index: int
    id: str
    kind: str
    part: str | None = None
    text: str = ""
    audio: bytes = b""
    ended: set[str] = attrs.field(factory=set)
    done: dict[str, Any] | None = None


@attrs.define
class _Response:
    apart: bool
    items: dict[str, _Item] = attrs.field(factory=dict)


@attrs.define
class Told:
    """All that one connection was told."""

    events: list[dict[str, Any]] = attrs.field(factory=list)
    ids: set[str] = attrs.field(factory=set)
    session: dict[str, Any] = attrs.field(factory=dict)
    responses: dict[str, _Response] = attrs.field(factory=dict)
    """Those that are under way."""
    finished: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    """Those that are done, as they were told then."""
    added: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    """The items of the conversation."""
    done: set[str] = attrs.field(factory=set)
    deleted: set[str] = attrs.field(factory=set)
    committed: set[str] = attrs.field(factory=set)
    speaking: str | None = None
    transcripts: dict[str, str] = attrs.field(factory=dict)
    transcribed: set[str] = attrs.field(factory=set)
    sounds: dict[str, bytes] = attrs.field(factory=dict)
    """The audio of each item."""

    def take(self, message: str | bytes | dict[str, Any]) -> dict[str, Any]:
        """The next one, checked."""
        event: dict[str, Any] = message if isinstance(message, dict) else json.loads(message)
        self._check_type(event)
        assert event["event_id"] not in self.ids, "two events have one id"
        self.ids.add(event["event_id"])
        self._check_order(event)
        self.events.append(event)
        return event

    def take_all(self, events: Iterable[Any]) -> None:
        for event in events:
            self.take(event)

    def finish(self) -> None:
        """Nothing is under way."""
        assert not self.responses, "a response never ended"
        assert self.added.keys() - self.deleted <= self.done, "an item never was done"
        assert self.speaking is None

    def names(self) -> list[str]:
        """Their types, those that repeat once."""
        found: list[str] = []
        for event in self.events:
            if not found or found[-1] != event["type"]:
                found.append(event["type"])
        return found

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    # -- inside ----------------------------------------------------------------------------------------------------

    def _check_type(self, event: dict[str, Any]) -> None:
        kind = _EVENTS[event["type"]]
        if "session" in event:
            check_session(event["session"])
            rest = {"event_id", "type", "session"}
            assert set(event) == rest
            return
        _strict(kind, event)
        lacking = set(kind.model_fields) - set(event) - _OPTIONAL.get(event["type"], set())
        assert not lacking, f"{event['type']} lacks {lacking}"
        if "response" in event:
            assert set(event["response"]) == set(RealtimeResponse.model_fields)
        if "item" in event:
            self._check_item(event["item"])

    def _check_item(self, item: dict[str, Any]) -> None:
        found = _ITEMS.validate_python(item)
        assert set(item) >= set(type(found).model_fields), set(type(found).model_fields) - set(item)

    def _check_order(self, event: dict[str, Any]) -> None:
        kind: str = event["type"]
        if not self.events:
            assert kind == "session.created"
        elif len(self.events) == 1 and self.session["type"] == "realtime":
            assert kind == "conversation.created"
        else:
            assert kind not in ("session.created", "conversation.created")
        if "session" in event:
            self.session = event["session"]
        elif kind == "error":
            assert event["error"]["message"].endswith(".")
        elif kind.startswith("response."):
            assert self.session["type"] == "realtime"
            self._response(event, kind.removeprefix("response."))
        elif kind.startswith("input_audio_buffer."):
            self._buffer(event, kind.removeprefix("input_audio_buffer."))
        elif "transcription" in kind:
            self._transcription(event, kind.rpartition(".")[2])
        elif kind.startswith("conversation.item."):
            self._item(event, kind.rpartition(".")[2])

    def _buffer(self, event: dict[str, Any], kind: str) -> None:
        match kind:
            case "speech_started":
                assert self.speaking is None, "the user began twice"
                self.speaking = event["item_id"]
            case "speech_stopped":
                assert self.speaking == event["item_id"]
                self.speaking = None
            case "committed":
                assert self.speaking is None
                assert event["item_id"] not in self.added
                self._is_known(event["previous_item_id"])
                self.committed.add(event["item_id"])
            case "cleared":
                self.speaking = None

    def _transcription(self, event: dict[str, Any], kind: str) -> None:
        item = event["item_id"]
        assert self.session["audio"]["input"]["transcription"] is not None, "nobody asked for a transcript"
        assert item not in self.transcribed
        assert item in self.added or item == self.speaking
        if kind == "delta":
            assert event["delta"]
            self.transcripts[item] = self.transcripts.get(item, "") + event["delta"]
        else:
            assert item in self.added
            self.transcribed.add(item)

    def _is_known(self, previous: str | None) -> None:
        assert previous is None or previous in self.added, "an item comes after one that is not known"

    def _item(self, event: dict[str, Any], kind: str) -> None:
        match kind:
            case "added":
                item = event["item"]
                assert item["id"] not in self.added
                self._is_known(event["previous_item_id"])
                self.added[item["id"]] = item
            case "done":
                item = event["item"]
                assert item["id"] in self.added
                assert item["id"] not in self.done, "an item was done twice"
                assert item["status"] != "in_progress"
                self.done.add(item["id"])
            case "retrieved":
                assert event["item"]["id"] in self.added
            case "truncated":
                assert event["item_id"] in self.added
            case "deleted":
                assert event["item_id"] in self.added
                self.deleted.add(event["item_id"])

    def _response(self, event: dict[str, Any], kind: str) -> None:
        if kind == "created":
            told = event["response"]
            assert told["id"] not in self.responses.keys() | self.finished.keys()
            assert (told["status"], told["output"], told["usage"]) == ("in_progress", [], None)
            apart = told["conversation_id"] is None
            assert apart or all(each.apart for each in self.responses.values()), "two at once"
            self.responses[told["id"]] = _Response(apart)
            return
        if kind == "done":
            self._finished(event["response"])
            return
        response = self.responses[event["response_id"]]
        if kind == "output_item.added":
            item = event["item"]
            assert item["status"] == "in_progress"
            assert event["output_index"] == len(response.items)
            assert item.get("content", []) == []
            assert item.get("arguments", "") == ""
            response.items[item["id"]] = _Item(event["output_index"], item["id"], item["type"])
            return
        item_id = event["item"]["id"] if "item" in event else event["item_id"]
        opened = response.items[item_id]
        assert opened.done is None, "something comes of an item that is done"
        assert event["output_index"] == opened.index
        assert event.get("content_index", 0) == 0
        self._output(event, kind, opened, response.apart)

    def _output(self, event: dict[str, Any], kind: str, opened: _Item, apart: bool) -> None:
        assert apart or opened.id in self.added, "an item of a response is in the conversation first"
        name, _, end = kind.partition(".")
        if kind == "content_part.added":
            assert opened.kind == "message"
            assert opened.part is None
            assert not event["part"].get("text")
            assert not event["part"].get("transcript")
            opened.part = event["part"]["type"]
        elif kind == "content_part.done":
            wanted = {"audio": {"output_audio", "output_audio_transcript"}, "text": {"output_text"}}[opened.part or ""]
            assert opened.ended == wanted, "a part ends before what is in it"
            opened.ended.add("content_part")
        elif kind == "output_item.done":
            self._item_done(event["item"], opened)
        else:
            self._right_place(name, opened)
            assert name not in opened.ended
            if end == "done":
                opened.ended.add(name)
                self._whole(event, name, opened)
            elif name == "output_audio":
                sound = base64.b64decode(event["delta"], validate=True)
                assert sound
                opened.audio += sound
                self.sounds[opened.id] = opened.audio
            else:
                opened.text += event["delta"]

    def _right_place(self, name: str, opened: _Item) -> None:
        if name == "function_call_arguments":
            assert opened.kind == "function_call"
        else:
            assert opened.part == ("audio" if name.startswith("output_audio") else "text"), f"{name} outside of a part"

    def _whole(self, event: dict[str, Any], name: str, opened: _Item) -> None:
        if name == "function_call_arguments":
            assert event["arguments"] == opened.text
            assert isinstance(json.loads(event["arguments"]), dict)
        elif name != "output_audio":
            whole: str = event["text"] if "text" in event else event["transcript"]
            assert opened.text.startswith(whole), "more was said than was told"

    def _item_done(self, item: dict[str, Any], opened: _Item) -> None:
        assert item["status"] in ("completed", "incomplete")
        assert item["type"] == opened.kind
        if opened.kind == "message":
            assert "content_part" in opened.ended
            (part,) = item["content"]
            assert part["type"] == _PARTS[opened.part or ""]
            whole = part.get("text", part.get("transcript"))
            assert whole == opened.text or item["status"] == "incomplete"
        else:
            assert "function_call_arguments" in opened.ended
        opened.done = item

    def _finished(self, told: dict[str, Any]) -> None:
        response = self.responses.pop(told["id"])
        assert told["output"] == [item.done for item in response.items.values()], "its items are not those it told of"
        assert told["status"] in ("completed", "cancelled", "incomplete", "failed")
        details = told["status_details"]
        assert (details is None) == (told["status"] == "completed")
        if details is not None:
            assert set(details) == {"type", "reason", "error"}
            assert details["type"] == told["status"]
            assert (details["error"] is not None) == (told["status"] == "failed")
        usage = told["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        assert response.apart or all(item in self.done | self.deleted for item in response.items)
        self.finished[told["id"]] = told
