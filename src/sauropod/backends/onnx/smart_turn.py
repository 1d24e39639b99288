"""Smart Turn v3: whether somebody has finished or only pauses, from how it sounds (pipecat-ai, BSD-2-Clause).

The graph: `input_features` float32 [B, 80, 800], Whisper's features of the last 8 s, silence in front of what is
shorter and the whole brought to variance 1 first → one output float32 [B, 1], a probability, called `logits` in some
versions all the same.

Clips are judged one by one: the 8-bit graphs round with a scale that all rows of a batch would share.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._values.loading import LoadOptions, Source
from sauropod._values.speech import Clip, SpeechInfo
from sauropod.abc import TurnDetector
from sauropod.backends.onnx.family import data_files
from sauropod.backends.onnx.heard import number, on_the_cpu, sound
from sauropod.backends.onnx.providers import Graph, open_graph, placed
from sauropod.backends.onnx.whisper_features import log_mel, standardised
from sauropod.errors import BackendError, ModelNotFound, UnsupportedModel

__all__ = ["FAMILY", "SmartTurn"]

RATE = 16_000
SECONDS = 8
INPUT = "input_features"


@attrs.frozen(eq=False)
class SmartTurn(TurnDetector):
    """A loaded Smart Turn."""

    graph: Graph
    _info: SpeechInfo

    @property
    def info(self) -> SpeechInfo:
        return self._info

    def prepare(self, item: Any) -> NDArray[np.float32]:
        """The features of a `Clip`, of which only the last 8 s count: float32 [1, 80, 800]."""
        return _features(sound(item, Clip))

    def judge(self, batch: Sequence[NDArray[np.float32]]) -> Sequence[float]:
        return [_judged(self.graph, features) for features in batch]


@attrs.frozen
class SmartTurnFamily:
    """Found by its name: `smart-turn-v3.2-cpu.onnx`. Of several versions the newest is taken."""

    name: str = "smart_turn"

    def select(self, files: Collection[str], quantization: str | None) -> Sequence[str] | None:
        there = [each for each in files if _NAME.fullmatch(PurePosixPath(each).name.lower())]
        if not there:
            return None
        fitting = [each for each in there if quantization is None or _kind(each) == _known(quantization)]
        if not fitting:
            raise ModelNotFound(f"There is no {quantization} of Smart Turn; there are: {', '.join(sorted(there))}.")
        chosen = max(fitting, key=lambda path: (_version(path), _kind(path) == "int8", path))
        return [chosen, *data_files(files, chosen)]

    def load(self, source: Source, files: Mapping[str, Path], options: LoadOptions) -> SmartTurn:
        number(options.extra, {})
        path = next(path for path in files.values() if path.suffix == ".onnx")
        graph = open_graph(path, on_the_cpu(options))
        graph.require([INPUT])
        try:
            told = _judged(graph, _features(np.zeros(RATE, np.float32)))
        except BackendError as error:
            raise UnsupportedModel(f"{path.name} does not take the features of Smart Turn v3: {error}") from error
        if not 0 <= told <= 1:
            raise UnsupportedModel(f"{path.name} tells {told:g} of silence, which is no probability.")
        info = SpeechInfo(
            name=source.name,
            backend="onnx",
            architecture=self.name,
            kind="turn_detector",
            sample_rate=RATE,
            weight_bytes=sum(each.stat().st_size for each in files.values()),
            placement=placed([graph], options.device),
        )
        return SmartTurn(graph, info)


def _features(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    last = samples[-SECONDS * RATE :]
    return log_mel(standardised(np.pad(last, (SECONDS * RATE - len(last), 0))))[None]


def _judged(graph: Graph, features: NDArray[np.float32]) -> float:
    (told,) = graph.run([next(iter(graph.outputs))], {INPUT: features})
    return float(told.reshape(-1)[0])


_NAME = re.compile(r"smart[-_]turn(?:[-_]v(?P<version>\d+(?:\.\d+)*))?(?:[-_.](?P<kind>\w+))?\.onnx")


def _version(path: str) -> tuple[int, ...]:
    found = _NAME.fullmatch(PurePosixPath(path).name.lower())
    return tuple(int(each) for each in (found["version"] if found and found["version"] else "0").split("."))


def _kind(path: str) -> str:
    """Its quantisation. The versions that are named after the CPU have 8 bits, those named after the GPU 32."""
    found = _NAME.fullmatch(PurePosixPath(path).name.lower())
    return _known(found["kind"] if found and found["kind"] else "int8")


def _known(quantization: str) -> str:
    return {"cpu": "int8", "gpu": "fp32", "f32": "fp32"}.get(quantization.lower(), quantization.lower())


FAMILY = SmartTurnFamily()
