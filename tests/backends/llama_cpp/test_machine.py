"""What this machine has to offer, as the kernel tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sauropod.backends.llama_cpp.machine import available_memory

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("limit", "stat", "expected"),
    [
        (f"{100 * MIB}", None, 40 * MIB),
        (
            f"{100 * MIB}",
            f"anon {10 * MIB}\nfile {50 * MIB}\ninactive_file {45 * MIB}\nactive_file {5 * MIB}\n",
            85 * MIB,
        ),
        (f"{50 * MIB}", None, 0),
        ("max", None, 90 * MIB),
    ],
    ids=["no cache", "files that were read", "over the limit", "no limit"],
)
def test_a_containers_limit_counts_and_the_page_cache_does_not(
    limit: str, stat: str | None, expected: int, tmp_path: Path
) -> None:
    """A container that has just fetched a model is full of it, and has room for it all the same."""
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{60 * MIB}\n")
    if stat is not None:
        (tmp_path / "memory.stat").write_text(stat)
    assert available_memory(90 * MIB, tmp_path) == expected
