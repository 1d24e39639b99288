"""The fake passes its own conformance check, and a model that breaks the contract does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pytest
from numpy.typing import NDArray

from sauropod import Grammar, SamplingParams
from sauropod._values.sampling import DEFAULT_SAMPLING
from sauropod.abc import CacheFull, Chunk, LanguageModel, Sampled, StepAborted
from sauropod.testing import ContractViolation, FakeLanguageModel, FakeOptions, check_language_model


@pytest.mark.parametrize(
    "options",
    [
        FakeOptions(),
        FakeOptions(slots=1, step_tokens=7),
        FakeOptions(cache_length=300),
        FakeOptions(rewinds=False),
        FakeOptions(rewinds=False, window=8),
        FakeOptions(grammars=False),
    ],
    ids=str,
)
def test_the_fake_keeps_the_contract(options: FakeOptions) -> None:
    check_language_model(lambda: FakeLanguageModel(options))


class Leaky(FakeLanguageModel):
    """Lets the last slot of a step see the first one's tokens."""

    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        sampled = list(super().decode(chunks))
        if len(sampled) > 1:
            sampled[-1] = Sampled(sampled[-1].slot, sampled[0].token)
        return sampled


class Forgetful(FakeLanguageModel):
    """Says a tail is gone while keeping it in mind."""

    haunted: frozenset[int] = frozenset()

    def truncate(self, slot: int, length: int, checkpoint: bytes | None = None) -> bool:
        self.haunted = self.haunted | {slot} if length else self.haunted - {slot}
        return super().truncate(slot, length, checkpoint)

    def _choose(self, slot: int) -> Sampled:
        sampled = super()._choose(slot)
        return attrs.evolve(sampled, token=sampled.token ^ 1) if slot in self.haunted else sampled


class Shared(FakeLanguageModel):
    """Disturbs the slot it copies from."""

    disturbed: frozenset[int] = frozenset()

    def copy(self, source: int, target: int, length: int, checkpoint: bytes | None = None) -> bool:
        self.disturbed = self.disturbed | {source}
        return super().copy(source, target, length, checkpoint)

    def _choose(self, slot: int) -> Sampled:
        sampled = super()._choose(slot)
        return attrs.evolve(sampled, token=sampled.token ^ 1) if slot in self.disturbed else sampled


class Unseeded(FakeLanguageModel):
    """Chooses by something other than its seed."""

    def _choose(self, slot: int) -> Sampled:
        opened = self._opened[slot]
        sampled = super()._choose(slot)
        chance = (self.computed + opened.count) % 256
        return attrs.evolve(sampled, token=chance) if opened.sampling.temperature else sampled


class Restarting(FakeLanguageModel):
    """Draws the first lots again when a sequence is resumed."""

    def open(self, slot: int, sampling: SamplingParams, prompt: Sequence[int], generated: Sequence[int]) -> None:
        super().open(slot, sampling, [*prompt, *generated], [])


class Deaf(FakeLanguageModel):
    """Does not stop."""

    def abort(self) -> None:
        pass


class Sticky(FakeLanguageModel):
    """Once stopped, does not go on."""

    told = False

    def abort(self) -> None:
        self.told = True

    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        if self.told:
            raise StepAborted
        return super().decode(chunks)


class Ravaged(FakeLanguageModel):
    """Loses the last slot's mind when the cache is full."""

    full = False

    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        try:
            return super().decode(chunks)
        except CacheFull:
            self.full = True
            raise

    def _choose(self, slot: int) -> Sampled:
        sampled = super()._choose(slot)
        last = slot == self.options.slots - 1
        return attrs.evolve(sampled, token=sampled.token ^ 1) if last and self.full else sampled


class Nothings(FakeLanguageModel):
    """Embeds as numbers that are none."""

    def embed(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        return np.full((len(inputs), 8), np.nan, dtype=np.float32)


class Wide(FakeLanguageModel):
    """Embeds as doubles."""

    def embed(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        return super().embed(inputs).astype(np.float64)


class Short(FakeLanguageModel):
    """Gives one vector too few."""

    def embed(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        return super().embed(inputs[:-1] or inputs)


class Mingling(FakeLanguageModel):
    """Lets inputs of one batch see each other."""

    def embed(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        vectors = super().embed(inputs)
        vectors += vectors.sum(0)
        return vectors


class Speechless(FakeLanguageModel):
    """Fails on a conversation in a way of its own."""

    def render(self, *given: Any, **options: Any) -> str:
        raise KeyError("content")


class Unbound(FakeLanguageModel):
    """Forgets the grammar when a sequence is resumed."""

    def open(self, slot: int, sampling: SamplingParams, prompt: Sequence[int], generated: Sequence[int]) -> None:
        super().open(slot, sampling, prompt, generated)
        self._opened[slot].prompt += len(generated)


class Lawless(FakeLanguageModel):
    """Takes any grammar, and keeps none."""

    def open(self, slot: int, sampling: SamplingParams, prompt: Sequence[int], generated: Sequence[int]) -> None:
        super().open(slot, attrs.evolve(sampling, grammar=None), prompt, generated)


class Gullible(FakeLanguageModel):
    """Takes what is no grammar."""

    def compile(self, grammar: Grammar) -> None:
        self._compiled.add(grammar)


class Hasty(FakeLanguageModel):
    """Leaves the last of several forced tokens out."""

    def _choose(self, slot: int) -> Sampled:
        sampled = super()._choose(slot)
        return attrs.evolve(sampled, forced=sampled.forced[:-1])


class Endless(FakeLanguageModel):
    """Goes on after the end."""

    def _choose(self, slot: int) -> Sampled:
        sampled = super()._choose(slot)
        return attrs.evolve(sampled, forced=[*sampled.forced, *sampled.forced[-1:]])


@pytest.mark.parametrize(
    ("broken", "breach"),
    [
        (Leaky, "batched"),
        (Forgetful, "a tail was dropped"),
        (Shared, "after it was copied from"),
        (Unseeded, "the same seed"),
        (Restarting, "resumed after"),
        (Deaf, "StepAborted"),
        (Sticky, "more than one step"),
        (Ravaged, "another slot said"),
        (Nothings, "numbers that are none"),
        (Wide, "float32"),
        (Short, "shape"),
        (Mingling, "company"),
        (Speechless, "UnsupportedInput"),
        (Unbound, "resumed after"),
        (Lawless, "held to"),
        (Gullible, "no grammar"),
        (Hasty, "lacks tokens"),
        (Endless, "not the last"),
    ],
)
def test_a_model_that_breaks_the_contract_is_found_out(broken: type[FakeLanguageModel], breach: str) -> None:
    with pytest.raises(ContractViolation, match=breach):
        check_language_model(lambda: broken(FakeOptions(context_length=200, cache_length=400)))


def test_a_model_that_cannot_be_stopped_keeps_the_contract() -> None:
    class Unstoppable(FakeLanguageModel):
        abort = LanguageModel.abort

    check_language_model(Unstoppable)


def test_the_fake_notices_that_a_slot_was_not_opened_for_its_sequence() -> None:
    model = FakeLanguageModel()
    model.open(0, DEFAULT_SAMPLING, [1, 2, 3], [])
    model.decode([Chunk(0, 0, [1, 2, 3], True)])
    model.truncate(0, 0)
    with pytest.raises(ContractViolation, match="another sequence"):
        model.decode([Chunk(0, 0, [4, 5], True)])
