"""`sauropod bench`: that it measures what it says, not how fast anything is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from sauropod import Engine
from sauropod._runtime.registry import installed_backends
from sauropod.cli.measuring import Figures, Plan, measure, percentile

FAKE = ("fake:x", "--isolation", "thread", "--prompt", "20", "--generate", "4", "--repeat", "1")


def test_there_is_a_row_for_each_number_of_requests(call: Callable[..., Any]) -> None:
    shown = call("bench", *FAKE, "--requests", "1,3")
    assert (shown.code, shown.err) == (0, "")
    name, heads, one, three, *rest = shown.out.splitlines()
    assert name == "fake, on cpu"
    assert heads.split()[0] == "requests"
    assert [one.split()[0], three.split()[0]] == ["1", "3"]
    assert "each with 20 random tokens" in " ".join(rest)
    assert "Python " in rest[-1]


def test_the_same_comes_as_data(call: Callable[..., Any]) -> None:
    data = call("bench", *FAKE, "--requests", "2", "--json").data
    assert data["plan"] == {"requests": [2], "prompt": 20, "generate": 4, "repeat": 1}
    assert data["slots"] == 2
    [figures] = data["figures"]
    assert figures["requests"] == 2
    assert min(figures["reading"], figures["writing"], figures["first_token_p50"]) > 0
    assert figures["first_token_p50"] <= figures["first_token_p95"]


def test_a_real_model_can_be_measured(call: Callable[..., Any], model: str) -> None:
    small = (
        "--prompt",
        "8",
        "--generate",
        "2",
        "--repeat",
        "1",
        "--requests",
        "1",
        "--threads",
        "1",
        "--isolation",
        "thread",
    )
    assert call("bench", model, *small).code == 0


@pytest.mark.parametrize("option", ["--requests", "--prompt", "--generate", "--repeat"])
def test_counts_are_at_least_one(call: Callable[..., Any], option: str) -> None:
    assert call("bench", "fake:x", option, "0").code == 2


def test_a_context_too_short_for_it_is_refused(call: Callable[..., Any]) -> None:
    refused = call("bench", *FAKE, "--context-length", "10")
    assert refused.code == 4
    assert refused.err.startswith("error: The prompt is 20 tokens")


def test_what_is_measured_was_computed() -> None:
    """Four fifths of the time is the fake's own arithmetic: with a cached prompt, or an early end, it would not be."""

    async def figures() -> Figures:
        options = {"seconds_per_token": 0.002}
        async with Engine("fake:x", isolation="thread", slots=2, options=options) as engine:
            return await measure(engine, 2, Plan((2,), prompt=20, generate=10, repeat=2))

    measured = anyio.run(figures)
    assert measured.reading < 1 / 0.002
    assert measured.writing < 1 / 0.002


def test_a_percentile_is_one_of_the_values() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, share) for share in (0.2, 0.5, 0.95)] == [1.0, 3.0, 5.0]
    assert percentile(list(range(1, 21)), 0.95) == 19


@pytest.mark.skipif("openai_chat" not in installed_backends(), reason="examples/plugins is not installed")
def test_a_model_that_takes_no_tokens_is_refused(call: Callable[..., Any]) -> None:
    refused = call("bench", "openai_chat:some-model")
    assert (refused.code, refused.out) == (4, "")
    assert refused.err.startswith("error: openai_chat:some-model takes conversations and no tokens")


@pytest.mark.parametrize("counts", ["1,,2", "one", ""])
def test_counts_are_numbers_with_commas(call: Callable[..., Any], counts: str) -> None:
    refused = call("bench", "fake:x", "--requests", counts)
    assert refused.code == 2
    assert f"--requests: takes numbers with commas between them, as in 1,4,8; got {counts!r}" in refused.err
