"""A small mouth with Kokoro's contract: every symbol is a tone of its own, as long as the graph says it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.testing.models.speech.graphs import Drawing
from sauropod.testing.models.speech.vocoder import vocoder

__all__ = ["KokoroOptions", "tiny_kokoro", "tiny_voice"]

RATE = 24_000
FRAME = 600
"""Samples of a frame, as in the real one."""
WIDTH = 256
ROWS = 510
SYMBOLS = 178
SILENT = 17
"""Symbols below this one make no sound: the padding, punctuation, and the space."""
WHISPER = 1e-4
"""How loud the vocoder is: far below what counts as sound."""
PADDING = 12
"""Frames of silence before and after a phrase."""
MARKS = ';:,.!?—…"()“” '
LETTERS = "abcdefghijklmnopqrstuvwxyzAIOQSTWYæɑɒɔəɚɛɜɡɪŋɹɾʃʊʌʒʤʧθðˈˌːᵊᵻ\u0303ɲɣβʎʦʣøœʁɐɥɖʈɳɽʰʔ"


@attrs.frozen(kw_only=True)
class KokoroOptions:
    """Which of the exports that are about it is like."""

    layout: Literal["hub", "archive"] = "hub"
    """The Hub's, or kokoro-onnx's: all voices in one file, and no table of symbols."""
    file: str = ""
    """The graph's name; empty for the layout's own."""
    duration: bool = True
    tokens: str = "input_ids"
    waveform: str = "waveform"
    speed: type[np.generic] = np.float32
    vocoder: bool = False
    """Compute as much for a second of sound as the real one does. Almost nothing of it is heard."""
    broken: bool = False
    """Give samples that are no numbers."""


def tiny_kokoro(
    directory: str | PathLike[str],
    options: KokoroOptions | None = None,
    *,
    voices: Sequence[str] = ("af_heart", "am_adam", "bf_emma"),
    seed: int = 0,
) -> Path:
    """Write a model of 200 kB, and half a megabyte for each voice. Gives the directory back.

    A symbol sounds for 2 to 5 frames of 25 ms, divided by the speed, as a sine whose pitch is the symbol's own, changed
    by the style; symbols for punctuation are silent for as long, and the padding for 12 frames. Numbers of symbols are
    not those of the real model where there is a `tokenizer.json`.
    """
    options = options or KokoroOptions()
    root = Path(directory)
    archive = options.layout == "archive"
    _graph(options, seed).write(root / (options.file or ("kokoro-v1.0.onnx" if archive else "onnx/model.onnx")))
    tables = {name: tiny_voice(place, seed) for place, name in enumerate(voices)}
    if archive:
        with (root / "voices-v1.0.bin").open("wb") as file:
            np.savez(file, **tables)  # type: ignore[arg-type]  # the stubs take the names of voices for its options
        return root
    (root / "voices").mkdir(exist_ok=True)
    for name, table in tables.items():
        (root / "voices" / f"{name}.bin").write_bytes(table.astype("<f4").tobytes())
    numbers = {"$": 0} | {symbol: number for number, symbol in enumerate(MARKS, 1)}
    numbers |= {symbol: SILENT + place for place, symbol in enumerate(LETTERS)}
    (root / "tokenizer.json").write_text(json.dumps({"model": {"vocab": numbers}}), encoding="utf-8")
    (root / "config.json").write_text('{"model_type": "style_text_to_speech_2"}', encoding="utf-8")
    return root


def tiny_voice(place: int, seed: int = 0) -> NDArray[np.float32]:
    """A voice: float32 [510, 1, 256], every row another."""
    return np.random.default_rng([seed, place]).normal(0, 0.3, (ROWS, 1, WIDTH)).astype(np.float32)


def _graph(options: KokoroOptions, seed: int) -> Drawing:
    drawing = Drawing("tiny kokoro", seed)
    tokens = drawing.input(options.tokens, np.int64, 1, "symbols")
    style = drawing.input("style", np.float32, 1, WIDTH)
    speed = drawing.input("speed", options.speed, 1)
    numbers = drawing.add("Squeeze", tokens, drawing.integers(0))
    durations = _durations(drawing, numbers, speed)
    pitch = _pitch(drawing, numbers, style)
    loud = drawing.constant((np.arange(SYMBOLS) >= SILENT).astype(np.float32) * np.float32(0.5))
    symbols = _symbol_of_each_frame(drawing, durations)
    symbol = drawing.add("Reshape", drawing.add("Tile", symbols, drawing.integers(1, FRAME)), drawing.integers(-1))
    phase = drawing.add("CumSum", drawing.add("Gather", pitch, symbol), drawing.constant(np.asarray(0, np.int64)))
    turn = drawing.constant(np.asarray(2 * np.pi / RATE, np.float32))
    wave = drawing.add("Sin", drawing.add("Mul", phase, turn))
    samples = drawing.add("Mul", wave, drawing.add("Gather", drawing.add("Gather", loud, numbers), symbol))
    if options.vocoder:
        spoken = drawing.add("Gather", numbers, drawing.add("Squeeze", symbols, drawing.integers(1)))
        noise = drawing.add("Mul", vocoder(drawing, spoken, SYMBOLS), drawing.constant(np.asarray(WHISPER, np.float32)))
        samples = drawing.add("Add", samples, noise)
    if options.broken:
        zero = drawing.constant(np.asarray(0, np.float32))
        samples = drawing.add("Div", drawing.add("Mul", samples, zero), zero)
    drawing.output(options.waveform, samples, np.float32, "samples")
    if options.duration:
        drawing.output("duration", durations, np.int64, "symbols")
    return drawing


def _durations(drawing: Drawing, numbers: str, speed: str) -> str:
    """Frames of each symbol: int64 [symbols]."""
    table = drawing.random.integers(2, 6, SYMBOLS).astype(np.float32)
    table[0] = PADDING
    frames = drawing.add("Gather", drawing.constant(table), numbers)
    shortened = drawing.add("Round", drawing.add("Div", frames, drawing.add("Cast", speed, to=1)))
    return drawing.add("Cast", drawing.add("Max", shortened, drawing.constant(np.asarray(1, np.float32))), to=7)


def _pitch(drawing: Drawing, numbers: str, style: str) -> str:
    """The tone of each symbol in Hz, up to a third higher or lower by the style: float32 [symbols]."""
    table = drawing.constant(drawing.random.uniform(150, 1200, SYMBOLS).astype(np.float32))
    bend = drawing.add("Tanh", drawing.linear(style, WIDTH, 1, gain=3.0))
    third = drawing.constant(np.asarray([1 / 3, 1], np.float32)[:, None])
    factor = drawing.add(
        "ReduceSum", drawing.add("Mul", _over_one(drawing, bend), third), drawing.integers(0, 1), keepdims=0
    )
    return drawing.add("Mul", drawing.add("Gather", table, numbers), factor)


def _over_one(drawing: Drawing, value: str) -> str:
    """[1, 1] over a 1: float32 [2, 1]."""
    return drawing.add("Concat", value, drawing.constant(np.ones((1, 1), np.float32)), axis=0)


def _symbol_of_each_frame(drawing: Drawing, durations: str) -> str:
    """int64 [frames, 1]: how many symbols have ended before each of them."""
    zero, one = (drawing.constant(np.asarray(each, np.int64)) for each in (0, 1))
    ends = drawing.add("CumSum", durations, zero)
    frames = drawing.add("ReduceSum", durations, drawing.integers(0), keepdims=0)
    each = drawing.add("Unsqueeze", drawing.add("Range", zero, frames, one), drawing.integers(1))
    ended = drawing.add(
        "Cast", drawing.add("GreaterOrEqual", each, drawing.add("Unsqueeze", ends, drawing.integers(0))), to=7
    )
    return drawing.add("ReduceSum", ended, drawing.integers(1), keepdims=1)
