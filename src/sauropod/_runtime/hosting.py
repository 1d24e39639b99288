"""One language model in a worker: its scheduler, the texts being written, the embeddings being computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import attrs

from sauropod._runtime.interruption import Interruption
from sauropod._runtime.protocol import Answer, Embed, End, Failed, Generate, Piece, PromptText, Replies
from sauropod._scheduling.batcher import Batcher, Job
from sauropod._scheduling.pace import Pace
from sauropod._scheduling.scheduler import Output, Scheduler, Step
from sauropod._scheduling.sequence import Sequence as Tokens
from sauropod._text.detokenizer import Detokenizer
from sauropod._values.completion import Timings
from sauropod._values.sampling import StopReason
from sauropod._values.scheduling import SchedulerOptions
from sauropod.abc import CacheFull, LanguageModel, Sampled, StepAborted
from sauropod.errors import BackendError, OutOfMemory, PromptTooLong, UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    EmbedJob: TypeAlias = Job[Sequence[int], NDArray[np.float32]]

__all__ = ["Host"]


@attrs.define(eq=False)
class Text:
    """One text being written: its sequence, its detokenizer, and when what happened."""

    sequence: Tokens
    detokenizer: Detokenizer
    received: float
    first: float | None = None

    def timings(self, now: float) -> Timings:
        started = self.sequence.started if self.sequence.started is not None else now
        first = self.first if self.first is not None else now
        return Timings(started - self.received, first - started, now - first)


@attrs.define(eq=False)
class Host:
    """Everything about one model. All of it happens on the worker's step thread, except what says otherwise."""

    model: LanguageModel
    options: SchedulerOptions
    scheduler: Scheduler = attrs.field(init=False)
    embeddings: Batcher[Sequence[int], NDArray[np.float32]] = attrs.field(init=False)
    _embedding_pace: Pace = attrs.field(factory=Pace)
    _texts: dict[int, Text] = attrs.field(factory=dict)
    _interruption: Interruption = attrs.field(init=False)
    _embedded_last: bool = False

    def __attrs_post_init__(self) -> None:
        self.scheduler = Scheduler(self.model, self.options)
        self.embeddings = Batcher(self.options.ageing)
        self._interruption = Interruption(self.model)

    # -- what may run in another thread ----------------------------------------------------------------------------

    def prepare(self, request: Generate, received: float) -> Text:
        """All of a text that can be done before its first step. Raises what `encode` and `compile` do."""
        sampling = request.sampling.over(self.model.info.sampling)
        if sampling.grammar is not None:
            self.model.compile(sampling.grammar)
        sequence = Tokens(
            request.id,
            self.encode(request.prompt),
            sampling,
            request.priority,
            received,
            request.afresh,
            list(request.generated),
        )
        return Text(sequence, Detokenizer(sampling.stop), received)

    def encode(self, prompt: PromptText) -> list[int]:
        """The tokens of a prompt. Raises `UnsupportedInput` or `PromptTooLong`."""
        if prompt.tokens is not None:
            return self._checked(prompt.tokens)
        if prompt.text is not None:
            return list(self.model.encode(prompt.text, special=True))
        text = self.model.render(prompt.messages, prompt.tools, options=prompt.options)
        return list(self.model.encode(text, special=True))

    def encode_inputs(self, request: Embed) -> list[list[int]]:
        """The tokens of inputs to embed. Raises as `encode` does."""
        info = self.model.info
        if not info.embeds:
            raise UnsupportedInput(f"{info.name} gives no embeddings. Use an embedding model.")
        encoded = []
        for given in request.inputs:
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

    def generate(self, text: Text) -> None:
        """Take a text in. Raises what `Scheduler.add` raises."""
        info = self.model.info
        if not info.generates:
            raise UnsupportedInput(f"{info.name} is an embedding model and writes no text. Use engine.embed().")
        self.scheduler.add(text.sequence)
        for token in text.sequence.generated:
            text.detokenizer.feed(self.model.piece(token))  # its text was given out before
        self._texts[text.sequence.id] = text

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
        failed = [*self._texts, *(job.id for job in self.embeddings.jobs)]
        self._texts.clear()
        self.scheduler = Scheduler(self.model, self.options)
        self.embeddings = Batcher(self.options.ageing)
        for slot in range(self.model.info.slots):
            self.model.truncate(slot, 0)
        return [(id, Failed.of(error)) for id in failed]

    def _text_step(self, clock: Callable[[], float], replies: Replies) -> None:
        replies += self._open(self.scheduler.admit(clock()))
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
        taken = self.embeddings.take(self._embedding_budget(), began)
        try:
            vectors = self._vectors(taken)
        except Exception as error:
            return self._embed_one_by_one(taken, error)
        self._embedding_pace.record(sum(len(tokens) for _, tokens in taken), 0, clock() - began)
        return [(job.id, Answer(job.results)) for job in self.embeddings.give(taken, vectors)]

    def _embed_one_by_one(self, taken: Sequence[tuple[EmbedJob, Sequence[int]]], error: Exception) -> Replies:
        """The step failed: find out whose inputs are to blame, for the others want their answers."""
        jobs = list(dict.fromkeys(job for job, _ in taken))
        replies: Replies = []
        for job in jobs:
            own = [pair for pair in taken if pair[0] is job]
            try:
                if len(jobs) == 1:
                    raise error
                finished = self.embeddings.give(own, self._vectors(own))
                replies += [(each.id, Answer(each.results)) for each in finished]
            except Exception as fault:
                self.embeddings.remove(job.id)
                replies.append((job.id, Failed.of(fault)))
        return replies

    def _vectors(self, taken: Sequence[tuple[EmbedJob, Sequence[int]]]) -> list[NDArray[np.float32]]:
        vectors = list(self.model.embed([tokens for _, tokens in taken]))
        if len(vectors) != len(taken):
            raise BackendError(f"The backend gave {len(vectors)} vectors for {len(taken)} inputs.")
        return vectors

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
            more = text.detokenizer.feed(self.model.piece(output.token))
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

    def _checked(self, tokens: Sequence[int]) -> list[int]:
        size = self.model.info.vocabulary_size
        for token in tokens:
            if not 0 <= token < size:
                raise UnsupportedInput(f"The prompt holds the token {token}; this model's tokens are 0 to {size - 1}.")
        return list(tokens)


def _cache_full() -> OutOfMemory:
    return OutOfMemory(
        "The KV cache has no room for this one sequence, though nothing else is in it. "
        "Load the model with a larger cache_length."
    )
