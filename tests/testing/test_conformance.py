"""The fake passes its own conformance check, and a model that breaks the contract does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sauropod.abc import Chunk, Sampled
from sauropod.testing import ContractViolation, FakeLanguageModel, FakeOptions, check_language_model


@pytest.mark.parametrize(
    "options",
    [
        FakeOptions(),
        FakeOptions(slots=1, step_tokens=7),
        FakeOptions(cache_length=300),
        FakeOptions(rewinds=False),
        FakeOptions(rewinds=False, window=8),
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

    def truncate(self, slot: int, length: int, checkpoint: bytes | None = None) -> bool:
        if length:
            self.held[slot][length - 1] ^= 1
        return super().truncate(slot, length)


class Shared(FakeLanguageModel):
    """Disturbs the slot it copies from."""

    def copy(self, source: int, target: int, length: int, checkpoint: bytes | None = None) -> bool:
        done = super().copy(source, target, length, checkpoint)
        self.held[source][0] ^= 1
        return done


class Unseeded(FakeLanguageModel):
    """Chooses by something other than its seed."""

    def _choose(self, slot: int) -> Sampled:
        self.held[slot][0] = self.computed
        return super()._choose(slot)


@pytest.mark.parametrize("broken", [Leaky, Forgetful, Shared, Unseeded])
def test_a_model_that_breaks_the_contract_is_found_out(broken: type[FakeLanguageModel]) -> None:
    with pytest.raises(ContractViolation):
        check_language_model(broken)
