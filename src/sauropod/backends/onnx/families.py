"""The families of models there are, and which of them some files belong to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from sauropod._values.loading import LoadOptions, Source
from sauropod.abc import SpeechModel
from sauropod.backends.onnx.family import Family
from sauropod.errors import UnsupportedModel

__all__ = ["load_family", "select_files"]

FAMILIES = ("parakeet", "kokoro", "marblenet", "silero", "smart_turn", "snac")
"""Modules beside this one, each with its `FAMILY`. The first that knows the files has them."""


def select_files(files: Collection[str], quantization: str | None) -> Sequence[str]:
    """What to take of a repository or directory. Raises `UnsupportedModel`, or `ModelNotFound` for a quantisation."""
    return _recognised(files, quantization)[1]


def load_family(source: Source, options: LoadOptions) -> SpeechModel:
    """Load the model, whichever family it is of."""
    files = _relative(source)
    family, chosen = _recognised(files, None)
    return family.load(source, {path: files[path] for path in chosen}, options)


def _relative(source: Source) -> Mapping[str, Path]:
    root = source.root if source.root is not None else source.files[0].parent
    return {path.relative_to(root).as_posix(): path for path in source.files}


def _recognised(files: Collection[str], quantization: str | None) -> tuple[Family, Sequence[str]]:
    for module in FAMILIES:
        family: Family = import_module(f"sauropod.backends.onnx.{module}").FAMILY
        chosen = family.select(files, quantization)
        if chosen is not None:
            return family, chosen
    graphs = ", ".join(sorted(path for path in files if path.endswith(".onnx"))[:8]) or "no .onnx file"
    raise UnsupportedModel(
        f"These files are no speech model that is known here (there is {graphs}). Known are Parakeet TDT "
        "(encoder-model and decoder_joint-model, or encoder and decoder with preprocessor), Kokoro (onnx/model.onnx "
        "with voices/), MarbleNet, Silero, Smart Turn and SNAC."
    )
