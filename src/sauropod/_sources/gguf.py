"""Reading a GGUF header, from a file or over a network, without believing a word of it.

Every length, count, type, shape and offset is checked before it is used, so that a file made to do harm costs no more
than the `HEADER_LIMIT` bytes that are read of it. Layout: docs/gguf.md of the ggml project; where the specification
leaves room, the rule is that of llama.cpp's own reader (gguf.cpp).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from sauropod._sources.ggml import DROPPED_TYPES, TENSOR_TYPES, TensorType
from sauropod._sources.header import Header, Omitted, Scalar, Tensor, Value
from sauropod._sources.magic import foreign_format
from sauropod._sources.sizes import in_words
from sauropod.errors import UnsupportedModel

__all__ = ["HEADER_LIMIT", "REMEDY", "Read", "read_header"]

Read = Callable[[int, int], bytes]
"""`read(offset, length)`: that many bytes from there, or fewer where the file ends."""

REMEDY = "If it was downloaded, remove it and fetch it again; if it is so where it comes from, take another file."
"""What to do about a damaged file of which nothing else is known."""

HEADER_LIMIT = 1 << 27
"""The largest header looked at. That of a model with 260,000 tokens is 12 MB; 40 MB more if it embeds a tokenizer."""
KEYS_LIMIT = 1 << 14
TENSORS_LIMIT = 100_000
KEY_LIMIT = 1 << 12
TEXT_KEPT, TEXTS_KEPT = 1 << 18, 1 << 24
"""The longest text that is kept, and how much of all texts together."""
ITEMS_KEPT, ALL_ITEMS_KEPT = 1 << 10, 1 << 16
"""The longest array that is kept, and how many items of all arrays together."""
ALIGNMENT_LIMIT = 1 << 20
FIRST_READ, LARGEST_READ = 1 << 20, 1 << 23

UINT32, BOOL, TEXT, ARRAY = 4, 7, 8, 9
FIXED = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    UINT32: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    BOOL: struct.Struct("<B"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
U32, U64 = FIXED[UINT32], FIXED[10]


def read_header(read: Read, size: int | None, name: str = "The file", remedy: str = REMEDY) -> Header:
    """The header of the GGUF that `read` gives bytes of, `size` bytes long if that is known.

    Reads from the start, in a few large pieces, only as far as the header goes. `name` is what messages call the file,
    and `remedy` the sentence that says what to do if it is damaged. Raises `UnsupportedModel`, with one sentence and
    that, for anything that is not a whole and consistent GGUF; whatever `read` raises passes through.
    """
    return _HeaderReader(read, size, name, remedy).header()


class _HeaderReader:
    """A position in a file, and the bytes around it."""

    def __init__(self, read: Read, size: int | None, name: str, remedy: str) -> None:
        self._read = read
        self._size = size
        self._name = name
        self._remedy = remedy
        self._buffer = b""
        self._start = 0
        self._index = 0
        self._step = FIRST_READ
        self._texts_left = TEXTS_KEPT
        self._items_left = ALL_ITEMS_KEPT

    # -- bytes -------------------------------------------------------------------------------------------------------

    @property
    def _position(self) -> int:
        return self._start + self._index

    def _damaged(self, what: str) -> UnsupportedModel:
        return UnsupportedModel(f"{self._name} is damaged: {what}. {self._remedy}")

    def _check_position(self, end: int) -> None:
        if self._size is not None and end > self._size:
            raise UnsupportedModel(
                f"{self._name} ends after {in_words(self._size)}, within its own header: it was cut short, or its "
                f"header is damaged. {self._remedy}"
            )
        if end > HEADER_LIMIT:
            raise self._damaged(f"its header claims to be longer than {in_words(HEADER_LIMIT)}")

    def _need(self, count: int) -> None:
        """Have `count` bytes at the position."""
        if self._index + count <= len(self._buffer):
            return
        position = self._position
        self._check_position(position + count)
        kept = self._buffer[self._index :]
        wanted = max(self._step, count)
        if self._size is not None:
            wanted = min(wanted, self._size - position)
        self._buffer = kept + self._read(position + len(kept), wanted - len(kept))
        self._start, self._index = position, 0
        self._step = min(2 * self._step, LARGEST_READ)
        if len(self._buffer) < count:
            self._size = position + len(self._buffer)
            self._check_position(position + count)

    def _skip(self, count: int) -> None:
        self._check_position(self._position + count)
        self._index += count

    def _skip_texts(self, count: int) -> None:
        length = U64.unpack_from
        while count:
            self._need(8)
            buffer, index, last = self._buffer, self._index, len(self._buffer) - 8
            while count and index <= last:
                index += 8 + length(buffer, index)[0]
                count -= 1
            self._index = index
            self._check_position(self._position)

    def _fixed(self, layout: struct.Struct) -> Scalar:
        self._need(layout.size)
        value: Scalar = layout.unpack_from(self._buffer, self._index)[0]
        self._index += layout.size
        return value

    def _u32(self) -> int:
        return int(self._fixed(U32))

    def _u64(self) -> int:
        return int(self._fixed(U64))

    def _text(self, limit: int, what: str) -> str:
        length = self._u64()
        if length > limit:
            raise self._damaged(f"{what} claims a length of {length:,} bytes")
        self._need(length)
        raw = self._buffer[self._index : self._index + length]
        self._index += length
        return raw.decode("utf-8", "replace")

    # -- metadata ----------------------------------------------------------------------------------------------------

    def header(self) -> Header:
        version = self._version()
        tensor_count, key_count = self._u64(), self._u64()
        if tensor_count > TENSORS_LIMIT or key_count > KEYS_LIMIT:
            raise self._damaged(f"it claims {tensor_count:,} tensors and {key_count:,} metadata keys")
        metadata = self._metadata(key_count)
        alignment = self._alignment(metadata)
        tensors = self._tensors(tensor_count, alignment)
        data_offset = _padded(self._position, alignment) if tensors else self._position
        end = data_offset + tensors[-1].offset + tensors[-1].size if tensors else data_offset
        self._check_complete(end)
        return Header(version, metadata, tensors, data_offset, end)

    def _version(self) -> int:
        self._buffer = self._read(0, FIRST_READ if self._size is None else min(FIRST_READ, self._size))
        if not self._buffer.startswith(b"GGUF"):
            raise UnsupportedModel(f"{self._name} {foreign_format(self._buffer, self._remedy)}")
        self._index = 4
        version = self._u32()
        if version & 0xFFFF == 0:
            raise UnsupportedModel(
                f"{self._name} is a GGUF for big-endian machines, which cannot be loaded on this one. Look for the "
                f"ordinary (little-endian) file."
            )
        if version == 1:
            raise UnsupportedModel(
                f"{self._name} is in version 1 of the GGUF format, from August 2023, which llama.cpp no longer reads. "
                f"Look for a newer file of the same model."
            )
        if version > 3:
            raise UnsupportedModel(
                f"{self._name} claims version {version} of the GGUF format; 3 is the newest known here. If the file is "
                f"not damaged, update sauropod."
            )
        return version

    def _metadata(self, count: int) -> dict[str, Value]:
        metadata: dict[str, Value] = {}
        for _ in range(count):
            key = self._text(KEY_LIMIT, "a metadata key")
            if not key or "\ufffd" in key:
                raise self._damaged("a metadata key is not a text")
            if key in metadata:
                raise self._damaged(f"the metadata key {key[:80]!r} is there twice")
            kind = self._u32()
            if key == "general.alignment" and kind != UINT32:
                raise self._damaged("its alignment is not a number")
            metadata[key] = self._value(kind, key)
        return metadata

    def _value(self, kind: int, key: str) -> Value:
        if kind == TEXT:
            return self._long_text(key)
        if kind == ARRAY:
            return self._array(key)
        return self._scalar(kind, key)

    def _scalar(self, kind: int, key: str) -> Scalar:
        layout = FIXED.get(kind)
        if layout is None:
            raise self._damaged(f"the metadata key {key[:80]!r} has the unknown type {kind}")
        value = self._fixed(layout)
        return bool(value) if kind == BOOL else value

    def _long_text(self, key: str) -> str | Omitted:
        self._need(8)
        length = U64.unpack_from(self._buffer, self._index)[0]
        if length <= min(TEXT_KEPT, self._texts_left):
            self._texts_left -= length
            return self._text(TEXT_KEPT, f"the metadata key {key[:80]!r}")
        self._skip(8 + length)
        return Omitted(length)

    def _array(self, key: str) -> tuple[Scalar, ...] | Omitted:
        kind, count = self._u32(), self._u64()
        layout = FIXED.get(kind)
        if layout is None and kind != TEXT:
            raise self._damaged(f"the metadata key {key[:80]!r} is an array of the unknown type {kind}")
        width = layout.size if layout else 8
        self._check_position(self._position + count * width)
        if count <= min(ITEMS_KEPT, self._items_left):
            self._items_left -= count
            return self._short_array(kind, count, key)
        if layout:
            self._skip(count * width)
        else:
            self._skip_texts(count)
        return Omitted(count)

    def _short_array(self, kind: int, count: int, key: str) -> tuple[Scalar, ...] | Omitted:
        items = [self._long_text(key) if kind == TEXT else self._scalar(kind, key) for _ in range(count)]
        kept = tuple(item for item in items if not isinstance(item, Omitted))
        return kept if len(kept) == count else Omitted(count)

    def _alignment(self, metadata: dict[str, Value]) -> int:
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 0 < alignment <= ALIGNMENT_LIMIT or alignment & (alignment - 1):
            raise self._damaged(f"its alignment of {alignment!r} is not a power of two")
        return alignment

    # -- tensors -----------------------------------------------------------------------------------------------------

    def _tensors(self, count: int, alignment: int) -> tuple[Tensor, ...]:
        tensors: dict[str, Tensor] = {}
        offset = 0
        for _ in range(count):
            tensor = self._tensor()
            if tensor.name in tensors:
                raise self._damaged(f"the tensor {tensor.name!r} is there twice")
            if tensor.offset != offset:
                raise self._damaged(f"the tensor {tensor.name!r} is not where the one before it ends")
            tensors[tensor.name] = tensor
            offset = _padded(offset + tensor.size, alignment)
        return tuple(tensors.values())

    def _tensor(self) -> Tensor:
        name = self._text(63, "a tensor's name")
        shape = self._shape(name)
        kind = self._tensor_type(name, self._u32())
        elements = math.prod(shape)
        if shape and shape[0] % kind.block:
            raise self._damaged(f"the rows of {name!r} do not fill whole blocks of {kind.name}")
        size = elements // kind.block * kind.block_bytes
        if max(elements, size) >= 1 << 63:
            raise self._damaged(f"the tensor {name!r} claims {elements:,} weights")
        return Tensor(name, shape, kind, self._u64(), size)

    def _shape(self, name: str) -> tuple[int, ...]:
        dimensions = self._u32()
        if dimensions > 4:
            raise self._damaged(f"the tensor {name!r} claims {dimensions:,} dimensions")
        return tuple(self._u64() for _ in range(dimensions))

    def _tensor_type(self, name: str, number: int) -> TensorType:
        kind = TENSOR_TYPES.get(number)
        if kind is not None:
            return kind
        if number in DROPPED_TYPES:
            raise UnsupportedModel(
                f"{self._name} is quantised as {DROPPED_TYPES[number]}, which llama.cpp no longer reads. Look for a "
                f"Q4_0 or IQ4_NL file of the same model: it is rearranged for your processor while loading."
            )
        raise UnsupportedModel(
            f"{self._name} stores {name!r} in a tensor type ({number}) that is unknown here. If the file is not "
            f"damaged, it needs a newer sauropod."
        )

    def _check_complete(self, end: int) -> None:
        if self._size is None or end <= self._size:
            return
        has, needs = in_words(self._size), in_words(end)
        if has == needs:
            has, needs = f"{self._size:,} bytes", f"{end:,}"
        raise UnsupportedModel(
            f"{self._name} is {has} but its header describes {needs}: it was cut short. {self._remedy}"
        )


def _padded(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
