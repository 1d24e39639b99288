"""Making sure that files are a model, before anything is loaded or downloaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from sauropod._sources.gguf import REMEDY, read_header
from sauropod._sources.header import Header, Tensor
from sauropod.errors import ModelNotFound, UnsupportedModel

__all__ = ["joined", "local_header", "require_model", "require_projector"]


def local_header(path: Path, remedy: str = REMEDY) -> Header:
    """The header of a file on this machine, checked against its size.

    `remedy` is the sentence that says what to do if it is damaged. Raises `UnsupportedModel` if it is not a whole GGUF,
    `ModelNotFound` if it cannot be read.
    """
    try:
        with open(path, "rb") as file:

            def read(offset: int, length: int) -> bytes:
                file.seek(offset)
                return file.read(length)

            return read_header(read, path.stat().st_size, str(path), remedy)
    except UnsupportedModel:
        raise
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error.strerror or error}.") from error


def joined(headers: Sequence[Header], name: str) -> Header:
    """The header of a whole model from those of its parts, in order: the first's, with the tensors of all.

    Raises `UnsupportedModel` if they are not all the parts of one model.
    """
    first = headers[0]
    if max(first.split_count, 1) != len(headers):
        raise UnsupportedModel(
            f"{name} says it is part {first.split_index + 1} of {max(first.split_count, 1)}, and its name says "
            f"{len(headers)}. Give the files the names they were published with, all in one directory."
        )
    for index, header in enumerate(headers):
        if header.split_index != index or header.split_count != first.split_count:
            raise UnsupportedModel(
                f"Part {index + 1} of {name} calls itself part {header.split_index + 1} of {header.split_count}: the "
                f"parts come from different models or were renamed. Take all parts of one model, under the names they "
                f"were published with."
            )
    tensors = _all_tensors(headers, name)
    if first.split_tensors and first.split_tensors != len(tensors):
        raise UnsupportedModel(
            f"The parts of {name} hold {len(tensors)} tensors together and should hold {first.split_tensors}: they "
            f"come from different models. Take all parts of one model."
        )
    return attrs.evolve(first, tensors=tensors)


def _all_tensors(headers: Iterable[Header], name: str) -> tuple[Tensor, ...]:
    found: dict[str, Tensor] = {}
    for header in headers:
        for tensor in header.tensors:
            if tensor.name in found:
                raise UnsupportedModel(f"Two parts of {name} hold {tensor.name!r}: they come from different models.")
            found[tensor.name] = tensor
    return tuple(found.values())


def require_model(header: Header, name: str) -> Header:
    """The header, if it is that of a model. Raises `UnsupportedModel` for anything else that is kept in GGUF files."""
    if header.is_projector:
        raise UnsupportedModel(
            f"{name} is a multimodal projector, not a model. Name the model: a projector beside it is found by itself."
        )
    if header.is_adapter:
        raise UnsupportedModel(
            f"{name} is an adapter, not a model. Name the model it was made for, and pass this as one."
        )
    if header.is_statistics:
        raise UnsupportedModel(f"{name} is an importance matrix, not a model. Name the model that was made with it.")
    if not header.architecture:
        raise UnsupportedModel(f"{name} does not say what architecture it has, so nothing can run it.")
    if not header.tensors:
        raise UnsupportedModel(f"{name} holds a vocabulary and no weights: it is for tests, and nothing can run it.")
    return header


def require_projector(header: Header, name: str) -> None:
    if not header.is_projector:
        raise UnsupportedModel(
            f"{name} is taken for a multimodal projector and is none. Remove it, rename it, or name another."
        )
