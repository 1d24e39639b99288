"""Reading input: items as clients write them, made whole and checked, so that they can be kept and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sauropod.server.problems import invalid
from sauropod.server.wire.sounds import sound_of

__all__ = ["ANSWERED", "CALLS", "OUTPUTS", "read_input"]

NewId = Callable[[str], str]
Item = dict[str, Any]

ROLES = ("user", "assistant", "system", "developer")
CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Calls, and where they say what they pass."""
OUTPUTS = {"function_call_output": "function_call", "custom_tool_call_output": "custom_tool_call"}
"""What calls came to, and the kind of call each answers."""
PASSED = {
    *("local_shell_call", "shell_call", "apply_patch_call"),
    *("local_shell_call_output", "shell_call_output", "apply_patch_call_output"),
}
"""Calls of tools that clients bring and know by themselves; they are told to the model as they are."""
ANSWERED = frozenset(OUTPUTS) | {kind for kind in PASSED if kind.endswith("_output")}
_IDS = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
    "compaction": "cmp",
}
_UNSEEN = {
    "input_image": "an image",
    "input_file": "a file",
}


def read_input(given: str | Sequence[Any] | None, new_id: NewId, param: str = "input") -> list[Item]:
    """The items, each with an id and a status. An `item_reference` is left as it is.

    Raises `Problem`, naming the item.
    """
    if given is None:
        return []
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_item(item, new_id, f"{param}[{at}]") for at, item in enumerate(given)]


def _item(item: Any, new_id: NewId, where: str) -> Item:
    if not isinstance(item, dict):
        raise invalid(f"An item is an object; '{where}' is {_kind_of(item)}.", where, "invalid_type")
    kind = item.get("type") or ("message" if "role" in item else None)
    if kind == "item_reference":
        return {"type": kind, "id": _text(item, "id", where)}
    made = _READERS.get(str(kind), _passed if str(kind) in PASSED else None)
    if made is None:
        known = ", ".join([*_READERS, "item_reference", *sorted(PASSED)])
        raise invalid(
            f"'{where}' is of the type {kind!r}, which is not known here. Known are {known}.", f"{where}.type"
        )
    found = {"id": item.get("id") or new_id(_IDS.get(str(kind), "item")), "type": kind, **made(item, where)}
    if not isinstance(found["id"], str):
        raise invalid(f"'{where}.id' is a text.", f"{where}.id", "invalid_type")
    return found


def _message(item: Item, where: str) -> Item:
    role = item.get("role")
    if role not in ROLES:
        raise invalid(f"'{where}.role' is one of {', '.join(ROLES)}; got {role!r}.", f"{where}.role", "invalid_value")
    content, own = item.get("content"), "output_text" if role == "assistant" else "input_text"
    if isinstance(content, str):
        content = [{"type": own, "text": content}]
    if not isinstance(content, list):
        raise invalid(f"'{where}.content' is a text, or a list of parts.", f"{where}.content", "invalid_type")
    read = _heard_part if role == "user" else _part
    parts = [read(part, f"{where}.content[{at}]") for at, part in enumerate(content)]
    made = {"status": item.get("status") or "completed", "role": role, "content": parts}
    return {**made, "phase": item["phase"]} if item.get("phase") else made


def _heard_part(part: Any, where: str) -> Item:
    """A part of what a user says, which may be audio."""
    if isinstance(part, dict) and part.get("type") == "input_audio":
        given: Any = part.get("input_audio")
        sound_of(given, where)
        return {"type": "input_audio", "input_audio": {"data": given["data"], "format": given.get("format")}}
    return _part(part, where)


def _part(part: Any, where: str) -> Item:
    if not isinstance(part, dict):
        raise invalid(f"A part is an object; '{where}' is {_kind_of(part)}.", where, "invalid_type")
    kind = str(part.get("type"))
    if kind in ("input_text", "text", "summary_text", "reasoning_text"):
        return {"type": "input_text" if kind == "text" else kind, "text": _text(part, "text", where)}
    if kind == "output_text":
        return {**part, "text": _text(part, "text", where), "annotations": part.get("annotations") or []}
    if kind == "refusal":
        return {"type": kind, "refusal": _text(part, "refusal", where)}
    if kind in _UNSEEN:
        raise invalid(
            f"'{where}' is {_UNSEEN[kind]}, and the models here take text and audio only. Leave it out, or put it "
            "into words.",
            where,
            "unsupported_content",
        )
    if kind == "input_audio":
        raise invalid(f"'{where}' is audio, which only a user's message can have.", where, "unsupported_content")
    raise invalid(f"'{where}' is of the type {kind!r}; a part is input_text, output_text or refusal.", f"{where}.type")


def _call(item: Item, where: str) -> Item:
    passes = CALLS[item["type"]]
    found = {
        "call_id": _text(item, "call_id", where),
        "name": _text(item, "name", where),
        passes: _text(item, passes, where, empty=True),
        "status": item.get("status") or "completed",
    }
    return {**found, "namespace": item["namespace"]} if item.get("namespace") else found


def _output(item: Item, where: str) -> Item:
    output = item.get("output")
    if isinstance(output, list):
        output = [_part(part, f"{where}.output[{at}]") for at, part in enumerate(output)]
    elif not isinstance(output, str):
        raise invalid(f"'{where}.output' is a text, or a list of parts.", f"{where}.output", "invalid_type")
    return {
        "call_id": _text(item, "call_id", where),
        "output": output,
        "status": item.get("status") or "completed",
    }


def _reasoning(item: Item, where: str) -> Item:
    found: Item = {"summary": [], "content": []}
    for name in found:
        parts = item.get(name) or []
        if not isinstance(parts, list):
            raise invalid(f"'{where}.{name}' is a list of parts.", f"{where}.{name}", "invalid_type")
        found[name] = [_part(part, f"{where}.{name}[{at}]") for at, part in enumerate(parts)]
    if item.get("encrypted_content") is not None:
        found["encrypted_content"] = _text(item, "encrypted_content", where)
    return {**found, "status": item.get("status") or "completed"}


def _compaction(item: Item, where: str) -> Item:
    return {"encrypted_content": _text(item, "encrypted_content", where)}


def _passed(item: Item, where: str) -> Item:
    return {name: value for name, value in item.items() if name not in ("id", "type")}


_READERS: dict[str, Callable[[Item, str], Item]] = {
    "message": _message,
    "function_call": _call,
    "function_call_output": _output,
    "custom_tool_call": _call,
    "custom_tool_call_output": _output,
    "reasoning": _reasoning,
    "compaction": _compaction,
}


def _text(item: Item, name: str, where: str, empty: bool = True) -> str:
    found = item.get(name)
    if isinstance(found, str):
        return found
    if found is None:
        place = f"{where}.{name}"
        raise invalid(f"Missing required parameter: '{place}'.", place, "missing_required_parameter")
    raise invalid(
        f"'{where}.{name}' is a text; got {_kind_of(found)}.",
        f"{where}.{name}",
        "invalid_type",
    )


def _kind_of(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")
