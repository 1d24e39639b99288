"""Parakeet TDT as a recogniser."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._values.loading import LoadOptions, Source
from sauropod._values.speech import Clip, Recognized, SpeechInfo
from sauropod.abc import Recognizer
from sauropod.backends.onnx.clips import check_clip
from sauropod.backends.onnx.features import HOP, RATE, LogMel
from sauropod.backends.onnx.parakeet import Parts
from sauropod.backends.onnx.parakeet_encoder import Encoder
from sauropod.backends.onnx.parakeet_index import IndexedDecoder
from sauropod.backends.onnx.providers import Graph, file_bytes, open_graph, placed
from sauropod.backends.onnx.tdt import Joint
from sauropod.backends.onnx.tokens import Token, Vocabulary, read_vocabulary, words
from sauropod.errors import UnsupportedModel

__all__ = ["load_parakeet"]

BATCH = 8
"""Clips computed together unless `slots` says how many."""
MAX_SECONDS = 120.0
"""The encoder's attention takes memory with the square of a clip's length: about 1 GB at two minutes."""

EUROPEAN = (
    *("bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "it"),
    *("lv", "lt", "mt", "pl", "pt", "ro", "sk", "sl", "es", "sv", "ru", "uk"),
)
LANGUAGES = {1025: ("en",), 8193: EUROPEAN}
"""By the number of tokens, as the model cards of v2 and v3 say."""


class _Features(Protocol):
    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]: ...


class _Decoder(Protocol):
    def decode(self, encoded: Sequence[NDArray[Any]]) -> list[list[Token]]: ...

    def close(self) -> None: ...


@attrs.frozen(eq=False)
class Prepared:
    """A clip whose features are ready."""

    features: NDArray[np.float32]
    """[mels, frames]."""
    duration: float
    language: str | None


@attrs.define(eq=False)
class Parakeet(Recognizer):
    """The model, loaded."""

    _info: SpeechInfo
    _features: _Features
    _encoder: Encoder
    _decoder: _Decoder
    _vocabulary: Vocabulary

    @property
    def info(self) -> SpeechInfo:
        return self._info

    def prepare(self, item: Any) -> Prepared:
        clip = check_clip(item, self._info)
        return Prepared(self._features(clip.samples), len(clip.samples) / RATE, clip.language)

    def recognize(self, batch: Sequence[Prepared]) -> Sequence[Recognized]:
        said = self._decoder.decode(self._encoder.encode([each.features for each in batch]))
        return [self._recognized(item, tokens) for item, tokens in zip(batch, said, strict=True)]

    def close(self) -> None:
        self._decoder.close()
        self._encoder.graph.close()

    def _recognized(self, item: Prepared, tokens: Sequence[Token]) -> Recognized:
        found = words(self._vocabulary, tokens, self._info.frame / RATE, item.duration)
        only = self._info.languages[0] if len(self._info.languages) == 1 else None
        return Recognized(" ".join(word.text for word in found), tuple(found), item.language or only)


def load_parakeet(source: Source, parts: Parts, files: Mapping[str, Path], options: LoadOptions) -> Recognizer:
    """Open the graphs and run them once. Raises as `Backend.load` does."""
    config = {} if parts.config is None else _config(files[parts.config])
    vocabulary = read_vocabulary(files[parts.vocabulary])
    single = attrs.evolve(options, threads=1)  # its matrices are too small to share them out
    encoder = Encoder(open_graph(files[parts.encoder], options), options.slots or BATCH)
    decoder = _decoder(open_graph(files[parts.decoder], single), vocabulary, config, encoder.most)
    graphs = [encoder.graph, decoder.graph]
    features: _Features = LogMel(encoder.mels or config.get("features_size", 128))
    if parts.preprocessor is not None:
        # in the thread that prepares, while others compute
        graphs.append(open_graph(files[parts.preprocessor], attrs.evolve(single, device="cpu")))
        features = _GraphFeatures(graphs[-1])
    info = SpeechInfo(
        name=source.name,
        backend="onnx",
        architecture="parakeet-rnnt" if isinstance(decoder, Joint) and not decoder.durations else "parakeet-tdt",
        kind="recognizer",
        sample_rate=RATE,
        frame=config.get("subsampling_factor", 8) * HOP,
        languages=tuple(config.get("languages", LANGUAGES.get(vocabulary.size, ()))),
        max_seconds=MAX_SECONDS,
        batch=encoder.most,
        weight_bytes=sum(file_bytes(graph.path) for graph in graphs),
        placement=placed(graphs, options.device),
    )
    model = Parakeet(info, features, encoder, decoder, vocabulary)
    model.recognize([model.prepare(Clip(np.zeros(RATE, np.float32)))])
    return model


def _decoder(graph: Graph, vocabulary: Vocabulary, config: Mapping[str, Any], rows: int) -> Joint | IndexedDecoder:
    """Which of the two it is, is told by what it takes."""
    most = config.get("max_tokens_per_step", 10)
    if "index" in graph.inputs:
        return IndexedDecoder(graph, vocabulary.blank, most)
    return Joint(graph, vocabulary.blank, vocabulary.size, rows, most)


@attrs.frozen(eq=False)
class _GraphFeatures:
    """The model's own `preprocessor.onnx`."""

    graph: Graph

    def __attrs_post_init__(self) -> None:
        self.graph.require(("audio", "audio_length"), ("features", "features_lens"))

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(samples) < 2 * HOP:  # of one frame there is no deviation
            samples = np.pad(samples, (0, 2 * HOP - len(samples)))
        given = {"audio": samples[None], "audio_length": np.asarray([len(samples)], self.graph.kind("audio_length"))}
        features, lengths = self.graph.run(("features", "features_lens"), given)
        return features[0, :, : int(lengths[0])]


def _config(path: Path) -> Mapping[str, Any]:
    """What `config.json` says. Raises `UnsupportedModel` where that is of the wrong kind."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnsupportedModel(f"{path.name} is no JSON: {error}. Fetch it anew.") from error
    if not isinstance(config, dict):
        raise UnsupportedModel(f"{path.name} is no JSON object. Fetch it anew.")
    for name in ("features_size", "subsampling_factor", "max_tokens_per_step"):
        value = config.get(name, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UnsupportedModel(f"{path.name} says {name} is {value!r}, which is no count. Fetch it anew.")
    languages = config.get("languages", [])
    if not isinstance(languages, list) or not all(isinstance(each, str) for each in languages):
        raise UnsupportedModel(f"{path.name} says languages is {languages!r}, which is no list of tags. Fetch it anew.")
    return config
