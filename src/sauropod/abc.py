"""The plug-in contract: what a backend must be, and what it may rely on.

A distribution registers a backend under its name in the entry-point group `sauropod.backends`:

    [project.entry-points."sauropod.backends"]
    markov = "sauropod_markov:Markov"

The object named there is called without arguments and gives a `Backend` or a `ChatBackend`. Importing its
module must be cheap; load native libraries inside `load`.

**Who calls, and when.** A `LanguageModel` lives in a worker. `Backend.load` runs in a thread of its own. After
that every method is called by the worker's one step thread, one call at a time, with these exceptions, which
may come from other threads while `decode` runs: `render`, those that encode, `attach` and `compile` from one, `hear`
from a second, and `abort` from any. Nothing else needs a lock. `close` comes last, from whichever.

Subclass the protocols: the methods with a body are defaults that always work, and `sauropod.testing` has the
conformance tests.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from sauropod._values.asking import ChatOptions
from sauropod._values.audio import AudioFrame
from sauropod._values.batch import Attached, Chunk, Sampled
from sauropod._values.completion import (
    Finished,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallDropped,
    ToolCallOpened,
)
from sauropod._values.grammar import Grammar, GrammarKind
from sauropod._values.info import Device, ModelInfo, Placement
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.messages import Message, Tool
from sauropod._values.sampling import SamplingParams
from sauropod._values.speech import (
    Clip,
    Codes,
    Detected,
    Heard,
    Mark,
    Phrase,
    Pronounced,
    Recognized,
    SpeechInfo,
    SpeechKind,
    Spoken,
    Word,
)
from sauropod._values.syntax import (
    ArgumentSyntax,
    CallSyntax,
    Layout,
    ReasoningSyntax,
    Slot,
    Syntax,
    SyntaxOrigin,
    Values,
)
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "ArgumentSyntax",
    "Attached",
    "AudioCodec",
    "AudioFrame",
    "Backend",
    "CacheFull",
    "CallSyntax",
    "ChatBackend",
    "ChatModel",
    "ChatOptions",
    "Chunk",
    "Clip",
    "Codes",
    "Detected",
    "Device",
    "Finished",
    "Grammar",
    "GrammarKind",
    "Heard",
    "LanguageModel",
    "Layout",
    "LoadOptions",
    "Mark",
    "ModelInfo",
    "Phonemizer",
    "Phrase",
    "Placement",
    "Pronounced",
    "ReasoningDelta",
    "ReasoningSyntax",
    "Recognized",
    "Recognizer",
    "Sampled",
    "Slot",
    "Source",
    "SpeechInfo",
    "SpeechKind",
    "SpeechModel",
    "Spoken",
    "StepAborted",
    "StreamEvent",
    "Syntax",
    "SyntaxOrigin",
    "Synthesizer",
    "TextDelta",
    "ToolCallClosed",
    "ToolCallDelta",
    "ToolCallDropped",
    "ToolCallOpened",
    "TurnDetector",
    "Values",
    "VoiceDetector",
    "Word",
]


class CacheFull(Exception):
    """Raised by `LanguageModel.decode` when its cache has no room for the step. The cache is as it was before."""


class StepAborted(Exception):
    """Raised by `LanguageModel.decode` after `abort()`. Slots of the step may hold some of their chunk's tokens."""


class LanguageModel(Protocol):
    """A model that turns tokens into the next token, in `info.slots` slots side by side.

    A slot holds tokens the model has computed. Only what is held is remembered: the scheduler sends each token once,
    and takes back with `truncate` what should be forgotten. What a slot says never depends on the other slots.
    """

    @property
    @abstractmethod
    def info(self) -> ModelInfo:
        """What this model is. Constant once loaded."""

    # -- text ------------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def eos(self) -> Collection[int]:
        """The tokens with which the model ends its turn."""

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        *,
        options: Mapping[str, Any] | None = None,
    ) -> str:
        """The conversation as the text the model was trained on, up to where its answer begins.

        `options` are variables for the chat template; `add_generation_prompt` off leaves out how its answer begins.
        How calls and thoughts are written is read off what this makes of a few small conversations. The default knows
        no roles: it joins what was said.
        Raises `UnsupportedInput` for a conversation the model's template refuses.
        """
        if tools:
            raise UnsupportedInput("This model has no chat template, so it cannot be given tools.")
        return "\n".join(message.content for message in messages)

    @abstractmethod
    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        """The tokens of `text`.

        With `special` the text is a whole prompt as `render` gives it: marks such as `<|im_end|>` are read as the
        tokens they name, and the model's beginning-of-text token is put first where it wants one. Without, the
        text is only text.
        """

    def encode_input(self, text: str, second: str | None = None) -> Sequence[int]:
        """The tokens of what is to be embedded: one text, or the two that a reranker compares.

        Raises `UnsupportedInput` for what it cannot embed, such as a pair or nothing at all, and `PromptTooLong` where
        less can be embedded than `info.context_length`.
        """
        if second is not None:
            raise UnsupportedInput("This model embeds single texts; pairs are for rerankers.")
        return self.encode(text, special=True)

    def encode_rest(self, text: str) -> Sequence[int]:
        """The tokens of a prompt's text behind something attached: marks are read, and nothing is put before it."""
        raise UnsupportedInput(f"{self.info.name} hears no audio.")

    def attach(self, audio: AudioFrame) -> Attached:
        """What stands for a piece of audio, at `info.audio_rate` samples a second, in a prompt.

        It only tells the tokens, and how many; whether there is room for them is looked at before anything is heard.
        Raises `UnsupportedInput` for audio that cannot be heard.
        """
        raise UnsupportedInput(f"{self.info.name} hears no audio. Use a model that does, or a sauropod.Transcriber.")

    def hear(self, attached: Attached) -> bool:
        """Do a part of the work that takes long, such as half a minute of audio; whether there is more of it.

        Called until there is none, before tokens of `attached` are computed, by a thread of its own, one call at a
        time; what was heard before costs nothing. It may end before that, when nobody waits any more.
        """
        return False

    def compile(self, grammar: Grammar) -> None:
        """Make a grammar ready for `open`, so that it takes no time there. Takes at most about a second.

        Raises `InvalidGrammar` for one that is not well-formed, too large, or asks for what cannot be enforced, and
        `UnsupportedInput` for a kind that is not in `info.grammars`.
        """
        raise UnsupportedInput(
            f"{self.info.name} cannot be held to a grammar of the kind {grammar.kind}. Leave grammar out."
        )

    @abstractmethod
    def piece(self, token: int) -> bytes:
        """The bytes the token adds to a text; empty for control tokens. Not always whole characters."""

    def mark(self, token: int) -> str:
        """How a token that adds nothing to a text is written by `render`, as `<|im_end|>` is; empty for any other."""
        return ""

    # -- slots -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def open(self, slot: int, sampling: SamplingParams, prompt: Sequence[int], generated: Sequence[int]) -> None:
        """Prepare to choose tokens for a sequence in `slot`, whatever tokens the slot holds.

        Every field of `sampling` that has a default has a value. `prompt` and `generated` are what penalties look
        back on; `generated` is not empty when a sequence is resumed. The n-th choice of a seeded sequence must not
        depend on anything but its seed, n and the logits. Raises `InvalidSampling` if nothing is left to choose from.

        With `sampling.grammar`, which was given to `compile` before, `generated` and all that is chosen after it begin
        a text of the grammar, and a complete text is followed by an end token. Raises what `compile` does.
        """

    @abstractmethod
    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        """Compute the chunks in one step and choose a token for each that asks for one, in their order.

        A choice may bring forced tokens with it, which a later chunk holds together with the chosen one. The chunks of
        a step hold either text or what is attached, never both.

        Afterwards each slot holds its chunk's tokens too. At most one chunk a slot; `start` is always how many tokens
        the slot holds; their tokens together are at most
        `info.step_tokens`. Raises `CacheFull`, `StepAborted`, or
        `BackendError` when the step failed for good.
        """

    def can_truncate(self, slot: int, length: int) -> bool:
        """Whether `truncate` and `copy` can bring back the first `length` tokens of `slot` without a checkpoint."""
        return self.info.rewinds

    def truncate(self, slot: int, length: int, checkpoint: bytes | None = None) -> bool:
        """Forget all but the first `length` tokens of `slot`. False if that cannot be done: nothing is changed then.

        `checkpoint` was taken of a slot when it held exactly these `length` tokens. 0 always succeeds.
        """
        return False

    def copy(self, source: int, target: int, length: int, checkpoint: bytes | None = None) -> bool:
        """Let `target` hold the first `length` tokens of `source` and nothing else. False if that cannot be done.

        `checkpoint` was taken of a slot when it held exactly these `length` tokens. `target` is empty before, and also
        after False. `source` may belong to a running sequence and is left as it is.
        """
        return False

    def checkpoint(self, slot: int) -> bytes | None:
        """What `truncate` needs to come back to the tokens `slot` holds now; None if it needs nothing or cannot."""
        return None

    def save(self, slot: int) -> bytes | None:
        """All that `slot` holds, to be kept in host memory; None if that cannot be done."""
        return None

    def load(self, slot: int, state: bytes) -> bool:
        """Put what `save` gave back into an empty slot. False if there is no room for it: the slot stays empty."""
        return False

    # -- other -----------------------------------------------------------------------------------------------------

    def embed(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """One vector for each input of tokens, pooled as `info.pooling` says, not normalised: float32 [inputs, d].

        The inputs are what `encode_input` gave. No vector depends on the others.
        """
        raise UnsupportedInput("This model gives no embeddings.")

    def abort(self) -> None:
        """Stop the `decode` that is running now, or the next if none is, as soon as may be: it raises `StepAborted`.

        One that is so good as done may also end as if nothing had been said, and leave it to the next.
        """
        return None

    def close(self) -> None:
        """Give back all memory. Called once, last."""
        return None


# -- ears and mouths ---------------------------------------------------------------------------------------------------


@runtime_checkable
class SpeechModel(Protocol):
    """What ears and mouths have in common: they compute items in batches, and no item depends on another.

    Each has one method that computes a batch, called by the worker's step thread. Items of one batch may be from
    different callers. An item that is wrong is refused by `prepare`; a failing batch is tried again item by item.
    """

    @property
    @abstractmethod
    def info(self) -> SpeechInfo:
        """What this model is. Constant once loaded."""

    def prepare(self, item: Any) -> Any:
        """What is put into the batch for `item`: what can be done before its turn, such as features or phonemes.

        Called by the model's preparing thread, one call at a time, while a batch may be computed. Raises
        `UnsupportedInput` for an item that cannot be computed.
        """
        return item

    def close(self) -> None:
        """Give back all memory. Called once, last."""
        return None


@runtime_checkable
class Recognizer(SpeechModel, Protocol):
    """Turns speech into text."""

    @abstractmethod
    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        """What was said in each `Clip`, as `prepare` gave it, in their order."""


@runtime_checkable
class Synthesizer(SpeechModel, Protocol):
    """Turns text into speech."""

    @abstractmethod
    def synthesize(self, batch: Sequence[Any]) -> Sequence[Spoken]:
        """Each `Phrase` spoken, as `prepare` gave it, in their order."""


@runtime_checkable
class VoiceDetector(SpeechModel, Protocol):
    """Tells speech from everything else, while it comes in."""

    @abstractmethod
    def detect(self, batch: Sequence[Any]) -> Sequence[Detected]:
        """Go on with each stream by what was `Heard`, in their order.

        A stream's probabilities are the same, bit by bit, whatever pieces its samples come in and whoever shares
        the batch.
        """


@runtime_checkable
class TurnDetector(SpeechModel, Protocol):
    """Tells whether a speaker has finished, from how it sounds."""

    @abstractmethod
    def judge(self, batch: Sequence[Any]) -> Sequence[float]:
        """How likely it is, from 0 to 1, that each `Clip` ends a turn, in their order."""


@runtime_checkable
class AudioCodec(SpeechModel, Protocol):
    """Turns codes that a language model wrote into sound."""

    @abstractmethod
    def decode_audio(self, batch: Sequence[Any]) -> Sequence[NDArray[np.float32]]:
        """The samples of each item of `Codes`, in their order: float32 [n·info.frame]."""


@runtime_checkable
class Phonemizer(Protocol):
    """Tells how text is said. Found in the entry-point group `sauropod.phonemizers`; made without arguments."""

    @property
    @abstractmethod
    def languages(self) -> Collection[str]:
        """What it can read, as BCP-47 tags in small letters: `"en-us"`, `"fr"`."""

    @abstractmethod
    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        """The text in stretches, in order, none over another. Takes any text, and skips what it cannot read."""


# -- backends ----------------------------------------------------------------------------------------------------------


@runtime_checkable
class Backend(Protocol):
    """A way to run models in a worker."""

    suffixes: ClassVar[Sequence[str]] = ()
    """The endings of model files it loads, such as `".gguf"`. Sources are then found, fetched and given as files.

    Without any, the source is handed over as the user wrote it.
    """

    def select(self, files: Collection[str], quantization: str | None) -> Sequence[str] | None:
        """For models that are several files: of a repository's or directory's `files`, those that make up the model.

        Paths are relative to its root, with slashes. Asked in the user's process, so it must load nothing native. None
        means that models are single files (or the parts of one), chosen by name and quantisation. Raises
        `UnsupportedModel` where no model of this backend is among the files, and `ModelNotFound` where the
        `quantization` is not.
        """
        return None

    def supports(self, architecture: str) -> bool:
        """Whether this build can run model files of this architecture (`general.architecture` in a GGUF).

        Asked in the user's process before anything large is fetched, so it must be cheap and load nothing native.
        """
        return True

    @abstractmethod
    def devices(self) -> Sequence[Device]:
        """The devices this backend can compute on, the one to prefer first. The CPU is always among them."""

    @abstractmethod
    def load(self, source: Source, options: LoadOptions) -> LanguageModel | SpeechModel:
        """Make a model ready: a `LanguageModel`, `Recognizer`, `Synthesizer`, `VoiceDetector` and so on.

        Raises `ModelNotFound`, `UnsupportedModel`, `DeviceUnavailable`, `OutOfMemory` or `BackendError`.
        """


class ChatModel(Protocol):
    """A model that is somewhere else or batches by itself: a remote provider, vLLM, MLX. It needs no worker."""

    @property
    @abstractmethod
    def info(self) -> ModelInfo:
        """What this model is. Constant once loaded."""

    @abstractmethod
    def stream(
        self, messages: Sequence[Message], chat: ChatOptions, sampling: SamplingParams
    ) -> AsyncIterator[StreamEvent]:
        """Answer the conversation: deltas, then one `Finished`. An async generator; closing it cancels the request.

        Calls and thoughts are events of their own, and parts of the completion's choices. What of `chat` or `sampling`
        cannot be done is `UnsupportedInput`.
        """

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector for each text: float32 [texts, d]."""
        raise UnsupportedInput("This model gives no embeddings.")

    async def count_tokens(self, messages: Sequence[Message], chat: ChatOptions) -> int:
        """How many tokens the conversation takes."""
        raise UnsupportedInput("This model cannot count tokens.")

    async def aclose(self) -> None:
        """Let go of connections. Called once, last."""
        return None


@runtime_checkable
class ChatBackend(Protocol):
    """A way to reach chat models without a worker."""

    @abstractmethod
    async def connect(self, source: Source, options: LoadOptions) -> ChatModel:
        """Make a model ready to be asked. Raises as `Backend.load` does."""
