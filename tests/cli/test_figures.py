"""Numbers as people read them."""

from __future__ import annotations

import pytest

from sauropod import Choice, Completion, StopReason, Timings, Usage
from sauropod.cli.figures import duration, plural, rate, speed_line, tokens_per_second


def completion(tokens: int, reason: StopReason, seconds: float = 2.0) -> Completion:
    choices = (Choice("", reason, range(tokens)),)
    return Completion(choices, Usage(12, 4, tokens), Timings(0.001, 0.009, seconds))


def test_durations_are_told_in_three_digits_or_fewer() -> None:
    assert [duration(seconds) for seconds in (0.0004, 0.0123, 0.9994, 0.9996, 12.34, 59.96, 125)] == (
        ["0.4 ms", "12 ms", "999 ms", "1.0 s", "12.3 s", "1 min 0 s", "2 min 5 s"]
    )


def test_rates_and_counts_are_told_as_people_read_them() -> None:
    assert [rate(speed) for speed in (1.25, 99.94, 99.96, 12345.6)] == ["1.2", "99.9", "100", "12,346"]
    assert [plural(count, "token") for count in (0, 1, 2048)] == ["0 tokens", "1 token", "2,048 tokens"]


@pytest.mark.parametrize(
    ("tokens", "reason", "speed"),
    [
        (9, StopReason.MAX_TOKENS, 4.0),
        (8, StopReason.EOS, 4.0),
        (1, StopReason.MAX_TOKENS, None),
        (0, StopReason.EOS, None),
    ],
)
def test_speed_is_of_what_came_after_the_first_token(tokens: int, reason: StopReason, speed: float | None) -> None:
    assert tokens_per_second(completion(tokens, reason)) == speed


def test_the_figures_of_an_answer_are_one_line() -> None:
    assert speed_line(completion(9, StopReason.MAX_TOKENS)) == (
        "first token after 10 ms · 9 tokens at 4.0/s · prompt 12 tokens, 4 of them cached"
    )
    assert speed_line(completion(0, StopReason.EOS)).startswith("first token after 10 ms · 0 tokens · prompt")
