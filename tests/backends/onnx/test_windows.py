"""Windows lie where the stream's beginning puts them, so that nothing depends on the pieces it comes in."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod.backends.onnx.windows import HOP, Pending, Windows

REACH = 7
"""Features on each side that a frame of `network` depends on: as many as a window shows after the frames it tells."""


def front(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums of the 512 samples around every 160th, and of their first and second half. Exact for small integers."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, 256), 512)[::HOP]
    halves = frames.reshape(len(frames), 2, 256).sum(2)
    return np.stack([halves.sum(1), halves[:, 0] - 2 * halves[:, 1]]).astype(np.float32)


def network(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """A weighted sum of the features around every second one, zeros where there is none."""
    if not features.shape[1]:
        return np.zeros(0, np.float32)
    weights = np.arange(1, 2 * REACH + 2)
    padded = np.pad(features[0] + 3 * features[1], REACH)
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1)[::2]
    return np.asarray((near * weights).sum(1), np.float32)


WINDOWS = Windows(front, network)


def stream(count: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).integers(-9, 10, count).astype(np.float32)


def whole(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """All features, then all frames."""
    padded = np.pad(samples, (0, -len(samples) % WINDOWS.frame))
    return network(front(padded)[:, : len(padded) // HOP])


def in_pieces(windows: Windows, samples: NDArray[np.float32], places: list[int]) -> list[NDArray[np.float32]]:
    """What each piece told, cut at `places`; between them, the state is pickled."""
    pending: Pending | None = None
    told = []
    pieces = np.split(samples, sorted(place % (len(samples) + 1) for place in places))
    for at, piece in enumerate(pieces):
        found, pending = windows.go_on(pickle.loads(pickle.dumps(pending)), piece, at == len(pieces) - 1)
        told.append(found)
    return told


@given(st.integers(0, 60_000), st.integers(0, 99), st.lists(st.integers(0, 60_000), max_size=12))
@settings(max_examples=40, deadline=None)
def test_pieces_make_no_difference_and_all_is_as_if_computed_at_once(count: int, seed: int, places: list[int]) -> None:
    samples = stream(count, seed)
    told = np.concatenate(in_pieces(WINDOWS, samples, places))
    assert len(told) == -(-count // WINDOWS.frame)
    np.testing.assert_array_equal(told, whole(samples))


@given(st.integers(1, 40_000), st.lists(st.integers(0, 40_000), max_size=6), st.integers(0, 30), st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_windows_that_see_less_depend_on_the_pieces_as_little(
    count: int, places: list[int], behind: int, hop: int
) -> None:
    windows = Windows(front, network, behind=behind, ahead=1, hop=hop)
    samples = stream(count, 1)
    at_once, _ = windows.go_on(None, samples, True)
    np.testing.assert_array_equal(np.concatenate(in_pieces(windows, samples, places)), at_once)


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=40))
@settings(max_examples=20, deadline=None)
def test_frames_are_told_as_soon_as_promised_and_what_is_kept_stays_small(sizes: list[int]) -> None:
    pending: Pending | None = None
    heard = told = 0
    for size in sizes:
        found, pending = WINDOWS.go_on(pending, stream(size, 2), False)
        heard, told = heard + size, told + len(found)
        ahead = WINDOWS.ahead * WINDOWS.frame
        assert told == max(0, (heard - ahead) // (WINDOWS.hop * WINDOWS.frame)) * WINDOWS.hop
        assert pending.features.shape[1] <= 2 * (WINDOWS.behind + WINDOWS.hop + WINDOWS.ahead)
        assert len(pending.samples) <= (WINDOWS.hop + WINDOWS.ahead + 2) * WINDOWS.frame
        assert pending.samples.base is None
        assert pending.features.base is None  # else all that it is a part of would be kept


def test_a_window_is_as_long_as_promised() -> None:
    lengths = []

    def noted(features: NDArray[np.float32]) -> NDArray[np.float32]:
        lengths.append(features.shape[1])
        return network(features)

    Windows(front, noted).go_on(None, stream(64_000, 3), True)
    assert lengths[:4] == [15, 23, 31, 39]  # at the beginning there is nothing behind
    assert set(lengths[12:-1]) == {2 * (48 + 4 + 4) - 1}


@pytest.mark.parametrize("count", [0, 1, 319, 320, 321])
def test_the_shortest_streams_have_a_frame_for_every_sample(count: int) -> None:
    told, _ = WINDOWS.go_on(None, stream(count, 4), True)
    np.testing.assert_array_equal(told, whole(stream(count, 4)))
