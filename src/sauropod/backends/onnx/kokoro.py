"""Kokoro: 82 million parameters that speak, in 54 voices and 9 languages.

    onnx-community/Kokoro-82M-v1.0-ONNX  onnx/model.onnx (or model_fp16, model_q8f16, …), voices/*.bin, tokenizer.json
    kokoro-onnx                          kokoro-v1.0.onnx (or .fp16, .int8), voices-v1.0.bin

The graph: `input_ids` (or `tokens`) int64 [1, n + 2], n symbols between two zeros; `style` float32 [1, 256], the
voice's row for n symbols; `speed` [1], a float or a whole number → `waveform` at 24 kHz and, in some exports,
`duration` int64 [n + 2]: how many frames each symbol takes. It takes one phrase at a time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

import attrs

from sauropod._values.loading import LoadOptions, Source
from sauropod.backends.onnx.family import data_files, quantized
from sauropod.backends.onnx.kokoro_model import Kokoro, load_kokoro

__all__ = ["FAMILY", "Files", "Kokoro"]

TABLES = ("tokenizer.json", "config.json")
"""Where symbols are looked for, in this order."""
ARCHIVE = re.compile(r"voices[^/]*\.(bin|npz)")
QUANTIZED = re.compile(r"[._-](fp16|fp16-gpu|fp32|int8|uint8|quantized|q\d\w*)$")


@attrs.frozen
class Files:
    """Those that make up a model, by their paths."""

    graph: str
    data: Sequence[str]
    voices: Sequence[str]
    tables: Sequence[str]

    @property
    def all(self) -> Sequence[str]:
        return [self.graph, *self.data, *self.voices, *self.tables]


@attrs.frozen
class KokoroFamily:
    """Found by its voices."""

    name: str = "kokoro"

    def select(self, files: Collection[str], quantization: str | None) -> Sequence[str] | None:
        found = _found(files, quantization)
        return None if found is None else found.all

    def load(self, source: Source, files: Mapping[str, Path], options: LoadOptions) -> Kokoro:
        """`options.slots` phrases are computed side by side, each by one thread or `options.threads`; else one by all.

        `options.extra` may have `phonemizer`, the name of the one to be asked first.
        """
        found = _found(files, None)
        assert found is not None
        return load_kokoro(
            source,
            files[found.graph],
            {path: files[path] for path in found.voices},
            [files[path] for path in found.tables],
            options,
        )


def _found(files: Collection[str], quantization: str | None) -> Files | None:
    """Both layouts, wherever they are: at the root, or in a directory."""
    for root in sorted({path.split("voices", 1)[0] for path in files if "voices" in path}, key=len):
        inside = {path.removeprefix(root) for path in files if path.startswith(root)}
        single = sorted(path for path in inside if re.fullmatch(r"voices/[^/]+\.bin", path))
        found = _single(inside, single, quantization) if single else _archived(inside, quantization)
        if found is not None:
            lists = ([root + path for path in paths] for paths in (found.data, found.voices, found.tables))
            return Files(root + found.graph, *lists)
    return None


def _single(files: Collection[str], voices: Sequence[str], quantization: str | None) -> Files | None:
    """Voices in files of their own."""
    for path in ("onnx/model.onnx", "model.onnx"):
        graph = quantized(files, path, quantization)
        if graph is not None:
            return _with(files, graph, voices)
    return _named(files, voices, quantization)


def _archived(files: Collection[str], quantization: str | None) -> Files | None:
    """All voices in one file; of several the one of the same version as the graph."""
    archives = sorted(path for path in files if ARCHIVE.fullmatch(path))
    return _named(files, archives, quantization) if archives else None


def _named(files: Collection[str], voices: Sequence[str], quantization: str | None) -> Files | None:
    stems = sorted({QUANTIZED.sub("", PurePosixPath(path).stem) for path in files if _is_graph(path)})
    if not stems:
        return None
    graph = quantized(files, f"{stems[0]}.onnx", quantization)
    if graph is None:
        return None
    if ARCHIVE.fullmatch(voices[0]):
        version = stems[0].partition("-")[2]
        voices = [next((each for each in voices if version and version in each), voices[0])]
    return _with(files, graph, voices)


def _with(files: Collection[str], graph: str, voices: Sequence[str]) -> Files:
    return Files(graph, data_files(files, graph), voices, [each for each in TABLES if each in files])


def _is_graph(path: str) -> bool:
    return re.fullmatch(r"kokoro[^/]*\.onnx", path, re.IGNORECASE) is not None


FAMILY = KokoroFamily()
