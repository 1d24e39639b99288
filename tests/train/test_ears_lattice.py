"""The likelihood of a text under a token-and-duration transducer, against all its paths one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from examples.train.ears.lattice import likelihood
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Arrays = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
KINDS = 5


def drawn(seed: int, batch: int, frames: int, places: int) -> Arrays:
    rng = np.random.default_rng(seed)
    shapes = ((batch, frames, places + 1), (batch, frames, places), (batch, frames, places + 1, KINDS))
    blanks, pieces, durations = (rng.normal(-1, 1, shape).astype(np.float32) for shape in shapes)
    return blanks, pieces, durations


def paths(arrays: Arrays, row: int, frames: int, length: int, t: int = 0, u: int = 0) -> Iterator[float]:
    """The log probability of every path from frame `t` with `u` pieces written: it ends with a blank, at the end."""
    blanks, pieces, durations = arrays
    for d in range(KINDS):
        lasting = float(durations[row, t, u, d])
        if d and t + d == frames and u == length:
            yield float(blanks[row, t, u]) + lasting
        if t + d >= frames:
            continue
        if d:
            for rest in paths(arrays, row, frames, length, t + d, u):
                yield float(blanks[row, t, u]) + lasting + rest
        if u < length:
            for rest in paths(arrays, row, frames, length, t + d, u + 1):
                yield float(pieces[row, t, u]) + lasting + rest


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(0, 3), st.integers(1, 5), st.integers(0, 3))
def test_the_likelihood_is_the_sum_over_all_paths(seed: int, frames: int, length: int, more: int, wider: int) -> None:
    arrays = drawn(seed, 2, max(frames, more), max(length, wider))
    losses, _ = likelihood(*arrays, np.array([frames, more]), np.array([length, wider]))
    for row, (count, size) in enumerate(((frames, length), (more, wider))):
        every = sum(math.exp(each) for each in paths(arrays, row, count, size))
        assert np.isclose(losses[row], -math.log(every), rtol=1e-4, atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_the_gradient_is_what_a_small_change_changes(seed: int) -> None:
    arrays = drawn(seed, 1, 6, 3)
    frames, lengths = np.array([6]), np.array([3])
    _, gradients = likelihood(*arrays, frames, lengths)
    rng = np.random.default_rng(seed)
    steps = [rng.normal(0, 1, each.shape).astype(np.float32) for each in arrays]
    found = sum(float((step * gradient).sum()) for step, gradient in zip(steps, gradients, strict=True))
    ahead, behind = (
        likelihood(*(each + sign * step for each, step in zip(arrays, steps, strict=True)), frames, lengths)[0][0]  # type: ignore[call-arg]
        for sign in (0.01, -0.01)
    )
    assert np.isclose(found, (ahead - behind) / 0.02, rtol=0.02, atol=0.02)


@given(st.integers(0, 2**31))
def test_what_lies_beyond_a_row_changes_nothing(seed: int) -> None:
    blanks, pieces, durations = drawn(seed, 1, 7, 4)
    frames, lengths = np.array([5]), np.array([2])
    losses, gradients = likelihood(blanks, pieces, durations, frames, lengths)
    cut = likelihood(blanks[:, :5, :3], pieces[:, :5, :2], durations[:, :5, :3], frames, lengths)
    assert np.allclose(losses, cut[0], atol=1e-5)
    assert not gradients[0][:, 5:].any()
    assert not gradients[0][:, :, 3:].any()
    assert np.allclose(gradients[0][:, :5, :3], cut[1][0], atol=1e-5)
