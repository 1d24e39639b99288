"""Audio among the parts of a message: read from base64, with places for it in the text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from sauropod import Message
from sauropod._values.messages import PLACE
from sauropod.server.problems import invalid

__all__ = ["said", "sound_of"]


def sound_of(given: Any, where: str) -> bytes:
    """The file that `input_audio` holds: `{"data": base64, "format": …}`. Its format is seen from what is in it.

    Raises `Problem`.
    """
    data = given.get("data") if isinstance(given, dict) else None
    if not isinstance(data, str):
        place = f"{where}.input_audio.data"
        raise invalid(f"'{place}' is an audio file in base64.", place, "missing_required_parameter")
    try:
        found = base64.b64decode(data.partition("base64,")[2] or data, validate=True)
    except (ValueError, binascii.Error):
        found = b""
    if not found:
        place = f"{where}.input_audio.data"
        raise invalid(f"'{place}' is an audio file in base64, and this is none.", place, "invalid_value")
    return found


def said(parts: Iterable[str | bytes], **more: Any) -> Message:
    """What a user says in texts and sounds, one below the other."""
    given = list(parts)
    sounds = [part for part in given if isinstance(part, bytes)]
    texts = [part.replace(PLACE, "") if isinstance(part, str) and sounds else part for part in given]
    text = "\n".join(part if isinstance(part, str) else PLACE for part in texts)
    return Message("user", text, audio=sounds, **more)
