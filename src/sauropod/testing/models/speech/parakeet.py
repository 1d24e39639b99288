"""Small random recognisers in the two layouts in which NVIDIA's Parakeet TDT is found."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from statistics import NormalDist
from typing import Literal, TypeAlias

import attrs
import numpy as np

from sauropod.testing.models.speech.conformer import conformer
from sauropod.testing.models.speech.features import log_mel
from sauropod.testing.models.speech.graphs import Drawing

__all__ = ["ParakeetLayout", "tiny_parakeet"]

ParakeetLayout: TypeAlias = Literal["joint", "index"]


@attrs.frozen(kw_only=True)
class _Recipe:
    seed: int
    pieces: int
    mels: int
    width: int
    hidden: int
    durations: int
    blank: float
    layers: int

    @property
    def tokens(self) -> int:
        """The pieces, and the blank after them."""
        return self.pieces + 1


def tiny_parakeet(
    directory: str | PathLike[str],
    *,
    layout: ParakeetLayout = "joint",
    seed: int = 0,
    pieces: int = 48,
    mels: int = 128,
    width: int = 48,
    hidden: int = 32,
    durations: int = 5,
    blank: float = 0.5,
    layers: int = 0,
    external_data: bool = False,
) -> Path:
    """Write a recogniser that hears nonsense, but of the useful kind: it depends on every frame and every token before.

    `layout="joint"` has the files and contracts of `istupakov/parakeet-tdt-0.6b-v2-onnx`: `encoder-model.onnx`,
    `decoder_joint-model.onnx`, `vocab.txt` and `config.json`. `layout="index"` has those of
    `sauropod/parakeet-tdt-0.6b-v2`: `preprocessor.onnx`, `encoder.onnx`, `decoder.onnx` and `tokenizer.json`; there
    the decoder chooses the token inside and tells no duration.

    `pieces` are the tokens without the blank. A token may skip 0 to `durations - 1` frames; 0 durations is an RNN-T.
    `blank` is roughly the share of the joint's outputs that are blank. `layers` are blocks of a conformer: 17 of them
    at a width of 512, with 640 `hidden` and 1024 `pieces`, cost what NVIDIA's FastConformer of 115 million parameters
    does. `external_data` keeps the encoder's weights in a file beside it. Needs the package `onnx`.
    """
    if not 0 < blank < 1:
        raise ValueError(f"blank={blank} is not a share: it must be above 0 and below 1.")
    if pieces < len(SYLLABLES):
        raise ValueError(f"pieces={pieces} are too few: there are at least {len(SYLLABLES)}.")
    recipe = _Recipe(
        seed=seed, pieces=pieces, mels=mels, width=width, hidden=hidden, durations=durations, blank=blank, layers=layers
    )
    root = Path(directory)
    root.mkdir(parents=True, exist_ok=True)
    if layout == "joint":
        _encoder(recipe).write(root / "encoder-model.onnx", external_data=external_data)
        _joint(recipe).write(root / "decoder_joint-model.onnx")
        lines = [f"{piece} {index}" for index, piece in enumerate([*_pieces(pieces), "<blk>"])]
        (root / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        kind = "tdt" if durations else "rnnt"
        config = {"model_type": f"nemo-conformer-{kind}", "features_size": mels, "subsampling_factor": 8}
        (root / "config.json").write_text(json.dumps(config), encoding="utf-8")
    else:
        log_mel(mels).write(root / "preprocessor.onnx")
        _encoder(recipe).write(root / "encoder.onnx", external_data=external_data)
        _indexed(recipe).write(root / "decoder.onnx")
        vocabulary = {piece: index for index, piece in enumerate(_pieces(pieces))}
        (root / "tokenizer.json").write_text(json.dumps({"vocab": vocabulary}), encoding="utf-8")
    return root


# -- pieces ------------------------------------------------------------------------------------------------------------

SYLLABLES = ("<unk>", "▁", ".", ",", "?", "▁a", "▁the", "s", "▁b", "a", "ing", "▁wo", "rd", "é", "▁I", "'", "t")


def _pieces(count: int) -> list[str]:
    """As SentencePiece writes them, all different."""
    more = [f"{'▁' if index % 2 else ''}{_letters(index)}" for index in range(count - len(SYLLABLES))]
    return [*SYLLABLES, *more]


def _letters(number: int) -> str:
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    text = ""
    while True:
        number, rest = divmod(number, len(consonants) * len(vowels))
        text += consonants[rest % len(consonants)] + vowels[rest // len(consonants)] + "x"
        if not number:
            return text


# -- graphs ------------------------------------------------------------------------------------------------------------

QUARTER = np.asarray(0.25, np.float32)
"""The share of random blocks: after many of them all frames are alike, and a decoder says one thing for ever."""


def _encoder(recipe: _Recipe) -> Drawing:
    """Three convolutions that halve the time, masked like NeMo's, and one that looks around."""
    draw = Drawing("encoder", recipe.seed)
    value = draw.input("audio_signal", np.float32, "batch", recipe.mels, "time")
    lengths = draw.input("length", np.int64, "batch")
    value, channels = draw.masked(value, lengths), recipe.mels
    for _ in range(3):
        weights = draw.normal(recipe.width, channels, 3, deviation=1.5 / np.sqrt(3 * channels))
        value = draw.add("Tanh", draw.add("Conv", value, weights, strides=[2], pads=[1, 1]))
        one, two = draw.integers(1), draw.integers(2)
        lengths = draw.add("Add", draw.add("Div", draw.add("Sub", lengths, one), two), one)
        value, channels = draw.masked(value, lengths), recipe.width
    if recipe.layers:
        deep = draw.add("Mul", conformer(draw, value, lengths, recipe.width, recipe.layers), draw.constant(QUARTER))
        value = draw.masked(draw.add("Add", value, deep), lengths)
    weights = draw.normal(recipe.width, channels, 9, deviation=2.0 / np.sqrt(9 * channels))
    around = draw.add("Conv", value, weights, pads=[4, 4])
    draw.output("outputs", draw.add("Add", value, around), np.float32, "batch", recipe.width, "frames")
    draw.output("encoded_lengths", lengths, np.int64, "batch")
    return draw


def _joint(recipe: _Recipe) -> Drawing:
    draw = Drawing("decoder_joint", recipe.seed + 1)
    frames = draw.input("encoder_outputs", np.float32, "batch", recipe.width, "frames")
    targets = draw.input("targets", np.int32, "batch", "symbols")
    lengths = draw.input("target_length", np.int32, "batch")
    states = [draw.input(f"input_states_{each}", np.float32, 2, "batch", recipe.hidden) for each in (1, 2)]
    predicted, states = _predictor(draw, recipe, targets, states)
    logits = _logits(draw, recipe, frames, predicted)
    outputs = recipe.tokens + recipe.durations
    draw.output("outputs", logits, np.float32, "batch", "frames", "symbols", outputs)
    draw.output("prednet_lengths", lengths, np.int32, "batch")
    for each, state in zip((1, 2), states, strict=True):
        draw.output(f"output_states_{each}", state, np.float32, 2, "batch", recipe.hidden)
    return draw


def _indexed(recipe: _Recipe) -> Drawing:
    draw = Drawing("decoder", recipe.seed + 1)
    whole = draw.input("encoder_outputs", np.float32, 1, recipe.width, "frames")
    index = draw.input("index", np.int64, 1)
    targets = draw.input("decoder_targets", np.int32, 1, 1)
    draw.input("decoder_target_length", np.int32, 1)
    states = [draw.input(f"decoder_input_states_{each}", np.float32, 2, 1, recipe.hidden) for each in (1, 2)]
    predicted, states = _predictor(draw, recipe, targets, states)
    logits = _logits(draw, recipe, draw.add("Gather", whole, index, axis=2), predicted)
    ends = draw.integers(0), draw.integers(recipe.tokens), draw.integers(3)
    tokens = draw.add("ArgMax", draw.add("Slice", logits, *ends), axis=3, keepdims=0)
    draw.output("decoder_tokens", tokens, np.int64, 1, 1, 1)
    for each, state in zip((1, 2), states, strict=True):
        draw.output(f"decoder_output_states_{each}", state, np.float32, 2, 1, recipe.hidden)
    return draw


def _predictor(draw: Drawing, recipe: _Recipe, targets: str, states: list[str]) -> tuple[str, list[str]]:
    """Two LSTMs over the tokens said: [batch, symbols, hidden], and their states after it. The blank is a zero."""
    table = draw.random.normal(0.0, 1.0, (recipe.tokens, recipe.hidden)).astype(np.float32)
    table[-1] = 0.0
    value = draw.add("Transpose", draw.add("Gather", draw.constant(table), targets), perm=[1, 0, 2])
    after: list[list[str]] = [[], []]
    for layer in range(2):
        gates = [draw.normal(1, 4 * recipe.hidden, recipe.hidden, deviation=2 / np.sqrt(recipe.hidden)) for _ in "WR"]
        ends = draw.integers(layer), draw.integers(layer + 1), draw.integers(0)
        before = [draw.add("Slice", state, *ends) for state in states]
        value, *now = draw.several("LSTM", 3, value, *gates, "", "", *before, hidden_size=recipe.hidden)
        value = draw.add("Squeeze", value, draw.integers(1))
        for kept, state in zip(after, now, strict=True):
            kept.append(state)
    states = [draw.add("Concat", *kept, axis=0) for kept in after]
    return draw.add("Transpose", value, perm=[1, 0, 2]), states


def _logits(draw: Drawing, recipe: _Recipe, frames: str, predicted: str) -> str:
    """Of every frame with every symbol: [batch, frames, symbols, tokens + durations]."""
    heard = draw.linear(draw.add("Transpose", frames, perm=[0, 2, 1]), recipe.width, recipe.hidden, gain=2.0)
    said = draw.linear(predicted, recipe.hidden, recipe.hidden, gain=2.0)
    both = draw.add(
        "Add", draw.add("Unsqueeze", heard, draw.integers(2)), draw.add("Unsqueeze", said, draw.integers(1))
    )
    outputs = recipe.tokens + recipe.durations
    scores = draw.linear(draw.add("Tanh", both), recipe.hidden, outputs, gain=4.0)
    bias = np.zeros(outputs, np.float32)
    bias[recipe.pieces] = _blank_bias(recipe, deviation=3.2)
    return draw.add("Add", scores, draw.constant(bias))


def _blank_bias(recipe: _Recipe, deviation: float) -> float:
    """What lets the blank be the highest of normal scores about as often as wanted."""
    normal = NormalDist()
    highest = normal.inv_cdf((recipe.pieces - 0.375) / (recipe.pieces + 0.25))
    return deviation * (highest - 1.1 * normal.inv_cdf(1 - recipe.blank))
