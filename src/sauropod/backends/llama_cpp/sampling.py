"""Choosing a slot's next token from its logits."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Collection, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._values.sampling import SamplingParams
from sauropod.abc import Sampled
from sauropod.backends.llama_cpp.grammar import Constraint
from sauropod.backends.llama_cpp.library import library
from sauropod.errors import BackendError, InvalidSampling

__all__ = ["Candidates", "Sampler"]

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""llama_token_data."""

_GOLDEN = 0x9E3779B97F4A7C15

_GROUP = 64
"""Tokens in a group, where the likeliest are looked for."""


@attrs.define(eq=False)
class Candidates:
    """A `llama_token_data_array` over the whole vocabulary, shared by the samplers of a model."""

    size: int
    native: Any = attrs.field(init=False)
    _data: NDArray[Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._data = np.zeros(self.size, dtype=_CANDIDATE)
        self.native = library().llama_token_data_array()

    def fill(self, logits: NDArray[np.float32], top_k: int = 0) -> Any:
        """Tokens with their logits, as the samplers want them: by reference. All, or if only the `top_k` likeliest
        count, at least these."""
        lib = library()
        tokens = _likeliest(logits, top_k)
        if tokens is None and logits.min() == -np.inf:  # which some samplers cannot count with
            tokens = np.flatnonzero(logits > -np.inf)
        count = self.size if tokens is None else tokens.size
        data = self._data[:count]
        data["id"] = np.arange(self.size) if tokens is None else tokens  # anew each time: samplers reorder the array
        data["logit"] = logits if tokens is None else logits[tokens]
        self.native.data = data.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
        self.native.size, self.native.selected, self.native.sorted = count, -1, False
        return ctypes.byref(self.native)

    @property
    def chosen(self) -> int:
        return int(self.native.data[self.native.selected].id)


@attrs.define(eq=False)
class Sampler:
    """One sequence's way of choosing, in llama.cpp's order of samplers.

    What looks back on single tokens (bias, penalties) touches only these tokens' logits, here; the rest is llama.cpp's.
    What draws lots is made anew for each token, from the seed and the token's place: so a sequence goes on the same
    after it was set aside or its worker lost.
    """

    sampling: SamplingParams
    candidates: Candidates
    constraint: Constraint | None
    _bias_tokens: NDArray[np.int32] = attrs.field(init=False)
    _bias: NDArray[np.float32] = attrs.field(init=False)
    _recent: deque[int] = attrs.field(init=False)
    _chain: Any = attrs.field(init=False)
    _dry: Any = attrs.field(init=False, default=None)
    _place: int = attrs.field(init=False)

    @classmethod
    def make(
        cls,
        sampling: SamplingParams,
        candidates: Candidates,
        vocabulary: Any,
        eos: Collection[int],
        context_length: int,
        prompt: Sequence[int],
        generated: Sequence[int],
        constraint: Constraint | None = None,
    ) -> Sampler:
        """A sampler that has seen `prompt` and chosen `generated`. Raises `InvalidSampling` if it may choose none."""
        sampler = cls(sampling, candidates, constraint)
        forbidden = dict.fromkeys(eos, -np.inf) if sampling.ignore_eos else {}
        bias = {**sampling.logit_bias, **forbidden}
        if sum(each == -np.inf for each in bias.values()) >= candidates.size:
            raise InvalidSampling(
                f"Every one of the model's {candidates.size:,} tokens is forbidden by logit_bias, or by ignore_eos. "
                "Leave at least one."
            )
        sampler._bias_tokens = np.fromiter(bias.keys(), dtype=np.int32, count=len(bias))
        sampler._bias = np.fromiter(bias.values(), dtype=np.float32, count=len(bias))
        sampler._recent = deque(maxlen=sampler._reach(sampling.penalty_last_n, context_length))
        sampler._chain = sampler._build_chain(vocabulary, context_length)
        sampler._place = len(generated)
        for history in (prompt, generated):
            sampler._remember(history)
        return sampler

    def choose(self, slot: int, logits: NDArray[np.float32]) -> Sampled:
        """Choose a token, and what the grammar forces after it. `logits` float32 [vocabulary] may be overwritten.

        Where log-probabilities are wanted, forced tokens are given one at a time too, because each wants its own.
        """
        report = None if self.sampling.logprobs is None else _log_softmax(logits)
        try:
            tokens = self._next(logits, 1 if report is not None else None)
        except BackendError as error:
            return Sampled(slot, -1, error=error)
        self._place += len(tokens)
        self._remember(tokens)
        if report is None:
            return Sampled(slot, tokens[0], forced=tokens[1:])
        return Sampled(slot, tokens[0], float(report[tokens[0]]), _top(report, self.sampling.logprobs or 0))

    def close(self) -> None:
        """Give the native samplers back."""
        library().llama_sampler_free(self._chain)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _next(self, logits: NDArray[np.float32], most: int | None) -> list[int]:
        """The next token and those forced after it, together at most so many."""
        if self.constraint is None:
            self._adjust(logits)
            return [self._pick(logits)]
        if not self.constraint.pending:
            self.constraint.restrict(logits)
            self._adjust(logits)
            if logits.max() == -np.inf:
                raise BackendError(
                    "logit_bias forbids every token that the grammar allows here. Leave one of them out."
                )
            self.constraint.accept(self._pick(logits))
        return self.constraint.take(most)

    def _pick(self, logits: NDArray[np.float32]) -> int:
        return int(logits.argmax()) if self._is_greedy else self._draw(logits)

    @property
    def _is_greedy(self) -> bool:
        return self.sampling.temperature == 0 and not self.sampling.xtc_probability and self._dry is None

    @staticmethod
    def _reach(last_n: int | None, context_length: int) -> int:
        return context_length if last_n is None or last_n < 0 else min(last_n, context_length)

    def _build_chain(self, vocabulary: Any, context_length: int) -> Any:
        """The samplers that neither draw lots nor come after one that does."""
        lib, params = library(), self.sampling
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if params.dry_multiplier:
            breakers = [text.encode() for text in params.dry_breakers or ()]
            self._dry = lib.llama_sampler_init_dry(
                vocabulary,
                params.dry_multiplier,
                params.dry_base,
                params.dry_allowed_length,
                self._reach(params.dry_last_n, context_length),
                (ctypes.c_char_p * len(breakers))(*breakers),
                len(breakers),
            )
            lib.llama_sampler_chain_add(chain, self._dry)
        if params.temperature != 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_k(params.top_k))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_typical(params.typical_p, 1))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_p(params.top_p, 1))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_min_p(params.min_p, 1))
        return chain

    def _remember(self, tokens: Sequence[int]) -> None:
        self._recent.extend(tokens)
        if self._dry is not None:
            for token in tokens:
                library().llama_sampler_accept(self._dry, token)

    def _adjust(self, logits: NDArray[np.float32]) -> None:
        """Bias, then the penalties of CTRL (arXiv:1909.05858) and of OpenAI's API, on the tokens they concern."""
        if self._bias_tokens.size:
            logits[self._bias_tokens] += self._bias
        repeat = self.sampling.repeat_penalty or 1.0
        presence, frequency = self.sampling.presence_penalty or 0.0, self.sampling.frequency_penalty or 0.0
        if repeat == 1 and not presence and not frequency:
            return
        tokens, counts = np.unique(np.fromiter(self._recent, dtype=np.int64), return_counts=True)
        seen = logits[tokens]
        logits[tokens] = np.where(seen <= 0, seen * repeat, seen / repeat) - counts * frequency - presence

    def _draw(self, logits: NDArray[np.float32]) -> int:
        lib, params = library(), self.sampling
        candidates = self.candidates.fill(logits, 0 if self._dry is not None else params.top_k or 0)
        lib.llama_sampler_apply(self._chain, candidates)
        if params.xtc_probability:
            self._apply_once(
                lib.llama_sampler_init_xtc(params.xtc_probability, params.xtc_threshold, 1, self._lot(1)), candidates
            )
        if params.temperature == 0:
            self._apply_once(lib.llama_sampler_init_greedy(), candidates)
        else:
            self._apply_once(lib.llama_sampler_init_temp(params.temperature), candidates)
            self._apply_once(lib.llama_sampler_init_dist(self._lot(2)), candidates)
        return self.candidates.chosen

    def _apply_once(self, sampler: Any, candidates: Any) -> None:
        library().llama_sampler_apply(sampler, candidates)
        library().llama_sampler_free(sampler)

    def _lot(self, purpose: int) -> int:
        """A number for drawing lots, from the seed, the token's place and what it is for (splitmix64)."""
        mixed = ((self.sampling.seed or 0) << 32 | self._place << 2 | purpose) * _GOLDEN & (1 << 64) - 1
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
        return (mixed ^ mixed >> 31) % 0xFFFFFFFF  # the one number left out would mean: draw at random


def _likeliest(logits: NDArray[np.float32], count: int) -> NDArray[np.intp] | None:
    """Some tokens, in order, with the `count` likeliest among them; None where finding them is not worth it.

    Of the largest logits of many groups, the `count`-th largest is one that at least `count` tokens reach. Finding them
    is quicker than to hand a large vocabulary to the samplers.
    """
    groups = logits.size // _GROUP
    if not 0 < count <= groups:
        return None
    largest = logits[: groups * _GROUP].reshape(_GROUP, groups).max(axis=0)
    least = np.partition(largest, groups - count)[groups - count]
    if least == -np.inf:  # fewer are allowed at all
        return np.flatnonzero(logits > -np.inf)
    tokens = np.flatnonzero(logits >= least)
    return tokens if tokens.size >= count else None


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max()
    return shifted - np.log(np.exp(shifted).sum())  # type: ignore[no-any-return]


def _top(logprobs: NDArray[np.float64], count: int) -> tuple[tuple[int, float], ...]:
    count = min(count, logprobs.size)
    if not count:
        return ()
    best = np.argpartition(-logprobs, count - 1)[:count]
    best = best[np.argsort(-logprobs[best], kind="stable")]
    return tuple((int(token), float(logprobs[token])) for token in best)
