"""What a GGUF file's header says of the model in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

from sauropod._sources.ggml import FILE_TYPES, TensorType

__all__ = ["Header", "Omitted", "Scalar", "Tensor", "Value"]

Scalar = str | int | float | bool


@attrs.frozen
class Omitted:
    """In place of a value too long to keep: a text of `length` bytes, or an array of `length` items."""

    length: int


Value = Scalar | tuple[Scalar, ...] | Omitted


@attrs.frozen
class Tensor:
    """One tensor: its shape with the row length first, and where its `size` bytes begin after `Header.data_offset`."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int
    size: int


def _printable(text: str) -> str:
    """Without what could steer the terminal it is shown in."""
    return "".join(each for each in text if each.isprintable())


@attrs.frozen
class Header:
    """A GGUF header that has been checked against itself and, where the file's size was known, against that.

    Every property has an answer, however odd the metadata: a key that is missing or of a strange type counts as 0, `""`
    or False. The header of a split model is that of its first part with the tensors of all.
    """

    version: int
    metadata: Mapping[str, Value]
    tensors: Sequence[Tensor]
    data_offset: int
    """Where tensor data begins in the file."""
    end: int
    """How long the file must be to hold the last tensor."""

    # -- raw ---------------------------------------------------------------------------------------------------------

    def text(self, key: str) -> str:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str, default: int = 0) -> int:
        """The whole number at `key`; never below 0."""
        value = self.metadata.get(key)
        return max(value, 0) if isinstance(value, int) and not isinstance(value, bool) else default

    def own(self, key: str) -> str:
        """The full name of an architecture's own key: `own("block_count")` is `"llama.block_count"`."""
        return f"{self.architecture}.{key}"

    # -- what it is --------------------------------------------------------------------------------------------------

    @property
    def architecture(self) -> str:
        return _printable(self.text("general.architecture"))

    @property
    def is_projector(self) -> bool:
        """A multimodal projector: it turns images or sound into embeddings for a model, and is none by itself."""
        return self.architecture == "clip" or self.text("general.type") == "mmproj"

    @property
    def hears(self) -> bool:
        """Whether it is a projector of sound."""
        return self.is_projector and self.metadata.get("clip.has_audio_encoder") is True

    @property
    def is_adapter(self) -> bool:
        """A LoRA adapter or control vector: it changes a model, and is none by itself."""
        return self.text("general.type") == "adapter" or self.architecture == "controlvector"

    @property
    def is_statistics(self) -> bool:
        """An importance matrix, made while quantising a model."""
        return self.text("general.type") == "imatrix"

    @property
    def quantization(self) -> str:
        """The mix of tensor types, as files are named by it: `"Q4_K_M"`. The commonest type if the file is silent."""
        known = FILE_TYPES.get(self.number("general.file_type", -1))
        if known is not None:
            return known
        sizes: Counter[str] = Counter()
        for tensor in self.tensors:
            sizes[tensor.type.name] += tensor.size
        return max(sizes, key=lambda name: (sizes[name], name), default="")

    # -- how big it is -----------------------------------------------------------------------------------------------

    @property
    def context_length(self) -> int:
        return self.number(self.own("context_length"))

    @property
    def layers(self) -> int:
        return self.number(self.own("block_count"))

    @property
    def embedding_length(self) -> int:
        return self.number(self.own("embedding_length"))

    @property
    def tensor_bytes(self) -> int:
        return sum(tensor.size for tensor in self.tensors)

    # -- how it is split ---------------------------------------------------------------------------------------------

    @property
    def split_index(self) -> int:
        """Which part of a split model this is, counted from 0."""
        return self.number("split.no")

    @property
    def split_count(self) -> int:
        """Of how many parts; 0 or 1 for a model in one file."""
        return self.number("split.count")

    @property
    def split_tensors(self) -> int:
        """How many tensors all parts have together."""
        return self.number("split.tensors.count")
