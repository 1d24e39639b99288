"""Decoding window by window gives what decoding all at once does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod._speech.snac_windows import CONTEXT, FRAME, OVERLAP, RATIOS, RECEPTIVE_FIELD, Joined, Window, Windows

Samples = NDArray[np.float32]


def streamed(
    levels: list[NDArray[np.int64]], arriving: list[int], windows: Windows, decode: Callable[[Window], Samples]
) -> tuple[Samples, list[Window]]:
    """All samples, where frames arrive so many at a time."""
    joined, pieces, taken = Joined(), [np.zeros(0, np.float32)], []
    there = 0
    for count in [*arriving, len(levels[0])]:
        there = min(len(levels[0]), there + count)
        while (window := windows.next(there, ended=False)) is not None:
            taken.append(window)
            pieces.append(joined.add(window, decode(window)))
    while (window := windows.next(there, ended=True)) is not None:
        taken.append(window)
        pieces.append(joined.add(window, decode(window)))
    return np.concatenate(pieces), taken


def codes(frames: int, seed: int) -> list[NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    return [random.integers(0, 4096, frames * ratio) for ratio in RATIOS]


def smeared(levels: list[NDArray[np.int64]]) -> Samples:
    """A decoder that looks exactly as far as the real one, and no further: a wide mean of what the codes say."""
    fine = sum(np.repeat(level, FRAME // ratio) for level, ratio in zip(levels, RATIOS, strict=True)) / 12_288
    sums = np.concatenate([[0.0], np.cumsum(np.pad(fine, RECEPTIVE_FIELD))])
    means = (sums[2 * RECEPTIVE_FIELD + 1 :] - sums[: -2 * RECEPTIVE_FIELD - 1]) / 5000
    return np.asarray(means, np.float32)


@given(
    st.integers(0, 14),
    st.lists(st.integers(1, 6), max_size=10),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 100),
)
def test_windows_join_to_the_whole(frames: int, arriving: list[int], least: int, first: int, seed: int) -> None:
    levels = codes(frames, seed)
    found, windows = streamed(
        levels, arriving, Windows(least, first), lambda window: smeared(window.codes(levels)) if frames else found
    )
    assert len(found) == frames * FRAME
    if frames:
        np.testing.assert_allclose(found, smeared(levels), atol=2e-6)
        assert windows[-1].final
    assert [window.first for window in windows] == [0, *(window.last for window in windows)][: len(windows)]


@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 6))
def test_a_window_is_asked_for_as_soon_as_it_is_certain(frames: int, least: int, first: int) -> None:
    windows = Windows(least, first)
    kept = 0
    for there in range(1, frames + 1):
        window = windows.next(there, ended=False)
        wanted = least if kept else first
        assert (window is None) == (there - CONTEXT - kept < wanted)
        if window is not None:
            assert (window.first, window.last) == (kept, there - CONTEXT)
            assert window.begin == max(0, kept - CONTEXT)
            assert window.end == there
            kept = window.last
    last = windows.next(frames, ended=True)
    assert last is not None
    assert (last.first, last.last, last.end) == (kept, frames, frames)
    assert windows.next(frames, ended=True) is None


def test_three_frames_are_enough_and_two_would_not_be() -> None:
    assert (CONTEXT - 1) * FRAME < RECEPTIVE_FIELD <= CONTEXT * FRAME - OVERLAP


def test_noise_that_is_drawn_afresh_does_not_click() -> None:
    """Each window is off by another constant, the worst there is for a join."""
    levels = codes(12, 0)
    offsets = iter([0.5, -0.5] * 10)

    def decode(window: Window) -> Samples:
        return np.full((window.end - window.begin) * FRAME, next(offsets), np.float32)

    found, windows = streamed(levels, [1] * 12, Windows(1, 1), decode)
    assert len(windows) > 5
    assert np.abs(np.diff(found)).max() <= np.pi / 2 / OVERLAP * 1.01


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_real_decoder_gives_the_same_in_windows(noise: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    from sauropod.testing.models.speech.snac import tiny_snac

    path = tiny_snac(tmp_path_factory.mktemp("snac"), noise=noise) / "onnx" / "decoder_model.onnx"
    session = onnxruntime.InferenceSession(path)

    def decoded(parts: list[NDArray[np.int64]]) -> Samples:
        result: Samples = session.run(None, {f"audio_codes.{at}": part[None] for at, part in enumerate(parts)})[0]
        return result.reshape(-1)

    levels = codes(14, 3)
    whole = decoded(levels)
    found, windows = streamed(levels, [2] * 7, Windows(2, 1), lambda window: decoded(window.codes(levels)))
    assert len(windows) > 3
    assert np.std(whole) > 0.02
    if noise:
        assert np.abs(np.diff(found)).max() < 1.5 * np.abs(np.diff(whole)).max()
    else:
        np.testing.assert_allclose(found, whole, atol=2e-6)
