"""Small GGUF files for tests, right and wrong ones, written without the reader's own tables."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

KINDS = {"B": 0, "b": 1, "H": 2, "h": 3, "I": 4, "i": 5, "f": 6, "?": 7, "Q": 10, "q": 11, "d": 12}
TEXT, ARRAY = 8, 9


@attrs.frozen
class Typed:
    """A number that is to be stored as this kind, a letter of `struct`."""

    kind: str
    value: Any


@attrs.frozen
class Weights:
    """A tensor: its type's number and how many bytes its data has."""

    name: str
    shape: Sequence[int]
    type: int = 0
    size: int | None = None
    offset: int | None = None


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def value(item: Any) -> tuple[int, bytes]:
    """A metadata value's type and bytes."""
    if isinstance(item, Typed):
        return KINDS[item.kind], struct.pack(f"<{item.kind}", item.value)
    if isinstance(item, str | bytes):
        return TEXT, text(item)
    if isinstance(item, bool):
        return KINDS["?"], struct.pack("<?", item)
    if isinstance(item, float):
        return KINDS["f"], struct.pack("<f", item)
    if isinstance(item, int):
        return KINDS["I"], struct.pack("<I", item)
    parts = [value(each) for each in item]
    kind = parts[0][0] if parts else KINDS["I"]
    return ARRAY, struct.pack("<IQ", kind, len(parts)) + b"".join(raw for _, raw in parts)


def gguf(
    metadata: Mapping[str, Any] | Sequence[tuple[str | bytes, Any]] = (),
    tensors: Sequence[Weights] = (),
    *,
    version: int = 3,
    alignment: int = 32,
) -> bytes:
    """A whole file. Tensor data is zeros."""
    pairs: list[tuple[str | bytes, Any]] = list(metadata.items() if isinstance(metadata, Mapping) else metadata)
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs))
    for key, item in pairs:
        kind, raw = value(item)
        head += text(key) + struct.pack("<I", kind) + raw
    data, offset = b"", 0
    for tensor in tensors:
        size = 4 * _product(tensor.shape) if tensor.size is None else tensor.size
        at = offset if tensor.offset is None else tensor.offset
        head += text(tensor.name) + struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        head += struct.pack("<IQ", tensor.type, at)
        data = data.ljust(offset, b"\0") + bytes(size)
        offset = -(-(offset + size) // alignment) * alignment
    return head.ljust(-(-len(head) // alignment) * alignment, b"\0") + data if tensors else head


def _product(shape: Sequence[int]) -> int:
    result = 1
    for each in shape:
        result *= each
    return result


def model(name: str = "tiny", *, width: int = 32, rows: int = 8, **more: Any) -> bytes:
    """A file that passes for a language model, of about `4 * width * rows` bytes."""
    metadata = {
        "general.architecture": "llama",
        "general.name": name,
        "general.file_type": 15,
        "llama.context_length": 2048,
        "llama.block_count": 2,
        "llama.embedding_length": width,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "tokenizer.ggml.tokens": ["<s>", "a", "b"],
        "tokenizer.chat_template": "{{ messages }}",
        **more,
    }
    return gguf(metadata, [Weights("token_embd.weight", (width, rows)), Weights("output.weight", (width, 3))])


def parts(count: int, name: str = "tiny") -> list[bytes]:
    """The files of a split model."""
    split = {"split.count": Typed("H", count), "split.tensors.count": Typed("i", count)}
    first = {"general.architecture": "llama", "general.name": name, "llama.block_count": 2}
    return [
        gguf(
            {**(first if part == 0 else {}), "split.no": Typed("H", part), **split}, [Weights(f"{name}.{part}", (32,))]
        )
        for part in range(count)
    ]


def projector(*, hears: bool = False) -> bytes:
    told = {"general.architecture": "clip", "general.type": "mmproj", "clip.has_audio_encoder": hears}
    return gguf(told, [Weights("mm.0.weight", (32,))])


def adapter() -> bytes:
    return gguf({"general.architecture": "llama", "general.type": "adapter"}, [Weights("blk.0.lora_a", (32,))])
