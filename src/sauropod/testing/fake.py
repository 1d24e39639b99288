"""A language model made of arithmetic, as strict about its contract as a real one is fragile."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import pickle
import signal
import threading
import time
import weakref
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from sauropod._values.grammar import Grammar, GrammarKind
from sauropod._values.messages import Message, Tool
from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams
from sauropod.abc import (
    Attached,
    AudioFrame,
    CacheFull,
    Chunk,
    LanguageModel,
    ModelInfo,
    Placement,
    Sampled,
    StepAborted,
)
from sauropod.errors import BackendError
from sauropod.testing.choices import Choices
from sauropod.testing.violation import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FakeLanguageModel", "FakeOptions"]

EOS, BOS, FIRST_PIECE = 256, 257, 258
SOUND_RATE = 16_000
NOTE = "♪".encode()
PIECES = (
    b" the",
    b"ing",
    "é".encode(),
    b"\xe2\x82",
    b"\xac",
    "🦕".encode()[:2],
    "🦕".encode()[2:],
    b"\xff\xfe",
    b"\n\n",
)
"""Beyond the 256 bytes: words, whole characters, halves of characters, and bytes that are never valid UTF-8."""


@attrs.frozen(kw_only=True)
class FakeOptions:
    """What kind of model to imitate, and which faults to have. A `FakeBackend` takes them as `options=`."""

    slots: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    context_length: int = attrs.field(default=256, validator=attrs.validators.ge(2))
    step_tokens: int = attrs.field(default=64, validator=attrs.validators.ge(1))
    cache_length: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    """Cells shared by all slots; 0 is as many as there could be."""
    rewinds: bool = True
    window: int = 0
    """With `rewinds` off: how many tokens can be dropped all the same, as with sliding-window attention."""
    idle_slots_cost: bool = False
    eos_rate: float = 0.02
    """How often the model ends its turn, of all tokens."""
    seconds_per_token: float = 0.0
    """How long `decode` takes for each token; `abort` cuts it short."""
    aborts: Collection[int] = ()
    """The steps, counted from 1, that end in `StepAborted` without having been asked to."""
    crash_on: str = ""
    """Text; a prompt that contains it kills the process at its first step."""
    last_words: str = ""
    """What it prints to stderr, as native code would, before it dies."""
    says: Mapping[str, str] = attrs.field(factory=dict)
    """What it answers, by a text that stands in the conversation: of several the one that stands last. An answer may
    hold calls, as `<tool_call>{"name": …, "arguments": …}</tool_call>`, and before them `<think>thoughts</think>`."""
    hears: bool = False
    """Whether prompts may carry audio: a token for every tenth of a second, which `says` knows as ♪."""
    grammars: bool = True
    grammar_fails_at: int | None = None
    """The length of an answer at which its grammar fails in the middle."""
    load_seconds: float = 0.0
    load_crashes: bool = False


@attrs.define(eq=False)
class _Opened:
    """A slot's sequence."""

    sampling: SamplingParams
    prompt: int
    """How many of its tokens are the prompt."""
    tokens: list[int]
    """What it was opened for, and what was chosen since."""
    count: int
    """How many were chosen."""


@attrs.define(eq=False)
class FakeLanguageModel(LanguageModel):
    """Chooses each token by a hash of the tokens its slot holds, so that any mix-up changes what it says.

    With `temperature` 0 the choice depends on nothing else; otherwise on the seed and on how many were chosen.
    Of grammars it knows choices, and forces whatever they leave no choice about. Every breach of the contract raises
    `ContractViolation`. After an abort some chunks are half computed.
    """

    options: FakeOptions = attrs.field(factory=FakeOptions)
    held: list[list[int]] = attrs.field(init=False)
    """What each slot holds."""
    steps: list[Sequence[Chunk]] = attrs.field(factory=list)
    """Every step so far."""
    computed: int = 0
    """Tokens computed in all."""
    heard: list[AudioFrame] = attrs.field(factory=list)
    """All audio so far."""
    _attached: weakref.WeakValueDictionary[bytes, Attached] = attrs.field(factory=weakref.WeakValueDictionary)
    """By what it sounds like."""
    _hearing: weakref.WeakKeyDictionary[Attached, int] = attrs.field(factory=weakref.WeakKeyDictionary)
    """How many of its tokens have been heard."""
    _numbers: dict[bytes, int] = attrs.field(factory=dict)
    """The first of the tokens of what was heard, counted down from -1."""
    _next_number: int = -1
    _cells: list[list[int]] = attrs.field(init=False)
    _opened: dict[int, _Opened] = attrs.field(factory=dict)
    _compiled: set[Grammar] = attrs.field(factory=set)
    _next_cell: int = 0
    _thread: int | None = None
    _closed: bool = False
    _aborted: threading.Event = attrs.field(factory=threading.Event)

    def __attrs_post_init__(self) -> None:
        self.held = [[] for _ in range(self.options.slots)]
        self._cells = [[] for _ in range(self.options.slots)]

    @property
    def info(self) -> ModelInfo:
        options = self.options
        return ModelInfo(
            name="fake",
            backend="fake",
            architecture="fake",
            context_length=options.context_length,
            slots=options.slots,
            vocabulary_size=FIRST_PIECE + len(PIECES),
            sampling=DEFAULT_SAMPLING,
            cache_length=options.cache_length,
            step_tokens=options.step_tokens,
            embedding_length=8,
            embeds=True,
            grammars=frozenset({GrammarKind.CHOICE}) if options.grammars else frozenset(),
            rewinds=options.rewinds,
            idle_slots_cost=options.idle_slots_cost,
            audio_rate=SOUND_RATE if options.hears else 0,
            placement=Placement("cpu", ("cpu",), 0, 0, 0, 0, 0),
        )

    # -- text ------------------------------------------------------------------------------------------------------

    @property
    def eos(self) -> Collection[int]:
        return (EOS,)

    def render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, options: Mapping[str, Any] | None = None
    ) -> str:
        offered = "".join(f"tool: {tool.name}\n" for tool in tools)
        said = "".join(f"{message.role}:{_written(message)}\n" for message in messages)
        return offered + said + ("assistant:" if (options or {}).get("add_generation_prompt", True) else "")

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        return [BOS] * special + list(text.encode())

    def encode_rest(self, text: str) -> Sequence[int]:
        return self.encode(text, special=False)

    def attach(self, audio: AudioFrame) -> Attached:
        if not self.options.hears:
            return super().attach(audio)
        require(audio.rate == SOUND_RATE, f"attach() got audio at {audio.rate} samples a second")
        require(len(audio.samples) > 0, "attach() got no audio")
        self.heard.append(audio)
        sound = hashlib.sha256(audio.samples.tobytes()).digest()
        length = -(-len(audio.samples) * 10 // SOUND_RATE)
        if sound not in self._numbers:
            self._numbers[sound] = self._next_number
            self._next_number -= length
        first = self._numbers[sound]
        found = self._attached.get(sound) or Attached(range(first, first - length, -1))
        self._attached[sound] = found
        return found

    def hear(self, attached: Attached) -> bool:
        """Half a second at a time."""
        done = self._hearing.get(attached, 0) + 5
        self._hearing[attached] = done
        return done < len(attached.tokens)

    def compile(self, grammar: Grammar) -> None:
        if grammar.kind not in self.info.grammars:
            super().compile(grammar)
        Choices.of(grammar)
        self._compiled.add(grammar)

    def piece(self, token: int) -> bytes:
        require(token >= 0, "piece() got a token that is no text")
        if token < EOS:
            return bytes([token])
        return PIECES[token - FIRST_PIECE] if token >= FIRST_PIECE else b""

    # -- slots -----------------------------------------------------------------------------------------------------

    def open(self, slot: int, sampling: SamplingParams, prompt: Sequence[int], generated: Sequence[int]) -> None:
        self._check(slot)
        unresolved = [name for name in ("temperature", "top_k", "top_p", "min_p") if getattr(sampling, name) is None]
        require(not unresolved, f"open() got sampling without {unresolved}")
        require(len(prompt) > 0, "open() got an empty prompt")
        grammar = sampling.grammar
        require(grammar is None or grammar in self._compiled, "open() got a grammar that compile() did not get")
        self._opened[slot] = _Opened(sampling, len(prompt), [*prompt, *generated], len(generated))

    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        self._check_step(chunks)
        needed = sum(len(chunk.tokens) for chunk in chunks)
        if self.options.cache_length and len(self._used()) + needed > self.options.cache_length:
            raise CacheFull
        self.steps.append(chunks)
        self._compute(chunks, needed * self.options.seconds_per_token)
        if self.options.crash_on and any(self._says(chunk, self.options.crash_on) for chunk in chunks):
            die(self.options.last_words)
        for chunk in chunks:
            self._hold(chunk.slot, chunk.tokens)
        return [self._choose(chunk.slot) for chunk in chunks if chunk.sample]

    def can_truncate(self, slot: int, length: int) -> bool:
        self._check(slot)
        return self.options.rewinds or len(self.held[slot]) - length <= self.options.window

    def truncate(self, slot: int, length: int, checkpoint: bytes | None = None) -> bool:
        self._check(slot)
        require(0 <= length <= len(self.held[slot]), f"slot {slot} cannot be cut to {length}")
        if checkpoint is not None:
            require(pickle.loads(checkpoint) == self.held[slot][:length], "the checkpoint is of other tokens")
        elif length and not self.can_truncate(slot, length):
            return False
        del self.held[slot][length:], self._cells[slot][length:]
        return True

    def copy(self, source: int, target: int, length: int, checkpoint: bytes | None = None) -> bool:
        self._check(source)
        self._check(target)
        require(source != target, "a slot cannot be copied onto itself")
        require(not self.held[target], f"slot {target} is not empty")
        require(0 < length <= len(self.held[source]), f"slot {source} does not hold {length} tokens")
        if checkpoint is not None:
            require(pickle.loads(checkpoint) == self.held[source][:length], "the checkpoint is of other tokens")
        elif not self.can_truncate(source, length):
            return False
        self.held[target] = self.held[source][:length]
        self._cells[target] = self._cells[source][:length]
        return True

    def checkpoint(self, slot: int) -> bytes | None:
        self._check(slot)
        return None if self.options.rewinds else pickle.dumps(self.held[slot])

    def save(self, slot: int) -> bytes | None:
        self._check(slot)
        return pickle.dumps(self.held[slot])

    def load(self, slot: int, state: bytes) -> bool:
        self._check(slot)
        require(not self.held[slot], f"slot {slot} is not empty")
        tokens = pickle.loads(state)
        if self.options.cache_length and len(self._used()) + len(tokens) > self.options.cache_length:
            return False
        self._hold(slot, tokens)
        self.computed -= len(tokens)
        return True

    # -- other -----------------------------------------------------------------------------------------------------

    def embed(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        import numpy as np

        require(all(0 < len(tokens) <= self.options.context_length for tokens in inputs), "an input is too long")
        digests = [hashlib.sha256(bytes(str(list(tokens)), "ascii")).digest()[:8] for tokens in inputs]
        return np.array([[byte - 127.5 for byte in digest] for digest in digests], dtype=np.float32)

    def abort(self) -> None:
        self._aborted.set()

    def close(self) -> None:
        require(not self._closed, "close() was called twice")
        self._closed = True

    # -- inside ----------------------------------------------------------------------------------------------------

    def _check(self, slot: int) -> None:
        require(not self._closed, "the model was used after close()")
        require(0 <= slot < self.options.slots, f"there is no slot {slot}")
        self._thread = self._thread or threading.get_ident()
        require(self._thread == threading.get_ident(), "the model was used from a second thread")

    def _check_step(self, chunks: Sequence[Chunk]) -> None:
        require(len(chunks) > 0, "decode() got no chunks")
        require(len({chunk.slot for chunk in chunks}) == len(chunks), "decode() got two chunks for one slot")
        total = sum(len(chunk.tokens) for chunk in chunks)
        require(total <= self.options.step_tokens, f"{total} tokens do not fit in a step")
        for chunk in chunks:
            self._check(chunk.slot)
            held = len(self.held[chunk.slot])
            require(len(chunk.tokens) > 0, "decode() got an empty chunk")
            require(chunk.start == held, f"a chunk starts at {chunk.start}, but slot {chunk.slot} holds {held}")
            require(held + len(chunk.tokens) <= self.options.context_length, "a slot exceeds the context")
            require(chunk.slot in self._opened, f"slot {chunk.slot} was not opened")
        attached = [token for chunk in chunks for token in chunk.tokens if token < 0]
        require(len(attached) in (0, total), "a step holds text and what is attached")
        if attached:
            heard = {token for each, done in list(self._hearing.items()) for token in each.tokens[:done]}
            require(heard.issuperset(attached), "a step holds what was not heard, or is not held any more")

    def _hold(self, slot: int, tokens: Sequence[int]) -> None:
        self.held[slot].extend(tokens)
        self._cells[slot].extend(range(self._next_cell, self._next_cell + len(tokens)))
        self._next_cell += len(tokens)
        self.computed += len(tokens)

    def _used(self) -> set[int]:
        return {cell for cells in self._cells for cell in cells}

    def _choose(self, slot: int) -> Sampled:
        opened, held = self._opened[slot], self.held[slot]
        sampling, both = opened.sampling, min(len(opened.tokens), len(held))
        require(opened.tokens[:both] == held[:both], f"slot {slot} holds another sequence than it was opened for")
        if sampling.grammar is None:
            tokens = [self._draw(opened, held)]
        else:
            require(len(opened.tokens) == len(held), f"slot {slot} lacks tokens that were chosen or forced")
            if opened.count == self.options.grammar_fails_at:
                return Sampled(slot, -1, error=BackendError("The grammar failed in the middle of the text."))
            tokens = self._draw_held(opened, held, Choices.of(sampling.grammar))
            tokens = tokens if sampling.logprobs is None else tokens[:1]
            opened.tokens += tokens
        opened.count += len(tokens)
        if sampling.logprobs is None:
            return Sampled(slot, tokens[0], forced=tokens[1:])
        return Sampled(slot, tokens[0], -1.0, tuple((other, -1.0 - other) for other in range(sampling.logprobs)))

    def _draw(self, opened: _Opened, held: Sequence[int]) -> int:
        if self.options.says and (answer := self._answer(held[: opened.prompt])) is not None:
            place = len(held) - opened.prompt
            return answer[place] if place < len(answer) else EOS
        digest = self._digest(opened, held)
        if (digest % 1000) / 1000 < self.options.eos_rate and not opened.sampling.ignore_eos:
            return EOS
        token = digest % (FIRST_PIECE + len(PIECES) - 2)
        return token if token < EOS else token + 2

    def _answer(self, prompt: Sequence[int]) -> bytes | None:
        """What it was told to answer."""
        text = self._text(prompt)
        places = {cue: text.rfind(cue) for cue in self.options.says}
        last = max(places, key=lambda cue: places[cue])
        return self.options.says[last].encode() if places[last] >= 0 else None

    def _text(self, tokens: Sequence[int]) -> str:
        """With ♪ for every run of what is no text."""
        runs = itertools.groupby(tokens, key=lambda token: token < 0)
        pieces = (NOTE if attached else b"".join(map(self.piece, run)) for attached, run in runs)
        return b"".join(pieces).decode(errors="replace")

    def _draw_held(self, opened: _Opened, held: Sequence[int], choices: Choices) -> list[int]:
        """The next token of a text that is held to choices, and those forced after it."""
        said = b"".join(self.piece(token) for token in held[opened.prompt :])
        forced = self._forced(choices, said)
        if forced:
            return forced
        pieces = [self.piece(token) for token in range(FIRST_PIECE + len(PIECES))]
        allowed = [token for token, allows in enumerate(choices.allows(said, pieces)) if allows]
        allowed += [EOS] * choices.is_complete(said)
        token = allowed[self._digest(opened, held) % len(allowed)]
        return [token] if token == EOS else [token, *self._forced(choices, said + pieces[token])]

    def _forced(self, choices: Choices, said: bytes) -> list[int]:
        forced = choices.forced(said)
        return [*forced, *[EOS] * choices.is_over(said + forced)]

    def _digest(self, opened: _Opened, held: Sequence[int]) -> int:
        chance = (opened.sampling.seed, opened.count) if opened.sampling.temperature else None
        return zlib.crc32(repr((held, chance)).encode())

    def _compute(self, chunks: Sequence[Chunk], seconds: float) -> None:
        stopped = self._aborted.wait(seconds)
        self._aborted.clear()
        if stopped or len(self.steps) in self.options.aborts:
            for chunk in chunks[::2]:
                self._hold(chunk.slot, chunk.tokens)
            raise StepAborted

    def _says(self, chunk: Chunk, text: str) -> bool:
        tokens = [*self.held[chunk.slot], *chunk.tokens]
        return text in self._text(tokens)


def _written(message: Message) -> str:
    """What a message says, with thoughts and calls."""
    thoughts = f"<think>{message.reasoning}</think>" if message.reasoning else ""
    calls = [{"name": call.name, "arguments": dict(call.arguments)} for call in message.tool_calls]
    return f" {thoughts}{message.content}" + "".join(f"<tool_call>{json.dumps(call)}</tool_call>" for call in calls)


def die(last_words: str) -> None:
    """End this process as a native fault would."""
    if last_words:
        os.write(2, f"{last_words}\n".encode())
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    time.sleep(60)
