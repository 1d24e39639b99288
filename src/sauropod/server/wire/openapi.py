"""OpenAPI: the document that says what can be asked, made of the types that requests are read with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec

__all__ = ["Operation", "document_of"]

TITLE = "sauropod"
ABOUT = "OpenAI's API, answered by models on this machine."


@attrs.frozen(kw_only=True)
class Operation:
    """One thing that can be asked."""

    method: str
    path: str
    summary: str
    tag: str
    body: Any = None
    """The type of its body, or a schema."""
    answer: Any = None
    """The type of its answer, or a schema; None is any object."""
    event: Any = None
    """The type of its events, where it can be asked as a stream."""
    query: Mapping[str, Any] = attrs.field(factory=dict)
    """Schemas of what may stand in its address."""
    optional: bool = False
    """Whether the body may be left out."""
    bytes: bool = False
    """Whether the answer is a file."""
    form: bool = False
    """Whether the body is a form with files in it."""

    @property
    def id(self) -> str:
        words = re.findall(r"\w+", self.path.removeprefix("/v1"))
        return "_".join([self.method.lower(), *words])


def document_of(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The document, as OpenAPI 3.1 has it. Types of one name are told apart by their modules."""
    types = [each for one in operations for each in (one.body, one.answer, one.event) if _is_type(each)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(map(id, types), schemas, strict=True))

    def schema(wanted: Any) -> Any:
        return schema_of[id(wanted)] if _is_type(wanted) else wanted

    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schema)
    error = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "param": {"type": ["string", "null"]},
                    "code": {"type": ["string", "null"]},
                },
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": error},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(one: Operation, schema: Any) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", one.path)
    ]
    parameters += [{"name": name, "in": "query", "required": False, "schema": each} for name, each in one.query.items()]
    kind = "application/octet-stream" if one.bytes else "application/json"
    content: dict[str, Any] = {kind: {"schema": {} if one.bytes else schema(one.answer) or {"type": "object"}}}
    if one.event is not None:
        content["text/event-stream"] = {"schema": schema(one.event)}
    found: dict[str, Any] = {
        "operationId": one.id,
        "summary": one.summary,
        "tags": [one.tag],
        "parameters": parameters,
        "responses": {
            "200": {"description": "As it was asked.", "content": content},
            "default": {
                "description": "Why not.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if one.body is not None:
        kind = "multipart/form-data" if one.form else "application/json"
        found["requestBody"] = {"required": not one.optional, "content": {kind: {"schema": schema(one.body)}}}
    return found


def _is_type(wanted: Any) -> bool:
    return wanted is not None and not isinstance(wanted, dict)
