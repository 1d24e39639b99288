"""One language model in a worker: its scheduler, the texts being written, the embeddings being computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import attrs

from sauropod._runtime.batches import Batches
from sauropod._runtime.interruption import Interruption
from sauropod._runtime.preparing import Prepared, Preparer
from sauropod._runtime.protocol import (
    Answer,
    Began,
    CountInputs,
    CountTokens,
    Decode,
    Embed,
    Encode,
    End,
    Failed,
    Generate,
    ModelRequest,
    Piece,
    Replies,
)
from sauropod._scheduling.batcher import Batcher, Job
from sauropod._scheduling.pace import Pace
from sauropod._scheduling.scheduler import Output, Scheduler, Step
from sauropod._scheduling.sequence import Sequence as Tokens
from sauropod._text.detokenizer import Detokenizer
from sauropod._text.thoughts import ThoughtBudget
from sauropod._values.completion import Timings
from sauropod._values.sampling import StopReason
from sauropod._values.scheduling import SchedulerOptions
from sauropod.abc import CacheFull, LanguageModel, ModelInfo, Sampled, StepAborted
from sauropod.errors import ClosedError, OutOfMemory, PromptTooLong, UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Host", "Unheard"]


@attrs.define(eq=False)
class Text:
    """One text being written: its sequence, its detokenizer, and when what happened."""

    sequence: Tokens
    detokenizer: Detokenizer
    prepared: Prepared
    received: float
    thoughts: ThoughtBudget | None = None
    """What is left to think, where that is limited."""
    spent: bool = False
    """Whether that is nothing."""
    first: float | None = None

    def timings(self, now: float) -> Timings:
        started = self.sequence.started if self.sequence.started is not None else now
        first = self.first if self.first is not None else now
        return Timings(started - self.received, first - started, now - first)


@attrs.frozen(eq=False)
class Unheard:
    """A text whose prompt has to be heard before it is taken in. That takes long, so it has a thread of its own."""

    host: Host
    text: Text

    def hear(self, wanted: Callable[[], bool]) -> None:
        """Raises `PromptTooLong` before anything is heard, and `ClosedError` once it is not `wanted` any more."""
        prepared, limit = self.text.prepared, self.host.info.context_length
        if len(prepared.tokens) >= limit:
            raise PromptTooLong(len(prepared.tokens), limit)
        for attached in prepared.attached:
            while wanted() and self.host.model.hear(attached):
                pass
        if not wanted():
            raise ClosedError("Nobody waits for the answer any more.")

    def __call__(self) -> Began:
        """Take it in, on the step thread."""
        return self.host.generate(self.text)


@attrs.define(eq=False)
class Host:
    """Everything about one model. All of it happens on the worker's step thread, except what says otherwise."""

    model: LanguageModel
    options: SchedulerOptions
    preparer: Preparer = attrs.field(init=False)
    scheduler: Scheduler = attrs.field(init=False)
    embeddings: Batches[Sequence[int], NDArray[np.float32]] = attrs.field(init=False)
    _embedding_pace: Pace = attrs.field(factory=Pace)
    _texts: dict[int, Text] = attrs.field(factory=dict)
    _interruption: Interruption = attrs.field(init=False)
    _embedded_last: bool = False

    def __attrs_post_init__(self) -> None:
        self.preparer = Preparer(self.model)
        self.scheduler = Scheduler(self.model, self.options)
        self.embeddings = Batches(lambda batch: list(self.model.embed(batch)), Batcher(self.options.ageing))
        self._interruption = Interruption(self.model)

    @property
    def info(self) -> ModelInfo:
        """What the model is, with the syntax that was found out."""
        return self.preparer.info

    # -- what may run in another thread ----------------------------------------------------------------------------

    def accept(self, request: ModelRequest, received: float) -> Callable[[], Answer | Began | None]:
        """Do all of a request that needs no step. What is returned takes it in, on the step thread."""
        match request:
            case Generate():
                text = self.prepare(request, received)
                return Unheard(self, text) if text.prepared.attached else partial(self.generate, text)
            case Embed():
                return partial(self.embed, request, self.encode_inputs(request.inputs), received)
            case CountTokens():
                return partial(Answer, len(self.preparer.encode(request.prompt).tokens))
            case CountInputs():
                return partial(Answer, sum(map(len, self.encode_inputs(request.inputs))))
            case Encode():
                return partial(Answer, list(self.model.encode(request.text, special=request.special)))
            case Decode():
                return partial(Answer, self.preparer.decode(request.tokens))
            case _:
                raise UnsupportedInput(
                    f"{self.info.name} is a language model and takes no audio. Use it with sauropod.Engine."
                )

    def prepare(self, request: Generate, received: float) -> Text:
        """All of a text that can be done before its first step. Raises what `Preparer.prepare` does."""
        sampling = request.sampling.over(self.model.info.sampling)
        prepared = self.preparer.prepare(request.prompt, sampling)
        sequence = Tokens(
            request.id,
            list(prepared.tokens),
            attrs.evolve(sampling, grammar=prepared.grammar),
            request.priority,
            received,
            request.afresh,
            list(request.generated),
        )
        return Text(sequence, Detokenizer(sampling.stop), prepared, received, self._budget(request, prepared))

    def _budget(self, request: Generate, prepared: Prepared) -> ThoughtBudget | None:
        limit, syntax = request.prompt.chat.reasoning_budget, self.info.syntax
        if not limit or syntax is None or syntax.reasoning is None:
            return None
        return ThoughtBudget(syntax.reasoning, limit, prepared.thinking)

    def encode_inputs(self, inputs: Sequence[str | tuple[str, str]]) -> list[list[int]]:
        """The tokens of inputs to embed. Raises as `encode` does."""
        info = self.model.info
        if not info.embeds:
            raise UnsupportedInput(f"{info.name} gives no embeddings. Use an embedding model.")
        encoded = []
        for given in inputs:
            first, second = (given, None) if isinstance(given, str) else given
            tokens = list(self.model.encode_input(first, second))
            if len(tokens) > info.context_length:
                raise PromptTooLong(len(tokens), info.context_length)
            encoded.append(tokens)
        return encoded

    def interrupt(self, id: int) -> None:
        """Nobody waits for this text any more: stop the step that is running, if it is mostly about that."""
        self._interruption.cancel(id)

    # -- requests --------------------------------------------------------------------------------------------------

    def generate(self, text: Text) -> Began:
        """Take a text in. Raises what `Scheduler.add` raises."""
        info = self.model.info
        if not info.generates:
            raise UnsupportedInput(f"{info.name} is an embedding model and writes no text. Use engine.embed().")
        self.scheduler.add(text.sequence)
        for token in text.sequence.generated:
            self._detokenize(text, token)  # its text was given out before
        self._texts[text.sequence.id] = text
        return text.prepared.began

    def embed(self, request: Embed, inputs: list[list[int]], received: float) -> None:
        costs = [len(tokens) for tokens in inputs]
        self.embeddings.add(Job(request.id, inputs, costs, request.priority, received))

    def cancel(self, id: int) -> None:
        text = self._texts.pop(id, None)
        if text is not None:
            self.scheduler.remove(text.sequence)
        self.embeddings.remove(id)
        self._interruption.forget(id)

    def close(self) -> None:
        self.model.close()

    # -- steps -----------------------------------------------------------------------------------------------------

    def urgency(self, now: float) -> int | None:
        """The rank of the most urgent work there is; None if there is none. Lower is more urgent."""
        ranks = (self.scheduler.rank(now), self.embeddings.rank(now))
        return min((rank for rank in ranks if rank is not None), default=None)

    def step(self, clock: Callable[[], float]) -> Replies:
        """One call of the backend, for texts or for embeddings: the more urgent, by turns if they are equally so."""
        self._embedded_last = self._is_turn_of_embeddings(clock())
        replies: Replies = []
        try:
            if self._embedded_last:
                replies += self._embed_step(clock)
            else:
                self._text_step(clock, replies)
        except Exception as error:
            replies += self._start_over(error)  # after what was said before it, which some wait for
        return replies

    def _is_turn_of_embeddings(self, now: float) -> bool:
        texts, jobs = self.scheduler.rank(now), self.embeddings.rank(now)
        if texts is None or jobs is None:
            return texts is None
        return jobs < texts or (jobs == texts and not self._embedded_last)

    def _start_over(self, error: Exception) -> Replies:
        """The backend failed where it must not: all that was asked of this model ends here. Other models go on."""
        failed = [*self._texts, *self.embeddings.ids]
        self._texts.clear()
        self.scheduler = Scheduler(self.model, self.options)
        self.embeddings.clear()
        for slot in range(self.model.info.slots):
            self.model.truncate(slot, 0)
        return [(id, Failed.of(error)) for id in failed]

    def _text_step(self, clock: Callable[[], float], replies: Replies) -> None:
        replies += self._open(self.scheduler.admit(clock()))
        replies += self._end_spent_thoughts(clock())  # of texts that go on in a new worker
        step = self.scheduler.schedule(clock())
        if not step.chunks:
            return
        try:
            with self._interruption.during(step):
                sampled = self.model.decode(step.chunks)
        except StepAborted:
            self.scheduler.roll_back(step)
        except CacheFull:
            replies += [] if self.scheduler.make_room() else self._fail(step, _cache_full())
        except Exception as error:
            replies += self._fail(step, error)
        else:
            now = clock()
            for output in self.scheduler.update(step, sampled, now):
                replies += self._tell(output, now)
            replies += self._end_spent_thoughts(now)

    def _end_spent_thoughts(self, now: float) -> Replies:
        spent = [text for text in self._texts.values() if text.spent and text.sequence.slot is not None]
        return [reply for text in spent for reply in self._end_thoughts(text, now)]

    def _end_thoughts(self, text: Text, now: float) -> Replies:
        """The model has thought enough: the mark that ends its thoughts is written for it."""
        assert text.thoughts is not None
        text.spent = False
        text.thoughts.end()
        sequence, replies = text.sequence, Replies()
        ending = self._ending(text.thoughts.reasoning.ending)
        for output in self.scheduler.force(sequence, ending[_begun(sequence.generated, ending) :]):
            replies += self._tell(output, now)
        if sequence.slot is not None:  # what chooses for it has to know what was said
            self.model.open(sequence.slot, sequence.sampling, sequence.prompt, sequence.generated)
        return replies

    def _ending(self, ending: str) -> list[int]:
        tokens: list[int] = []
        for part, token in self.preparer.split(ending):
            tokens += self.model.encode(part, special=False) if token is None else [token]
        return tokens

    def _detokenize(self, text: Text, token: int) -> str:
        """The text that becomes certain with a token."""
        piece = text.prepared.marks.get(token) or self.model.piece(token)
        more = text.detokenizer.feed(piece)
        if text.thoughts is not None:
            text.spent = text.thoughts.take(piece.decode(errors="replace"), text.detokenizer.whole)
        return more

    def _open(self, admitted: Sequence[Tokens]) -> Replies:
        replies: Replies = []
        for sequence in admitted:
            assert sequence.slot is not None
            try:
                self.model.open(sequence.slot, sequence.sampling, sequence.prompt, sequence.generated)
            except Exception as error:
                self.cancel(sequence.id)
                replies.append((sequence.id, Failed.of(error)))
        return replies

    def _fail(self, step: Step, error: Exception) -> Replies:
        """The step cannot be computed: those in it end here, and what their slots hold is not trusted."""
        self.scheduler.abandon(step)
        for sequence in step.sequences:
            self._texts.pop(sequence.id, None)
        return [(sequence.id, Failed.of(error)) for sequence in step.sequences]

    def _embed_step(self, clock: Callable[[], float]) -> Replies:
        began = clock()
        taken = self.embeddings.batcher.take(self._embedding_budget(), began)
        replies = self.embeddings.run(taken)
        if not any(isinstance(reply, Failed) for _, reply in replies):
            self._embedding_pace.record(sum(len(tokens) for _, tokens in taken), 0, clock() - began)
        return replies

    def _embedding_budget(self) -> int:
        """A step's tokens: all the model takes, or fewer while somebody reads along."""
        most = self.model.info.step_tokens
        return self._embedding_pace.budget(self.options.step_seconds, 0, most) if self.scheduler.streaming else most

    # -- replies ---------------------------------------------------------------------------------------------------

    def _tell(self, output: Output, now: float) -> Replies:
        """What a step's output means to whoever asked for the text: nothing, if a stop string has ended it."""
        id = output.sequence.id
        text = self._texts.get(id)
        if text is None:
            return []
        if output.error is not None:
            self.cancel(id)
            return [(id, Failed.of(output.error))]
        text.first = text.first if text.first is not None else now
        replies: Replies = []
        if output.token is not None:
            more = self._detokenize(text, output.token)
            replies.append((id, self._piece(output.sampled, more)))
        reason = output.stop_reason
        stop: str | int | None = None
        if text.detokenizer.stopped is not None:
            reason, stop = StopReason.STOP, text.detokenizer.stopped
        elif reason is StopReason.STOP:
            stop = output.sampled.token
        if reason is not None:
            replies.append((id, self._end(text, reason, stop, now)))
        return replies

    def _piece(self, sampled: Sampled, text: str) -> Piece:
        if sampled.logprob is None:
            return Piece(sampled.token, text, None, (), b"")
        top = tuple((token, self.model.piece(token), logprob) for token, logprob in sampled.top)
        return Piece(sampled.token, text, sampled.logprob, top, self.model.piece(sampled.token))

    def _end(self, text: Text, reason: StopReason, stop: str | int | None, now: float) -> End:
        sequence = text.sequence
        rest = text.detokenizer.finish()
        if text.detokenizer.stopped is not None:
            reason, stop = StopReason.STOP, text.detokenizer.stopped
        self.cancel(sequence.id)
        return End(rest, reason, stop, len(sequence.prompt), sequence.cached or 0, text.timings(now))


def _cache_full() -> OutOfMemory:
    return OutOfMemory(
        "The KV cache has no room for this one sequence, though nothing else is in it. "
        "Load the model with a larger cache_length."
    )


def _begun(said: Sequence[int], ending: Sequence[int]) -> int:
    """How much of an ending has been said already."""
    lengths = range(min(len(said), len(ending)), 0, -1)
    return next((length for length in lengths if list(said[-length:]) == list(ending[:length])), 0)
