"""What was acknowledged survives `kill -9`. `nox -s durability` kills two hundred times."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.killing import kill_often
from server.store.databases import postgres, postgres_missing


def test_what_was_acknowledged_survives_in_sqlite(tmp_path: Path) -> None:
    report = kill_often(str(tmp_path / "sauropod.db"), 4)
    assert report.wrong == []
    assert min(report.answered, report.begun, report.added) > 0


def test_what_was_acknowledged_survives_in_postgres() -> None:
    if reason := postgres_missing():
        pytest.skip(reason)
    with postgres() as running:
        report = kill_often(running.new(), 3, seed=1)
    assert report.wrong == []
    assert min(report.answered, report.begun, report.added) > 0
