"""What a request gives back: events while it runs, and the completion at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import attrs

from sauropod._values.messages import Message, ToolCall
from sauropod._values.sampling import StopReason

__all__ = [
    "Choice",
    "Completion",
    "ContextLedger",
    "Finished",
    "ReasoningDelta",
    "StreamEvent",
    "TextDelta",
    "Timings",
    "TokenLogprob",
    "ToolCallClosed",
    "ToolCallDelta",
    "ToolCallDropped",
    "ToolCallOpened",
    "Usage",
]


@attrs.frozen
class TokenLogprob:
    """One token's natural-log probability under the model, before any sampler changed it."""

    token: int
    piece: bytes
    """The bytes the token stands for; not always whole characters."""
    logprob: float
    alternatives: Sequence[TokenLogprob] = ()
    """The likeliest tokens at this place, likeliest first, as many as were asked for."""


@attrs.frozen
class Usage:
    """Token counts. `prompt_tokens` counts the prompt once however many texts were written from it."""

    prompt_tokens: int
    cached_tokens: int
    """How many of the prompt's tokens were taken from the prefix cache."""
    completion_tokens: int
    reasoning_tokens: int = 0
    """How many of the completion's tokens are thoughts."""

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@attrs.frozen
class Timings:
    """Seconds, measured where the model runs."""

    queued: float
    """From the request's arrival until its first token was computed on."""
    prompt: float
    """From there until the first token of the answer."""
    generation: float
    """From the first token of the answer until its last."""

    @property
    def first_token(self) -> float:
        """From the request's arrival until the first token of the answer."""
        return self.queued + self.prompt

    @property
    def total(self) -> float:
        return self.queued + self.prompt + self.generation


@attrs.frozen
class ContextLedger:
    """What became of a conversation on its way into the context."""

    kept_messages: int
    kept_tokens: int
    dropped_messages: int
    """Those left out because all would not have fitted, with `overflow="truncate"`: the oldest turns."""
    dropped_tokens: int
    cached_tokens: int
    """How many of the kept tokens were computed before."""


@attrs.frozen
class Choice:
    """One of the texts written from a prompt."""

    text: str
    """What the model says; without its thoughts and its calls."""
    stop_reason: StopReason
    tokens: Sequence[int]
    """The tokens that were generated. An end or stop token that ended the text is not among them; those in which a stop
    string was found are, though `text` ends before it."""
    stop: str | int | None = None
    """The stop string or stop token that was reached, if one was."""
    logprobs: Sequence[TokenLogprob] | None = None
    """One for each of `tokens`, if they were asked for."""
    reasoning: str | None = None
    """What the model thought before; None if nothing."""
    tool_calls: Sequence[ToolCall] = ()
    warnings: Sequence[str] = ()
    """What is wrong with what looked like calls and was taken for text."""

    @property
    def message(self) -> Message:
        """The same as a message, to go on with the conversation."""
        return Message("assistant", self.text, tool_calls=self.tool_calls, reasoning=self.reasoning)


@attrs.frozen
class Completion:
    """A request's answer. With `n` = 1 its only choice is at hand as `text`, `stop_reason` and so on."""

    choices: Sequence[Choice]
    usage: Usage
    timings: Timings
    context: ContextLedger | None = None
    """What of the conversation the model was given; None for a prompt that is no conversation."""

    @property
    def text(self) -> str:
        return self.choices[0].text

    @property
    def stop_reason(self) -> StopReason:
        return self.choices[0].stop_reason

    @property
    def tokens(self) -> Sequence[int]:
        return self.choices[0].tokens

    @property
    def logprobs(self) -> Sequence[TokenLogprob] | None:
        return self.choices[0].logprobs

    @property
    def reasoning(self) -> str | None:
        return self.choices[0].reasoning

    @property
    def tool_calls(self) -> Sequence[ToolCall]:
        return self.choices[0].tool_calls

    @property
    def message(self) -> Message:
        return self.choices[0].message

    def __str__(self) -> str:
        return self.text


@attrs.frozen
class TextDelta:
    """More text of one choice. `logprobs` belongs to the tokens that arrived with it.

    `text` is empty where there are only log-probabilities to tell: of the tokens in which a stop string was found.
    """

    text: str
    index: int = 0
    logprobs: Sequence[TokenLogprob] = ()
    warning: str = ""
    """Why this is text, where the model seems to have meant a call: what is wrong with it."""


@attrs.frozen
class ReasoningDelta:
    """More of what the model thinks before it answers."""

    text: str
    index: int = 0


@attrs.frozen
class ToolCallOpened:
    """The model calls a tool. `call` counts the calls of the answer, from 0. Its arguments follow."""

    call: int
    id: str
    name: str
    index: int = 0


@attrs.frozen
class ToolCallDelta:
    """More of a call's arguments. Together they are the beginning of a JSON object at any time."""

    call: int
    arguments: str
    index: int = 0


@attrs.frozen
class ToolCallClosed:
    """A call is complete."""

    call: int
    tool_call: ToolCall
    index: int = 0


@attrs.frozen
class ToolCallDropped:
    """A call that was opened turned out to be none. What the model wrote follows as text."""

    call: int
    warning: str
    """What is wrong with it."""
    index: int = 0


@attrs.frozen
class Finished:
    """The last event of a stream that ran to its end."""

    completion: Completion


StreamEvent: TypeAlias = (
    TextDelta | ReasoningDelta | ToolCallOpened | ToolCallDelta | ToolCallClosed | ToolCallDropped | Finished
)
"""What `Engine.stream()` yields."""
