"""A small random Whisper in the layout of onnx-community's exports, without a cache of keys and values."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path

import numpy as np

from sauropod.testing.models.speech.graphs import Drawing

__all__ = ["tiny_whisper"]

WORDS = ("Ġthe", "Ġa", "Ġcat", "Ġsat", "s", ".", ",", "Ġon", "Ġmat", "ing", "Ġ5", "Ã©")
"""As GPT-2's bytes are written: Ġ is a space."""
CONTROLS = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>"),
    *("<|transcribe|>", "<|translate|>", "<|notimestamps|>"),
)
MELS = 80
FRAMES = 1500


def tiny_whisper(directory: str | PathLike[str], *, seed: int = 0, width: int = 32, length: int = 12) -> Path:
    """Write `encoder_model.onnx`, `decoder_model_merged.onnx`, `vocab.json`, `added_tokens.json` and `config.json`.

    What it hears depends on the clip, the language, and every token before, and is about `length` tokens long. Needs
    the package `onnx`.
    """
    root = Path(directory)
    root.mkdir(parents=True, exist_ok=True)
    _encoder(seed, width).write(root / "encoder_model.onnx")
    _decoder(seed + 1, width, length).write(root / "decoder_model_merged.onnx")
    added = {token: len(WORDS) + index for index, token in enumerate(CONTROLS)}
    files = {
        "vocab.json": {word: index for index, word in enumerate(WORDS)},
        "added_tokens.json": added,
        "config.json": {"model_type": "whisper", "num_mel_bins": MELS},
    }
    for name, content in files.items():
        (root / name).write_text(json.dumps(content), encoding="utf-8")
    return root


def _encoder(seed: int, width: int) -> Drawing:
    draw = Drawing("encoder", seed)
    features = draw.input("input_features", np.float32, "batch", MELS, 2 * FRAMES)
    weights = draw.normal(width, MELS, 3, deviation=3 / np.sqrt(3 * MELS))
    halved = draw.add("Tanh", draw.add("Conv", features, weights, strides=[2], pads=[1, 1]))
    states = draw.add("Transpose", halved, perm=[0, 2, 1])
    draw.output("last_hidden_state", states, np.float32, "batch", FRAMES, width)
    return draw


def _decoder(seed: int, width: int, length: int) -> Drawing:
    """Attends to the encoder with the mean of the tokens so far."""
    draw = Drawing("decoder", seed)
    tokens = len(WORDS) + len(CONTROLS)
    ids = draw.input("input_ids", np.int64, "batch", "symbols")
    heard = draw.input("encoder_hidden_states", np.float32, "batch", FRAMES, width)
    said = draw.add("Gather", draw.normal(tokens, width, deviation=2.0), ids)
    so_far = draw.add("CumSum", said, draw.constant(np.asarray(1, np.int64)))
    query = draw.linear(draw.add("Tanh", so_far), width, width, gain=3.0)
    shares = draw.add("Softmax", draw.add("MatMul", query, draw.add("Transpose", heard, perm=[0, 2, 1])), axis=-1)
    seen = draw.add("Add", draw.linear(draw.add("MatMul", shares, heard), width, width, gain=3.0), query)
    scores = draw.linear(draw.add("Tanh", seen), width, tokens, gain=3.0)
    bias, ending = np.zeros(tokens, np.float32), np.zeros((1, tokens), np.float32)
    bias[len(WORDS) + 1 :] = -30.0  # of the controls it only says that it has ended, and that more and more likely
    ending[0, len(WORDS)] = 1.0
    bias[len(WORDS)] = -float(length)
    ones = draw.add("Cast", draw.add("Equal", ids, ids), to=1)
    place = draw.add("CumSum", ones, draw.constant(np.asarray(1, np.int64)))
    place = draw.add("MatMul", draw.add("Unsqueeze", place, draw.integers(2)), draw.constant(ending))
    scores = draw.add("Add", draw.add("Add", scores, draw.constant(bias)), place)
    draw.output("logits", scores, np.float32, "batch", "symbols", tokens)
    return draw
