"""A model of onnx-asr's as a recogniser of ours."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._values.loading import LoadOptions
from sauropod._values.speech import Recognized, SpeechInfo, Word
from sauropod.abc import Recognizer
from sauropod.backends.onnx.clips import check_clip
from sauropod.backends.onnx.failures import run_failure
from sauropod.backends.onnx.providers import Graph, file_bytes, placed
from sauropod.backends.onnx.tokens import Token, Vocabulary, words

if TYPE_CHECKING:
    from onnx_asr.adapters import TimestampedResultsAsrAdapter
    from onnx_asr.asr import TimestampedResult

__all__ = ["PeerRecognizer"]

RATE: Literal[16_000] = 16_000
"""onnx-asr resamples by itself for the few models that hear 8 kHz."""
WHISPERS = 30.0
"""Seconds that Whisper hears; of anything longer it would drop the rest."""
MAX_SECONDS = 120.0
"""Of the others: their attention takes memory with the square of a clip's length."""
SHORTEST = RATE // 10
"""Samples that a clip is padded to: with fewer, some of the features there are have no frame."""


@attrs.frozen(eq=False)
class Prepared:
    """A clip that can be heard."""

    samples: NDArray[np.float32]
    duration: float
    language: str | None
    """As the model writes it, where it wants to be told."""


@attrs.define(eq=False)
class PeerRecognizer(Recognizer):
    """Hears with onnx-asr. Whisper tells no times, so what it hears has no words.

    Clips are heard one by one. In a batch of onnx-asr's they depend on each other: Whisper's features have a floor
    below the loudest of all clips, and others have no end of their own to be mirrored at.
    """

    _info: SpeechInfo
    _adapter: TimestampedResultsAsrAdapter
    _graphs: list[Graph]

    @classmethod
    def of(
        cls, adapter: TimestampedResultsAsrAdapter, name: str, graphs: list[Graph], options: LoadOptions
    ) -> PeerRecognizer:
        """What is known of the model is read off its class and its tokens."""
        asr = adapter.asr
        whisper = "Whisper" in type(asr).__name__
        files = [graph for graph in graphs if graph.path.is_file()]
        info = SpeechInfo(
            name=name,
            backend="onnx_asr",
            architecture=re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", type(asr).__name__).lower(),
            kind="recognizer",
            sample_rate=RATE,
            frame=round(_frame(asr) * RATE),
            languages=_languages(asr),
            max_seconds=WHISPERS if whisper else MAX_SECONDS,
            weight_bytes=sum(file_bytes(graph.path) for graph in files),
            placement=placed(files, options.device),
        )
        return cls(info, adapter, graphs)

    @property
    def info(self) -> SpeechInfo:
        return self._info

    def prepare(self, item: Any) -> Prepared:
        clip = check_clip(item, self._info)
        samples = np.pad(clip.samples, (0, max(0, SHORTEST - len(clip.samples))))
        told = clip.language.partition("-")[0].lower() if clip.language and self._info.languages else None
        return Prepared(samples, len(clip.samples) / RATE, told)

    def recognize(self, batch: Sequence[Prepared]) -> Sequence[Recognized]:
        return [self._recognized(each, self._heard(each)) for each in batch]

    def close(self) -> None:
        for graph in self._graphs:
            graph.close()
        del self._adapter

    def _heard(self, item: Prepared) -> TimestampedResult:
        try:
            return self._adapter.recognize(item.samples, sample_rate=RATE, language=item.language)
        except Exception as error:
            raise run_failure(error, self._graphs[0].path) from error

    def _recognized(self, item: Prepared, result: TimestampedResult) -> Recognized:
        found = self._words(item, result)
        text = " ".join(word.text for word in found) if found else result.text.strip()
        return Recognized(text, tuple(found), item.language)

    def _words(self, item: Prepared, result: TimestampedResult) -> list[Word]:
        if not result.tokens or result.timestamps is None:
            return []
        frame = self._info.frame / RATE
        logs = result.logprobs or [0.0] * len(result.tokens)
        tokens = [
            Token(index, round(time / frame), None, min(1.0, math.exp(log)))
            for index, (time, log) in enumerate(zip(result.timestamps, logs, strict=True))
        ]
        pieces = [piece.replace(" ", "▁") for piece in result.tokens]
        return words(Vocabulary(pieces, len(pieces)), tokens, frame, item.duration)


def _frame(asr: Any) -> float:
    """Seconds of the model's time step; 10 ms where it tells none."""
    return float(getattr(asr, "window_step", 0.01) * getattr(asr, "_subsampling_factor", 1))


def _languages(asr: Any) -> tuple[str, ...]:
    """Those that the model can be told, by their tokens: Whisper and Canary have `<|en|>`."""
    tokens = getattr(asr, "_tokens", {})
    found = (re.fullmatch(r"<\|([a-z]{2,3})\|>", token) for token in tokens)
    return tuple(sorted(match[1] for match in found if match))
