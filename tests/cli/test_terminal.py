"""How the command line writes."""

from __future__ import annotations

import pytest

from sauropod.cli.figures import duration, plural, rate
from sauropod.cli.terminal import STYLES, _filled, clean, print_json, styled, table


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    assert table(("name", "size"), [("a", "1 MB"), ("longer", "10 MB")], right=[1]) == (
        "name     size\na        1 MB\nlonger  10 MB\n"
    )


def test_without_a_terminal_nothing_is_styled_or_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert [styled("x", style) for style in STYLES] == ["x"] * len(STYLES)
    assert clean("a\x1b[2J\x07b") == "a\x1b[2J\x07b"


def test_long_words_are_not_broken() -> None:
    assert _filled(f"see {'x' * 30} there", 20) == f"see\n{'x' * 30}\nthere"


def test_json_is_one_value_with_its_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": "Grüße"})
    assert capsys.readouterr().out == '{\n  "text": "Grüße"\n}\n'


def test_durations_are_told_in_three_digits_or_fewer() -> None:
    assert [duration(seconds) for seconds in (0.0004, 0.0123, 0.9994, 0.9996, 12.34, 59.96, 125)] == (
        ["0.4 ms", "12 ms", "999 ms", "1.0 s", "12.3 s", "0 min 59 s", "2 min 5 s"]
    )


def test_rates_and_counts_are_told_as_people_read_them() -> None:
    assert [rate(speed) for speed in (1.25, 99.94, 99.96, 12345.6)] == ["1.2", "99.9", "100", "12,346"]
    assert [plural(count, "token") for count in (0, 1, 2048)] == ["0 tokens", "1 token", "2,048 tokens"]
