"""What the benchmarks share: figures, reports, and the client of peers that serve over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks.harness.http import Address, ServerRefused, events
from benchmarks.harness.machine import Machine
from benchmarks.harness.report import Goal, Report, Row
from benchmarks.harness.samples import Samples, percentile
from benchmarks.harness.side import Reading, WrongAnswer


def test_a_ratio_is_taken_within_each_round() -> None:
    assert Samples([1, 20]).over(Samples([2, 10])).values == (0.5, 2.0)


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3, 1, 2], 0.95) == 3
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([7], 0.5) == 7


def test_a_goal_relative_to_the_peer_is_not_judged_without_one() -> None:
    alone = Row.of("work", "speed", "tok/s", [[50.0]], Goal(at_least=1.2))
    beside = Row.of("work", "speed", "tok/s", [[50.0], [40.0]], Goal(at_least=1.2))
    assert alone.is_met is None
    assert beside.is_met is True


def test_a_goal_in_figures_needs_no_peer() -> None:
    assert Row.of("work", "slot free", "ms", [[300.0]], Goal(at_most=250, relative=False)).is_met is False


def test_an_answer_of_another_length_is_refused() -> None:
    with pytest.raises(WrongAnswer, match="3 tokens were asked for, and 2 were written"):
        Reading("ab", [0.1, 0.2], 1, 0, 2).checked(3)


def test_a_report_has_every_round(tmp_path: Path) -> None:
    row = Row.of("work", "speed", "tok/s", [[50.0, 60.0], [40.0, 40.0]], Goal(at_least=1.2))
    report = Report(Machine.read(), "tiny.gguf", "peer", "2 rounds", 0.01, [row])
    report.write(tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())["rows"][0]
    assert written["rounds"]["ratio"] == [1.25, 1.5]
    assert "| ≥ 1.2× | met |" in report.describe()


def test_events_are_found_however_the_server_cuts_them() -> None:
    body = b'data: {"a": 1}\n\ndata: {"b": 2}\n\ndata: [DONE]\n\n'
    for cut in (1, 7, len(body)):
        parts = [body[start : start + cut] for start in range(0, len(body), cut)]
        assert asyncio.run(_served(200, parts)) == [{"a": 1}, {"b": 2}]


def test_a_refusal_is_an_error() -> None:
    with pytest.raises(ServerRefused, match="503"):
        asyncio.run(_served(503, [b"loading"]))


async def _served(status: int, chunks: Sequence[bytes]) -> list[object]:
    """What the client makes of an answer that is sent in these chunks."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n" % status)
        for chunk in chunks:
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        return [event async for event in events(Address(host, port), "/", {})]
