"""MarbleNet: NVIDIA's voice detector, 91,500 parameters, a probability every 20 ms (Jia et al., ICASSP 2021).

Two exports of Frame-VAD Multilingual MarbleNet v2.0 are known:

- `preprocessor.onnx` (`audio` float32 [B, n], `audio_length` int64 [B] → `features` float32 [B, F, t], `features_lens`
  int64 [B]) with `frame_vad_multilingual_marblenet_v2.0.onnx` (`processed_signal` float32 [B, F, t],
  `processed_signal_length` int64 [B] → `softmax_output` float32 [B, ⌈t/2⌉, 1]);
- NVIDIA's own, which gives logits of silence and speech, float32 [B, ⌈t/2⌉, 2], and leaves the features to whoever runs
  it: F log-mels, not normalised.

Every stream is computed alone, also where several come together: no stream can depend on another then, and onnxruntime
computes the depthwise convolutions of a batch row by row anyway, so that sharing would save nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._values.loading import LoadOptions, Source
from sauropod._values.speech import Detected, Heard, SpeechInfo
from sauropod.abc import VoiceDetector
from sauropod.backends.onnx.family import data_files, quantized
from sauropod.backends.onnx.features import LogMel
from sauropod.backends.onnx.heard import number, on_the_cpu, sound
from sauropod.backends.onnx.providers import Graph, open_graph, placed
from sauropod.backends.onnx.windows import Windows
from sauropod.errors import BackendError, UnsupportedModel

__all__ = ["FAMILY", "MarbleNet"]

RATE = 16_000
PREPROCESSOR = "preprocessor.onnx"
SIGNAL, LENGTH = "processed_signal", "processed_signal_length"


@attrs.frozen(eq=False)
class Preprocessor:
    """Features as the repository's own graph computes them."""

    graph: Graph

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n] to [F, at least n // 160]."""
        given: dict[str, NDArray[Any]] = {"audio": samples[None], "audio_length": np.array([len(samples)], np.int64)}
        features: NDArray[np.float32] = self.graph.run(["features"], given)[0][0]
        return features


@attrs.frozen(eq=False)
class Filters:
    """Features computed here, for an export that comes without a preprocessor."""

    mels: LogMel

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n] to [F, at least n // 160]."""
        return self.mels.logs(samples).T


@attrs.frozen(eq=False)
class Network:
    """Probabilities of a window, whichever of the two exports gives them."""

    graph: Graph
    output: str

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [F, t] to [⌈t / 2⌉]."""
        length = np.array([features.shape[1]], np.int64)
        given: dict[str, NDArray[Any]] = {SIGNAL: np.ascontiguousarray(features)[None], LENGTH: length}
        told: NDArray[np.float32] = self.graph.run([self.output], given)[0][0]
        if told.shape[-1] == 1:
            return told[:, 0]
        with np.errstate(over="ignore"):  # e to the power of more than 88 is infinite, and one over that is 0
            return np.asarray(1 / (1 + np.exp(told[:, 0] - told[:, 1])), np.float32)


@attrs.define(eq=False)
class MarbleNet(VoiceDetector):
    """A loaded MarbleNet. The state of a stream is a `Pending`, about 40 kB."""

    windows: Windows
    _info: SpeechInfo

    @property
    def info(self) -> SpeechInfo:
        return self._info

    def prepare(self, item: Any) -> Heard:
        return Heard(sound(item, Heard), item.state, item.last)

    def detect(self, batch: Sequence[Heard]) -> Sequence[Detected]:
        return [self._told(heard) for heard in batch]

    def _told(self, heard: Heard) -> Detected:
        probabilities, state = self.windows.go_on(heard.state, heard.samples, heard.last)
        return Detected(probabilities, None if heard.last else state)


@attrs.frozen
class MarbleNetFamily:
    """Found by the name of its graph, with `preprocessor.onnx` beside it where there is one."""

    name: str = "marblenet"

    def select(self, files: Collection[str], quantization: str | None) -> Sequence[str] | None:
        graphs = [each for each in sorted(files, key=len) if _is_graph(PurePosixPath(each).name.lower())]
        if not graphs:
            return None
        chosen = quantized(files, graphs[0], quantization)
        assert chosen is not None
        beside = str(PurePosixPath(chosen).parent / PREPROCESSOR)
        found = [chosen, beside] if beside in files else [chosen]
        return [path for each in found for path in (each, *data_files(files, each))]

    def load(self, source: Source, files: Mapping[str, Path], options: LoadOptions) -> MarbleNet:
        """`options.extra` may have `ahead_seconds` (0.08) and `behind_seconds` (0.96): what a window sees."""
        seconds = number(options.extra, {"ahead_seconds": 0.08, "behind_seconds": 0.96})
        paths = [path for path in files.values() if path.suffix == ".onnx"]
        graphs = [open_graph(path, on_the_cpu(options), threads=1) for path in paths]
        network = next(graph for graph in graphs if graph.path.name != PREPROCESSOR)
        front = next((graph for graph in graphs if graph.path.name == PREPROCESSOR), None)
        windows = Windows(
            _front(network, front),
            Network(network, next(iter(network.outputs))),
            ahead=max(1, round(seconds["ahead_seconds"] / 0.02)),
            behind=round(seconds["behind_seconds"] / 0.02),
        )
        _check(windows, network)
        meta = network.session.get_modelmeta().custom_metadata_map
        info = SpeechInfo(
            name=source.name,
            backend="onnx",
            architecture=self.name,
            kind="voice_detector",
            sample_rate=RATE,
            frame=windows.frame,
            batch=8,
            weight_bytes=sum(path.stat().st_size for path in files.values()),
            licence=meta.get("licence", ""),
            placement=placed(graphs, options.device),
        )
        return MarbleNet(windows, info)


def _is_graph(name: str) -> bool:
    return name.endswith(".onnx") and ("marblenet" in name or "frame_vad" in name)


def _front(network: Graph, preprocessor: Graph | None) -> Preprocessor | Filters:
    network.require([SIGNAL, LENGTH])
    if preprocessor is not None:
        preprocessor.require(["audio", "audio_length"], ["features"])
        return Preprocessor(preprocessor)
    mels = network.inputs[SIGNAL].shape[1]
    return Filters(LogMel(mels if isinstance(mels, int) else 80))


def _check(windows: Windows, network: Graph) -> None:
    """Run it once, on a second of silence: what does not fit shows now. Raises `UnsupportedModel`."""
    try:
        told, _ = windows.go_on(None, np.zeros(RATE, np.float32), True)
    except (BackendError, ValueError, IndexError) as error:
        raise UnsupportedModel(f"{network.path.name} and its preprocessor do not fit each other: {error}") from error
    if len(told) != RATE // windows.frame or not np.isfinite(told).all() or not (0 <= told.min() <= told.max() <= 1):
        raise UnsupportedModel(
            f"{network.path.name} does not tell a probability for each {windows.frame} samples, as MarbleNet does."
        )


FAMILY = MarbleNetFamily()
