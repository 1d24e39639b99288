"""Toolbox: the tools of a request, as the model is told of them and as its calls are told to the client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sauropod import Tool, ToolCall, ToolChoice
from sauropod.server.problems import invalid
from sauropod.server.wire.call_ids import model_id

__all__ = ["Offered", "Toolbox", "choice_of"]


@attrs.frozen
class Offered:
    """One tool: the model's `tool`, and how the client knows it."""

    tool: Tool
    name: str
    custom: bool = False
    namespace: str | None = None


@attrs.frozen
class Toolbox:
    """All of them, by the names the model knows."""

    offered: Mapping[str, Offered] = attrs.field(factory=dict)
    skipped: Sequence[str] = ()
    """The types of tools that are not known here, which are left out."""

    @classmethod
    def of(cls, given: Sequence[Mapping[str, Any]] | None, param: str = "tools") -> Toolbox:
        """Raises `Problem` for a tool that is not what its type says; a type nobody knows here is left out."""
        found: list[Offered] = []
        skipped: list[str] = []
        for at, each in enumerate(given or ()):
            where, kind = f"{param}[{at}]", str(each.get("type"))
            if kind == "namespace":
                found += _namespace(each, where)
            elif kind in _READERS:
                found.append(_READERS[kind](each, where, None))
            else:
                skipped.append(kind)
        return cls(_told_apart(found), skipped)

    @property
    def tools(self) -> list[Tool]:
        return [each.tool for each in self.offered.values()]

    def known(self, name: str, namespace: str | None = None) -> str:
        """What the model calls the tool that the client calls so."""
        for told, each in self.offered.items():
            if (each.name, each.namespace) == (name, namespace):
                return told
        return name

    def call(self, item: Mapping[str, Any]) -> ToolCall:
        """The call of an item, as the model made it."""
        name = self.known(item["name"], item.get("namespace"))
        if item["type"] == "custom_tool_call":
            return ToolCall(name, {"input": item["input"]}, model_id(item["call_id"]))
        return ToolCall(name, _arguments(item["arguments"]), model_id(item["call_id"]))


def choice_of(choice: str | Mapping[str, Any] | None, toolbox: Toolbox) -> ToolChoice:
    """Raises `Problem` for a choice that is none, or names a tool that was not given."""
    if choice is None:
        return ToolChoice()
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            raise _no_choice(choice)
        # What was left out cannot be asked for: without tools a choice of them means nothing.
        return ToolChoice("none" if not toolbox.offered else choice)  # type: ignore[arg-type]
    if choice.get("type") in ("function", "custom"):
        return ToolChoice.only(_named(choice, toolbox, "tool_choice"))
    if choice.get("type") == "allowed_tools":
        tools = choice.get("tools")
        listed = tools if isinstance(tools, list) else []
        names = [
            _named(each, toolbox, f"tool_choice.tools[{at}]")
            for at, each in enumerate(listed)
            if isinstance(each, dict)
        ]
        if choice.get("mode") not in ("auto", "required") or not names or len(names) != len(listed):
            raise invalid(
                "A tool_choice of the type 'allowed_tools' has a mode, 'auto' or 'required', and a list of tools.",
                "tool_choice",
            )
        return ToolChoice(choice["mode"], names)
    raise _no_choice(choice.get("type"))


def _named(choice: Mapping[str, Any], toolbox: Toolbox, param: str) -> str:
    name, namespace = choice.get("name"), choice.get("namespace")
    for told, each in toolbox.offered.items():
        if each.name == name and namespace in (None, each.namespace):
            return told
    have = ", ".join(each.name for each in toolbox.offered.values()) or "there are none"
    raise invalid(f"'{param}' names the tool {name!r}, which is not among 'tools': {have}.", param)


def _no_choice(given: Any) -> Exception:
    return invalid(
        f"tool_choice is 'none', 'auto', 'required', or an object of the type function, custom or allowed_tools; "
        f"got {given!r}.",
        "tool_choice",
    )


def _function(given: Mapping[str, Any], where: str, namespace: str | None) -> Offered:
    name = _name(given, where)
    parameters = given.get("parameters") or {"type": "object", "properties": {}}
    if not isinstance(parameters, dict):
        raise invalid(f"'{where}.parameters' is a JSON schema, an object.", f"{where}.parameters", "invalid_type")
    tool = Tool(name, str(given.get("description") or ""), parameters, strict=given.get("strict") is not False)
    return Offered(tool, name, namespace=namespace)


def _custom(given: Mapping[str, Any], where: str, namespace: str | None) -> Offered:
    name = _name(given, where)
    form = given.get("format") or {"type": "text"}
    text: dict[str, Any] = {"type": "string"}
    description = str(given.get("description") or "")
    if isinstance(form, dict) and form.get("type") == "grammar":
        if form.get("syntax") == "regex":
            text["pattern"] = f"^(?:{form.get('definition')})$"
        description += f"\n\nIts input follows this grammar ({form.get('syntax')}):\n{form.get('definition')}"
    parameters = {"type": "object", "properties": {"input": text}, "required": ["input"], "additionalProperties": False}
    return Offered(Tool(name, description.strip(), parameters), name, custom=True, namespace=namespace)


def _namespace(given: Mapping[str, Any], where: str) -> list[Offered]:
    name, tools = _name(given, where), given.get("tools")
    if not isinstance(tools, list):
        raise invalid(f"'{where}.tools' is a list of tools.", f"{where}.tools", "invalid_type")
    found = []
    for at, each in enumerate(tools):
        kind = str(each.get("type")) if isinstance(each, dict) else ""
        if kind in _READERS:
            found.append(_READERS[kind](each, f"{where}.tools[{at}]", name))
    return found


_READERS = {"function": _function, "custom": _custom}


def _name(given: Mapping[str, Any], where: str) -> str:
    name = given.get("name")
    if isinstance(name, str) and name:
        return name
    raise invalid(f"Missing required parameter: '{where}.name'.", f"{where}.name", "missing_required_parameter")


def _told_apart(found: Sequence[Offered]) -> dict[str, Offered]:
    """By the names the model is told: their own, or with their namespace where two have the same."""
    names = [each.name for each in found]
    told: dict[str, Offered] = {}
    for each in found:
        name = f"{each.namespace}__{each.name}" if each.namespace and names.count(each.name) > 1 else each.name
        if name in told:
            raise invalid(f"Two tools have the name {name!r}. Rename one of them.", "tools")
        told[name] = attrs.evolve(each, tool=attrs.evolve(each.tool, name=name))
    return told


def _arguments(text: str) -> dict[str, Any]:
    """A call's arguments; one that a model once broke off is still told, as text."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"arguments": text}
    return found if isinstance(found, dict) else {"arguments": text}
