"""`sauropod transcribe`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sauropod.testing import speech_of

soundfile = pytest.importorskip("soundfile")

FAKE = ("--model", "fake:recognizer", "--vad", "fake:voice_detector", "--isolation", "thread")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write(tmp_path / "talk.wav", "This was said.", "And this.")


def write(path: Path, *texts: str) -> Path:
    samples = np.concatenate([np.pad(speech_of(text), 8000) for text in texts])
    soundfile.write(path, samples, 16_000, subtype="FLOAT" if path.suffix == ".wav" else None)
    return path


def test_what_was_said_goes_to_stdout(call: Callable[..., Any], recording: Path) -> None:
    shown = call("transcribe", str(recording), *FAKE)
    assert (shown.code, shown.out, shown.err) == (0, "This was said. And this.\n", "")


def test_subtitles_go_to_a_file(call: Callable[..., Any], recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "talk.srt"
    assert call("transcribe", str(recording), "--format", "srt", "-o", str(out), *FAKE).code == 0
    assert out.read_text().startswith("1\n00:00:00,500 --> 00:00:01,500\nThis was said.\n\n2\n")


def test_json_has_the_time_of_every_word(call: Callable[..., Any], recording: Path) -> None:
    data = json.loads(call("transcribe", str(recording), "--format", "json", *FAKE).out)
    assert [word["word"] for word in data["words"]] == ["This", "was", "said.", "And", "this."]
    assert data["words"][0]["start"] == pytest.approx(0.5)


def test_of_several_files_each_is_written_beside_its_recording(
    call: Callable[..., Any], recording: Path, tmp_path: Path
) -> None:
    other, broken = write(tmp_path / "other.flac", "Something else."), tmp_path / "broken.wav"
    broken.write_bytes(b"PK\x03\x04 no sound")
    shown = call("transcribe", str(recording), str(broken), str(other), *FAKE)
    assert shown.code == 1
    assert "broken.wav" in shown.err
    assert (tmp_path / "talk.txt").read_text() == "This was said. And this.\n"
    assert (tmp_path / "other.txt").read_text() == "Something else.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [(("nowhere.wav",), 4, "nowhere.wav"), (("a.wav", "b.wav", "-o", "c.txt"), 2, "one FILE")],
)
def test_what_cannot_be_meant_is_refused(
    call: Callable[..., Any], arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    shown = call("transcribe", *arguments, *FAKE)
    assert shown.code == code
    assert complaint in shown.err


def test_progress_is_shown_where_somebody_watches(terminal: Callable[..., Any], recording: Path) -> None:
    shown = terminal("transcribe", str(recording), *FAKE)
    assert shown.exit_code() == 0
    assert "talk.wav" in shown.text
    assert "100%" in shown.text
    assert "This was said. And this." in shown.text
