"""Kokoro as a synthesizer."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._phonemizers import Phonemizers
from sauropod._speech.blending import blended, check_voices
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.speech import Phrase, Pronounced, SpeechInfo, Spoken
from sauropod.abc import Synthesizer
from sauropod.backends.onnx.joining import Take, join
from sauropod.backends.onnx.kokoro_parts import Part, parts, sounds
from sauropod.backends.onnx.kokoro_symbols import PAD, Symbols, read_symbols
from sauropod.backends.onnx.providers import Graph, file_bytes, open_graph, placed
from sauropod.backends.onnx.voices import Voices, language_of, read_voices
from sauropod.errors import BackendError, SauropodError, UnsupportedInput, UnsupportedModel

__all__ = ["Kokoro", "Prepared", "load_kokoro"]

RATE = 24_000
WIDTH = 256
DURATION = "duration"
SLOWEST, FASTEST = 0.5, 2.0
FAVOURITE = "af_heart"
"""The voice its author gives the best grade; the first of `SpeechInfo.voices` where it is there."""


@attrs.frozen(eq=False)
class Row:
    """A part that is ready for the graph."""

    part: Part
    symbols: NDArray[np.int64]
    """int64 [1, n + 2]"""
    places: Sequence[tuple[int, int]]
    """For each sound its first symbol and the one after its last, the zero in front counted."""
    style: NDArray[np.float32]
    """float32 [1, 256]"""
    speed: float


@attrs.frozen(eq=False)
class Prepared:
    """A phrase that is ready: in parts, or in none where there is nothing to say."""

    rows: Sequence[Row]
    speed: float


@attrs.define(eq=False)
class Kokoro(Synthesizer):
    """The model, loaded."""

    graph: Graph
    _info: SpeechInfo
    _symbols: Symbols
    _voices: Voices
    _phonemizers: Phonemizers
    _tokens: str
    """What the graph calls its symbols."""
    _waveform: str
    """What it calls its samples."""
    _timed: bool
    """Whether it tells how long each of them takes."""
    _pool: ThreadPoolExecutor | None
    """What computes several phrases side by side."""

    @property
    def info(self) -> SpeechInfo:
        return self._info

    def prepare(self, item: Any) -> Prepared:
        phrase = self._checked(item)
        main = max(phrase.voice, key=lambda name: phrase.voice[name])
        said = self._phonemizers.pronounce(phrase.text, phrase.language or language_of(main))
        return self.prepared(said, phrase.voice, phrase.speed)

    def prepared(self, said: Sequence[Pronounced], voice: Mapping[str, float], speed: float) -> Prepared:
        """A phrase of which it is known how it is said."""
        found = parts(sounds(said, self._symbols))
        return Prepared([self._row(part, voice, speed) for part in found], speed)

    def synthesize(self, batch: Sequence[Prepared]) -> Sequence[Spoken]:
        rows = [row for item in batch for row in item.rows]
        if self._pool is None or len(rows) < 2:
            takes = [self._take(row) for row in rows]
        else:
            takes = list(self._pool.map(self._take, rows))
        left = iter(takes)
        return [join([next(left) for _ in item.rows], RATE, item.speed) for item in batch]

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self.graph.close()
        del self._voices

    # -- what is asked for ---------------------------------------------------------------------------------------------

    def _checked(self, item: Any) -> Phrase:
        if not isinstance(item, Phrase):
            raise UnsupportedInput(f"A Phrase is spoken; got {type(item).__name__}.")
        if not item.voice:
            raise UnsupportedInput(f"The phrase names no voice. There is, for one, {self._info.voices[0]!r}.")
        check_voices(item.voice, self._info.voices)
        if not (isinstance(item.speed, int | float) and SLOWEST <= item.speed <= FASTEST):
            raise UnsupportedInput(f"speed must be from {SLOWEST:g} to {FASTEST:g}; got {item.speed!r}.")
        if self.graph.kind("speed").kind in "iu" and item.speed != round(item.speed):
            raise UnsupportedInput(f"This export takes whole speeds only, 1 or 2; got {item.speed!r}.")
        return item

    def _row(self, part: Part, voice: Mapping[str, float], speed: float) -> Row:
        numbers, places = part.symbols(self._symbols.space)
        rows = {name: self._voices.style(name, len(numbers)) for name in voice}
        symbols = np.array([[PAD, *numbers, PAD]], np.int64)
        return Row(part, symbols, [(a + 1, b + 1) for a, b in places], blended(rows, voice)[None], speed)

    # -- the graph -----------------------------------------------------------------------------------------------------

    def _take(self, row: Row) -> Take:
        given = {
            self._tokens: row.symbols.astype(self.graph.kind(self._tokens)),
            "style": row.style.astype(self.graph.kind("style")),
            "speed": np.array([row.speed], self.graph.kind("speed")),
        }
        found = self.graph.run([self._waveform, *([DURATION] if self._timed else [])], given)
        samples = np.asarray(found[0], np.float32).reshape(-1)
        if not np.isfinite(samples).all():
            raise BackendError(
                f"{self.graph.path.name} gave samples that are no numbers. Take another quantisation of the model."
            )
        bounds = _bounds(found[1].reshape(-1), len(samples), row.symbols.size) if self._timed else None
        return Take(row.part, np.clip(samples, -1, 1), bounds, row.places)


def _bounds(durations: NDArray[Any], samples: int, symbols: int) -> NDArray[np.int64]:
    """Where each symbol begins, and where the last ends: int64 [symbols + 1]."""
    frames = np.concatenate([[0], np.cumsum(durations.astype(np.int64))])
    if len(durations) != symbols or frames[-1] <= 0:
        raise BackendError(f"The graph gave {len(durations)} durations for {symbols} symbols. Fetch the model anew.")
    bounds: NDArray[np.int64] = frames * samples // frames[-1]
    return bounds


def load_kokoro(
    source: Source, path: Path, voices: Mapping[str, Path], tables: Sequence[Path], options: LoadOptions
) -> Kokoro:
    """Open the graph and say something with it. Raises as `Backend.load` does."""
    side_by_side = options.slots or 1
    graph = open_graph(path, options, threads=1 if side_by_side > 1 else None)
    tokens = "input_ids" if "input_ids" in graph.inputs else "tokens"
    graph.require([tokens, "style", "speed"])
    waveform = next(name for name in graph.outputs if name != DURATION)  # waveform, or audio
    width = graph.inputs["style"].shape[-1]
    read = read_voices(voices, width if isinstance(width, int) else WIDTH)
    names = sorted(read.names, key=lambda name: (name != FAVOURITE, name))
    info = SpeechInfo(
        name=source.name,
        backend="onnx",
        architecture="kokoro",
        kind="synthesizer",
        sample_rate=RATE,
        voices=tuple(names),
        languages=tuple(sorted({language_of(name) for name in names})),
        batch=side_by_side,
        weight_bytes=file_bytes(path),
        placement=placed([graph], options.device),
    )
    symbols = read_symbols(tables, graph.session.get_modelmeta().custom_metadata_map)
    phonemizers = Phonemizers(_phonemizer(options))
    pool = ThreadPoolExecutor(side_by_side, "sauropod-kokoro") if side_by_side > 1 else None
    model = Kokoro(graph, info, symbols, read, phonemizers, tokens, waveform, DURATION in graph.outputs, pool)
    _try(model)
    return model


def _phonemizer(options: LoadOptions) -> str | None:
    name = options.extra.get("phonemizer")
    if name is not None and not isinstance(name, str):
        raise UnsupportedInput(f"phonemizer is the name of one that is installed; got {name!r}.")
    return name


def _try(model: Kokoro) -> None:
    """One word, so that what is wrong is found now and not in the first phrase, and that one need not wait."""
    with contextlib.suppress(SauropodError):  # there may be nobody to read its language, which others need not be told
        model.prepare(Phrase("a", {model.info.voices[0]: 1.0}))
    word = [Pronounced(0, 1, "a"), Pronounced(1, 2, ".")]
    try:
        model.synthesize([model.prepared(word, {model.info.voices[0]: 1.0}, 1.0)])
    except BackendError as error:
        model.close()
        raise UnsupportedModel(f"{model.graph.path.name} cannot speak as Kokoro does: {error}") from error
