"""Who uses which worker, and who is the last."""

from __future__ import annotations

from sauropod._runtime.link import Link
from sauropod._runtime.pool import WorkerPool


def is_closed(link: Link) -> bool:
    return link._closed


def test_models_of_one_name_and_isolation_share_a_link() -> None:
    pool = WorkerPool()
    link = pool.acquire("cpu", "process")
    assert pool.acquire("cpu", "process") is link
    assert pool.acquire("cpu", "thread") is not link
    assert pool.acquire("cuda", "process") is not link


def test_the_last_to_leave_closes_the_link_in_the_same_breath() -> None:
    pool = WorkerPool()
    link = pool.acquire("cpu", "process")
    pool.acquire("cpu", "process")
    assert not pool.leave(link)
    assert not is_closed(link)
    assert pool.leave(link)
    assert is_closed(link)
    assert pool.acquire("cpu", "process") is not link


def test_a_fork_has_no_workers_and_what_it_still_holds_does_not_count() -> None:
    pool = WorkerPool()
    link = pool.acquire("cpu", "process")
    with pool._lock:  # as another thread of the original may have held it
        pool.disown()
    assert is_closed(link)
    own = pool.acquire("cpu", "process")
    assert not pool.leave(link)
    assert not is_closed(own)
    assert pool.leave(own)
