"""The Files API: objects, and what a file is for."""

from __future__ import annotations

from typing import Any

from sauropod.server.problems import invalid

__all__ = ["PURPOSES", "checked_purpose", "file_object"]

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


def checked_purpose(purpose: object) -> str:
    """Raises `Problem`."""
    if purpose in PURPOSES:
        return str(purpose)
    raise invalid(f"'purpose' is one of {', '.join(PURPOSES)}; got {purpose!r}.", "purpose", "invalid_value")


def file_object(
    id: str, *, bytes: int, created_at: int, filename: str, purpose: str, expires_at: int | None
) -> dict[str, Any]:
    """A file, without what is in it."""
    return {
        "id": id,
        "object": "file",
        "bytes": bytes,
        "created_at": created_at,
        "expires_at": expires_at,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
        "status_details": None,
    }
