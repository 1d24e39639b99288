"""The features are NeMo's: compared with the graphs that onnx-asr carries, and with an exact computation."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod.backends.onnx.features import LogMel
from sauropod.backends.onnx.features import _filters as slaney

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnx_asr", reason="onnx-asr is not installed")

DATA = files("onnx_asr.preprocessors") / "data"


@cache
def graph(mels: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession((DATA / f"nemo{mels}.onnx").read_bytes(), options)


def theirs(samples: NDArray[np.float32], mels: int) -> NDArray[np.float32]:
    given = {"waveforms": samples[None], "waveforms_lens": np.asarray([len(samples)])}
    features, lengths = graph(mels).run(["features", "features_lens"], given)
    kept: NDArray[np.float32] = features[0, :, : int(lengths[0])]
    return kept


def exact(samples: NDArray[np.float32], mels: int) -> NDArray[np.float64]:
    """The definition, in float64 and frame by frame."""
    with (DATA / "fbanks.npz").open("rb") as file, np.load(file) as banks:
        filters = banks[f"nemo{mels}"].astype(np.float64)
    signal = samples.astype(np.float64)
    signal[1:] -= 0.97 * samples[:-1].astype(np.float64)
    padded = np.concatenate([np.zeros(256), signal, np.zeros(256)])
    window = np.concatenate([np.zeros(56), np.hanning(400), np.zeros(56)])
    frames = [padded[start : start + 512] * window for start in range(0, len(samples) // 160 * 160, 160)]
    logs = np.log(np.abs(np.fft.rfft(frames)) ** 2 @ filters + 2.0**-24)
    normal: NDArray[np.float64] = ((logs - logs.mean(axis=0)) / (logs.std(axis=0, ddof=1) + 1e-5)).T
    return normal


def speech(seed: int, count: int) -> NDArray[np.float32]:
    """Harmonics that glide and swell, in a little noise."""
    random = np.random.default_rng(seed)
    time = np.arange(count) / 16_000
    pitch = 2 * np.pi * (random.uniform(80, 250) * time + 10 * np.sin(random.uniform(1, 8) * time))
    voice = sum(np.sin(each * pitch) * random.uniform(0.2, 1) / each for each in range(1, 25))
    swell = np.sin(2 * np.pi * random.uniform(1, 4) * time) ** 2
    noise = random.normal(0, 1e-2, count)
    samples: NDArray[np.float32] = (random.uniform(0.02, 0.3) * voice * swell + noise).astype(np.float32)
    return samples


@pytest.mark.parametrize("mels", [80, 128])
def test_the_filters_are_slaneys(mels: int) -> None:
    with (DATA / "fbanks.npz").open("rb") as file, np.load(file) as banks:
        np.testing.assert_allclose(slaney(mels), banks[f"nemo{mels}"], rtol=0, atol=1e-7)


@given(st.integers(0, 2**32), st.integers(3200, 48_000), st.sampled_from([80, 128]))
@settings(max_examples=25, deadline=None)
def test_speech_gets_the_features_of_nemos_graph(seed: int, count: int, mels: int) -> None:
    samples = speech(seed, count)
    ours = LogMel(mels)(samples)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs(samples, mels), rtol=0, atol=2e-4)


def hiss(count: int) -> NDArray[np.float32]:
    """Noise of three steps of 16 bits, next to the floor of the logarithm."""
    return (np.round(np.random.default_rng(0).normal(0, 3, count)) / 32768).astype(np.float32)


@pytest.mark.parametrize("samples", [speech(1, 32_000), hiss(32_000), hiss(1599)], ids=["speech", "hiss", "short"])
def test_they_are_no_further_from_the_exact_ones_than_the_graphs(samples: NDArray[np.float32]) -> None:
    wanted = exact(samples, 128)
    ours, graphs = (np.abs(each - wanted).max() for each in (LogMel(128)(samples), theirs(samples, 128)))
    assert ours <= max(graphs, 5e-5)


@given(st.integers(1, 5000))
@settings(max_examples=30, deadline=None)
def test_any_clip_has_a_frame_for_every_ten_milliseconds_but_two_at_least(count: int) -> None:
    features = LogMel(80)(speech(0, count))
    assert features.shape == (80, max(2, count // 160))
    assert np.isfinite(features).all()


def test_silence_is_all_zero() -> None:
    assert not LogMel()(np.zeros(16_000, np.float32)).any()


def test_the_clip_is_left_as_it_was() -> None:
    samples = speech(0, 1000)
    before = samples.copy()
    LogMel()(samples)
    np.testing.assert_array_equal(samples, before)
