"""`sauropod replay`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sauropod import ReplyAudio, ReplyFinished
from session.talking import conversation, said, speak, until

LOT = "One two three. Four five six. Seven eight nine."


def weather(city: str) -> str:
    return f"sun in {city}"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A session with a reply that is cut and one that calls a function, as text."""
    file = tmp_path_factory.mktemp("recordings") / "session.jsonl"
    call = '<tool_call>{"name": "weather", "arguments": {"city": "Oslo"}}</tool_call>'
    says = {"Tell me a lot.": LOT, "How is it?": call, "sun": "Sunny."}

    async def hold() -> None:
        async with conversation(says, ahead_seconds=0.02, tools=[weather], record=file) as session:
            await speak(session, said("Tell me a lot."))
            await until(session, ReplyAudio, where=lambda event: event.frame.start > 24_000 * 0.3)
            await speak(session, said("How is it?"))
            for _ in range(3):
                await until(session, ReplyFinished)

    anyio.run(hold)
    return file.read_text()


@pytest.fixture
def file(recorded: str, tmp_path: Path) -> Path:
    path = tmp_path / "session.jsonl"
    path.write_text(recorded)
    return path


def test_it_shows_who_said_what_and_how_long_it_took(call: Callable[..., Any], file: Path) -> None:
    shown = call("replay", str(file))
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0].endswith(": 2 turns of the user's, 3 of the session's")
    rows = [line for line in lines if " s  " in line[:16]]
    assert [row.split()[2] for row in rows] == ["user", "reply", "user", "reply", "tool", "reply"]
    assert rows[0].endswith("#  Tell me a lot.") or rows[0].endswith("  Tell me a lot.")
    assert rows[1].endswith(" … (interrupted)")
    assert "One two three." in rows[1]
    assert rows[4].endswith('weather({"city": "Oslo"}) → sun in Oslo')
    assert rows[5].endswith("  Sunny.")
    assert sum("first audio " in line for line in lines) == 2
    signs = sum('"kind": "sign"' in line for line in file.read_text().splitlines())
    assert lines[-1] == f"{signs} signs played again, no difference."


def test_a_difference_fails_and_is_shown_with_its_line(call: Callable[..., Any], file: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    index = next(index for index, line in enumerate(lines) if '"sign": "over"' in line)
    lines[index] = lines[index].replace('"user": "quiet"', '"user": "paused"')
    file.write_text("".join(lines))
    shown = call("replay", str(file))
    assert shown.code == 1
    assert f"\nLine {index + 1}, at " in shown.out
    assert "\n  recorded  over → take; user paused, reply private\n" in shown.out
    assert "\n  now       over → take; user quiet, reply private\n" in shown.out
    as_json = call("replay", str(file), "--json")
    assert as_json.code == 1
    assert as_json.data["difference"]["line"] == index + 1


def test_it_is_there_as_json(call: Callable[..., Any], file: Path) -> None:
    data = call("replay", str(file), "--json").data
    assert (data["difference"], data["cut_line"]) == (None, None)
    assert [turn["text"] for turn in data["turns"]] == ["Tell me a lot.", "How is it?"]
    assert [reply["status"] for reply in data["replies"]] == ["cancelled", "completed", "completed"]
    assert data["replies"][0]["written"] == LOT
    assert data["replies"][0]["held"][0]["ended"] >= data["replies"][0]["held"][0]["began"]
    assert data["replies"][2]["audio_seconds"] > 0
    assert [(each["name"], each["output"]) for each in data["calls"]] == [("weather", "sun in Oslo")]


def test_a_trace_is_written(call: Callable[..., Any], file: Path, tmp_path: Path) -> None:
    out = tmp_path / "trace.json"
    shown = call("replay", str(file), "--trace", str(out))
    assert shown.code == 0
    assert shown.err == f"{out} is written. Open it in https://ui.perfetto.dev.\n"
    events = json.loads(out.read_text())["traceEvents"]
    assert {"Tell me a lot.", "Sunny.", "weather", "held", "onset"} <= {event["name"] for event in events}


def test_a_recording_is_not_written_over(call: Callable[..., Any], file: Path, recorded: str) -> None:
    refused = call("replay", str(file), "--trace", str(file))
    assert refused.code == 2
    assert "would write over the recording" in refused.err
    assert file.read_text() == recorded


def test_a_last_line_that_is_cut_short_is_told(call: Callable[..., Any], file: Path, recorded: str) -> None:
    file.write_text(recorded[:-10])
    shown = call("replay", str(file))
    assert shown.code == 0
    last = len(recorded.splitlines())
    assert shown.err.startswith(f"Line {last}, the last, was cut short")
    assert call("replay", str(file), "--json").data["cut_line"] == last


def test_a_file_that_is_no_recording_is_refused(call: Callable[..., Any], tmp_path: Path) -> None:
    other = tmp_path / "other"
    for content in (b"", b"RIFF....", b'{"sauropod": "conversation"}\n', bytes(100_000)):
        other.write_bytes(content)
        refused = call("replay", str(other))
        assert (refused.code, refused.out) == (4, "")
        assert "Give a file that Session(record=…) wrote" in refused.err
    other.write_text('{"sauropod": "session", "format": 9, "time": 0}\n')
    assert "Use the version that wrote it" in call("replay", str(other)).err
    missing = call("replay", str(tmp_path / "missing"))
    assert (missing.code, missing.err) == (1, f"error: {tmp_path / 'missing'}: No such file or directory.\n")


def test_a_session_in_which_nothing_happened_has_nothing_to_show(call: Callable[..., Any], tmp_path: Path) -> None:
    empty = tmp_path / "session.jsonl"
    empty.write_text('{"sauropod": "session", "format": 1, "time": 0}\n')
    shown = call("replay", str(empty))
    assert shown.code == 0
    assert shown.out.startswith("1970-01-01 00:00:00 UTC, 0.0 ms: 0 turns of the user's, 0 of the session's\n")
    assert shown.out.endswith("0 signs played again, no difference.\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.binary(max_size=3))
def test_bytes_that_are_changed_anywhere_crash_nothing(
    call: Callable[..., Any], file: Path, recorded: str, where: int, other: bytes
) -> None:
    whole = recorded.encode()
    at = where % len(whole)
    file.write_bytes(whole[:at] + other + whole[at + 1 :])
    shown = call("replay", str(file), "--trace", str(file.with_suffix(".trace")))
    assert shown.code in (0, 1, 4)
    assert "Traceback" not in shown.err
    assert "should not happen" not in shown.err
