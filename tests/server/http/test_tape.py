"""A tape is written once and read by any number, from any place."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.server.http.tape import Tape

pytestmark = pytest.mark.anyio


@given(st.lists(st.tuples(st.binary(max_size=3), st.booleans()), max_size=8), st.integers(0, 9), st.integers(0, 8))
async def test_every_reader_gets_everything_from_its_place_on(
    pieces: list[tuple[bytes, bool]], start: int, joins: int
) -> None:
    tape = Tape()
    read: list[bytes] = []
    for piece, _ in pieces[:joins]:
        tape.write(piece)

    async def reader() -> None:
        async for found in tape.read(start):
            read.extend(found)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reader)
        await anyio.lowlevel.checkpoint()
        for piece, pause in pieces[joins:]:
            tape.write(piece)
            if pause:
                await anyio.lowlevel.checkpoint()
        tape.end()
    assert read == [piece for piece, _ in pieces][start:]


async def test_what_is_there_comes_at_once() -> None:
    tape = Tape()
    tape.write(b"a", b"b")
    tape.write(b"c")
    tape.end()
    assert [found async for found in tape.read()] == [[b"a", b"b", b"c"]]
