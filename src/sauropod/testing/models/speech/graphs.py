"""An ONNX graph while it is being drawn, with random weights."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

__all__ = ["Drawing"]

IR_VERSION = 10
OPSET = 17
"""The first with STFT. Every onnxruntime that sauropod takes has both versions."""


@attrs.define(eq=False)
class Drawing:
    """Nodes, weights, inputs and outputs; each of them is known by its name. The same seed gives the same bytes."""

    name: str
    seed: int = 0
    nodes: list[onnx.NodeProto] = attrs.field(factory=list)
    weights: list[onnx.TensorProto] = attrs.field(factory=list)
    inputs: list[onnx.ValueInfoProto] = attrs.field(factory=list)
    outputs: list[onnx.ValueInfoProto] = attrs.field(factory=list)
    random: np.random.Generator = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        _onnx()
        self.random = np.random.default_rng(self.seed)

    # -- what goes in and out ------------------------------------------------------------------------------------------

    def input(self, name: str, kind: type[np.generic], *shape: int | str) -> str:
        """An input. A dimension that is a word may be of any size."""
        self.inputs.append(_value(name, kind, shape))
        return name

    def output(self, name: str, value: str, kind: type[np.generic], *shape: int | str) -> None:
        """Give `value` out as `name`."""
        self.nodes.append(_onnx().helper.make_node("Identity", [value], [name]))
        self.outputs.append(_value(name, kind, shape))

    # -- weights -------------------------------------------------------------------------------------------------------

    def constant(self, array: NDArray[Any]) -> str:
        name = f"weight.{len(self.weights)}"
        self.weights.append(_onnx().numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def integers(self, *values: int) -> str:
        """int64 [n]."""
        return self.constant(np.asarray(values, np.int64))

    def normal(self, *shape: int, deviation: float) -> str:
        """Random weights around 0."""
        return self.constant(self.random.normal(0.0, deviation, shape).astype(np.float32))

    # -- nodes ---------------------------------------------------------------------------------------------------------

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output."""
        return self.several(operator, 1, *inputs, **attributes)[0]

    def several(self, operator: str, outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """A node with several outputs."""
        names = [f"value.{len(self.nodes)}.{index}" for index in range(outputs)]
        self.nodes.append(_onnx().helper.make_node(operator, list(inputs), names, **attributes))
        return names

    def linear(self, value: str, inputs: int, outputs: int, *, gain: float = 1.0) -> str:
        """The last dimension times a random matrix: where `value` is of variance 1, the result is of `gain`²."""
        return self.add("MatMul", value, self.normal(inputs, outputs, deviation=gain / np.sqrt(inputs)))

    def masked(self, value: str, lengths: str) -> str:
        """[batch, channels, time] with zeros from each item's length on."""
        size = self.add("Gather", self.add("Shape", value), self.constant(np.asarray(2, np.int64)))
        zero, one = (self.constant(np.asarray(each, np.int64)) for each in (0, 1))
        times = self.add("Range", zero, size, one)
        inside = self.add("Less", times, self.add("Unsqueeze", lengths, self.integers(1)))
        mask = self.add("Cast", self.add("Unsqueeze", inside, self.integers(1)), to=_onnx().TensorProto.FLOAT)
        return self.add("Mul", value, mask)

    # -- the file ------------------------------------------------------------------------------------------------------

    def write(self, path: str | PathLike[str], *, external_data: bool = False) -> Path:
        """Write the graph, with `external_data` its larger weights into a file beside it, `.data` added to its name."""
        onnx = _onnx()
        graph = onnx.helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = {"save_as_external_data": True, "location": f"{target.name}.data", "size_threshold": 256}
        onnx.save_model(model, str(target), **(beside if external_data else {}))
        return target


def _onnx() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ImportError(
            'Drawing ONNX graphs needs the package onnx. Install it with: pip install "sauropod[test]"'
        ) from error
    return onnx


def _value(name: str, kind: type[np.generic], shape: tuple[int | str, ...]) -> onnx.ValueInfoProto:
    helper = _onnx().helper
    info: onnx.ValueInfoProto = helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), list(shape)
    )
    return info
