"""Telephone audio, against the standard's tables and Python's own audioop."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod._speech import g711
from sauropod._speech.g711 import Law
from sauropod.errors import UnsupportedInput

LAWS: tuple[Law, ...] = ("mulaw", "alaw")
EVERY = np.arange(-32768, 32768).astype(np.int16)


def codes(law: Law, samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    return np.frombuffer(g711.encode(g711.from_int16(samples), law), np.uint8)


def meanings(law: Law) -> NDArray[np.int16]:
    return g711.to_int16(g711.decode(bytes(range(256)), law))


@pytest.fixture(scope="module")
def audioop() -> Any:
    """The standard library's, up to Python 3.12. It is Sun Microsystems' code."""
    if importlib.util.find_spec("audioop") is None:
        pytest.skip("this Python has no audioop")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
    return audioop


@pytest.mark.parametrize("law", LAWS)
def test_every_code_means_what_audioop_says(law: Law, audioop: Any) -> None:
    expected = getattr(audioop, f"{law.replace('mu', 'u')}2lin")(bytes(range(256)), 2)
    assert meanings(law).tobytes() == expected


@pytest.mark.parametrize("law", LAWS)
def test_every_sample_has_audioops_code(law: Law, audioop: Any) -> None:
    # audioop divides negative samples towards minus infinity before it looks at them: it means a neighbour of theirs.
    shift = 3 if law == "mulaw" else -1
    samples = EVERY[(EVERY >= 0) | (np.abs(EVERY.astype(int) + shift) < 32768) & (EVERY + shift < 0)]
    theirs = np.where(samples < 0, samples + shift, samples).astype("<i2")
    expected = np.frombuffer(getattr(audioop, f"lin2{law.replace('mu', 'u')}")(theirs.tobytes(), 2), np.uint8)
    assert len(samples) > 65_530
    assert (codes(law, samples) == expected).all()


@pytest.mark.parametrize("law", LAWS)
def test_coding_what_a_code_means_gives_the_code(law: Law) -> None:
    again = codes(law, meanings(law))
    differs = [code for code in range(256) if again[code] != code]
    assert differs == ([0x7F] if law == "mulaw" else [])  # µ-law has a zero of either sign


@pytest.mark.parametrize("law", LAWS)
def test_both_signs_are_treated_alike(law: Law) -> None:
    positive = np.arange(1, 32768).astype(np.int16)
    assert (codes(law, positive) ^ codes(law, -positive) == 0x80).all()


@pytest.mark.parametrize("law", LAWS)
def test_a_louder_sample_never_comes_back_softer(law: Law) -> None:
    assert (np.diff(g711.decode(g711.encode(g711.from_int16(EVERY), law), law)) >= 0).all()


@pytest.mark.parametrize("level", [0.5, 0.1, 0.02])
@pytest.mark.parametrize("law", LAWS)
def test_a_sine_is_as_clear_as_recommendation_g712_asks(law: Law, level: float) -> None:
    """33 dB between signal and distortion, down to 30 dB below full scale."""
    sine = (level * np.sin(np.arange(8000) * 2 * np.pi * 1004 / 8000)).astype(np.float32)
    error = g711.decode(g711.encode(sine, law), law) - sine
    assert 10 * np.log10(np.mean(sine**2) / np.mean(error**2)) > 33


def test_the_tables_known_values() -> None:
    """From tables 1a, 2a and 2b: the ends, and where segments begin, in 16 bits."""
    assert [int(meanings("mulaw")[code]) for code in (0x00, 0x80, 0x7F, 0xFF, 0xEF, 0x8F)] == [
        -8031 * 4, 8031 * 4, 0, 0, 33 * 4, 4191 * 4,
    ]  # fmt: skip
    assert [int(meanings("alaw")[code]) for code in (0xD5, 0x55, 0xAA, 0x2A)] == [1 * 8, -1 * 8, 4032 * 8, -4032 * 8]


@given(st.lists(st.floats(-2, 2, width=32), max_size=200), st.sampled_from(LAWS))
def test_what_comes_back_is_within_half_a_step(samples: list[float], law: Law) -> None:
    given_samples = np.array(samples, np.float32)
    back = g711.decode(g711.encode(given_samples, law), law)
    clipped = np.clip(given_samples, -1, 1)
    assert back.dtype == np.float32
    assert (np.abs(back - clipped) <= np.abs(clipped) / 32 + 0.001).all()


@given(st.lists(st.integers(-32768, 32767), max_size=100))
def test_sixteen_bits_survive_as_floats(samples: list[int]) -> None:
    integers = np.array(samples, np.int16)
    assert (g711.to_int16(g711.from_int16(integers)) == integers).all()


def test_what_is_too_loud_is_clipped_and_rounding_favours_no_side() -> None:
    loud = np.array([1.0, 1.5, 1e9, -1.0, -1.5, -1e9], np.float32)
    assert g711.to_int16(loud).tolist() == [32767, 32767, 32767, -32768, -32768, -32768]
    noise = np.random.default_rng(0).uniform(-0.001, 0.001, 100_000).astype(np.float32)
    both = np.concatenate([noise, -noise])
    assert int(g711.to_int16(both).astype(int).sum()) == 0


def test_another_law_is_refused() -> None:
    with pytest.raises(UnsupportedInput, match="mulaw"):
        g711.decode(b"", "klaw")  # type: ignore[arg-type]
