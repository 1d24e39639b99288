"""What keys take, and how it is read."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.server.config.amounts import duration, size
from sauropod.server.config.kinds import Kind, listed, number, one_of, parsed, switch, tabled, text, whole

KINDS = [
    text(),
    one_of("a", "b"),
    switch(),
    whole(0, 100),
    number(0, 1),
    listed(text()),
    listed(whole(0)),
    tabled(number(0)),
    duration(),
    size(),
]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["10m", "1 KiB"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(value=anything)
def test_what_is_kept_is_taken_again_and_all_else_is_a_value_error(kind: Kind, value: Any) -> None:
    try:
        kept = kind.check(value)
    except ValueError:
        return
    assert kind.check(kept) == kept
    assert kind.check(kind.write(kept)) == kept


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(given_text=st.text(max_size=12))
def test_any_text_is_read_or_refused(kind: Kind, given_text: str) -> None:
    with contextlib.suppress(ValueError):
        kind.check(kind.parse(given_text))


@pytest.mark.parametrize(
    ("kind", "given_text", "value"),
    [
        (whole(0), " 8080 ", 8080),
        (number(0), "0.25", 0.25),
        (number(0), "1e-1", 0.1),
        (switch(), "Yes", True),
        (switch(), "0", False),
        (text(), "[1]", "[1]"),
        (text(), "", ""),
        (listed(text()), "a, b,", ("a", "b")),
        (listed(text()), '["a, b"]', ("a, b",)),
        (listed(text()), "", ()),
        (listed(number(0)), "1,2.5", (1.0, 2.5)),
        (tabled(number(0)), '{"a.gguf": 0.5}', {"a.gguf": 0.5}),
        (tabled(number(0)), "{a = 1}", {"a": 1.0}),
    ],
)
def test_a_text_is_read_as_what_the_key_takes(kind: Kind, given_text: str, value: object) -> None:
    assert kind.check(kind.parse(given_text)) == value


@pytest.mark.parametrize("value", [True, 1.0, "1", -1, 101, None])
def test_a_whole_number_is_nothing_else(value: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        whole(0, 100).check(value)


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), 10**400, "0", -0.1])
def test_a_number_is_finite(value: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        number(0).check(value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        text().check("caf\udce9")


def test_a_text_is_one_value_and_brings_no_other_key() -> None:
    assert parsed("1\nother = 2") == "1\nother = 2"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0),
        (1.5, 1.5),
        ("90", 90),
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("1 h 30 m", 5400),
        ("30d", 2592000),
        ("500ms", 0.5),
        ("1.5h", 5400),
        (-1, None),
        ("-1", None),
        ("forever", None),
    ],
)
def test_times(value: object, seconds: float | None) -> None:
    assert duration().check(value) == seconds


@pytest.mark.parametrize("value", ["", "ten", "10x", "m", "10m!", -2, "-2", True, 1e300, float("nan"), []])
def test_what_is_no_time(value: object) -> None:
    with pytest.raises(ValueError, match=r"^$|without end"):
        duration().check(value)


@pytest.mark.parametrize(
    ("value", "count"), [(5, 5), ("5", 5), ("64 KiB", 65536), ("64kib", 65536), ("1.5mb", 1500000), ("2 GB", 2 * 10**9)]
)
def test_sizes(value: object, count: int) -> None:
    assert size().check(value) == count


@pytest.mark.parametrize("value", ["1G", "x", "", "-1", "1" * 20, True, 1.5, None])
def test_what_is_no_size(value: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        size().check(value)


def test_a_size_below_the_least_is_refused_with_that() -> None:
    with pytest.raises(ValueError, match="at least 1,024 bytes"):
        size(1024).check(1023)
