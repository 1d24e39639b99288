"""Voices are mixed as they are written."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod._speech.blending import blended, check_voices, read_voice
from sauropod.errors import UnsupportedInput

names = st.sampled_from(["af_heart", "am_adam", "bf_emma", "zm_yunxi", "x"])
shares = st.dictionaries(names, st.floats(0.01, 100), min_size=1, max_size=5)


@given(shares)
def test_shares_add_up_to_one_and_keep_their_proportions(voice: dict[str, float]) -> None:
    found = read_voice(voice)
    assert math.isclose(sum(found.values()), 1)
    total = sum(voice.values())
    assert all(math.isclose(found[name], share / total) for name, share in voice.items())


@given(shares)
def test_a_voice_is_the_same_written_and_as_a_mapping(voice: dict[str, float]) -> None:
    assert read_voice("+".join(f"{name}:{share!r}" for name, share in voice.items())) == read_voice(voice)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("af_heart", {"af_heart": 1.0}),
        ("af_heart+af_bella", {"af_heart": 0.5, "af_bella": 0.5}),
        (" af_heart : 3 + af_bella : 1 ", {"af_heart": 0.75, "af_bella": 0.25}),
        ("a:1+b:0", {"a": 1.0}),
        ("a:1+a:1", {"a": 1.0}),
    ],
)
def test_a_voice_is_read_as_it_is_written(written: str, meant: dict[str, float]) -> None:
    assert read_voice(written) == meant


@pytest.mark.parametrize(
    "voice", ["", "+a", "a:b", "a:0", "a:-1+b:2", "a:nan", "a:inf", {}, {"a": "1"}, {1: 1.0}, {"a": True}, None, 3]
)
def test_what_is_no_voice_is_refused(voice: str) -> None:
    with pytest.raises(UnsupportedInput):
        read_voice(voice)


def test_an_unknown_voice_is_refused_with_those_that_look_alike() -> None:
    known = ["af_heart", "af_bella", "bm_george"]
    check_voices(["af_heart", "bm_george"], known)
    with pytest.raises(UnsupportedInput, match=r"no voice 'af_hart'.*Did you mean af_heart"):
        check_voices(["af_bella", "af_hart"], known)
    with pytest.raises(UnsupportedInput, match="There are af_bella, af_heart, bm_george"):
        check_voices(["xyz"], known)


def test_rows_are_summed_by_their_shares() -> None:
    rows = {"a": np.array([1, 0], np.float32), "b": np.array([0, 10], np.float32), "c": np.array([9, 9], np.float32)}
    mixed = blended(rows, {"a": 0.7, "b": 0.3})
    assert mixed.dtype == np.float32
    np.testing.assert_allclose(mixed, [0.7, 3.0], rtol=1e-6)
