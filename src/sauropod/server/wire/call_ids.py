"""Ids of calls: OpenAI's begin with `call_`. A model's template gets what is behind it: some want it short."""

from __future__ import annotations

__all__ = ["model_id", "wire_id"]

PREFIX = "call_"


def wire_id(id: str) -> str:
    """As a client is told."""
    return f"{PREFIX}{id}"


def model_id(call_id: str) -> str:
    """As the model's template gets it. An id that was not made here stays as it is."""
    return call_id.removeprefix(PREFIX)
