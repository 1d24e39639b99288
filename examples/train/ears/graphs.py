"""Graphs: a checkpoint as the two ONNX graphs of istupakov's Parakeets, by their names, types and ranks.

Weights are stored as 8-bit integers with a scale for each row, a quarter of the size; a runtime makes float32 of them
when it loads the file, so results depend neither on the company in a batch nor on its padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn

from .model import Ears

OPSET = 18
SMALL = 2048
"""Tensors of fewer values stay float32."""


class EncoderGraph(nn.Module):
    """`audio_signal` and `length` to `outputs` [B, D, T/8] and `encoded_lengths`."""

    def __init__(self, ears: Ears) -> None:
        super().__init__()
        self.encoder = ears.encoder

    def forward(self, audio_signal: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [B, 128, T], int64 [B]."""
        heard, frames = self.encoder(audio_signal, length)
        return heard.transpose(1, 2), frames


class JointGraph(nn.Module):
    """One step: a frame and the last piece to scores, with the LSTM's state as `input_states_1/2` [1, B, H]."""

    def __init__(self, ears: Ears) -> None:
        super().__init__()
        self.ears = ears

    def forward(
        self, encoder_outputs: Tensor, targets: Tensor, target_length: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """float32 [B, D, 1], int32 [B, 1], int32 [B], float32 [1, B, H] twice."""
        lstm = self.ears.predictor.lstm
        x = self.ears.predictor.embedding(targets[:, 0])
        gates = x @ lstm.weight_ih_l0.T + hidden[0] @ lstm.weight_hh_l0.T + (lstm.bias_ih_l0 + lstm.bias_hh_l0)
        into, keep, new, out = gates.chunk(4, 1)
        cell = keep.sigmoid() * cell[0] + into.sigmoid() * new.tanh()
        said = out.sigmoid() * cell.tanh()
        scores = self.ears.joint(encoder_outputs.transpose(1, 2), said[:, None])
        return scores, target_length + 0, said[None], cell[None]


def export(ears: Ears, directory: Path) -> None:
    """Write encoder-model.onnx and decoder_joint-model.onnx."""
    ears = ears.eval()
    shape = ears.shape
    batch, time = torch.export.Dim("batch", min=1, max=512), torch.export.Dim("time", min=2, max=1 << 20)
    # Two tensors: one given twice would be taken for one input.
    ids = torch.tensor([[3], [4]], dtype=torch.int32)
    hidden, cell = torch.zeros(1, 2, shape.hidden), torch.ones(1, 2, shape.hidden)
    _written(
        EncoderGraph(ears),
        (torch.randn(2, shape.mels, 203), torch.tensor([203, 180])),
        {"audio_signal": {0: batch, 2: time}, "length": {0: batch}},
        ("audio_signal", "length"),
        ("outputs", "encoded_lengths"),
        directory / "encoder-model.onnx",
    )
    _written(
        JointGraph(ears),
        (torch.randn(2, shape.width, 1), ids, torch.ones(2, dtype=torch.int32), hidden, cell),
        {
            "encoder_outputs": {0: batch},
            "targets": {0: batch},
            "target_length": {0: batch},
            "hidden": {1: batch},
            "cell": {1: batch},
        },
        ("encoder_outputs", "targets", "target_length", "input_states_1", "input_states_2"),
        ("outputs", "prednet_lengths", "output_states_1", "output_states_2"),
        directory / "decoder_joint-model.onnx",
    )


def _written(
    module: nn.Module,
    example: tuple[Tensor, ...],
    dynamic: Mapping[str, Mapping[int, object]],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    path: Path,
) -> None:
    program = torch.onnx.export(
        module.eval(),
        example,
        input_names=inputs,
        output_names=outputs,
        dynamic_shapes=dict(dynamic),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.optimize()
    model = stored_small(program.model_proto)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def stored_small(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with its large float32 tensors as int8 times a scale, and without notes of how it was made."""
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALL:
            kept.append(tensor)
            continue
        whole, scale = rounded(values)
        name = tensor.name
        kept += [numpy_helper.from_array(whole, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
        nodes.append(helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=onnx.TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]))
    nodes += model.graph.node
    for node in nodes:
        del node.metadata_props[:]
        node.doc_string = ""
    graph = helper.make_graph(nodes, "ears", model.graph.input, model.graph.output, kept)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="sauropod"
    )


def rounded(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 of the same shape and scales to multiply by, along the axis that loses least."""
    best = None
    for axis in range(values.ndim):
        others = tuple(each for each in range(values.ndim) if each != axis)
        scale = (np.abs(values).max(others, keepdims=True) / 127 + 1e-12).astype(np.float32)
        whole = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
        error = float(np.square(whole * scale - values).mean())
        if best is None or error < best[0]:
            best = error, whole, scale
    assert best is not None
    return best[1], best[2]
