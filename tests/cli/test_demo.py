"""`sauropod demo`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import numpy as np
import pytest

from sauropod import Message, Speech, Tool, UnsupportedInput
from sauropod._sources.local_models import demo_path
from sauropod.cli.picture import timeline
from sauropod.cli.spoken import Moments, SpokenTurn

FAKE = ("--text", "fake:x", "--isolation", "thread", "--context-length", "4096", "--option", "eos_rate=0.2")


def test_every_question_is_shown_with_its_answer_and_figures(call: Callable[..., Any]) -> None:
    shown = call("demo", *FAKE)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.count("\n> ") == 7
    assert shown.out.count("first token after") == 7 + 1
    assert "What is the capital of France?" in shown.out
    assert "It did not call get_weather" in shown.out
    assert "sauropod pull " in shown.out


def test_only_the_toy_is_called_one(call: Callable[..., Any]) -> None:
    assert "toy" not in call("demo", *FAKE).out


def test_a_model_whose_template_knows_no_tools_is_told_of_them_all_the_same(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def render(self: object, messages: Sequence[Message], tools: Sequence[Tool] = (), **options: object) -> str:
        if tools:
            raise UnsupportedInput("This model takes no tools.")
        told.extend(message.content for message in messages)
        return messages[-1].content

    monkeypatch.setattr("sauropod.testing.FakeLanguageModel.render", render)
    shown = call("demo", *FAKE)
    assert (shown.code, shown.err) == (0, "")
    assert "It did not call get_weather" in shown.out
    assert any("get_weather" in text for text in told)


def test_the_same_comes_as_data(call: Callable[..., Any]) -> None:
    data = call("demo", *FAKE, "--json").data
    assert data["model"]["name"] == "fake"
    assert data["load_seconds"] > 0
    assert len(data["turns"]) == 7
    assert data["turns"][1]["usage"]["cached_tokens"] > 0


def test_a_real_model_plays_along(call: Callable[..., Any], model: str) -> None:
    shown = call("demo", "--text", model, "--isolation", "thread", "--threads", "1", "--context-length", "4096")
    assert shown.code == 0
    assert "on cpu, loaded in" in shown.out


@pytest.mark.skipif(not demo_path().is_file(), reason="the demo model is not there")
def test_the_embedded_model_knows_its_lines(call: Callable[..., Any]) -> None:
    shown = call("demo", "--text", "--isolation", "thread", "--threads", "1")
    assert shown.code == 0
    assert "The capital of Spain is Madrid." in shown.out
    assert "calls get_weather(city='Paris')" in shown.out
    assert "That was a toy" in shown.out


@pytest.mark.skipif(not demo_path().is_file(), reason="the demo model is not there")
def test_the_demo_is_a_spoken_conversation(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    soundfile = pytest.importorskip("soundfile")
    monkeypatch.setattr("sauropod.cli.demo_speech.QUESTIONS", ("What is the capital of France?",))
    out = tmp_path / "spoken"
    shown = call("demo", "--isolation", "thread", "--threads", "1", "--out", str(out))
    assert (shown.code, shown.err) == (0, "")
    assert "heard: What is the capital of France?" in shown.out
    assert "The capital of France is Paris." in shown.out
    assert "first audio" in shown.out
    assert {path.name for path in out.iterdir()} == {
        "1-question.wav", "1-answer.wav", "conversation.wav", "timeline.svg"
    }  # fmt: skip
    assert soundfile.info(out / "conversation.wav").duration > 3
    assert "The capital of France is Paris." in (out / "timeline.svg").read_text()


def test_moments_that_never_came_are_left_out_of_the_picture() -> None:
    speech = Speech("", np.zeros(0, np.float32), 24_000)
    turn = SpokenTurn("<Hello>?", speech, "", "", speech, Moments())
    heard = attrs.evolve(turn, heard="Hello & you", answer="Hi.", moments=Moments(0.5, 0.6, 0.7, 0.7, 0.8, 2.0))
    picture = ElementTree.fromstring(timeline([turn, heard]))
    told = [each.text for each in picture.iter() if each.tag.endswith("title")]
    assert told[0] == "it is certain that the question is over: 500 ms"
    assert len(told) == 6
    texts = [each.text for each in picture.iter() if each.tag.endswith("text")]
    assert "(nothing was heard) → " in texts
    assert "Hello & you → Hi." in texts
