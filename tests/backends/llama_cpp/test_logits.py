"""A sequence's logits are its own: alone, batched, after its prefix was reused, set aside or copied.

llama.cpp's kernels round differently for different numbers of rows, and the cells a sequence lies in change the order
of its sums. So the logits agree within a tolerance, which is a share of their spread; `docs/architecture.md` says so.
Any token of another sequence that leaked in would change them by more, as the control test here shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams
from sauropod.abc import Chunk, LoadOptions, Source
from sauropod.testing import models

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

from sauropod.backends.llama_cpp import LlamaCpp
from sauropod.backends.llama_cpp.model import LlamaModel

KINDS: dict[str, Callable[[Path], Path]] = {
    "full attention": models.tiny_llama,
    "full attention, Q8_0": lambda path: models.tiny_llama(path, weights="Q8_0"),
    "hybrid": models.tiny_hybrid,
    "recurrent": models.tiny_recurrent,
    "sliding window": models.tiny_windowed,
    "mixture of experts": models.tiny_moe,
}
QUANTISED, EXACT = 0.08, 0.005
"""Of the spread of the logits. Rounding of 8-bit activations goes far; of 32-bit ones it hardly shows."""

LENGTH, TAIL = 90, 12


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def model(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaModel]:
    path = KINDS[kind](tmp_path_factory.mktemp("model") / "model.gguf")
    options = LoadOptions(slots=4, context_length=256, cache_length=1024, step_tokens=256, threads=1)
    loaded = LlamaCpp().load(Source("tiny", (path,)), options)
    assert isinstance(loaded, LlamaModel)
    yield loaded
    loaded.close()


@pytest.fixture(autouse=True)
def empty_slots(model: LlamaModel) -> None:
    for slot in range(model.info.slots):
        model.truncate(slot, 0)
        model.open(slot, SamplingParams(temperature=0).over(DEFAULT_SAMPLING), [1], [])


def sequence(number: int) -> list[int]:
    return np.random.default_rng(number).integers(0, 250, LENGTH).tolist()  # type: ignore[no-any-return]


def feed(model: LlamaModel, *parts: tuple[int, int, Sequence[int]]) -> list[NDArray[np.float32]]:
    """Compute chunks (slot, start, tokens) in one step; the logits after each."""
    model.decode([Chunk(slot, start, tokens, True) for slot, start, tokens in parts])
    ends = np.cumsum([len(tokens) for _, _, tokens in parts]) - 1
    return [model._logits(int(end)).copy() for end in ends]


def after(model: LlamaModel, slot: int, tokens: Sequence[int], start: int = 0) -> list[NDArray[np.float32]]:
    """The logits over the last tokens, which are fed one at a time after the rest."""
    feed(model, (slot, start, tokens[start:-TAIL]))
    return [feed(model, (slot, place, [tokens[place]]))[0] for place in range(LENGTH - TAIL, LENGTH)]


def alone(model: LlamaModel, tokens: Sequence[int]) -> list[NDArray[np.float32]]:
    logits = after(model, 0, tokens)
    model.truncate(0, 0)
    return logits


def difference(a: Sequence[NDArray[np.float32]], b: Sequence[NDArray[np.float32]]) -> float:
    """The largest difference of any logit, as a share of their spread."""
    return max(float(np.abs(x - y).max() / x.std()) for x, y in zip(a, b, strict=True))


def tolerance(kind: str) -> float:
    return QUANTISED if "Q8_0" in kind else EXACT


def check(kind: str, expected: Sequence[NDArray[np.float32]], seen: Sequence[NDArray[np.float32]]) -> None:
    assert difference(expected, seen) <= tolerance(kind)


def test_batched_with_others(kind: str, model: LlamaModel) -> None:
    expected = [alone(model, sequence(number)) for number in range(4)]
    seen: list[list[NDArray[np.float32]]] = [[] for _ in range(4)]
    for part in ((0, 40), (40, LENGTH - TAIL)):
        feed(model, *[(slot, part[0], sequence(slot)[part[0] : part[1]]) for slot in (0, 1)])
        feed(model, *[(slot, part[0], sequence(slot)[part[0] : part[1]]) for slot in (2, 3)])
    for place in range(LENGTH - TAIL, LENGTH):
        for slot, logits in enumerate(feed(model, *[(slot, place, [sequence(slot)[place]]) for slot in range(4)])):
            seen[slot].append(logits)
    for slot in range(4):
        check(kind, expected[slot], seen[slot])


def test_after_a_tail_was_dropped(kind: str, model: LlamaModel) -> None:
    tokens = sequence(0)
    expected = alone(model, tokens)
    feed(model, (0, 0, tokens[:50]))
    checkpoint = model.checkpoint(0)
    feed(model, (0, 50, sequence(1)[:30]))
    assert model.truncate(0, 50) or model.truncate(0, 50, checkpoint)
    check(kind, expected, after(model, 0, tokens, start=50))


def test_after_its_beginning_was_copied_from_a_slot_that_runs_on(kind: str, model: LlamaModel) -> None:
    tokens, others = sequence(0), sequence(0)[:50] + sequence(1)[50:]
    expected, expected_others = alone(model, tokens), alone(model, others)
    feed(model, (1, 0, others[:50]))
    checkpoint = model.checkpoint(1)
    feed(model, (1, 50, others[50:60]))
    assert model.copy(1, 2, 50) or model.copy(1, 2, 50, checkpoint)
    check(kind, expected, after(model, 2, tokens, start=50))
    check(kind, expected_others, after(model, 1, others, start=60))


def test_after_it_was_set_aside_in_host_memory(kind: str, model: LlamaModel) -> None:
    tokens = sequence(0)
    expected = alone(model, tokens)
    feed(model, (0, 0, tokens[:50]))
    state = model.save(0)
    assert state is not None
    model.truncate(0, 0)
    feed(model, (0, 0, sequence(1)), (1, 0, sequence(2)))  # somebody else lies where it lay
    assert model.load(3, state)
    check(kind, expected, after(model, 3, tokens, start=50))


def test_another_token_anywhere_would_show(kind: str, model: LlamaModel) -> None:
    """The control: a single token of another sequence changes the logits by more than what is tolerated."""
    tokens = sequence(0)
    expected = alone(model, tokens)
    places = (60, 74) if kind == "sliding window" else (30, 60, 74)
    for place in places:
        other = [*tokens[:place], tokens[place] ^ 1, *tokens[place + 1 :]]
        assert difference(expected, alone(model, other)) > tolerance(kind)
