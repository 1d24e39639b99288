"""`sauropod speak`."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

soundfile = pytest.importorskip("soundfile")

FAKE = ("--model", "fake:synthesizer", "--isolation", "thread")


def test_a_text_is_said_into_a_file(call: Callable[..., Any], tmp_path: Path) -> None:
    shown = call("speak", "Hello", "there.", "-o", str(tmp_path / "hello.flac"), *FAKE)
    assert (shown.code, shown.out) == (0, "")
    assert "hello.flac: 340 ms at 24,000 Hz" in shown.err
    samples, rate = soundfile.read(tmp_path / "hello.flac")
    assert (len(samples), rate) == (round((12 * 0.02 + 0.1) * 24_000), 24_000)


def test_what_is_piped_in_is_said_and_stdout_is_a_file_too(run: Callable[..., Any]) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "sauropod", "speak", "-o", "-", *FAKE]
    said = subprocess.run(command, input=b"From a pipe.", capture_output=True, check=True).stdout
    samples, _ = soundfile.read(io.BytesIO(said))
    assert len(samples) == round((12 * 0.02 + 0.1) * 24_000)


def test_the_same_comes_as_data(call: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    data = call("speak", "Hi.", "-o", str(path), "--json", *FAKE).data
    assert data["file"] == str(path)
    assert data["marks"] == [{"text": "Hi.", "start": 0.0, "end": pytest.approx(0.06)}]


def test_voices_are_listed(call: Callable[..., Any]) -> None:
    assert call("speak", "--list", *FAKE).out == "fake\nfaker\n"
    assert call("speak", "--list", "--json", *FAKE).data["voices"] == ["fake", "faker"]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("-o", "x.wav"), 2, "nothing to say"),
        (("Hello",), 2, "Where to?"),
        (("Hello", "-o", "x.wav", "--voice", "fakest"), 4, "Did you mean"),
        (("Hello", "-o", "x.wav", "--speed", "9"), 4, "speed must be"),
        (("Hello", "-o", "x.xyz"), 4, "xyz"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    call: Callable[..., Any], arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    shown = call("speak", *arguments, *FAKE)
    assert shown.code == code
    assert complaint in shown.err
    assert not Path("x.wav").exists()
