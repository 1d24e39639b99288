"""CompletionWriter: from what a model does with several prompts to completions in pieces, and to the whole one.

Pure: the id and the time are given.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from msgspec import UNSET

from sauropod import Choice, Finished, StopReason, StreamEvent, TextDelta, TokenLogprob, Usage
from sauropod.server.wire.chat.usage import usage_of
from sauropod.server.wire.completions.objects import Ended, TextChoice, TextCompletion, TokenTable

__all__ = ["CompletionWriter"]


@attrs.define(eq=False)
class _Text:
    """One text, as far as it has come."""

    index: int
    begin: str
    """What is told before it: the prompt, if that was asked for."""
    parts: list[str] = attrs.field(factory=list)
    logprobs: list[TokenLogprob] = attrs.field(factory=list)
    ended: Ended | None = None
    _table: TokenTable = attrs.field(factory=TokenTable)
    _begun: bool = False

    def more(self, text: str, logprobs: Sequence[TokenLogprob] = ()) -> list[TextChoice]:
        text = text if self._begun else self.begin + text
        self._begun = True
        self.parts.append(text)
        self.logprobs += logprobs
        return [TextChoice(text, self.index, self._table.more(logprobs))] if text or logprobs else []

    def end(self, choice: Choice) -> list[TextChoice]:
        rest = [] if self._begun else self.more("")
        early = choice.stop_reason in (StopReason.MAX_TOKENS, StopReason.CONTEXT_LENGTH)
        self.ended = "length" if early else "stop"
        return [*rest, TextChoice("", self.index, finish_reason=self.ended)]

    def whole(self) -> TextChoice:
        return TextChoice("".join(self.parts), self.index, TokenTable().more(self.logprobs), self.ended)


@attrs.define(eq=False)
class CompletionWriter:
    """A completion that is being written: `n` texts from each of the prompts.

    `echoes` has, for each prompt, what is told before its texts. Those of the prompt p have the indices from
    p·n on.
    """

    id: str
    created: int
    model: str
    echoes: Sequence[str]
    n: int = 1
    include_usage: bool = False
    _texts: list[_Text] = attrs.field(init=False)
    _usages: list[Usage] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self._texts = [_Text(index, self.echoes[index // self.n]) for index in range(len(self.echoes) * self.n)]

    def take(self, prompt: int, event: StreamEvent) -> list[TextCompletion]:
        """What is to be told of something the model did with that prompt."""
        own = self._texts[prompt * self.n : (prompt + 1) * self.n]
        match event:
            case TextDelta():
                return [self._piece([each]) for each in own[event.index].more(event.text, event.logprobs)]
            case Finished(completion=completion):
                self._usages.append(completion.usage)
                pairs = zip(own, completion.choices, strict=True)
                found = [self._piece([each]) for text, choice in pairs for each in text.end(choice)]
                return [*found, *self._last()]
            case _:
                return []

    def whole(self) -> TextCompletion:
        """All of it, once every prompt is finished."""
        choices = [text.whole() for text in self._texts]
        return TextCompletion(self.id, self.created, self.model, choices, usage_of(self._usages))

    def _last(self) -> list[TextCompletion]:
        """What it took, after everything else."""
        if not self.include_usage or len(self._usages) < len(self.echoes):
            return []
        return [TextCompletion(self.id, self.created, self.model, [], usage_of(self._usages))]

    def _piece(self, choices: list[TextChoice]) -> TextCompletion:
        usage = None if self.include_usage else UNSET
        return TextCompletion(self.id, self.created, self.model, choices, usage)
