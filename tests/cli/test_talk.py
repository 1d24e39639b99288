"""`sauropod talk`, from one file into another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sauropod.testing import speech_of

soundfile = pytest.importorskip("soundfile")

SAYS = {"Who are you?": "I am a fake."}
FAKE = (
    *("fake:", "--isolation", "thread", "--voice", "fake:synthesizer", "--ears", "fake:recognizer"),
    *("--option", f"says={json.dumps(SAYS)}"),
)


@pytest.fixture
def question(tmp_path: Path) -> str:
    path = tmp_path / "question.wav"
    silence = np.zeros(1600, np.float32)
    samples = np.concatenate([silence, speech_of("Who are you?", 16_000), silence])
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    return str(path)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long behind the last word, and the fake ears have a fake detector."""
    from sauropod import Transcriber
    from sauropod.cli import live

    monkeypatch.setattr(live, "QUIET", 0.9)
    made = Transcriber.__init__

    def make(self: Transcriber, source: str, **options: Any) -> None:
        made(self, source, vad="fake:voice_detector", **options)

    monkeypatch.setattr(Transcriber, "__init__", make)


def test_a_recording_is_answered_into_a_recording(
    call: Callable[..., Any], question: str, tmp_path: Path, soon: None
) -> None:
    out, record = tmp_path / "out.wav", tmp_path / "what.jsonl"
    shown = call("talk", *FAKE, "--wav", question, "--out", str(out), "--record", str(record))
    assert shown.code == 0, shown.err
    lines = shown.out.splitlines()
    assert lines[:2] == ["> Who are you?", "I am a fake."]
    assert "first audio" in lines[2]
    samples, rate = soundfile.read(out, dtype="float32")
    assert rate == 24_000
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    assert 0.09 < loud[0] / rate < 0.12  # the question
    answer = speech_of("I am a fake.", rate)
    middle = samples[loud[-1] + 1 - len(answer) : loud[-1] + 1]
    assert np.abs(middle - answer).max() < 0.001
    assert call("replay", str(record)).code == 0


def test_the_same_comes_as_data(call: Callable[..., Any], question: str, tmp_path: Path, soon: None) -> None:
    shown = call("talk", *FAKE, "--wav", question, "--out", str(tmp_path / "out.flac"), "--json")
    user, assistant = shown.data["turns"]
    assert user["user"] == "Who are you?"
    assert (assistant["assistant"], assistant["status"]) == ("I am a fake.", "completed")
    assert assistant["seconds"]["first_audio"] > 0


def test_a_recording_needs_somewhere_to_go(call: Callable[..., Any], question: str) -> None:
    shown = call("talk", *FAKE, "--wav", question)
    assert shown.code == 2
    assert "go together" in shown.err


def test_without_a_microphone_it_says_what_to_do(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sounddevice", None)
    shown = call("talk", *FAKE)
    assert shown.code != 0
    assert "sauropod[audio]" in shown.err
