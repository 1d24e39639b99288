"""Changing a session: what is named changes, null brings back what there is by default, and all else stays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from sauropod.server.problems import Problem, invalid
from sauropod.server.wire.decoding import converted
from sauropod.server.wire.realtime.formats import Format, Pcm
from sauropod.server.wire.realtime.session import AnySession, RealtimeSession

__all__ = ["converted_strictly", "patched", "type_of"]

S = TypeVar("S", bound=AnySession)
T = TypeVar("T")

FIXED = ("id", "object", "expires_at")
"""What a client may send back, and not change."""
NESTED = frozenset({"audio", "input", "output", "format", "transcription", "turn_detection", "noise_reduction"})
"""What is changed field by field. All else is replaced."""
NULLABLE = frozenset({"turn_detection"})
"""Where null is a value of its own. Elsewhere it brings back what there is by default."""
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")


def type_of(patch: Mapping[str, Any], param: str = "session") -> Literal["realtime", "transcription"]:
    """Raises `Problem` for a type there is not."""
    match patch.get("type"):
        case None | "realtime":
            return "realtime"
        case "transcription":
            return "transcription"
        case other:
            raise invalid(
                f"'{param}.type' is 'realtime' or 'transcription'; got {other!r}.", f"{param}.type", "invalid_value"
            )


def patched(session: S, patch: Mapping[str, Any], param: str = "session") -> S:
    """The session with what is named changed; null brings back the default. Raises `Problem`."""
    plain: dict[str, Any] = msgspec.to_builtins(session)
    if patch.get("type") not in (None, plain["type"]):
        raise invalid(
            f"This is a session of the type {plain['type']!r}, which stays. Connect anew for another.",
            f"{param}.type",
            "invalid_value",
        )
    if "model" in plain and patch.get("model") not in (None, plain["model"]):
        raise invalid(
            f"The model of a session stays: it is {plain['model']!r}. Connect anew for another.",
            f"{param}.model",
            "cannot_update_model",
        )
    own = {name: value for name, value in patch.items() if name not in FIXED}
    if own.get("model", "") is None:
        del own["model"]
    _flatten_voice(own)
    found = converted_strictly(type(session), _merged(plain, own), param)
    _check(found, param)
    return found


def _check(session: AnySession, param: str = "session") -> None:
    """Raises `Problem` for what no type can say."""
    forms = [("input", session.audio.input.format)]
    if isinstance(session, RealtimeSession):
        forms.append(("output", session.audio.output.format))
        if not session.output_modalities:
            raise invalid(
                f"'{param}.output_modalities' is ['audio'] or ['text'].", f"{param}.output_modalities", "invalid_value"
            )
    for side, form in forms:
        _check_format(form, f"{param}.audio.{side}.format")


def _check_format(form: Format, param: str) -> None:
    """Raises `Problem`."""
    if form.rate not in (24_000, 8_000) or (isinstance(form, Pcm) and form.rate != 24_000):
        raise invalid(
            f"'audio/pcm' has 24000 samples a second here; got {form.rate}. Resample it, or use 'audio/pcmu' or "
            "'audio/pcma', which have 8000.",
            f"{param}.rate",
            "invalid_value",
        )


def converted_strictly(kind: type[T], value: Any, param: str) -> T:
    """As `converted`, and a field that is not known is named. Raises `Problem`."""
    try:
        return converted(kind, value, param)
    except Problem as problem:
        if found := _UNKNOWN.search(problem.message):
            place = f"{problem.param or param}.{found['name']}"
            raise invalid(
                f"Unknown parameter: '{place}'. Leave it out, or see the documentation of sessions.",
                place,
                "unknown_parameter",
            ) from None
        raise


def _flatten_voice(patch: dict[str, Any]) -> None:
    """A voice may come as an object with an id."""
    match patch:
        case {"audio": {"output": {"voice": {"id": str(name)}, **output}, **audio}}:
            patch["audio"] = {**audio, "output": {**output, "voice": name}}


def _merged(plain: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(plain)
    for name, value in patch.items():
        before = merged.get(name)
        if value is None and name not in NULLABLE:
            merged.pop(name, None)
        elif name in NESTED and isinstance(value, dict) and isinstance(before, dict) and _is_alike(before, value):
            merged[name] = _merged(before, value)
        else:
            merged[name] = value
    return merged


def _is_alike(before: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Whether both are of one type, where there are several."""
    kind = before.get("type")
    return kind is None or value.get("type") in (None, kind)
