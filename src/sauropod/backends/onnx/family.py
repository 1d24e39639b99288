"""What a family of models has to say of itself: which files it needs, and how they are loaded."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import attrs

from sauropod._values.loading import LoadOptions, Source
from sauropod.abc import SpeechModel
from sauropod.errors import ModelNotFound

__all__ = ["Family", "data_files", "quantized"]


class Family(Protocol):
    """One kind of model. A module of the family has an instance of this, which `families.py` lists."""

    @property
    def name(self) -> str:
        """What `SpeechInfo.architecture` says."""

    def select(self, files: Collection[str], quantization: str | None) -> Sequence[str] | None:
        """Of a repository's files those that make up a model of this family; None if there is none.

        Paths are relative to the root. Raises `ModelNotFound` if there is one, but not in this `quantization`.
        """

    def load(self, source: Source, files: Mapping[str, Path], options: LoadOptions) -> SpeechModel:
        """Make it ready. `files` are those that `select` chose, by their paths relative to the root."""


@attrs.frozen
class _Variant:
    path: str
    label: str


def quantized(files: Collection[str], path: str, quantization: str | None, *, joint: str = "_.-") -> str | None:
    """The file at `path`, or its sibling in this quantisation: `model.onnx`, `model_q8f16.onnx`, `model.int8.onnx`.

    None if there is neither. Without a quantisation the plain file is taken, else the sibling that is first by name.
    Raises `ModelNotFound`, listing what there is, if only this quantisation is not there.
    """
    stem, dot, ending = path.rpartition(".")
    found = [_Variant(path, "")] if path in files else []
    for each in sorted(files):
        rest = each.removeprefix(stem).removesuffix(dot + ending)
        if each != path and each.startswith(stem) and each.endswith(dot + ending) and rest[:1] in joint:
            found.append(_Variant(each, rest[1:].lower()))
    if not found:
        return None
    if quantization is None:
        return found[0].path
    wanted = quantization.lower()
    names = {"fp32": ("", "fp32"), "f32": ("", "fp32"), "f16": ("fp16", "f16")}.get(wanted, (wanted,))
    fitting = next((each.path for each in found if each.label in names), None)
    if fitting is None:
        there = ", ".join(each.label or "fp32" for each in found)
        raise ModelNotFound(f"There is no {quantization} of {path}; there are: {there}.")
    return fitting


def data_files(files: Collection[str], path: str) -> Sequence[str]:
    """Those of `files` that hold weights of the graph at `path`: `model.onnx.data`, `model.onnx_data`, `…_data_1`."""
    pattern = re.compile(re.escape(path) + r"[._]data(_\d+)?")
    return sorted(each for each in files if pattern.fullmatch(each))
