"""Silero VAD v5 and v6: a small recurrent detector, a probability every 32 ms.

The graph: `input` float32 [B, 576], which is the last 64 samples of the chunk before and 512 new ones (32 and 256 at
8 kHz); `state` float32 [2, B, 128]; `sr` int64, which some exports leave out → `output` float32 [B, 1], `stateN`.
Without the 64 samples in front it hears no speech at all.

Streams that come together are computed together, at half the cost; but only in batches of sizes for which this
machine gives a row the same bits as alone, which is tried out when the model is loaded.
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
from sauropod.backends.onnx.heard import number, on_the_cpu, sound
from sauropod.backends.onnx.providers import Graph, open_graph, placed
from sauropod.errors import BackendError, UnsupportedInput, UnsupportedModel

__all__ = ["FAMILY", "Silero"]

BATCH = 8
WIDTH = 128
CONTEXTS = {16_000: 64, 8_000: 32}
"""Samples of the chunk before, by rate. A chunk is eight times as long."""


@attrs.frozen(eq=False)
class Carried:
    """What a stream is gone on from."""

    context: NDArray[np.float32]
    """float32 [64]: the last samples that were computed."""
    state: NDArray[np.float32]
    """float32 [2, 128]: what the network remembers."""
    rest: NDArray[np.float32]
    """float32 [fewer than 512]: what does not fill a chunk yet."""


@attrs.define(eq=False)
class Stream:
    """One stream of a batch, while it is computed."""

    context: NDArray[np.float32]
    state: NDArray[np.float32]
    chunks: NDArray[np.float32]
    """float32 [k, 512]"""
    rest: NDArray[np.float32]
    told: list[float] = attrs.field(factory=list)

    @property
    def carried(self) -> Carried:
        # copies, so that the rest of the batch is not kept with them
        return Carried(self.context.copy(), self.state.copy(), self.rest.copy())


@attrs.define(eq=False)
class Silero(VoiceDetector):
    """A loaded Silero. The state of a stream is a `Carried`, at most 3.3 kB."""

    graph: Graph
    rate: int
    _info: SpeechInfo
    sizes: Sequence[int] = (1,)
    """The sizes of batches that may be computed, the largest first."""
    _kind: np.dtype[Any] = attrs.field(init=False)
    _constant: Mapping[str, NDArray[Any]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._kind = self.graph.kind("input")
        self._constant = {"sr": np.array(self.rate, np.int64)} if "sr" in self.graph.inputs else {}

    @property
    def info(self) -> SpeechInfo:
        return self._info

    @property
    def context(self) -> int:
        """Samples of the chunk before."""
        return CONTEXTS[self.rate]

    @property
    def chunk(self) -> int:
        """New samples that each run takes."""
        return 8 * self.context

    def prepare(self, item: Any) -> Heard:
        return Heard(sound(item, Heard), item.state, item.last)

    def detect(self, batch: Sequence[Heard]) -> Sequence[Detected]:
        streams = [self._begun(heard) for heard in batch]
        longest = max((len(stream.chunks) for stream in streams), default=0)
        for at in range(longest):
            going = [stream for stream in streams if at < len(stream.chunks)]
            while going:
                size = next(size for size in self.sizes if size <= len(going))
                self._run(going[:size], at)
                del going[:size]
        return [
            Detected(np.array(stream.told, np.float32), None if heard.last else stream.carried)
            for heard, stream in zip(batch, streams, strict=True)
        ]

    def _begun(self, heard: Heard) -> Stream:
        """Cut into chunks; the last of a stream is filled up with zeros."""
        carried: Carried | None = heard.state
        if carried is None:
            carried = Carried(_zeros(self.context), _zeros(2, WIDTH), _zeros(0))
        samples = np.concatenate([carried.rest, heard.samples])
        if heard.last:
            samples = np.pad(samples, (0, -len(samples) % self.chunk))
        whole = len(samples) // self.chunk * self.chunk
        chunks = samples[:whole].reshape(-1, self.chunk)
        return Stream(carried.context, carried.state, chunks, samples[whole:])

    def _run(self, streams: Sequence[Stream], at: int) -> None:
        """The chunk at this place of each."""
        chunks = np.empty((len(streams), self.context + self.chunk), np.float32)
        states = np.empty((2, len(streams), WIDTH), np.float32)
        for row, stream in enumerate(streams):
            chunks[row, : self.context], chunks[row, self.context :] = stream.context, stream.chunks[at]
            states[:, row] = stream.state
        told, states = self._computed(chunks, states)
        for row, (stream, probability) in enumerate(zip(streams, told.tolist(), strict=True)):
            stream.told.append(probability)
            stream.context, stream.state = chunks[row, -self.context :], states[:, row]

    def _computed(
        self, chunks: NDArray[np.float32], states: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities float32 [B] and the states after them, float32 [2, B, 128]."""
        given: dict[str, NDArray[Any]] = {
            "input": chunks.astype(self._kind, copy=False),
            "state": states.astype(self._kind, copy=False),
            **self._constant,
        }
        told, after = self.graph.run(["output", "stateN"], given)
        return told.reshape(-1).astype(np.float32, copy=False), after.astype(np.float32, copy=False)

    def measure_batches(self) -> None:
        """Find the sizes of batches whose rows come out as they do alone. Raises `UnsupportedModel` if not even one."""
        random = np.random.default_rng(0)
        chunks = random.normal(0, 0.1, (BATCH, self.context + self.chunk)).astype(np.float32)
        states = random.normal(0, 0.3, (2, BATCH, WIDTH)).astype(np.float32)
        try:
            alone = [self._computed(chunks[row : row + 1], states[:, row : row + 1]) for row in range(BATCH)]
        except BackendError as error:
            raise UnsupportedModel(f"{self.graph.path.name} is no Silero VAD of version 5 or later: {error}") from error
        told, after = np.concatenate([each[0] for each in alone]), np.concatenate([each[1] for each in alone], axis=1)
        if told.shape != (BATCH,) or not (0 <= told.min() <= told.max() <= 1):
            raise UnsupportedModel(f"{self.graph.path.name} tells no probabilities, so it is no Silero VAD.")
        self.sizes = [size for size in range(BATCH, 1, -1) if self._is_exact(chunks, states, told, after, size)] + [1]
        self._info = attrs.evolve(self._info, batch=self.sizes[0])

    def _is_exact(
        self,
        chunks: NDArray[np.float32],
        states: NDArray[np.float32],
        told: NDArray[np.float32],
        after: NDArray[np.float32],
        size: int,
    ) -> bool:
        try:
            together = self._computed(chunks[:size], states[:, :size])
        except BackendError:  # an export for one stream at a time
            return False
        return bool((together[0] == told[:size]).all() and (together[1] == after[:, :size]).all())


@attrs.frozen
class SileroFamily:
    """Found by its name, or as `onnx/model.onnx` in a repository that has nothing of a voice or a tokenizer."""

    name: str = "silero"

    def select(self, files: Collection[str], quantization: str | None) -> Sequence[str] | None:
        named = [each for each in sorted(files, key=lambda path: (len(path), path)) if _is_named(each)]
        plain = next((each for each in named if PurePosixPath(each).name.lower() == "silero_vad.onnx"), None)
        path = plain or (named[0] if named else "onnx/model.onnx" if _is_bare(files) else None)
        chosen = None if path is None else quantized(files, path, quantization)
        return None if chosen is None else [chosen, *data_files(files, chosen)]

    def load(self, source: Source, files: Mapping[str, Path], options: LoadOptions) -> Silero:
        """`options.extra` may have `sample_rate`, 8000 instead of 16000."""
        rate = int(number(options.extra, {"sample_rate": 16_000})["sample_rate"])
        if rate not in CONTEXTS:
            raise UnsupportedInput(f"Silero hears 16000 or 8000 samples a second; got sample_rate={rate}.")
        path = next(path for path in files.values() if path.suffix == ".onnx")
        graph = open_graph(path, on_the_cpu(options), threads=1)
        graph.require(["input", "state"], ["output", "stateN"])
        info = SpeechInfo(
            name=source.name,
            backend="onnx",
            architecture=self.name,
            kind="voice_detector",
            sample_rate=rate,
            frame=8 * CONTEXTS[rate],
            weight_bytes=sum(each.stat().st_size for each in files.values()),
            placement=placed([graph], options.device),
        )
        model = Silero(graph, rate, info)
        model.measure_batches()
        return model


def _is_named(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return name.startswith("silero") and name.endswith(".onnx")


def _is_bare(files: Collection[str]) -> bool:
    """Whether nothing tells of another kind of model: Kokoro's `voices/`, a tokenizer, a preprocessor."""
    others = ("tokenizer", "vocab", "preprocessor", "generation_config")
    return not any(each.startswith("voices") or PurePosixPath(each).name.startswith(others) for each in files)


def _zeros(*shape: int) -> NDArray[np.float32]:
    return np.zeros(shape, np.float32)


FAMILY = SileroFamily()
