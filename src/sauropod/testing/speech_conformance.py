"""What all models that hear or speak must do, of whichever kind they are.

The checks call a model as a worker does: `make`, which loads it, and `prepare` in one thread, everything else in
another, and never more than `info.batch` items at once.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

import attrs

from sauropod.abc import SpeechInfo, SpeechKind, SpeechModel
from sauropod.errors import UnsupportedInput
from sauropod.testing.speech_info_check import METHODS, check_info
from sauropod.testing.violation import ContractViolation, require

__all__ = ["Contract", "Held", "hold"]

Item = TypeVar("Item")
Result = TypeVar("Result")


@attrs.frozen(kw_only=True)
class Contract(Generic[Item, Result]):
    """What is asked of one kind of model."""

    kind: SpeechKind
    items: Callable[[SpeechInfo], Sequence[Item]]
    """What it must be able to compute, all different."""
    bad: Callable[[SpeechInfo], Mapping[str, Any]]
    """What `prepare` must refuse, by what is wrong with it."""
    check: Callable[[SpeechInfo, Item, Result], None]
    """Raises `ContractViolation` for what is no result of an item."""
    difference: Callable[[SpeechInfo, Result, Result], str]
    """What of a result is not as it should be; empty where all is."""


@attrs.define(eq=False)
class Held(Generic[Item, Result]):
    """A model that is held to a contract, with shorthands for what the checks do again and again."""

    contract: Contract[Item, Result]
    model: SpeechModel
    preparer: ThreadPoolExecutor

    @property
    def info(self) -> SpeechInfo:
        return self.model.info

    @property
    def method(self) -> str:
        return METHODS[self.contract.kind][1]

    @property
    def items(self) -> Sequence[Item]:
        return self.contract.items(self.info)

    def start(self, item: Any) -> Future[Any]:
        """Begin to prepare an item."""
        return self.preparer.submit(self.model.prepare, item)

    def prepared(self, started: Future[Any]) -> Any:
        """What `prepare` gave for a good item."""
        try:
            return started.result()
        except Exception as error:
            raise ContractViolation(f"prepare() raised {error!r} for an item that is as it should be") from error

    def compute(self, prepared: Sequence[Any]) -> Sequence[Result]:
        """A batch."""
        try:
            results = list(getattr(self.model, self.method)(prepared))
        except Exception as error:
            raise ContractViolation(
                f"{self.method}() raised {error!r} for what prepare() let through; prepare() refuses what cannot be "
                "computed"
            ) from error
        require(len(results) == len(prepared), f"{self.method}() gave {len(results)} results for {len(prepared)} items")
        return results

    def ask(self, items: Sequence[Item]) -> Sequence[Result]:
        """One batch."""
        return self.compute([self.prepared(self.start(item)) for item in items])

    def alone(self, item: Item) -> Result:
        return self.ask([item])[0]

    def takes(self, item: Any) -> bool:
        """Whether `prepare` takes an item, or refuses it as it should."""
        try:
            self.start(item).result()
        except (UnsupportedInput, ContractViolation):  # the latter is what fakes say
            return False
        except Exception as error:
            raise ContractViolation(f"prepare() raised {error!r}; a refusal is an UnsupportedInput") from error
        return True

    def same(self, result: Result, expected: Result, when: str) -> None:
        """Raise `ContractViolation` where a result is not what it was."""
        difference = self.contract.difference(self.info, result, expected)
        require(not difference, f"{when}, {self.method}() gave another result than alone: {difference}")


def hold(
    contract: Contract[Item, Result],
    make: Callable[[], SpeechModel],
    checks: Sequence[Callable[[Held[Item, Result]], None]] = (),
) -> None:
    """Hold a model to what is asked of all, and to `checks` of its own kind.

    `make` gives a newly loaded one for each check. Raises `ContractViolation` at the first breach.
    """
    common: Sequence[Callable[[Held[Item, Result]], None]] = (_info, _answers, _company, _refuses, _prepares_meanwhile)
    for check in (*common, *checks):
        with ThreadPoolExecutor(1, "sauropod-check") as preparer:
            model = preparer.submit(make).result()
            try:
                check(Held(contract, model, preparer))
            finally:
                model.close()


# -- what is asked of all ----------------------------------------------------------------------------------------------


def _info(held: Held[Item, Result]) -> None:
    """What it says of itself is complete, fits its kind, and stays."""
    info = held.info
    check_info(held.model, held.contract.kind)
    held.alone(held.items[0])
    require(info == held.model.info, "info changed when the model was used")


def _answers(held: Held[Item, Result]) -> None:
    """Each result is one of its item, which is left as it was, and can be sent to another process."""
    for item in held.items:
        before = pickle.dumps(item)
        result = held.alone(item)
        held.contract.check(held.info, item, result)
        require(pickle.dumps(item) == before, f"an item was changed by prepare() or {held.method}()")
        try:
            again = pickle.loads(pickle.dumps(result))
        except Exception as error:
            raise ContractViolation(f"a result cannot be pickled: {error!r}") from error
        held.contract.check(held.info, item, again)


def _company(held: Held[Item, Result]) -> None:
    """An item's result depends neither on who shares the batch, nor on the order, nor on what came before."""
    items, most = held.items, held.info.batch
    alone = [held.alone(item) for item in items]
    before = copy.deepcopy(alone)
    for order in _orders(len(items)):
        for begin in range(0, len(order), most):
            batch = order[begin : begin + most]
            for place, result in zip(batch, held.ask([items[place] for place in batch]), strict=True):
                held.same(result, alone[place], f"for item {place} in the batch {batch}")
                held.contract.check(held.info, items[place], result)
    for place, result in enumerate(alone):
        held.same(result, before[place], f"after later batches, for item {place}, whose result was kept,")


def _orders(count: int) -> Iterator[list[int]]:
    places = list(range(count))
    yield places[::-1]
    yield [*places[1::2], *places[::2], *places[:2]]  # with the same item twice


def _refuses(held: Held[Item, Result]) -> None:
    """What cannot be computed is refused by `prepare`, and nobody else notices."""
    item = held.items[0]
    expected, waiting = held.alone(item), held.prepared(held.start(item))
    for what, bad in held.contract.bad(held.info).items():
        require(not held.takes(bad), f"prepare() took {what}, instead of raising UnsupportedInput")
    held.same(held.compute([waiting])[0], expected, "after other items were refused")


def _prepares_meanwhile(held: Held[Item, Result]) -> None:
    """The next item is prepared while a batch is computed, or has been before."""
    items = held.items
    alone = [held.alone(item) for item in items]
    waiting = held.start(items[0])
    for place, following in enumerate([*items[1:], items[0]]):
        ready, waiting = held.prepared(waiting), held.start(following)
        if place % 2:
            wait([waiting])
        held.same(held.compute([ready])[0], alone[place], f"while another item was prepared, for item {place}")
    held.prepared(waiting)
