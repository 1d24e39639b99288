"""What is stored is there, whole, for whoever asks next."""

from __future__ import annotations

import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import attrs
import pytest
from sqlalchemy import update

from sauropod.server.store import (
    ConversationRecord,
    DuplicateRecord,
    FileRecord,
    Item,
    LoggedEvent,
    MissingRecord,
    ResponseRecord,
    Store,
    StoreError,
    UnfinishedRecord,
)
from sauropod.server.store.owners import Owner
from sauropod.server.store.tables import responses

pytestmark = pytest.mark.anyio


def response(id: str, **more: object) -> ResponseRecord:
    values = {"created_at": 5, "status": "in_progress", "model": "m", "request": b"{}", "response": b"{}"}
    return ResponseRecord(id=id, **{**values, **more})  # type: ignore[arg-type]


def items(*names: str) -> list[Item]:
    return [Item(name, f'"{name}"'.encode()) for name in names]


async def end(store: Store, id: str, *output: str, status: str = "completed", conversation: str | None = None) -> None:
    await store.finish(
        id,
        status=status,
        completed_at=9,
        response=b'"end"',
        output_items=items(*output),
        events=[],
        conversation_id=conversation,
    )


async def test_a_response_is_found_as_it_was_left(where: str) -> None:
    async with Store.open(where) as store:
        begun = response("r", previous_response_id="p", background=True, expires_at=2**40)
        await store.begin(begun, items("a", "b"))
        assert await store.response("r") == begun
        await end(store, "r", "c")
        found = attrs.evolve(begun, status="completed", completed_at=9, response=b'"end"')
        assert await store.response("r") == found
        assert await store.all_input_items("r") == items("a", "b")
        assert await store.item("c") == items("c")[0]
        assert await store.delete_response("r")
        assert not await store.delete_response("r")
        assert await store.response("r") is None
        assert await store.item("c") is None


async def test_events_are_read_from_any_place_on(where: str) -> None:
    async with Store.open(where) as store:
        told = [LoggedEvent(at, b"%d" % at) for at in range(6)]
        await store.begin(response("r"), [])
        await store.log("r", told[:2])
        await store.log("r", told[2:])
        for after in range(-1, 7):
            assert await store.events("r", after) == told[after + 1 :]


async def test_what_is_told_of_a_response_that_was_deleted_goes_nowhere(where: str) -> None:
    async with Store.open(where) as store:
        await store.begin(response("r"), items("a"))
        await store.delete_response("r")
        await store.log("r", [LoggedEvent(0, b"")])
        await end(store, "r", "c")
        assert await store.response("r") is None
        assert await store.events("r") == []


async def test_a_chain_is_read_oldest_first_however_deep(where: str) -> None:
    async with Store.open(where) as store:
        for at in range(300):
            await store.begin(response(f"r{at}", previous_response_id=f"r{at - 1}" if at else None), items(f"i{at}"))
            await end(store, f"r{at}", f"o{at}")
        expected = [name for at in range(300) for name in (f"i{at}", f"o{at}")]
        assert [item.id for item in await store.chain("r299")] == expected
        await store.delete_response("r7")
        with pytest.raises(MissingRecord, match="r7"):
            await store.chain("r299")


async def test_a_chain_through_one_that_failed_leads_nowhere(where: str) -> None:
    async with Store.open(where) as store:
        await store.begin(response("a"), [])
        await end(store, "a", status="failed")
        await store.begin(response("b", previous_response_id="a"), [])
        with pytest.raises(UnfinishedRecord, match="'b' is still being written"):
            await store.chain("b")
        await end(store, "b")
        for name, culprit in (("a", "a"), ("b", "a"), ("none", "none")):
            with pytest.raises(MissingRecord) as caught:
                await store.chain(name)
            assert caught.value.id == culprit


async def test_what_a_response_adds_to_a_conversation_is_added_with_its_end(where: str) -> None:
    async with Store.open(where) as store:
        await store.create_conversation(ConversationRecord(id="c", created_at=1, metadata=b"{}"), items("x"))
        await store.begin(response("r", conversation_id="c"), items("x", "a"))
        await end(store, "r", "b", conversation="c")
        assert [item.id for item in await store.all_conversation_items("c")] == ["x", "a", "b"]
        await store.begin(response("s"), [])
        await store.delete_conversation("c")
        await end(store, "s", "d", conversation="c")
        found = await store.response("s")
        assert found is not None
        assert found.status == "completed"
        assert await store.all_conversation_items("c") == []


async def test_an_item_is_in_a_conversation_once(where: str) -> None:
    async with Store.open(where) as store:
        record = ConversationRecord(id="c", created_at=1, metadata=b"{}")
        with pytest.raises(DuplicateRecord):
            await store.create_conversation(record, items("a", "a"))
        assert await store.conversation("c") is None
        await store.create_conversation(record, items("a"))
        with pytest.raises(DuplicateRecord, match="'a'"):
            await store.append_items("c", items("b", "a"))
        assert await store.all_conversation_items("c") == items("a")
        assert not await store.append_items("none", items("b"))


async def test_what_comes_at_once_is_done_in_order_and_by_itself(where: str) -> None:
    async with Store.open(where) as store:
        await store.create_conversation(ConversationRecord(id="c", created_at=1, metadata=b"{}"), [])
        refused: list[str] = []

        async def add(name: str) -> None:
            try:
                await store.append_items("c", items(name))
            except DuplicateRecord as error:
                refused.append(error.id)

        async with anyio.create_task_group() as tasks:
            for at in range(200):
                tasks.start_soon(add, f"i{at % 150}")
        expected = [f"i{at}" for at in range(150)]
        assert [item.id for item in await store.all_conversation_items("c")] == expected
        assert refused == expected[:50]


async def test_who_does_not_wait_for_it_has_it_written_all_the_same(where: str) -> None:
    async with Store.open(where) as store:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await store.begin(response("r"), [])
        await store.ping()
        await store.delete_response("none")
        assert await store.response("r") is not None


async def test_pages_go_both_ways(where: str) -> None:
    names = [f"i{at}" for at in range(7)]
    async with Store.open(where) as store:
        await store.create_conversation(ConversationRecord(id="c", created_at=1, metadata=b"{}"), items(*names))
        await store.begin(response("r"), items(*names))
        for order in ("asc", "desc"):
            wanted = names if order == "asc" else names[::-1]
            for after, limit in ((None, 3), ("i2", 2), ("i2", 20), (wanted[-1], 5)):
                first = 0 if after is None else wanted.index(after) + 1
                for page in (
                    await store.conversation_items("c", after=after, limit=limit, order=order),
                    await store.input_items("r", after=after, limit=limit, order=order),
                ):
                    assert [item.id for item in page.items] == wanted[first : first + limit]
                    assert page.has_more == (first + limit < len(wanted))
        with pytest.raises(MissingRecord):
            await store.conversation_items("c", after="none", limit=2, order="asc")


async def test_names_that_no_database_likes_are_not_found(where: str) -> None:
    async with Store.open(where) as store:
        for name in ("", "\0", "a\0b", "'; DROP TABLE responses; --", "x" * 10_000, "🦕"):
            assert await store.response(name) is None
            assert await store.conversation(name) is None
            assert await store.file(name) is None
            assert await store.item(name) is None
            assert not await store.delete_response(name)


async def pieces(*given: bytes, fails: bool = False) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece
    if fails:
        raise ConnectionResetError


def file(id: str, at: int = 5, **more: object) -> FileRecord:
    return FileRecord(id=id, created_at=at, bytes=0, filename="a.txt", purpose="user_data", **more)  # type: ignore[arg-type]


async def test_a_file_is_there_when_all_of_it_is(where: str) -> None:
    async with Store.open(where) as store:
        await store.add_file(file("f"), pieces(b"ab", b"", b"c"))
        found = await store.file("f")
        assert found is not None
        assert found.bytes == 3
        assert b"".join([piece async for piece in store.file_chunks("f")]) == b"abc"
        with pytest.raises(ConnectionResetError):
            await store.add_file(file("g"), pieces(b"ab", fails=True))
        assert await store.file("g") is None
        assert [piece async for piece in store.file_chunks("g")] == []
        assert await store.delete_file("f")
        assert not await store.delete_file("f")


async def test_files_are_listed_by_age(where: str) -> None:
    async with Store.open(where) as store:
        for name, at in (("b", 1), ("a", 1), ("c", 0)):
            await store.add_file(file(name, at), pieces(b"x"))
        everything = await store.files(after=None, limit=2, order="asc", purpose=None)
        assert ([each.id for each in everything.files], everything.has_more) == (["c", "a"], True)
        rest = await store.files(after="a", limit=2, order="asc", purpose="user_data")
        assert ([each.id for each in rest.files], rest.has_more) == (["b"], False)
        back = await store.files(after="b", limit=9, order="desc", purpose=None)
        assert [each.id for each in back.files] == ["a", "c"]
        assert (await store.files(after=None, limit=9, order="desc", purpose="batch")).files == []


async def test_what_is_past_its_time_goes(where: str) -> None:
    async with Store.open(where) as store:
        for name, status, expires in (("old", "completed", 10), ("runs", "in_progress", 10), ("new", "completed", 99)):
            await store.begin(response(name, expires_at=expires), items("a"))
            if status == "completed":
                await end(store, name)
        await store.add_file(file("f", expires_at=10), pieces(b"x"))
        assert await store.expire(11) == 1
        assert [await store.response(name) is not None for name in ("old", "runs", "new")] == [False, True, True]
        assert await store.file("f") is None


async def test_of_too_many_responses_the_newest_stay(where: str) -> None:
    async with Store.open(where) as store:
        for at in range(6):
            await store.begin(response(f"r{at}", created_at=at), [])
            await end(store, f"r{at}")
        await store.begin(response("runs", created_at=0), [])
        assert await store.expire(11, keep_at_most=2) == 4
        left = [name for name in (*(f"r{at}" for at in range(6)), "runs") if await store.response(name)]
        assert left == ["r4", "r5", "runs"]


async def test_a_closed_store_takes_nothing(where: str) -> None:
    async with Store.open(where) as store:
        pass
    with pytest.raises(StoreError, match="closed"):
        await store.begin(response("r"), [])


async def test_what_people_say_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    path = tmp_path / "mine" / "sauropod.db"
    async with Store.open(str(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_what_is_deleted_is_not_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sauropod.db"
    async with Store.open(str(path)) as store:
        await store.begin(response("r", request=b"a secret " * 4000), items("a"))
        await store.delete_response("r")
    assert b"a secret" not in path.read_bytes()
    assert [each.name for each in tmp_path.iterdir()] == ["sauropod.db"]


async def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is no database, and it is longer than the header of one would be. " * 4)
    (tmp_path / "file").write_text("")
    for where, said in (
        (str(tmp_path), "directory"),
        (str(tmp_path / "text"), "not a database"),
        (str(tmp_path / "file" / "x.db"), "cannot be opened"),
        ("mysql://somewhere/x", "no support for mysql"),
        ("postgresql://me:secret@127.0.0.1:1/x", "cannot be opened"),
    ):
        with pytest.raises(StoreError, match=said) as caught:
            async with Store.open(where):
                pass
        assert "secret" not in str(caught.value)
    assert (tmp_path / "text").read_text().startswith("This is no database")


async def test_a_database_that_fails_later_is_an_error_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "sauropod.db"
    async with Store.open(str(path)) as store:
        await store.begin(response("r"), [])
        with sqlite3.connect(path) as other:
            other.execute("ALTER TABLE responses RENAME TO elsewhere")
        with pytest.raises(StoreError, match="no such table"):
            await store.response("r")
        with pytest.raises(StoreError, match="no such table"):
            await store.begin(response("s"), [])
        with sqlite3.connect(path) as other:
            other.execute("ALTER TABLE elsewhere RENAME TO responses")
        other.close()
        await store.begin(response("s"), [])
        assert await store.response("s") is not None


async def test_a_database_that_cannot_be_written_is_said_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(self: Owner, c: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Owner, "arrive", full)
    with anyio.fail_after(10), pytest.raises(StoreError, match="No space left"):
        async with Store.open(str(tmp_path / "sauropod.db")):
            pass


async def test_what_another_took_over_is_not_written_any_more(tmp_path: Path) -> None:
    path = str(tmp_path / "sauropod.db")
    async with Store.open(path) as one, Store.open(path) as other:
        await one.begin(response("r"), [])
        await one._db.write(lambda c: c.execute(update(responses).values(owner=other._owner.id)))
        await one.log("r", [LoggedEvent(0, b"")], status="completed")
        await end(one, "r", "a")
        found = await other.response("r")
        assert found is not None
        assert found.status == "in_progress"
        assert await other.events("r") == []


async def test_a_driver_that_is_not_installed_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StoreError, match=r"'asyncpg'.*pip install \"sauropod\[server,postgres\]\""):
        async with Store.open("postgresql://me@127.0.0.1:1/x"):
            pass
