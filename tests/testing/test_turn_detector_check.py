"""The fake turn detector keeps its contract, and one that does not is found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sauropod.abc import TurnDetector
from sauropod.testing import ContractViolation, FakeTurnDetector, check_turn_detector


def test_the_fake_turn_detector_keeps_the_contract() -> None:
    check_turn_detector(FakeTurnDetector)


class Overconfident(FakeTurnDetector):
    def judge(self, batch: Sequence[Any]) -> Sequence[float]:
        return [1.5 * each for each in super().judge(batch)]


class Whole(FakeTurnDetector):
    def judge(self, batch: Sequence[Any]) -> Sequence[float]:
        return [int(each) for each in super().judge(batch)]


class Conforming(FakeTurnDetector):
    """Judges as most of the batch does."""

    def judge(self, batch: Sequence[Any]) -> Sequence[float]:
        judged = super().judge(batch)
        return [sum(judged) / len(judged)] * len(judged)


@pytest.mark.parametrize(
    ("broken", "breach"),
    [(Overconfident, "not from 0 to 1"), (Whole, "no float"), (Conforming, "another result than alone")],
)
@pytest.mark.parametrize("exact", [True, False])
def test_a_turn_detector_that_breaks_the_contract_is_found_out(
    broken: type[TurnDetector], breach: str, exact: bool
) -> None:
    with pytest.raises(ContractViolation, match=breach):
        check_turn_detector(broken, exact=exact)
