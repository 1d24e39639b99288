"""What cannot be sampled by is refused where it is written, by the field's name."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sauropod import InvalidSampling, SamplingParams


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stop", 5),
        ("stop", [1]),
        ("stop", [""]),
        ("stop", ["half \ud83e of a pair"]),
        ("stop_tokens", 5),
        ("stop_tokens", "five"),
        ("stop_tokens", [-1]),
        ("stop_tokens", [True]),
        ("logit_bias", [(1, 2)]),
        ("logit_bias", {"a": 1}),
        ("logit_bias", {1: math.nan}),
        ("logit_bias", {1: math.inf}),
        ("logit_bias", {1: 10**400}),
        ("logit_bias", {1: 1e300}),
        ("logit_bias", {-1: 1.0}),
        ("temperature", 10**400),
        ("temperature", 1e-40),
        ("temperature", True),
        ("temperature", "hot"),
        ("repeat_penalty", 5e-324),
        ("repeat_penalty", 0),
        ("dry_breakers", 5),
        ("dry_breakers", [1]),
        ("dry_breakers", [""]),
        ("dry_breakers", ["\ud800"]),
        ("dry_breakers", ["x" * 100] * 1000),
        ("top_k", 10**400),
        ("ignore_eos", 1),
        ("n", None),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidSampling, match=field):
        SamplingParams(**{field: value})


def test_nothing_given_is_the_default() -> None:
    nothing: Any = None
    params = SamplingParams(stop=nothing, stop_tokens=nothing, logit_bias=nothing, dry_breakers=nothing)
    assert params == SamplingParams()


def test_one_stop_string_is_a_list_of_one() -> None:
    assert SamplingParams(stop="ab") == SamplingParams(stop=["ab"])
    assert SamplingParams(temperature=0, logit_bias={3: -math.inf}).logit_bias == {3: -math.inf}


def test_a_number_too_long_to_write_is_refused_too() -> None:
    with pytest.raises(InvalidSampling, match="top_k"):
        SamplingParams(top_k=10**5000)
