"""Holding what slots say to grammars, through llguidance."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import dropwhile
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._values.grammar import Grammar
from sauropod._values.sampling import SamplingParams
from sauropod.backends.llama_cpp.bounded import BoundedRuns
from sauropod.backends.llama_cpp.grammar_source import explained, native_grammar
from sauropod.backends.llama_cpp.guidance import fault, guidance, make_tokenizer, new_matcher
from sauropod.backends.llama_cpp.vocabulary import Vocabulary
from sauropod.errors import BackendError, InvalidGrammar

__all__ = ["Constraint", "Grammars"]

MOST_COMPILED = 128
"""Grammars that are kept ready."""

MOST_SECONDS = 1.0
"""To make a grammar ready."""

_BITS = np.where(np.arange(256)[:, None] >> np.arange(8) & 1, np.float32(0), np.float32(-np.inf))
"""For each byte of a mask what is added to the logits of its eight tokens."""


ENDS_EARLY = "The grammar asks for the token that ends a text, and for more after it. Leave that token out of it."


@attrs.define(eq=False)
class Constraint:
    """What a slot may say next under its grammar."""

    slot: int
    matcher: Any
    eos: int
    ends: frozenset[int]
    """All tokens that end a text."""
    forbidden: frozenset[int]
    """Tokens that are never forced."""
    mask: NDArray[np.int32]
    """A bit for each token: whether it is allowed. Valid if `masked`."""
    masked: bool = False
    pending: list[int] = attrs.field(factory=list)
    """Tokens that come next without being asked for, and that the matcher has taken in."""

    def begin(self, generated: Sequence[int]) -> None:
        """Take in what was said before. Raises `BackendError` if that is not of the grammar."""
        self.masked = False
        if not self.matcher.consume_tokens(list(generated)):
            raise BackendError(f"What was said before is no beginning of a text of the grammar: {fault(self.matcher)}")
        self._force()
        if self.pending:
            self._require_whole()

    def restrict(self, logits: NDArray[np.float32]) -> None:
        """Make tokens impossible that may not come next. Raises `BackendError` if that cannot be told."""
        if not self.masked:
            self.matcher.unsafe_compute_mask_ptr(self.mask.ctypes.data, self.mask.nbytes)
            self.masked = True
        if self.matcher.is_error():
            raise BackendError(f"The grammar failed in the middle of the text: {fault(self.matcher)}")
        logits += np.take(_BITS, self.mask.view(np.uint8), axis=0).reshape(-1)[: logits.size]

    def accept(self, token: int) -> None:
        """Take in the chosen token, and find what must follow it: all of that is pending then."""
        self.masked = False
        if token != self.eos and not self.matcher.consume_token(token):
            raise BackendError(f"The grammar failed in the middle of the text: {fault(self.matcher)}")
        self.pending = [token]
        self._force()
        self._require_whole()

    def take(self, most: int | None) -> list[int]:
        """The next pending tokens."""
        taken, self.pending = self.pending[:most], self.pending[most:] if most is not None else []
        return taken

    def _force(self) -> None:
        if not self.matcher.is_stopped():
            forced = self._allowed(self.matcher.compute_ff_tokens())
            self.matcher.consume_tokens(forced)
            self.pending += forced
        if self.matcher.is_stopped() and not self.matcher.is_error() and self.pending[-1:] != [self.eos]:
            self.pending.append(self.eos)

    def _require_whole(self) -> None:
        """A text ends at the first token that ends texts, so nothing may have to come after that."""
        after = list(dropwhile(lambda token: token not in self.ends, self.pending))
        whole = self.matcher.is_accepting() or self.matcher.is_stopped()
        if after and not (whole and self.ends.issuperset(after)):
            raise BackendError(ENDS_EARLY)

    def _allowed(self, forced: list[int]) -> list[int]:
        count = next((place for place, token in enumerate(forced) if token in self.forbidden), len(forced))
        return forced[: self.matcher.validate_tokens(forced[:count])] if count else []


@attrs.define(eq=False, slots=False)
class Grammars:
    """A model's grammars. `compile` may be called from any thread, the rest from the step thread only."""

    vocabulary: Vocabulary
    slots: int
    aside: bool = False
    """Whether masks are computed while a step runs."""
    _compiled: OrderedDict[Grammar, Any] = attrs.field(factory=OrderedDict)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    _masks: NDArray[np.int32] = attrs.field(init=False)
    _thread: ThreadPoolExecutor = attrs.field(factory=lambda: ThreadPoolExecutor(1, "sauropod-masks"))
    _compiling: BoundedRuns[Any] = attrs.field(factory=lambda: BoundedRuns(MOST_SECONDS, "sauropod-grammar"))

    def __attrs_post_init__(self) -> None:
        self._masks = np.zeros((self.slots, (self.vocabulary.size + 31) // 32), dtype=np.int32)

    def compile(self, grammar: Grammar) -> Any:
        """A matcher at its beginning, to be copied. Raises `InvalidGrammar`."""
        with self._lock:
            matcher = self._compiled.get(grammar)
            if matcher is not None:
                self._compiled.move_to_end(grammar)
                return matcher
        matcher = self._new_matcher(grammar, self._tokenizer)
        with self._lock:
            self._compiled[grammar] = matcher
            while len(self._compiled) > MOST_COMPILED:
                self._compiled.popitem(last=False)
        return matcher

    def constrain(self, slot: int, sampling: SamplingParams, generated: Sequence[int]) -> Constraint:
        """A slot begins or goes on with a text of the sampling's grammar."""
        assert sampling.grammar is not None
        matcher = self.compile(sampling.grammar).deep_copy()
        forbidden = frozenset(token for token, bias in sampling.logit_bias.items() if bias == -np.inf)
        constraint = Constraint(slot, matcher, self._eos, self.vocabulary.eos, forbidden, self._masks[slot])
        constraint.begin(generated)
        return constraint

    @contextmanager
    def beside(self, constraints: Sequence[Constraint | None]) -> Iterator[None]:
        """Compute the masks of those that are about to choose while something else is done, if that is worth it.

        On a CPU it is not: the step's own threads wait for each other at every operation, and so for the one that has
        to share its core.
        """
        if not self.aside:
            yield
            return
        computing = self._thread.submit(self.mask, constraints)
        try:
            yield
        finally:
            computing.result()

    def mask(self, constraints: Sequence[Constraint | None]) -> None:
        """Compute the masks of those that are about to choose, as far as they are not there yet: all at once."""
        wanted = [each for each in constraints if each is not None and not each.masked and not each.pending]
        if wanted:
            pairs = [(each.matcher, each.slot) for each in wanted]
            masks = self._masks
            self._executor.unsafe_compute_mask_ptr(pairs, masks.ctypes.data, masks.strides[0], masks.shape[0])
        for each in wanted:
            each.masked = True

    def close(self) -> None:
        self._thread.shutdown()
        self._compiling.join()  # for it uses the vocabulary
        self._compiled.clear()

    @cached_property
    def _tokenizer(self) -> Any:
        return make_tokenizer(self.vocabulary)

    @cached_property
    def _executor(self) -> Any:
        return guidance().LLExecutor()

    @cached_property
    def _eos(self) -> int:
        return int(self._tokenizer.eos_token)

    def _new_matcher(self, grammar: Grammar, tokenizer: Any) -> Any:
        try:
            return self._compiling.run(partial(_compiled, grammar, tokenizer))
        except TimeoutError as error:
            raise InvalidGrammar(
                f"The grammar is too large or intricate: it was not ready after {MOST_SECONDS:g} s. Make it simpler."
            ) from error


def _compiled(grammar: Grammar, tokenizer: Any) -> Any:
    """A matcher that has been tried out, as far as it goes without a choice, so that it fails here if it does."""
    matcher = new_matcher(native_grammar(grammar), tokenizer)
    trial = matcher.deep_copy()
    trial.compute_bitmask()  # fails where what is forced would be too much, and that without Python's lock
    trial.consume_tokens(trial.compute_ff_tokens())
    if not trial.is_stopped():
        trial.compute_bitmask()
    for each in (matcher, trial):
        if each.is_error() or (each.is_stopped() and not each.is_accepting()):
            raise InvalidGrammar(f"The grammar cannot be used: {explained(grammar, fault(each), tokenizer)}")
    return matcher
