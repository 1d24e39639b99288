"""Longest common prefixes, against the obvious way."""

from hypothesis import given
from hypothesis import strategies as st

from sauropod._scheduling.prefix import common_prefix


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_it_is_as_long_as_comparing_one_by_one_says(head: list[int], a: list[int], b: list[int]) -> None:
    left, right = head + a, head + b
    expected = 0
    for x, y in zip(left, right, strict=False):
        if x != y:
            break
        expected += 1
    assert common_prefix(left, right) == expected
