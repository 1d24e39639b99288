"""Keys for a short time."""

from __future__ import annotations

import pytest

from sauropod.server import ephemeral
from sauropod.server.ephemeral import EphemeralKeys
from sauropod.server.problems import Problem


def test_a_key_opens_until_it_expires() -> None:
    now = [100.0]
    keys = EphemeralKeys(lambda: now[0])
    one, other = keys.make({"instructions": "x"}, 60), keys.make({}, 600)
    assert keys.find(one.value) == one
    assert one.value != other.value
    assert one.expires_at == 160
    now[0] = 160
    assert keys.find(one.value) is None
    assert keys.find(other.value) == other


@pytest.mark.parametrize("key", [None, "", "ek_", "ek_ä", "sk-1"])
def test_no_other_key_opens(key: str | None) -> None:
    keys = EphemeralKeys()
    made = keys.make({}, 60)
    assert keys.find(key) is None
    assert keys.find(made.value[:-1]) is None
    assert keys.find(f"{made.value}0") is None


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ephemeral, "MOST", 3)
    now = [0.0]
    keys = EphemeralKeys(lambda: now[0])
    for _ in range(3):
        keys.make({}, 60)
    with pytest.raises(Problem) as raised:
        keys.make({}, 60)
    assert raised.value.status == 429
    now[0] = 61
    assert keys.find(keys.make({}, 60).value)
