"""A language model in llama.cpp: one context, one unified KV cache, a sampler for each slot."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._values.grammar import Grammar
from sauropod._values.messages import Message, Tool
from sauropod._values.sampling import SamplingParams
from sauropod.abc import Attached, AudioFrame, CacheFull, Chunk, LanguageModel, ModelInfo, Sampled, StepAborted
from sauropod.backends.llama_cpp.batch import Batch
from sauropod.backends.llama_cpp.embedding import Embedder
from sauropod.backends.llama_cpp.grammar import Grammars
from sauropod.backends.llama_cpp.hearing import Heard, Projector, VectorBatch
from sauropod.backends.llama_cpp.library import library, listening
from sauropod.backends.llama_cpp.sampling import Candidates, Sampler
from sauropod.backends.llama_cpp.template import ChatTemplate, ToolTemplates
from sauropod.backends.llama_cpp.vocabulary import Vocabulary
from sauropod.errors import BackendError, PromptTooLong, UnsupportedInput

__all__ = ["AbortFlag", "LlamaModel"]

_NO_ROOM, _ABORTED = 1, 2
"""What llama_decode returns when it is not done, besides errors, which are negative."""

_PARTIAL_ONLY = 1
"""LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY: the part of a sequence's state that cannot be cut at its end."""


@attrs.define(eq=False)
class AbortFlag:
    """What llama.cpp's abort callback looks at, for every node of the graph it computes.

    The callback is the C library's `strlen` on a string that is empty until it is raised: any thread can raise it, and
    looking at it, a thousand times in every step, needs neither Python nor its lock.
    """

    _text: Any = attrs.field(factory=lambda: ctypes.create_string_buffer(2))

    def connect(self, params: Any) -> None:
        """Let the context made from these parameters look at the flag."""
        c_library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
        params.abort_callback = ctypes.cast(c_library.strlen, type(params.abort_callback))
        params.abort_callback_data = ctypes.cast(self._text, ctypes.c_void_p)

    def raise_it(self) -> None:
        self._text[0] = b"\x01"

    def lower(self) -> None:
        self._text[0] = b"\x00"


@attrs.define(eq=False)
class LlamaModel(LanguageModel):
    """Made by `sauropod.backends.llama_cpp.loading.load`, which fills it in."""

    _model: Any
    _context: Any
    """None for a model that only embeds."""
    _info: ModelInfo
    _vocabulary: Vocabulary
    _embedder: Embedder
    _abort: AbortFlag
    _template: ChatTemplate | ToolTemplates | None = None
    _template_fault: str = "This model has no chat template; give one with chat_template=…, or ask with raw=True."
    _window: int = 0
    """How many tokens back sliding-window layers see; 0 if there are none."""
    _projector: Projector | None = None
    """What it hears with."""
    _memory: Any = attrs.field(init=False, default=None)
    _batch: Batch = attrs.field(init=False)
    _candidates: Candidates = attrs.field(init=False)
    _grammars: Grammars = attrs.field(init=False)
    _samplers: dict[int, Sampler] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        placement = self._info.placement
        on_gpu = placement is not None and placement.offloaded_layers > 0
        self._grammars = Grammars(self._vocabulary, self._info.slots, on_gpu)
        if self._context is not None:
            self._memory = library().llama_get_memory(self._context)
            self._batch = Batch(self._info.step_tokens)
            self._candidates = Candidates(self._vocabulary.size)

    @property
    def info(self) -> ModelInfo:
        return self._info

    # -- text ------------------------------------------------------------------------------------------------------

    @property
    def eos(self) -> Collection[int]:
        return self._vocabulary.eos

    def render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, options: Mapping[str, Any] | None = None
    ) -> str:
        if self._template is None:
            raise UnsupportedInput(self._template_fault)
        return self._template.render(messages, tools, options)

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        return self._vocabulary.encode_prompt(text) if special else self._vocabulary.encode_text(text)

    def encode_rest(self, text: str) -> Sequence[int]:
        return self._vocabulary.encode_rest(text)

    def attach(self, audio: AudioFrame) -> Attached:
        return super().attach(audio) if self._projector is None else self._projector.attach(audio)

    def hear(self, attached: Attached) -> bool:
        return isinstance(attached, Heard) and self._projector is not None and self._projector.hear(attached)

    def encode_input(self, text: str, second: str | None = None) -> Sequence[int]:
        if second is not None and self._info.pooling != "rank":
            raise UnsupportedInput(f"{self._info.name} embeds single texts; pairs are for rerankers.")
        tokens = self._vocabulary.encode_input(text, second)
        if not tokens:
            raise UnsupportedInput("There is nothing to embed: the text has no tokens. Leave it out.")
        if len(tokens) > self._embedder.longest:
            raise PromptTooLong(len(tokens), self._embedder.longest, embedded=True)
        return tokens

    def compile(self, grammar: Grammar) -> None:
        if grammar.kind not in self._info.grammars:
            super().compile(grammar)
        self._grammars.compile(grammar)

    def piece(self, token: int) -> bytes:
        return self._vocabulary.piece(token)

    def mark(self, token: int) -> str:
        return self._vocabulary.mark(token).decode(errors="replace")

    # -- slots -----------------------------------------------------------------------------------------------------

    def open(self, slot: int, sampling: SamplingParams, prompt: Sequence[int], generated: Sequence[int]) -> None:
        if slot in self._samplers:
            self._samplers.pop(slot).close()
        constraint = None if sampling.grammar is None else self._grammars.constrain(slot, sampling, generated)
        self._samplers[slot] = Sampler.make(
            sampling,
            self._candidates,
            self._vocabulary.pointer,
            self._vocabulary.eos,
            self._info.context_length,
            self._texts(prompt),
            generated,
            constraint,
        )

    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        if self._projector is not None and chunks[0].tokens[0] < 0:
            vectors = VectorBatch.of(chunks, self._projector)
            native, last = vectors.native, vectors.last
        else:
            last, native = self._batch.fill(chunks), self._batch.native
        choosing = [self._samplers[chunk.slot].constraint for chunk in chunks if chunk.sample]
        with listening() as lines, self._grammars.beside(choosing):
            result = library().llama_decode(self._context, native)
        self._abort.lower()  # not before: who raises it just before this step means this step
        if result == _NO_ROOM:
            raise CacheFull
        if result == _ABORTED:
            raise StepAborted
        if result != 0:
            raise BackendError(f"llama.cpp could not compute a step (llama_decode gave {result}). {_tail(lines)}")
        self._grammars.mask(choosing)
        return [
            self._samplers[chunk.slot].choose(chunk.slot, self._logits(index))
            for chunk, index in zip(chunks, last, strict=True)
            if chunk.sample
        ]

    def can_truncate(self, slot: int, length: int) -> bool:
        """Recurrent state cannot go back. A sliding window can, as long as what it would show is still there.

        llama.cpp would also say yes where it is not, and then compute nonsense.
        """
        if self._info.rewinds:
            return True
        if self._window == 0:
            return bool(library().llama_memory_seq_pos_max(self._memory, slot) < length)
        return bool(library().llama_memory_seq_pos_min(self._memory, slot) <= max(0, length - self._window))

    def truncate(self, slot: int, length: int, checkpoint: bytes | None = None) -> bool:
        if length and checkpoint is None and not self.can_truncate(slot, length):
            return False
        if checkpoint is not None and not self._restore(slot, checkpoint, _PARTIAL_ONLY):
            return False
        return self._cut(slot, length)

    def copy(self, source: int, target: int, length: int, checkpoint: bytes | None = None) -> bool:
        """Share the cells. What cannot be cut is shared whole, so it is then replaced by the checkpoint.

        A window is replaced too, by a copy of itself: cells that two sequences share are never used again when both
        have left them behind, and the window's cache is too small for that.
        """
        if checkpoint is None and not self.can_truncate(source, length):
            return False
        library().llama_memory_seq_cp(self._memory, source, target, 0, length)
        if checkpoint is None and self._window:
            checkpoint = self._state(target, _PARTIAL_ONLY)
        if checkpoint is None or (self._restore(target, checkpoint, _PARTIAL_ONLY) and self._cut(target, length)):
            return True
        self._cut(target, 0)
        return False

    def checkpoint(self, slot: int) -> bytes | None:
        return None if self._info.rewinds else self._state(slot, _PARTIAL_ONLY)

    def save(self, slot: int) -> bytes | None:
        return self._state(slot, 0)

    def load(self, slot: int, state: bytes) -> bool:
        if self._restore(slot, state, 0):
            return True
        self._cut(slot, 0)
        return False

    # -- other -----------------------------------------------------------------------------------------------------

    def embed(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        return self._embedder.embed(inputs)

    def abort(self) -> None:
        self._abort.raise_it()

    def close(self) -> None:
        for sampler in self._samplers.values():
            sampler.close()
        self._samplers.clear()
        self._grammars.close()
        self._embedder.close()
        if self._projector is not None:
            self._projector.close()
        lib = library()
        if self._context is not None:
            lib.llama_free(self._context)
        lib.llama_model_free(self._model)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _texts(self, prompt: Sequence[int]) -> Sequence[int]:
        """A prompt's tokens that are text: what is attached has no penalties."""
        return prompt if self._projector is None else [token for token in prompt if token >= 0]

    def _logits(self, index: int) -> NDArray[np.float32]:
        """The logits after a token of the step, where the library has them."""
        pointer = library().llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(pointer, shape=(self._vocabulary.size,))

    def _cut(self, slot: int, length: int) -> bool:
        return bool(library().llama_memory_seq_rm(self._memory, slot, length, -1))

    def _state(self, slot: int, flags: int) -> bytes:
        lib = library()
        size = lib.llama_state_seq_get_size_ext(self._context, slot, flags)
        buffer = np.empty(size, dtype=np.uint8)
        written = lib.llama_state_seq_get_data_ext(self._context, _bytes_at(buffer), size, slot, flags)
        return buffer[:written].tobytes()

    def _restore(self, slot: int, state: bytes, flags: int) -> bool:
        buffer = np.frombuffer(state, dtype=np.uint8)
        read = library().llama_state_seq_set_data_ext(self._context, _bytes_at(buffer), buffer.size, slot, flags)
        return bool(read)


def _bytes_at(buffer: NDArray[np.uint8]) -> Any:
    return buffer.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))


def _tail(lines: Sequence[str]) -> str:
    return "Its log says: " + " · ".join(lines[-3:]) if lines else "Its log says nothing."
