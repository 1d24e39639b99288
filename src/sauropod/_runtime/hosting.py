"""One language model in a worker: its scheduler, the texts being written, the embeddings being computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs

from sauropod._runtime.interruption import Interruption
from sauropod._runtime.protocol import Answer, Embed, End, Failed, Generate, Piece, PromptText, Replies
from sauropod._scheduling.batcher import Batcher, Job
from sauropod._scheduling.scheduler import Output, Scheduler, Step
from sauropod._scheduling.sequence import Sequence as Tokens
from sauropod._text.detokenizer import Detokenizer
from sauropod._values.completion import Timings
from sauropod._values.sampling import StopReason
from sauropod._values.scheduling import SchedulerOptions
from sauropod.abc import CacheFull, LanguageModel, Sampled, StepAborted
from sauropod.errors import OutOfMemory, PromptTooLong, UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
    _texts: dict[int, Text] = attrs.field(factory=dict)
    _interruption: Interruption = attrs.field(init=False)
    _embedded_last: bool = False

    def __attrs_post_init__(self) -> None:
        self.scheduler = Scheduler(self.model, self.options)
        self.embeddings = Batcher(self.model.info.step_tokens)
        self._interruption = Interruption(self.model)

    # -- what may run in another thread ----------------------------------------------------------------------------

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

    def generate(self, request: Generate, prompt: list[int], received: float) -> None:
        """Take a request in. Raises what `Scheduler.add` raises."""
        info = self.model.info
        if not info.generates:
            raise UnsupportedInput(f"{info.name} is an embedding model and writes no text. Use engine.embed().")
        sampling = request.sampling.over(info.sampling)
        sequence = Tokens(
            request.id, prompt, sampling, request.priority, received, request.afresh, list(request.generated)
        )
        self.scheduler.add(sequence)
        detokenizer = Detokenizer(sampling.stop)
        for token in request.generated:
            detokenizer.feed(self.model.piece(token))  # its text was given out before
        self._texts[request.id] = Text(sequence, detokenizer, received)

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
        sequences = (*self.scheduler.waiting, *self.scheduler.running)
        ranks = [sequence.rank(now, self.options.ageing) for sequence in sequences]
        ranks += [job.priority - int((now - job.arrived) / self.options.ageing) for job in self.embeddings.jobs]
        return min(ranks, default=None)

    def step(self, clock: Callable[[], float]) -> Replies:
        """One call of the backend, for texts or, when it is their turn, for embeddings."""
        embed = bool(self.embeddings.jobs) and not (self.scheduler.busy and self._embedded_last)
        self._embedded_last = embed
        return self._embed_step() if embed else self._text_step(clock)

    def _text_step(self, clock: Callable[[], float]) -> Replies:
        replies = self._open(self.scheduler.admit(clock()))
        step = self.scheduler.schedule(clock())
        if not step.chunks:
            return replies
        try:
            with self._interruption.during(step):
                sampled = self.model.decode(step.chunks)
        except StepAborted:
            self.scheduler.roll_back(step)
            return replies
        except CacheFull:
            return replies + ([] if self.scheduler.make_room() else self._fail(step, _cache_full()))
        except Exception as error:
            return replies + self._fail(step, error)
        now = clock()
        outputs = self.scheduler.update(step, sampled, now)
        return replies + [reply for output in outputs for reply in self._tell(output, now)]

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

    def _embed_step(self) -> Replies:
        taken = self.embeddings.take()
        try:
            vectors = self.model.embed([tokens for _, tokens in taken])
        except Exception as error:
            jobs = {job.id for job, _ in taken}
            for id in jobs:
                self.embeddings.remove(id)
            return [(id, Failed.of(error)) for id in jobs]
        return [(job.id, Answer(job.results)) for job in self.embeddings.give(taken, list(vectors))]

    # -- replies ---------------------------------------------------------------------------------------------------

    def _tell(self, output: Output, now: float) -> Replies:
        """What a step's output means to whoever asked for the text."""
        id = output.sequence.id
        text = self._texts[id]
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
