"""SNAC at 24 kHz: codes to sound, 12 frames a second of seven codes each.

    onnx-community/snac_24khz-ONNX     onnx/decoder_model.onnx (or decoder_model_fp16, …)

The graph: `audio_codes.0`, `.1`, `.2` int64 [B, n], [B, 2n], [B, 4n] → `audio_values` float32 [B, 1, 2048·n].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._speech.snac_windows import FRAME, RATIOS
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.speech import Codes, SpeechInfo
from sauropod.abc import AudioCodec
from sauropod.backends.onnx.family import data_files, quantized
from sauropod.backends.onnx.providers import Graph, file_bytes, open_graph, placed
from sauropod.errors import BackendError, UnsupportedInput, UnsupportedModel

__all__ = ["FAMILY", "Snac"]

CPU = "cpu"
RATE = 24_000
CODES = 4096
"""Of each level."""
BATCH = 8
"""Windows of equal lengths that a GPU computes together unless `slots` says how many. A CPU takes longer for four
together than for one after another (1.15 times on two cores), so there it is one."""
INPUTS = tuple(f"audio_codes.{level}" for level in range(len(RATIOS)))
OUTPUT = "audio_values"
OTHERS = ("tokenizer", "vocab", "generation_config", "preprocessor_config", "decoder_with_past", "decoder_model_merged")
"""Files that are beside a `decoder_model.onnx` of another kind, such as Whisper's."""


@attrs.define(eq=False)
class Snac(AudioCodec):
    """The decoder, loaded."""

    graph: Graph
    _info: SpeechInfo

    @property
    def info(self) -> SpeechInfo:
        return self._info

    def prepare(self, item: Any) -> Sequence[NDArray[np.int64]]:
        """The levels, looked through: int64 [n], [2n], [4n]."""
        if not isinstance(item, Codes):
            raise UnsupportedInput(f"Codes are decoded; got {type(item).__name__}.")
        levels = [np.asarray(level) for level in item.levels]
        if not all(level.ndim == 1 and level.dtype.kind in "iu" for level in levels):
            raise UnsupportedInput("Each level of codes must be one row of whole numbers.")
        lengths = [len(level) for level in levels]
        if len(levels) != len(RATIOS) or lengths != [ratio * lengths[0] for ratio in RATIOS]:
            raise UnsupportedInput(f"SNAC's codes are of three levels, n, 2n and 4n of them; got {lengths}.")
        for level in levels:
            if len(level) and not 0 <= level.min() <= level.max() < CODES:
                raise UnsupportedInput(f"SNAC's codes are from 0 to {CODES - 1}; got {level.min()} to {level.max()}.")
        return [level.astype(np.int64) for level in levels]

    def decode_audio(self, batch: Sequence[Sequence[NDArray[np.int64]]]) -> Sequence[NDArray[np.float32]]:
        equal: dict[int, list[int]] = defaultdict(list)
        for place, levels in enumerate(batch):
            equal[len(levels[0])].append(place)
        decoded = [np.zeros(0, np.float32)] * len(batch)
        for frames, places in equal.items():
            for at in range(0, len(places) if frames else 0, self._info.batch):
                together = places[at : at + self._info.batch]
                for place, samples in zip(together, self._run([batch[each] for each in together]), strict=True):
                    decoded[place] = samples
        return decoded

    def close(self) -> None:
        self.graph.close()

    def _run(self, items: Sequence[Sequence[NDArray[np.int64]]]) -> NDArray[np.float32]:
        """Of items that are equally long: float32 [items, 2048·n]."""
        given = {
            name: np.stack([levels[at] for levels in items]).astype(self.graph.kind(name))
            for at, name in enumerate(INPUTS)
        }
        samples = np.asarray(self.graph.run([OUTPUT], given)[0], np.float32)
        shape = (len(items), FRAME * len(items[0][0]))
        if samples.size != shape[0] * shape[1]:
            raise BackendError(f"{self.graph.path.name} gave {samples.shape} samples where {shape} belong.")
        return np.clip(samples.reshape(shape), -1, 1)

    def measure_batch(self) -> None:
        """Find out whether the graph takes several at once. Raises `UnsupportedModel` if not even one."""
        one = [np.arange(ratio * 2, dtype=np.int64) for ratio in RATIOS]
        try:
            self._run([one])
        except BackendError as error:
            raise UnsupportedModel(f"{self.graph.path.name} does not decode as SNAC does: {error}") from error
        try:
            self._run([one, one])
        except BackendError:
            self._info = attrs.evolve(self._info, batch=1)


@attrs.frozen
class SnacFamily:
    """Found by its decoder, where nothing tells of another kind of model; or by its name."""

    name: str = "snac"

    def select(self, files: Collection[str], quantization: str | None) -> Sequence[str] | None:
        names = [PurePosixPath(path).name for path in files]
        paths = (
            [] if any(name.startswith(OTHERS) for name in names) else ["onnx/decoder_model.onnx", "decoder_model.onnx"]
        )
        named = sorted(path for path in files if PurePosixPath(path).match("snac*.onnx"))
        for path in [*paths, *named[:1]]:
            graph = quantized(files, path, quantization)
            if graph is not None:
                return [graph, *data_files(files, graph)]
        return None

    def load(self, source: Source, files: Mapping[str, Path], options: LoadOptions) -> Snac:
        path = next(path for path in files.values() if path.suffix == ".onnx")
        graph = open_graph(path, options)
        graph.require(INPUTS, [OUTPUT])
        info = SpeechInfo(
            name=source.name,
            backend="onnx",
            architecture=self.name,
            kind="audio_codec",
            sample_rate=RATE,
            frame=FRAME,
            batch=options.slots or (1 if graph.device == CPU else BATCH),
            weight_bytes=file_bytes(path),
            placement=placed([graph], options.device),
        )
        model = Snac(graph, info)
        model.measure_batch()
        return model


FAMILY = SnacFamily()
