"""NVIDIA's Parakeet TDT, in the two layouts in which it is found: which files make it up.

- `istupakov/parakeet-tdt-0.6b-v2-onnx` (and v3): `encoder-model.onnx` with `encoder-model.onnx.data`,
  `decoder_joint-model.onnx`, `vocab.txt`, `config.json`; quantised as `encoder-model.int8.onnx` and so on.
- `sauropod/parakeet-tdt-0.6b-v2`: `preprocessor.onnx`, an encoder, a decoder that chooses tokens itself, and
  `tokenizer.json`.

Files are told apart by name here and by what the graphs take in `parakeet_model.py`, which loads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from sauropod._values.loading import LoadOptions, Source
from sauropod.abc import Recognizer
from sauropod.backends.onnx.family import data_files, quantized
from sauropod.errors import ModelNotFound

__all__ = ["FAMILY", "Parts", "parts"]

ENCODERS = ("encoder-model.onnx", "encoder_model.onnx", "encoder.onnx")
JOINTS = ("decoder_joint-model.onnx", "decoder_joint_model.onnx", "decoder_joint.onnx")
DECODERS = ("decoder-model.onnx", "decoder_model.onnx", "decoder.onnx")
VOCABULARIES = ("vocab.txt", "tokenizer.json")


@attrs.frozen
class Parts:
    """The files of a recogniser by what they are for; paths relative to the root."""

    encoder: str
    decoder: str
    vocabulary: str
    preprocessor: str | None = None
    config: str | None = None
    data: Sequence[str] = ()
    """Weights that are kept beside the graphs."""

    @property
    def files(self) -> Sequence[str]:
        named = (self.encoder, self.decoder, self.vocabulary, self.preprocessor, self.config)
        return [*(each for each in named if each is not None), *self.data]


def parts(files: Collection[str], quantization: str | None) -> Parts | None:
    """The parts among `files`; None if this is no Parakeet. Raises `ModelNotFound` for a quantisation it is not in."""
    for folder in sorted({each.rpartition("/")[0] for each in files}):
        if (found := _in_folder(files, folder, quantization)) is not None:
            return found
    return None


def _in_folder(files: Collection[str], folder: str, quantization: str | None) -> Parts | None:
    vocabulary = next(_beside(files, folder, VOCABULARIES), None)
    preprocessor = next(_beside(files, folder, ("preprocessor.onnx",)), None)
    if vocabulary is None or (preprocessor is None and not vocabulary.endswith(".txt")):
        return None  # Whisper and others have an encoder and a tokenizer.json, too
    encoder = _first(files, folder, ENCODERS, quantization)
    # without a preprocessor, what is called decoder is Canary's
    decoder = _decoder(files, folder, JOINTS if preprocessor is None else JOINTS + DECODERS, quantization)
    if encoder is None or decoder is None:
        return None
    data = [*data_files(files, encoder), *data_files(files, decoder)]
    config = next(_beside(files, folder, ("config.json",)), None)
    return Parts(encoder, decoder, vocabulary, preprocessor, config, data)


def _first(files: Collection[str], folder: str, names: Sequence[str], quantization: str | None) -> str | None:
    found = (quantized(files, f"{folder}/{name}".lstrip("/"), quantization) for name in names)
    return next((each for each in found if each is not None), None)


def _decoder(files: Collection[str], folder: str, names: Sequence[str], quantization: str | None) -> str | None:
    """It is small, and often left as it is where the encoder is quantised."""
    try:
        return _first(files, folder, names, quantization)
    except ModelNotFound:
        return _first(files, folder, names, None)


def _beside(files: Collection[str], folder: str, names: Sequence[str]) -> Iterator[str]:
    """Those of the names that are in the folder, then those that are at the root."""
    for place in dict.fromkeys((folder, "")):
        yield from (path for name in names if (path := f"{place}/{name}".lstrip("/")) in files)


@attrs.frozen
class _Parakeet:
    """The family. See `Family`."""

    name: str = "parakeet-tdt"

    def select(self, files: Collection[str], quantization: str | None) -> Sequence[str] | None:
        found = parts(files, quantization)
        return None if found is None else found.files

    def load(self, source: Source, files: Mapping[str, Path], options: LoadOptions) -> Recognizer:
        from sauropod.backends.onnx.parakeet_model import load_parakeet

        found = parts(files, None)
        if found is None:
            raise ModelNotFound(f"{source.name} lacks files of a Parakeet. Fetch it again.")
        return load_parakeet(source, found, files, options)


FAMILY = _Parakeet()
