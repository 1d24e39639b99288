"""A model file cut into several, as llama.cpp's `gguf-split` does."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from sauropod.testing.models.draft import gguf

__all__ = ["shard"]


def shard(path: str | PathLike[str], shards: int = 3) -> list[Path]:
    """Write the file again as `<stem>-00001-of-00003.gguf` and so on beside it, and give back their paths in order.

    The tensors are spread evenly by number, all metadata is in the first. llama.cpp loads the model from the first
    as long as the others are beside it; the original stays. Raises `ValueError` for more shards than tensors.
    """
    source = Path(path)
    reader = gguf().GGUFReader(source)
    tensors = list(reader.tensors)
    if not 1 <= shards <= len(tensors):
        raise ValueError(f"{source.name} has {len(tensors)} tensors: it cannot be cut into {shards} shards.")
    bounds = [len(tensors) * index // shards for index in range(shards + 1)]
    paths = [source.with_name(f"{source.stem}-{index + 1:05d}-of-{shards:05d}.gguf") for index in range(shards)]
    for index, target in enumerate(paths):
        writer = gguf().GGUFWriter(target, "")
        writer.kv_data[0].clear()
        if index == 0:
            _copy_metadata(reader, writer)
        writer.add_uint16("split.no", index)
        writer.add_uint16("split.count", shards)
        writer.add_int32("split.tensors.count", len(tensors))
        for tensor in tensors[bounds[index] : bounds[index + 1]]:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return paths


def _copy_metadata(reader: Any, writer: Any) -> None:
    for field in reader.fields.values():
        if not field.name.startswith("GGUF."):
            inner = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(field.name, field.contents(), field.types[0], inner)
