"""A model file in the making: what it will say about itself, and how its weights are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Draft", "Tensor", "Value", "WeightType", "gguf"]

Value = str | bool | int | float | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]
"""What a file can say under a key. Whole numbers take 32 bits, unsigned if they can be."""

WeightType = Literal["F32", "F16", "Q8_0"]


def gguf() -> ModuleType:
    """The `gguf` package. Raises `ModuleNotFoundError` with the command that installs it."""
    try:
        import gguf
    except ModuleNotFoundError as error:
        message = 'Writing model files needs the gguf package: pip install "sauropod[test]"'
        raise ModuleNotFoundError(message, name="gguf") from error
    return gguf


@attrs.frozen
class Tensor:
    """A tensor to be written. Its shape is as numpy has it, the fastest dimension last."""

    name: str
    shape: tuple[int, ...]
    type: str
    draw: Callable[[np.random.Generator], NDArray[Any]]
    """Gives the data as it is stored: the type's own numbers, or bytes."""


@attrs.define
class Draft:
    """Collects metadata and tensors; `write` draws the weights one by one and streams them to the file."""

    architecture: str
    weights: WeightType = "F32"
    metadata: dict[str, Value] = attrs.field(factory=dict)
    tensors: list[Tensor] = attrs.field(factory=list)

    def describe(self, values: Mapping[str, Value]) -> None:
        """Set values under the architecture's own prefix, such as `llama.block_count`."""
        self.metadata.update({f"{self.architecture}.{key}": value for key, value in values.items()})

    def matrix(
        self, name: str, outputs: int, inputs: int, *, gain: float = 1.0, count: int = 0, silent: bool = False
    ) -> None:
        """A weight that turns `inputs` numbers of variance 1 into `outputs` of variance `gain`².

        With `count` it is a stack of so many. A `silent` one leaves the first output alone.
        """

        def draw(random: np.random.Generator) -> NDArray[Any]:
            shape = (count, outputs, inputs) if count else (outputs, inputs)
            values = random.standard_normal(shape, dtype=np.float32) * np.float32(gain / math.sqrt(inputs))
            if silent:
                values[..., 0, :] = 0
            return self._store(values)

        shape = (count, outputs, inputs) if count else (outputs, inputs)
        self.tensors.append(Tensor(name, shape, self.weights, draw))

    def kernel(self, name: str, outputs: int, inputs: int, *, gain: float = 1.0) -> None:
        """A matrix that llama.cpp wants in full precision, or that is too small for blocks."""

        def draw(random: np.random.Generator) -> NDArray[Any]:
            return random.standard_normal((outputs, inputs), dtype=np.float32) * np.float32(gain / math.sqrt(inputs))

        self.tensors.append(Tensor(name, (outputs, inputs), "F32", draw))

    def table(self, name: str, values: Callable[[np.random.Generator], NDArray[np.float32]], *shape: int) -> None:
        """A weight of the model's type with values of its own making."""
        self.tensors.append(Tensor(name, shape, self.weights, lambda random: self._store(values(random))))

    def stored(
        self, name: str, kind: WeightType, draw: Callable[[np.random.Generator], NDArray[Any]], *shape: int
    ) -> None:
        """A weight of a type and with values of its own."""
        self.tensors.append(Tensor(name, shape, kind, draw))

    def vector(self, name: str, values: NDArray[np.float32]) -> None:
        """Numbers as they are, in full precision."""
        self.tensors.append(Tensor(name, values.shape, "F32", lambda _: values))

    def _store(self, values: NDArray[np.float32]) -> NDArray[Any]:
        kinds = gguf()
        stored: NDArray[Any] = kinds.quants.quantize(values, kinds.GGMLQuantizationType[self.weights])
        return stored

    def write(self, path: str | PathLike[str], *, seed: int) -> Path:
        """Write the file and give back its path. The same seed, the same bytes.

        A file that is there already is replaced at the end, so that a model loaded from it goes on undisturbed.
        """
        target = Path(path)
        part = target.with_name(f"{target.name}.part")
        writer = gguf().GGUFWriter(part, self.architecture)
        for key, value in self.metadata.items():
            _add(writer, key, value)
        for tensor in self.tensors:
            _announce(writer, tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        random = np.random.default_rng(seed)
        for tensor in self.tensors:
            writer.write_tensor_data(tensor.draw(random))
        writer.close()
        return part.replace(target)


def _add(writer: Any, key: str, value: Value) -> None:
    kinds = gguf().GGUFValueType
    if isinstance(value, bool):
        kind = kinds.BOOL
    elif isinstance(value, int):
        kind = kinds.INT32 if value < 0 or key.startswith("general.sampling.") else kinds.UINT32
    elif isinstance(value, float):
        kind = kinds.FLOAT32
    elif isinstance(value, str):
        kind = kinds.STRING
    else:
        kind = kinds.ARRAY
    writer.add_key_value(key, value, kind)


def _announce(writer: Any, tensor: Tensor) -> None:
    kind = gguf().GGMLQuantizationType[tensor.type]
    block, size = gguf().GGML_QUANT_SIZES[kind]
    length = math.prod(tensor.shape) // block * size
    writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), length, raw_dtype=kind)
