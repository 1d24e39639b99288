"""The bare loops: onnxruntime and numpy over the same graphs, one call after another, and nothing else.

No worker, no batches, no resampling, no text to read: what is needed besides the graphs was made before. Each graph has
as many threads as it has in the library, and onnxruntime's defaults otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._phonemizers import English
from sauropod._text.phrases import Phrases
from sauropod.backends.onnx.features import LogMel

__all__ = ["BareEars", "BareMouth", "Sound"]

Sound: TypeAlias = "NDArray[np.float32]"

STATES = ("input_states_1", "input_states_2")
OUTPUTS = ("outputs", "output_states_1", "output_states_2")


@attrs.frozen(eq=False)
class BareEars:
    """The recogniser's graphs in a loop: features, encoder, then the joint network frame by frame."""

    features: LogMel
    encoder: Any
    joint: Any
    blank: int
    silent: Sequence[NDArray[np.float32]]
    """The predictor's states before the first token."""

    @classmethod
    def open(cls, folder: Path, threads: int) -> BareEars:
        lines = (folder / "vocab.txt").read_text("utf-8").splitlines()
        encoder = _session(folder / "encoder-model.onnx", threads)
        joint = _session(folder / "decoder_joint-model.onnx", 1)  # as in the library: it is too small to share out
        shapes = {each.name: each.shape for each in joint.get_inputs()}
        silent = [np.zeros((shapes[name][0], 1, shapes[name][2]), np.float32) for name in STATES]
        return cls(LogMel(128), encoder, joint, len(lines) - 1, silent)

    async def all(self, sounds: Sequence[Sound]) -> None:
        for sound in sounds:
            self.hear(sound)

    def hear(self, sound: Sound) -> list[int]:
        """The tokens of a clip of float32 [n] at 16 kHz."""
        features = self.features(sound)
        given = {"audio_signal": features[None], "length": np.array([features.shape[1]], np.int64)}
        outputs, lengths = self.encoder.run(["outputs", "encoded_lengths"], given)
        states: Sequence[Any] = self.silent
        tokens: list[int] = []
        frame = said = 0
        while frame < lengths[0]:
            scores, *after = self.joint.run(
                OUTPUTS,
                {
                    "encoder_outputs": outputs[:, :, frame : frame + 1],
                    "targets": np.array([[tokens[-1] if tokens else self.blank]], np.int32),
                    "target_length": np.array([1], np.int32),
                    **dict(zip(STATES, states, strict=True)),
                },
            )
            scores = scores.reshape(-1)
            token, step = int(scores[: self.blank + 1].argmax()), int(scores[self.blank + 1 :].argmax())
            if token != self.blank:
                states, said = after, said + 1
                tokens.append(token)
            if step or token == self.blank or said == 10:
                frame, said = frame + max(step, 1), 0
        return tokens


@attrs.frozen(eq=False)
class BareMouth:
    """The voice's graph in a loop, over symbols that have been looked up before."""

    session: Any
    vocabulary: dict[str, int]
    style: Sound
    """[symbols, 1, 256]."""

    @classmethod
    def open(cls, folder: Path, voice: str, threads: int) -> BareMouth:
        vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
        rows = np.fromfile(folder / "voices" / f"{voice}.bin", "<f4").reshape(-1, 1, 256)
        return cls(_session(folder / "onnx" / "model.onnx", threads), vocabulary, rows)

    def phrases(self, text: str) -> list[list[int]]:
        """The symbols of each phrase into which the library cuts a text."""
        phrases = Phrases()
        return [self.symbols(cut.text) for cut in [*phrases.feed(text), *phrases.finish()]]

    def symbols(self, phrase: str) -> list[int]:
        """As the library looks them up."""
        said = English().phonemize(phrase, "en-us")
        symbols = "".join(each.phonemes + " " * each.space for each in said)
        return [self.vocabulary[symbol] for symbol in symbols if symbol in self.vocabulary]

    async def all(self, phrases: Sequence[Sequence[int]]) -> None:
        for symbols in phrases:
            self.say(symbols)

    def say(self, symbols: Sequence[int]) -> Sound:
        given = {
            "input_ids": np.array([[0, *symbols, 0]], np.int64),
            "style": self.style[len(symbols) - 1],
            "speed": np.array([1.0], np.float32),
        }
        samples: Sound = self.session.run(["waveform"], given)[0]
        return samples


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
