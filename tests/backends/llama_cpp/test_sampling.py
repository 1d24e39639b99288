"""Choosing tokens, against numpy written from the definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod import InvalidSampling
from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

from sauropod.abc import LoadOptions, Source
from sauropod.backends.llama_cpp import LlamaCpp
from sauropod.backends.llama_cpp.sampling import Candidates, Sampler

SIZE = 50
OFF = SamplingParams(temperature=1, top_k=0, top_p=1, min_p=0, typical_p=1)
"""Every sampler switched off."""

Logits = NDArray[np.float32]


def logits(seed: int = 0, spread: float = 3.0) -> Logits:
    return (np.random.default_rng(seed).standard_normal(SIZE) * spread).astype(np.float32)


def sampler(params: SamplingParams, prompt: Sequence[int] = (), generated: Sequence[int] = ()) -> Sampler:
    return Sampler.make(params.over(DEFAULT_SAMPLING), Candidates(SIZE), None, [7, 9], 100, prompt, generated)


def possible(params: SamplingParams, values: Logits, draws: int = 400) -> set[int]:
    """The tokens that are ever chosen."""
    return {sampler(attrs.evolve(params, seed=n)).choose(0, values.copy()).token for n in range(draws)}


def probabilities(values: Logits) -> NDArray[np.float64]:
    shifted = np.exp(values.astype(np.float64) - values.max())
    shares: NDArray[np.float64] = shifted / shifted.sum()
    return shares


@given(st.integers(0, 2**32 - 2), st.integers(0, 1000))
def test_temperature_zero_takes_the_likeliest(seed: int, which: int) -> None:
    values = logits(which)
    chosen = sampler(SamplingParams(temperature=0, seed=seed)).choose(0, values.copy())
    assert chosen.token == int(values.argmax())


def test_draws_follow_the_distribution() -> None:
    values = logits(1, spread=1.5)
    expected = probabilities(values / 0.7)
    params = attrs.evolve(OFF, temperature=0.7)
    drawn = Counter(sampler(attrs.evolve(params, seed=n)).choose(0, values.copy()).token for n in range(8000))
    observed = np.array([drawn[token] / 8000 for token in range(SIZE)])
    assert np.abs(observed - expected).max() < 4 * np.sqrt(expected * (1 - expected) / 8000).max()


def test_the_places_of_one_sequence_are_drawn_independently() -> None:
    values = np.zeros(SIZE, dtype=np.float32)
    one = sampler(attrs.evolve(OFF, seed=3))
    drawn = [one.choose(0, values.copy()).token for _ in range(5000)]
    counts = np.bincount(drawn, minlength=SIZE)
    assert (np.abs(counts - 100) < 50).all()
    pairs = Counter(pairwise(drawn))
    assert max(pairs.values()) < 15


def test_top_k_keeps_the_likeliest() -> None:
    values = logits(2, spread=1)
    best = set(np.argsort(-values)[:4].tolist())
    assert possible(attrs.evolve(OFF, top_k=4), values) == best


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 70), st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 30, 4000]), st.integers(4000, 4200))
def test_of_a_large_vocabulary_too_one_of_the_likeliest_is_drawn(
    top_k: int, seed: int, forbidden: int, size: int
) -> None:
    """Where few count, few are handed on, with ties (of rounded logits) and all."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal(size).astype(np.float16).astype(np.float32)
    values[generator.integers(0, size, forbidden)] = -np.inf
    params = attrs.evolve(OFF, top_k=top_k, seed=seed).over(DEFAULT_SAMPLING)
    chosen = Sampler.make(params, Candidates(size), None, [], 100, (), ()).choose(0, values.copy()).token
    assert values[chosen] > -np.inf
    assert np.count_nonzero(values > values[chosen]) < top_k


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    values = logits(3, spread=2)
    order = np.argsort(-values)
    reached = np.cumsum(probabilities(values)[order])
    nucleus = set(order[: int(np.searchsorted(reached, 0.6)) + 1].tolist())
    assert possible(attrs.evolve(OFF, top_p=0.6), values) <= nucleus


def test_min_p_drops_what_is_unlikely_beside_the_likeliest() -> None:
    values = logits(4, spread=1)
    shares = probabilities(values) / probabilities(values).max()
    kept = set(np.flatnonzero(shares >= 0.3).tolist())
    assert possible(attrs.evolve(OFF, min_p=0.3), values) == kept


def test_typical_p_keeps_what_is_about_as_surprising_as_expected() -> None:
    values = logits(5, spread=2)
    shares = probabilities(values)
    surprise = -np.log(shares)
    order = np.argsort(np.abs(surprise - (shares * surprise).sum()))
    count = int(np.searchsorted(np.cumsum(shares[order]), 0.5)) + 1
    typical = set(order[:count].tolist())
    assert possible(attrs.evolve(OFF, typical_p=0.5), values) <= typical


def test_xtc_takes_the_top_choices_away() -> None:
    values = np.full(SIZE, -20, dtype=np.float32)
    values[[1, 2, 3]] = [2.0, 1.5, 1.4]
    always = attrs.evolve(OFF, xtc_probability=1.0, xtc_threshold=0.1)
    assert possible(always, values) == {3}
    never = attrs.evolve(OFF, xtc_probability=0.0, xtc_threshold=0.1)
    assert possible(never, values) == {1, 2, 3}


@settings(max_examples=50)
@given(st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=30), st.integers(1, 40))
def test_penalties_are_those_of_the_definitions(history: list[int], last_n: int) -> None:
    values = logits(6)
    params = SamplingParams(
        temperature=0, repeat_penalty=1.3, presence_penalty=0.4, frequency_penalty=0.2, penalty_last_n=last_n
    )
    expected = values.copy()
    for token, count in Counter(history[-last_n:]).items():
        value = expected[token]
        expected[token] = (value * 1.3 if value <= 0 else value / 1.3) - 0.4 - 0.2 * count
    given_logits = values.copy()
    sampler(params, history).choose(0, given_logits)
    np.testing.assert_allclose(given_logits, expected, rtol=1e-5, atol=1e-5)


def test_penalties_see_what_was_generated_too() -> None:
    values = np.zeros(SIZE, dtype=np.float32)
    values[5], values[6] = 2.0, 1.9
    penalised = sampler(SamplingParams(temperature=0, presence_penalty=1.0))
    assert [penalised.choose(0, values.copy()).token for _ in range(2)] == [5, 6]


def test_dry_breaks_a_repetition(tiny_model: Path) -> None:
    """The penalty is multiplier · base^(length − allowed) for the length of what would be repeated."""
    model = LlamaCpp().load(Source("tiny", (tiny_model,)), LoadOptions(context_length=256))
    try:
        vocabulary = model._vocabulary  # type: ignore[attr-defined]
        values = np.zeros(vocabulary.size, dtype=np.float32)
        repeated, other = 70, 80
        values[repeated], values[other] = 5.0, 4.0
        history = [60, 61, 62, 63, repeated, 90, 60, 61, 62, 63]

        def choose(multiplier: float) -> int:
            params = SamplingParams(temperature=0, dry_multiplier=multiplier, dry_base=1.75, dry_allowed_length=2)
            own = Sampler.make(
                params.over(DEFAULT_SAMPLING), Candidates(vocabulary.size), vocabulary.pointer, [], 256, history, []
            )
            return own.choose(0, values.copy()).token

        assert choose(0.0) == repeated
        assert choose(0.3) == repeated  # 0.3 · 1.75² is less than the lead of 1
        assert choose(0.35) == other
    finally:
        model.close()


def test_a_bias_moves_a_logit_and_minus_infinity_forbids() -> None:
    values = logits(7)
    best, second = (int(token) for token in np.argsort(-values)[:2])
    forbid = SamplingParams(temperature=0, logit_bias={best: float("-inf")})
    assert sampler(forbid).choose(0, values.copy()).token == second
    assert sampler(SamplingParams(temperature=0, logit_bias={11: 100})).choose(0, values.copy()).token == 11
    assert best not in possible(attrs.evolve(OFF, logit_bias={best: float("-inf")}), values)


@pytest.mark.parametrize("spared", [[], [7], [7, 9]])
def test_one_token_must_be_left(spared: list[int]) -> None:
    """7 and 9 are ends, which `ignore_eos` forbids besides."""
    bias = {token: float("-inf") for token in range(SIZE) if token not in spared}
    with pytest.raises(InvalidSampling, match="forbidden"):
        sampler(SamplingParams(temperature=0, logit_bias=bias, ignore_eos=True))


def test_the_one_token_that_is_left_is_taken() -> None:
    bias = {token: float("-inf") for token in range(SIZE) if token != 4}
    assert possible(attrs.evolve(OFF, logit_bias=bias), logits(7), draws=20) == {4}


@pytest.mark.parametrize(
    "extreme",
    [
        SamplingParams(temperature=1e-8, logit_bias={5: 1e6}),
        SamplingParams(temperature=1000, repeat_penalty=0.01),
        SamplingParams(presence_penalty=-1000, frequency_penalty=-1000, temperature=1e-8),
    ],
    ids=str,
)
def test_no_parameter_makes_logits_overflow(extreme: SamplingParams) -> None:
    chosen = possible(extreme.over(OFF), logits(8), draws=20)
    assert chosen == {5} if extreme.logit_bias else chosen <= set(range(SIZE))
    values = logits(8)
    sampler(extreme.over(OFF), [1, 2, 3] * 30).choose(0, values)
    assert np.isfinite(values / np.float32(extreme.temperature or 1)).all()


def test_an_end_can_be_forbidden() -> None:
    values = logits(8)
    values[[7, 9]] = 50
    assert sampler(SamplingParams(temperature=0)).choose(0, values.copy()).token in (7, 9)
    assert sampler(SamplingParams(temperature=0, ignore_eos=True)).choose(0, values.copy()).token not in (7, 9)


def test_log_probabilities_are_the_models_own() -> None:
    values = logits(9)
    params = SamplingParams(temperature=0.1, top_k=1, logprobs=5, logit_bias={1: 40})
    chosen = sampler(params).choose(0, values.copy())
    expected = np.log(probabilities(values))
    assert chosen.token == 1
    assert chosen.logprob == pytest.approx(expected[1])
    best = np.argsort(-values)[:5]
    assert [token for token, _ in chosen.top] == best.tolist()
    assert [logprob for _, logprob in chosen.top] == pytest.approx(expected[best].tolist())


@given(st.integers(0, 30), st.integers(0, 1000))
def test_a_sequence_that_is_taken_up_again_draws_the_same(cut: int, seed: int) -> None:
    params = SamplingParams(seed=seed, temperature=1, repeat_penalty=1.2, xtc_probability=0.3, frequency_penalty=0.1)
    prompt = [1, 2, 3]
    whole = sampler(params, prompt)
    said = [whole.choose(0, logits(n)).token for n in range(30)]
    resumed = sampler(params, prompt, said[:cut])
    assert [resumed.choose(0, logits(n)).token for n in range(cut, 30)] == said[cut:]
