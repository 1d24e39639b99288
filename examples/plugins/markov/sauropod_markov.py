"""A Markov chain as a language model: which word follows the last one, counted over a text.

    sauropod run markov:corpus.txt "Once upon"

It shows all that a `LanguageModel` has to have. Slots are lists, so dropping a tail and copying a prefix are slices.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sauropod import ModelNotFound, SamplingParams, UnsupportedModel
from sauropod.abc import Backend, Chunk, Device, LanguageModel, LoadOptions, ModelInfo, Sampled, Source

BYTES, EOS = 256, 256
"""The tokens below are single bytes, for what is not in the text; then the end, then the words."""

Weights = NDArray[np.float64]


class MarkovModel(LanguageModel):
    def __init__(self, text: str, options: LoadOptions) -> None:
        self._words = sorted(set(re.findall(r"\s*\S+", text)))
        self._numbers = {word: EOS + 1 + place for place, word in enumerate(self._words)}
        self._slots: list[list[int]] = [[] for _ in range(options.slots or 4)]
        self._open: dict[int, tuple[SamplingParams, int]] = {}
        self._info = ModelInfo(
            name="Markov chain",
            backend="markov",
            architecture="markov",
            context_length=options.context_length or 4096,
            slots=len(self._slots),
            vocabulary_size=EOS + 1 + len(self._words),
            sampling=SamplingParams(
                temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, typical_p=1.0, repeat_penalty=1.0, penalty_last_n=0
            ),
            chat=False,
        )
        self._counts = self._count(self.encode(text, special=False))

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def eos(self) -> Collection[int]:
        return (EOS,)

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        pieces = re.findall(r"\s*\S+|\s+$", text)
        known = [[self._numbers[piece]] if piece in self._numbers else list(piece.encode()) for piece in pieces]
        return [token for tokens in known for token in tokens] or [EOS] * special

    def piece(self, token: int) -> bytes:
        if token < BYTES:
            return bytes([token])
        return self._words[token - EOS - 1].encode() if token > EOS else b""

    def open(self, slot: int, sampling: SamplingParams, prompt: Sequence[int], generated: Sequence[int]) -> None:
        self._open[slot] = (sampling, len(generated))

    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        for chunk in chunks:
            self._slots[chunk.slot] += chunk.tokens
        return [self._choose(chunk.slot) for chunk in chunks if chunk.sample]

    def truncate(self, slot: int, length: int, checkpoint: bytes | None = None) -> bool:
        del self._slots[slot][length:]
        return True

    def copy(self, source: int, target: int, length: int, checkpoint: bytes | None = None) -> bool:
        self._slots[target] = self._slots[source][:length]
        return True

    def _count(self, tokens: Sequence[int]) -> dict[int, Weights]:
        counts: dict[int, Weights] = {}
        for token, following in zip(tokens, [*tokens[1:], EOS], strict=True):
            row = counts.setdefault(token, np.full(self._info.vocabulary_size, 1e-6))
            row[following] += 1
        return counts

    def _choose(self, slot: int) -> Sampled:
        sampling, place = self._open[slot]
        self._open[slot] = (sampling, place + 1)
        weights = self._counts.get(self._slots[slot][-1], np.full(self._info.vocabulary_size, 1.0)).copy()
        if sampling.ignore_eos:
            weights[EOS] = 0
        chances = weights / weights.sum()
        if sampling.temperature:
            sharpened = (chances / chances.max()) ** (1 / sampling.temperature)  # something is left, however cold it is
            token = random.Random(f"{sampling.seed} {place}").choices(range(len(chances)), sharpened)[0]
        else:
            token = int(chances.argmax())
        if sampling.logprobs is None:
            return Sampled(slot, token)
        with np.errstate(divide="ignore"):
            logprobs = np.log(chances)
        best = np.argsort(-logprobs, kind="stable")[: sampling.logprobs]
        return Sampled(slot, token, float(logprobs[token]), tuple((int(each), float(logprobs[each])) for each in best))


class Markov(Backend):
    """`markov:PATH` for a file of text."""

    def devices(self) -> Sequence[Device]:
        return [Device("cpu")]

    def load(self, source: Source, options: LoadOptions) -> LanguageModel:
        path = Path(source.name)
        if not path.is_file():
            raise ModelNotFound(f"There is no text file {path} to count words in.")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UnsupportedModel(f"{path} is not text in UTF-8. Convert it, or name another file.") from error
        if not text.split():
            raise UnsupportedModel(f"There are no words in {path} to count. Name another file.")
        return MarkovModel(text, options)
