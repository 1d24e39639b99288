"""Continuous batching: which tokens of which sequences the next step computes.

There is no prefill phase and no decode phase. Every sequence has tokens it must have computed and a count of those
that are; a step gives each a chunk that lets its count catch up, within the step's budget of tokens:

    for sequence in scheduler.admit(now):
        model.open(sequence.slot, …)
    step = scheduler.schedule(now)
    sampled = model.decode(step.chunks)
    outputs = scheduler.update(step, sampled, now)

Pure: no await, no thread, no clock read. Time comes in as an argument, in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence as Results

import attrs

from sauropod._scheduling.pace import Pace
from sauropod._scheduling.prefix import common_prefix
from sauropod._scheduling.sequence import Sequence
from sauropod._scheduling.slots import Slots
from sauropod._scheduling.snapshots import Snapshots
from sauropod._values.batch import Chunk, Sampled
from sauropod._values.sampling import StopReason
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.abc import LanguageModel
from sauropod.errors import InvalidSampling, PromptTooLong, QueueFull, SauropodError, UnsupportedInput

__all__ = ["Output", "Scheduler", "Step"]

WORTH_WAITING = 32
"""Tokens. A sequence waits for another that is computing this much more of its prompt than is computed yet, or all
that is missing."""

WORTH_A_CHECKPOINT = 64
"""Tokens to compute, below which a prompt is not worth a checkpoint."""

TAIL = 4
"""How far before a prompt's end its checkpoint is, because templates often change the last tokens of a turn."""


MOST_PATIENCE = 4.0
"""How many times longer a step may take where few read along and many wait for a first token."""


@attrs.frozen
class Step:
    """What to compute now: a chunk for each of these sequences."""

    sequences: Results[Sequence]
    chunks: Results[Chunk]
    began: float

    @property
    def tokens(self) -> int:
        return sum(len(chunk.tokens) for chunk in self.chunks)


@attrs.frozen
class Output:
    """What a step gave a sequence: a token, an end, or both. With forced tokens there is one for each.

    `token` is None where the token only ended the sequence and is not part of it, or there is none but an `error`.
    """

    sequence: Sequence
    sampled: Sampled
    token: int | None
    stop_reason: StopReason | None = None

    @property
    def error(self) -> SauropodError | None:
        return self.sampled.error

    @property
    def is_last(self) -> bool:
        return self.stop_reason is not None or self.error is not None


@attrs.define(eq=False)
class Scheduler:
    """The requests of one model: those waiting, most urgent first, and those that hold a slot."""

    model: LanguageModel
    options: SchedulerOptions = attrs.field(factory=SchedulerOptions)
    waiting: list[Sequence] = attrs.field(factory=list)
    running: list[Sequence] = attrs.field(factory=list)
    slots: Slots = attrs.field(init=False)
    pace: Pace = attrs.field(factory=Pace)
    _crowded: bool = False
    """The cache turned out too small for those running; until one of them leaves, nobody joins."""
    _hears: bool = attrs.field(init=False)
    _attached_turn: bool = False
    """The last step read what is attached to prompts, and no text."""

    def __attrs_post_init__(self) -> None:
        self._hears = self.model.info.hears
        self.slots = Slots(self.model, Snapshots(self.options.snapshot_bytes))

    @property
    def busy(self) -> bool:
        return bool(self.waiting or self.running)

    def rank(self, now: float) -> int | None:
        """The rank of the most urgent sequence; None if there is none. Lower is more urgent."""
        sequences = (*self.waiting, *self.running)
        return min((sequence.rank(now, self.options.ageing) for sequence in sequences), default=None)

    @property
    def streaming(self) -> bool:
        """Whether somebody waits for the next token of an answer."""
        return any(_goes_on(sequence) for sequence in self.running)

    # -- requests come and go --------------------------------------------------------------------------------------

    def add(self, sequence: Sequence) -> None:
        """Take a request in. Raises `UnsupportedInput`, `PromptTooLong` or `QueueFull`, and is then as it was."""
        if not sequence.prompt:
            raise UnsupportedInput("The prompt is empty. Give the model at least one token to go on.")
        info = self.model.info
        if len(sequence.tokens) >= info.context_length:
            raise PromptTooLong(len(sequence.tokens), info.context_length)
        for token in sequence.sampling.logit_bias:
            if token >= info.vocabulary_size:
                raise InvalidSampling(
                    f"logit_bias names token {token}; the vocabulary ends at {info.vocabulary_size - 1}."
                )
        if len(self.waiting) >= self.options.max_waiting + len(self.slots.free):
            raise QueueFull(len(self.waiting), self.options.max_waiting)
        self.waiting.append(sequence)

    def remove(self, sequence: Sequence) -> None:
        """Forget a request, whatever its state. Its slot is free at once, and keeps its tokens for others."""
        if sequence in self.waiting:
            self.waiting.remove(sequence)
        elif sequence in self.running:
            self._leave(sequence)

    # -- one step --------------------------------------------------------------------------------------------------

    def admit(self, now: float) -> list[Sequence]:
        """Give slots to those waiting, most urgent first, while there is a slot and room in the cache.

        Returns who got one; the caller opens their samplers.
        """
        admitted = []
        self.waiting.sort(key=lambda s: (s.rank(now, self.options.ageing), s.arrived))
        for sequence in list(self.waiting):
            if not self.slots.free and not self._victim_for(sequence):
                break
            if self._is_worth_waiting(sequence):
                continue
            if not self._find_room(sequence):
                break
            self.waiting.remove(sequence)
            sequence.standing = sequence.rank(now, self.options.ageing)
            self._enter(sequence)
            admitted.append(sequence)
        return admitted

    def schedule(self, now: float) -> Step:
        """Share the step's tokens out, the most urgent first. Empty only if nothing is to do.

        Every answer goes on by a token. Prompts are read within a budget, and forced tokens too. Answers less urgent
        than what is read only go on where that leaves some of the budget.
        """
        if self.running and self.model.info.idle_slots_cost:
            self.slots.put_away_idle()
        ordered = sorted(self.running, key=lambda s: (s.rank(now, self.options.ageing), s.pending))
        if self._hears:
            self._attached_turn = self._is_turn_of_attached(ordered, now)
            ordered = [sequence for sequence in ordered if _attached_next(sequence) is self._attached_turn]
        urgent = min((s.priority for s in ordered if not _goes_on(s)), default=Priority.BACKGROUND)
        first: list[Sequence] = []
        later: list[Sequence] = []
        for sequence in ordered:
            waits = _goes_on(sequence) and sequence.rank(now, self.options.ageing) > urgent
            (later if waits else first).append(sequence)
        left, reading, answering = self.model.info.step_tokens, self._budget(), sum(map(_goes_on, first))
        chosen: list[Sequence] = []
        chunks: list[Chunk] = []
        for place, sequence in enumerate((*first, *later)):
            goes_on = _goes_on(sequence)
            room = min(left, goes_on + min(reading, max(1 - goes_on, left - answering)))
            if room == 0 or (place >= len(first) and reading == 0):
                continue
            chunk = self._chunk(sequence, room)
            left -= len(chunk.tokens)
            reading -= len(chunk.tokens) - goes_on
            answering -= goes_on
            chosen.append(sequence)
            chunks.append(chunk)
            sequence.served = now
            if sequence.started is None:
                sequence.started = now
        return Step(chosen, chunks, now)

    def update(self, step: Step, sampled: Results[Sampled], now: float) -> list[Output]:
        """Take in what the step computed. The outputs are in the step's order; who ended has left."""
        answered = sum(_goes_on(sequence) for sequence in step.sequences)
        self.pace.record(step.tokens - answered, answered, now - step.began)
        chosen = {result.slot: result for result in sampled}
        outputs = []
        for sequence, chunk in zip(step.sequences, step.chunks, strict=True):
            slot = self.slots.all[chunk.slot]
            self.slots.extend(slot, chunk.tokens)
            sequence.computed += len(chunk.tokens)
            if sequence.computed in sequence.cuts:
                self.slots.checkpoint(slot)
            if chunk.sample:
                outputs += self._accept(sequence, chosen[chunk.slot])
                if outputs[-1].is_last:
                    self._leave(sequence)
        return outputs

    def force(self, sequence: Sequence, tokens: Results[int]) -> list[Output]:
        """Let a running sequence say these tokens next, whatever the model would. Who ends with that has left."""
        assert sequence.slot is not None
        outputs: list[Output] = []
        for token in tokens:
            if outputs and outputs[-1].is_last:
                break
            outputs.append(self._append(sequence, Sampled(sequence.slot, token)))
        sequence.fresh += sum(output.token is not None for output in outputs)
        if outputs and outputs[-1].is_last:
            self._leave(sequence)
        return outputs

    def roll_back(self, step: Step) -> None:
        """The step was aborted: its sequences go on from where they were, or from what the model could keep."""
        for sequence, chunk in zip(step.sequences, step.chunks, strict=True):
            sequence.computed = self.slots.restore(self.slots.all[chunk.slot])
            sequence.shared = min(sequence.shared, sequence.computed)

    def abandon(self, step: Step) -> None:
        """The step failed for good: its sequences are gone, and their slots are emptied."""
        for sequence in step.sequences:
            assert sequence.slot is not None
            slot = self.slots.all[sequence.slot]
            self._leave(sequence)
            self.slots.wipe(slot)

    def make_room(self) -> bool:
        """The cache was full: evict what nobody uses, or put the least urgent sequence back in the queue.

        False if neither is possible, because only one sequence is left and nothing else.
        """
        if self.slots.evict_one():
            return True
        if len(self.running) < 2:
            return False
        self._preempt(max(self.running, key=lambda s: (s.standing, s.arrived)))
        self._crowded = True
        return True

    # -- admission -------------------------------------------------------------------------------------------------

    def _find_room(self, sequence: Sequence) -> bool:
        """A slot and cells for a sequence, if need be of those with lower priority."""
        while not (self.slots.free and self._fits(sequence)):
            victim = self._victim_for(sequence)
            if victim is None:
                return False
            self._preempt(victim)
        return True

    def _victim_for(self, sequence: Sequence) -> Sequence | None:
        """The running sequence that must yield to this one, if one is of lower priority."""
        victim = max(self.running, key=lambda s: (s.standing, s.arrived), default=None)
        return victim if victim is not None and victim.standing > sequence.priority else None

    def _is_worth_waiting(self, sequence: Sequence) -> bool:
        """Whether a running sequence is about to compute much of this one's prompt, so that it can be copied."""
        if sequence.waits_for is None:
            sequence.waits_for = self._promise(sequence)
        if sequence.waits_for is not None:
            other, length = sequence.waits_for
            if other.slot is not None and other.computed < length:
                return True
            sequence.waits_for = None
        return False

    def _promise(self, sequence: Sequence) -> tuple[Sequence, int] | None:
        prefix = sequence.tokens[:-1]
        promised = [
            (other, length)
            for other in self.running
            if other.priority <= sequence.priority and (length := common_prefix(prefix, other.tokens)) > other.computed
        ]
        if not promised:
            return None
        other, length = max(promised, key=lambda pair: pair[1])
        missing = length - self.slots.available(sequence.tokens, sequence.afresh)
        if missing < (1 if length == len(prefix) else WORTH_WAITING):
            return None
        if not self.model.info.rewinds:
            self._cut(other, length)
        return other, length

    def _fits(self, sequence: Sequence) -> bool:
        """Whether the cache has room for it beside those running, as far as can be told without trying."""
        room = self.model.info.cache_length
        if not room or not self.running:
            return True
        if self._crowded:
            return False
        taken = sum(len(other.tokens) - other.shared for other in self.running)
        own = len(sequence.tokens) - self.slots.available(sequence.tokens, sequence.afresh)
        return taken + own <= room

    def _enter(self, sequence: Sequence) -> None:
        held = max((common_prefix(slot.tokens, sequence.prompt) for slot in self.slots.all), default=0)
        claim = self.slots.claim(sequence.tokens, sequence.afresh and not sequence.generated)
        assert claim is not None, "admitted without a free slot"
        sequence.slot, sequence.computed, sequence.shared = claim.slot.index, claim.length, claim.shared
        if sequence.cached is None:
            sequence.cached = claim.length
        if not self.model.info.rewinds:
            self._plan_checkpoints(sequence, held)
        self.running.append(sequence)

    def _preempt(self, sequence: Sequence) -> None:
        assert sequence.slot is not None
        slot = self.slots.all[sequence.slot]
        self._leave(sequence)
        self.slots.put_away(slot)
        self.waiting.append(sequence)

    def _leave(self, sequence: Sequence) -> None:
        assert sequence.slot is not None
        self.running.remove(sequence)
        self.slots.release(self.slots.all[sequence.slot])
        sequence.slot, sequence.computed, sequence.shared, sequence.cuts = None, 0, 0, []
        self._crowded = False

    # -- chunks ----------------------------------------------------------------------------------------------------

    def _budget(self) -> int:
        """The tokens of prompts to read: all the model takes, or fewer while someone waits for the next of an answer.

        Where more wait for their first token than for their next, and none of those is more urgent, a step may take
        longer: for each of them to read on a little, between one small step and another, takes all of them longest.
        """
        most = self.model.info.step_tokens
        answering = [sequence for sequence in self.running if _goes_on(sequence)]
        if not answering:
            return most
        urgent = min(sequence.priority for sequence in answering)
        reading = sum(not _goes_on(sequence) and sequence.priority <= urgent for sequence in self.running)
        patience = min(max(1.0, reading / len(answering)), MOST_PATIENCE)
        return self.pace.budget(self.options.step_seconds * patience, len(answering), most)

    def _chunk(self, sequence: Sequence, budget: int) -> Chunk:
        assert sequence.slot is not None
        end = min(len(sequence.tokens), sequence.computed + budget, sequence.next_cut() or len(sequence.tokens))
        end = sequence.same_kind_until(end) if self._hears else end
        tokens = sequence.tokens[sequence.computed : end]
        return Chunk(sequence.slot, sequence.computed, tokens, end == len(sequence.tokens))

    def _is_turn_of_attached(self, ordered: Results[Sequence], now: float) -> bool:
        """Whether the next step reads what is attached to prompts, for one step cannot hold that and text.

        The more urgent goes first; those equally urgent take turns.
        """
        ranks: dict[bool, int] = {}
        for sequence in ordered:
            ranks.setdefault(_attached_next(sequence), sequence.rank(now, self.options.ageing))
        if len(ranks) < 2:
            return True in ranks
        return not self._attached_turn if ranks[True] == ranks[False] else ranks[True] < ranks[False]

    def _accept(self, sequence: Sequence, sampled: Sampled) -> list[Output]:
        """The token chosen for a sequence and those forced after it, as far as it goes on."""
        if sampled.error is not None:
            return [Output(sequence, sampled, None)]
        outputs = [self._append(sequence, sampled)]
        for token in sampled.forced:
            if outputs[-1].is_last:
                break
            outputs.append(self._append(sequence, Sampled(sampled.slot, token)))
        sequence.fresh = sum(output.token is not None for output in outputs)
        return outputs

    def _append(self, sequence: Sequence, sampled: Sampled) -> Output:
        """One more token, and whether it is the last."""
        token, sampling = sampled.token, sequence.sampling
        if token in self.model.eos and not sampling.ignore_eos:
            return Output(sequence, sampled, None, StopReason.EOS)
        if token in sampling.stop_tokens:
            return Output(sequence, sampled, None, StopReason.STOP)
        sequence.append(token)
        reason = None
        if sampling.max_tokens is not None and len(sequence.generated) >= sampling.max_tokens:
            reason = StopReason.MAX_TOKENS
        elif len(sequence.tokens) >= self.model.info.context_length:
            reason = StopReason.CONTEXT_LENGTH
        return Output(sequence, sampled, token, reason)

    # -- checkpoints, for models that cannot drop a tail -----------------------------------------------------------

    def _plan_checkpoints(self, sequence: Sequence, held: int) -> None:
        """Where a later prompt may part from this one: near the end of the prompt, where an earlier one did, and at
        powers of two for what cannot be foreseen."""
        length = len(sequence.prompt)
        if length - sequence.computed < WORTH_A_CHECKPOINT:
            return
        self._cut(sequence, length - TAIL)
        if held > sequence.computed:
            self._cut(sequence, held)
        power = 256
        while power < length - TAIL:
            self._cut(sequence, power)
            power *= 2

    def _cut(self, sequence: Sequence, length: int) -> None:
        if length > sequence.computed and length not in sequence.cuts:
            sequence.cuts = sorted([*sequence.cuts, length])


def _attached_next(sequence: Sequence) -> bool:
    """Whether what it must have computed next is no text."""
    return bool(sequence.pending) and sequence.tokens[sequence.computed] < 0


def _goes_on(sequence: Sequence) -> bool:
    """Whether all that is missing is what it said last: somebody reads along."""
    return 0 < sequence.pending <= sequence.fresh
