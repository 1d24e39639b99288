"""Listen: the decoding of a Parakeet in a page of numpy, to compare other decoders with.

Greedy, as NeMo's: the best piece and the best duration of each step; the state of the predictor advances with a piece,
never with a blank; a blank lasts at least one frame; at most ten pieces a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from .features import features

ASSET = Path(__file__).parents[3] / "src" / "sauropod" / "assets" / "demo-ears"
MOST = 10


@dataclass(frozen=True)
class Heard:
    """The text, its pieces and the 80 ms frame each began in."""

    text: str
    ids: tuple[int, ...]
    frames: tuple[int, ...]


class Listener:
    """Both graphs of a directory, on one thread."""

    def __init__(self, directory: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.encoder, self.joint = (
            onnxruntime.InferenceSession(directory / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
            for name in ("encoder-model", "decoder_joint-model")
        )
        lines = (directory / "vocab.txt").read_text("utf-8").splitlines()
        self.pieces = [line.rsplit(" ", 1)[0] for line in lines]
        self.blank = self.pieces.index("<blk>")
        self.state = tuple(each.shape[2] for each in self.joint.get_inputs() if each.name.startswith("input_states"))

    def __call__(self, wave: NDArray[np.float32]) -> Heard:
        """What is said in float32 [samples] at 16 kHz."""
        found = features(wave)[None]
        outputs, lengths = self.encoder.run(
            ["outputs", "encoded_lengths"],
            {"audio_signal": found, "length": np.array([found.shape[2]], np.int64)},
        )
        ids, frames = self._decoded(outputs[:, :, : int(lengths[0])])
        text = "".join(self.pieces[each] for each in ids).replace("▁", " ").strip()
        return Heard(text, tuple(ids), tuple(frames))

    def _decoded(self, outputs: NDArray[np.float32]) -> tuple[list[int], list[int]]:
        ids: list[int] = []
        frames: list[int] = []
        state = [np.zeros((1, 1, size), np.float32) for size in self.state]
        at, here = 0, 0
        while at < outputs.shape[2]:
            scores, *following = self.joint.run(
                ["outputs", "output_states_1", "output_states_2"],
                {
                    "encoder_outputs": outputs[:, :, at : at + 1],
                    "targets": np.array([[ids[-1] if ids else self.blank]], np.int32),
                    "target_length": np.array([1], np.int32),
                    "input_states_1": state[0],
                    "input_states_2": state[1],
                },
            )
            scores = scores.reshape(-1)
            piece, step = int(scores[: self.blank + 1].argmax()), int(scores[self.blank + 1 :].argmax())
            if piece != self.blank:
                state = following
                ids.append(piece)
                frames.append(at)
                here += 1
            if step == 0 and (piece == self.blank or here == MOST):
                step = 1
            if step:
                at, here = at + step, 0
        return ids, frames
