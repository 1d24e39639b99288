"""`sauropod demo`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sauropod import Message, Tool, UnsupportedInput
from sauropod._sources.local_models import demo_path

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
