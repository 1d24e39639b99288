"""The demo voice that ships: Kokoro's contract, kept for every symbol, length, speed and voice."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples.train.voice import symbols
from numpy.typing import NDArray

onnxruntime = pytest.importorskip("onnxruntime", reason="the voice runs in it: pip install 'sauropod[speech]'")

ASSET = Path(__file__).parents[2] / "src" / "sauropod" / "assets" / "demo-voice"
FRAME = 120
HELLO = "həlˈO, ðɪs ɪz ɐ tˈɛst."


@cache
def session() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(ASSET / "onnx" / "model.onnx", options, providers=["CPUExecutionProvider"])


def voice(name: str) -> NDArray[np.float32]:
    return np.fromfile(ASSET / "voices" / f"{name}.bin", "<f4").reshape(-1, 1, 256)


def run(text: str, style: NDArray[np.float32] | None = None, speed: float = 1.0) -> tuple[NDArray[Any], NDArray[Any]]:
    ids = np.array([symbols.encode(text)])
    style = voice("demo_female")[ids.shape[1] - 3] if style is None else style
    wave, duration = session().run(None, {"input_ids": ids, "style": style, "speed": np.array([speed], np.float32)})
    return wave, duration


def check(text: str, wave: NDArray[Any], duration: NDArray[Any]) -> None:
    assert wave.dtype == np.float32
    assert duration.dtype == np.int64
    assert duration.shape == (len(text) + 2,)
    assert (duration >= 0).all()
    assert wave.shape == (1, duration.sum() * FRAME)
    assert np.isfinite(wave).all()
    assert np.abs(wave).max() < 1
    assert np.abs(wave[0, :240]).max() < 0.01
    assert np.abs(wave[0, -240:]).max() < 0.01


def pitch(wave: NDArray[np.float32]) -> float:
    """Hz of the lag at which the whole wave is most like itself, between 70 and 300 Hz."""
    spectrum = np.abs(np.fft.rfft(wave[0], 2 * wave.size)) ** 2
    alike = np.fft.irfft(spectrum)[80:343]
    return 24_000 / (80 + int(alike.argmax()))


def test_the_graph_takes_and_gives_what_kokoro_takes_and_gives() -> None:
    assert {each.name: each.type for each in session().get_inputs()} == {
        "input_ids": "tensor(int64)", "style": "tensor(float)", "speed": "tensor(float)"
    }  # fmt: skip
    assert [(each.name, each.type) for each in session().get_outputs()] == [
        ("waveform", "tensor(float)"), ("duration", "tensor(int64)")
    ]  # fmt: skip


def test_the_tokenizer_has_kokoros_ids() -> None:
    vocabulary = json.loads((ASSET / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    assert vocabulary == dict(symbols.VOCABULARY)


@pytest.mark.parametrize("name", json.loads((ASSET / "config.json").read_text("utf-8"))["voices"])
def test_a_voice_has_a_style_for_every_length_and_is_heard(name: str) -> None:
    styles = voice(name)
    assert styles.shape == (510, 1, 256)
    wave, duration = run(HELLO, styles[len(HELLO) - 1])
    check(HELLO, wave, duration)
    assert 0.05 < np.sqrt((wave**2).mean()) < 0.5


@pytest.mark.parametrize("symbol", sorted(set(symbols.VOCABULARY) - {"$"}))
def test_every_symbol_can_be_said_alone(symbol: str) -> None:
    check(symbol, *run(symbol))


@pytest.mark.parametrize(("length", "speed"), [(1, 1.0), (99, 0.5), (510, 1.0), (510, 2.0)])
def test_texts_of_any_length_at_any_speed(length: int, speed: float) -> None:
    text = (HELLO * 30)[:length]
    check(text, *run(text, speed=speed))


def test_sounds_take_time_and_marks_of_stress_take_none() -> None:
    _, duration = run(HELLO)
    for symbol, frames in zip(HELLO, duration[1:-1], strict=True):
        if symbol in "ˈˌ":
            assert frames <= 1, symbol
        elif symbol.isalpha():
            assert frames >= 4, symbol


def test_twice_as_fast_takes_half_the_time() -> None:
    (slow, _), (fast, _) = run(HELLO), run(HELLO, speed=2.0)
    assert fast.size / slow.size == pytest.approx(0.5, abs=0.02)


def test_the_same_is_said_the_same_way_again() -> None:
    assert (run(HELLO)[0] == run(HELLO)[0]).all()


def test_a_voice_between_two_speaks_between_them() -> None:
    low, high = voice("demo_male")[0], voice("demo_female")[0]
    heard = [pitch(run(HELLO, low + share * (high - low))[0]) for share in (0, np.float32(0.5), 1)]
    assert heard[0] < heard[1] < heard[2]
