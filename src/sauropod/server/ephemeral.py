"""EphemeralKeys: keys that open one kind of session for a short time, for pages that must not know a real one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from sauropod.server.problems import Problem

__all__ = ["PREFIX", "EphemeralKey", "EphemeralKeys"]

PREFIX = "ek_"
MOST = 10_000
"""Keys that are remembered at once."""


@attrs.frozen
class EphemeralKey:
    """A key, until when it opens, and what is different in the sessions that it opens."""

    value: str
    expires_at: int
    session: Mapping[str, Any]


@attrs.define(eq=False)
class EphemeralKeys:
    """Those that were given out by this server. They end with it."""

    now: Callable[[], float] = time.time
    _keys: dict[bytes, EphemeralKey] = attrs.field(factory=dict)
    """By their digests: how long it takes to look for one tells nothing of those there are."""

    def make(self, session: Mapping[str, Any], seconds: int) -> EphemeralKey:
        """A new one. Raises `Problem` where there are too many."""
        now = self.now()
        self._keys = {digest: key for digest, key in self._keys.items() if key.expires_at > now}
        if len(self._keys) >= MOST:
            raise Problem(
                429,
                f"There are {MOST:,} ephemeral keys that have not expired. Make them shorter-lived, or wait.",
                "rate_limit_error",
                "too_many_client_secrets",
                retry=10.0,
            )
        key = EphemeralKey(f"{PREFIX}{secrets.token_hex(24)}", int(now) + seconds, session)
        self._keys[_digest(key.value)] = key
        return key

    def find(self, value: str | None) -> EphemeralKey | None:
        """The key, if there is such a one and it has not expired."""
        key = None if value is None else self._keys.get(_digest(value))
        if key is None or value is None or key.expires_at <= self.now():
            return None
        return key if hmac.compare_digest(key.value.encode(), value.encode()) else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
