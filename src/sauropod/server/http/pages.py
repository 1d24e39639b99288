"""Pages: parts of long lists, as OpenAI's clients ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
import msgspec
from starlette.requests import Request

from sauropod.server.problems import invalid

__all__ = ["PageAsked", "page_asked", "page_of"]


@attrs.frozen
class PageAsked:
    """Which part: so many, after that one, in that order."""

    after: str | None
    limit: int
    order: Literal["asc", "desc"]


def page_asked(request: Request, *, limit: int = 20, largest: int = 100) -> PageAsked:
    """Raises `Problem`."""
    asked = request.query_params
    wanted = asked.get("limit", str(limit))
    if not wanted.isdecimal() or len(wanted) > 9 or not 1 <= int(wanted) <= largest:
        raise invalid(f"'limit' is a number from 1 to {largest}; got {wanted!r}.", "limit", "invalid_value")
    order = asked.get("order", "desc")
    if order not in ("asc", "desc"):
        raise invalid(f"'order' is 'asc' or 'desc'; got {order!r}.", "order", "invalid_value")
    return PageAsked(asked.get("after"), int(wanted), order)  # type: ignore[arg-type]


def page_of(payloads: Sequence[bytes], ids: Sequence[str], has_more: bool) -> dict[str, Any]:
    """The list object. An empty one has no first and no last."""
    return {
        "object": "list",
        "data": [msgspec.Raw(payload) for payload in payloads],
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": has_more,
    }
