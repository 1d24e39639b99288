"""Greedy decoding of a token-and-duration transducer, many utterances at once.

A TDT (Xu et al. 2023, "Efficient Sequence Transduction by Jointly Predicting Tokens and Durations") says of a frame
which token comes, or a blank, and how many frames are skipped. That depends on the frame and on the tokens before: the
predictor's state, which goes on only after a token that is not blank. As in NeMo, a blank that skips no frame skips
one, and so does the tenth token at one frame. Without durations this is an RNN-T.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.backends.onnx.bound import BoundRun
from sauropod.backends.onnx.providers import Graph
from sauropod.backends.onnx.said import Said
from sauropod.backends.onnx.tokens import Token
from sauropod.errors import UnsupportedModel

__all__ = ["Joint"]

STATES = ("input_states_1", "input_states_2"), ("output_states_1", "output_states_2")
INPUTS = ("encoder_outputs", "targets", "target_length", *STATES[0])
OUTPUTS = ("outputs", *STATES[1])


@attrs.frozen(eq=False)
class _Step:
    """One run of the joint for so many rows, on arrays of its own."""

    bound: BoundRun
    frames: NDArray[Any]
    """[rows, width]."""
    targets: NDArray[Any]
    """[rows]: the token said last."""
    states: tuple[NDArray[Any], NDArray[Any]]
    """The predictor's before that token, [layers, rows, hidden] each."""
    after: tuple[NDArray[Any], NDArray[Any]]
    logits: NDArray[Any]
    """[rows, tokens + durations]."""

    def keep(self, other: _Step, rows: NDArray[np.intp]) -> None:
        """Go on with these rows of another."""
        self.targets[:] = other.targets[rows]
        for mine, theirs in zip(self.states, other.states, strict=True):
            mine[:] = theirs[:, rows]


@attrs.define(eq=False)
class Joint:
    """`decoder_joint`: frames [B, width, 1], tokens and states of the predictor to logits of tokens and durations."""

    graph: Graph
    blank: int
    vocabulary: int
    """How many tokens there are, the blank among them."""
    rows: int = 8
    """How many utterances are decoded at once at most."""
    most_symbols: int = 10
    """Tokens at one frame, after which the next frame comes."""
    outputs: int = attrs.field(init=False, default=0)
    _steps: dict[int, _Step] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        """Raises `UnsupportedModel` if the graph is no joint of this vocabulary."""
        self.graph.require(INPUTS, OUTPUTS)
        widths = [self.graph.inputs["encoder_outputs"].shape[1]]
        widths += [self.graph.inputs[name].shape[axis] for name in STATES[0] for axis in (0, 2)]
        if not all(isinstance(each, int) for each in widths):
            raise UnsupportedModel(f"{self.graph.path.name} does not say how wide its inputs are. Take another export.")
        self.outputs = self._measured()
        if self.outputs < self.vocabulary:
            raise UnsupportedModel(
                f"{self.graph.path.name} scores {self.outputs} tokens, and its vocabulary has {self.vocabulary}: they "
                "are from different models."
            )

    def decode(self, encoded: Sequence[NDArray[Any]]) -> list[list[Token]]:
        """What is said in each utterance, given as its encoder's output [width, frames].

        Raises `BackendError` where scores are not numbers.
        """
        said = Said(self.graph.path.name, len(encoded))
        order = sorted(range(len(encoded)), key=lambda each: encoded[each].shape[1], reverse=True)
        order = [each for each in order if encoded[each].shape[1]]
        for first in range(0, len(order), self.rows):
            group = order[first : first + self.rows]
            if len(group) == 1:
                self._alone(encoded[group[0]], group[0], said)
            else:
                self._together([encoded[each] for each in group], np.asarray(group), said)
        return said.tokens()

    def _alone(self, encoded: NDArray[Any], item: int, said: Said) -> None:
        """As `_together` does with one row, without the cost of arrays."""
        frames = np.ascontiguousarray(encoded.T, self.graph.kind("encoder_outputs"))
        step = self._begun(1)
        scores, durations = step.logits[0, : self.vocabulary], step.logits[0, self.vocabulary :]
        kept: list[tuple[int, int, int]] = []
        kept_scores: list[NDArray[Any]] = []
        at = symbols = 0
        while at < len(frames):
            step.frames[0] = frames[at]
            step.bound.run()
            token = int(scores.argmax())
            skipped = int(durations.argmax()) if self.durations else 0
            spoken = token != self.blank
            if spoken:
                kept.append((token, at, skipped))
                kept_scores.append(scores.copy())
                step.targets[0] = token
                for before, after in zip(step.states, step.after, strict=True):
                    before[:] = after
                symbols += 1
            if not skipped and (not spoken or symbols >= self.most_symbols):
                skipped = 1
            if skipped:
                at += skipped
                symbols = 0
        if kept:
            tokens, frames_said, lasting = np.asarray(kept, np.intp).T
            said.add(np.full(len(kept), item, np.intp), tokens, frames_said, lasting, np.stack(kept_scores))

    def _together(self, encoded: Sequence[NDArray[Any]], items: NDArray[np.intp], said: Said) -> None:
        frames = np.ascontiguousarray(np.concatenate([each.T for each in encoded]), self.graph.kind("encoder_outputs"))
        lengths = np.asarray([each.shape[1] for each in encoded])
        last = lengths.cumsum()
        first = last - lengths
        at, symbols = first.copy(), np.zeros(len(items), np.int64)
        step = self._begun(len(items))
        while True:
            np.take(frames, at, axis=0, out=step.frames, mode="clip")
            step.bound.run()
            tokens = step.logits[:, : self.vocabulary].argmax(axis=1)
            skipped = self._skipped(step.logits)
            spoken = tokens != self.blank
            rows = spoken.nonzero()[0]
            if len(rows):
                scores = step.logits[rows, : self.vocabulary]
                said.add(items[rows], tokens[rows], (at - first)[rows], skipped[rows], scores)
                step.targets[rows] = tokens[rows]
                for before, after in zip(step.states, step.after, strict=True):
                    before[:, rows] = after[:, rows]
            symbols += spoken
            moved = skipped + ((skipped == 0) & (~spoken | (symbols >= self.most_symbols)))
            symbols *= moved == 0
            at += moved
            running = at < last
            if not running.all():
                left = running.nonzero()[0]
                if not len(left):
                    return
                items, at, first, last, symbols = (each[left] for each in (items, at, first, last, symbols))
                before_step, step = step, self._step(len(left))
                step.keep(before_step, left)

    def _skipped(self, logits: NDArray[Any]) -> NDArray[np.intp]:
        """How many frames each row skips. The durations are 0, 1, 2 and so on, in this order."""
        if not self.durations:
            return np.zeros(len(logits), np.intp)
        skipped: NDArray[np.intp] = logits[:, self.vocabulary :].argmax(axis=1)
        return skipped

    @property
    def durations(self) -> int:
        """How many durations a token may have; 0 for an RNN-T."""
        return self.outputs - self.vocabulary

    def close(self) -> None:
        self._steps.clear()
        self.graph.close()

    # -- arrays --------------------------------------------------------------------------------------------------------

    def _begun(self, rows: int) -> _Step:
        """Arrays for so many utterances of which nothing has been said."""
        step = self._step(rows)
        step.targets[:] = self.blank
        for state in step.states:
            state[:] = 0
        return step

    def _step(self, rows: int) -> _Step:
        if rows not in self._steps:
            self._steps[rows] = self._new_step(rows)
        return self._steps[rows]

    def _new_step(self, rows: int) -> _Step:
        given = self._inputs(rows)
        states = given[STATES[0][0]], given[STATES[0][1]]
        after = states[0].copy(), states[1].copy()
        logits = np.zeros((rows, 1, 1, self.outputs), self.graph.kind("outputs"))
        bound = BoundRun(self.graph, given, dict(zip(OUTPUTS, (logits, *after), strict=True)))
        frames, targets = given["encoder_outputs"], given["targets"]
        return _Step(bound, frames[:, :, 0], targets[:, 0], states, after, logits[:, 0, 0])

    def _inputs(self, rows: int) -> dict[str, NDArray[Any]]:
        shapes = {name: each.shape for name, each in self.graph.inputs.items()}
        given = {
            "encoder_outputs": np.zeros((rows, shapes["encoder_outputs"][1], 1), self.graph.kind("encoder_outputs")),
            "targets": np.full((rows, 1), self.blank, self.graph.kind("targets")),
            "target_length": np.ones(rows, self.graph.kind("target_length")),
        }
        for name in STATES[0]:
            layers, _, hidden = shapes[name]
            given[name] = np.zeros((layers, rows, hidden), self.graph.kind(name))
        return given

    def _measured(self) -> int:
        """How many scores a frame gets: found out by running it once, which also warms it up."""
        given = self._inputs(1)
        given["targets"][:] = 0  # a token that every vocabulary has
        return int(self.graph.run(["outputs"], given)[0].shape[-1])
