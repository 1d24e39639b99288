"""Audio in prompts, through llama.cpp's libmtmd: an encoder turns it into vectors that stand where tokens would."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.abc import Attached, AudioFrame, Chunk
from sauropod.backends.llama_cpp.library import library, log_callback
from sauropod.errors import BackendError, UnsupportedInput, UnsupportedModel

__all__ = ["Heard", "Projector", "VectorBatch", "hears"]

KEPT_BYTES = 256 * 1024 * 1024
"""Of vectors of audio that nobody asks about right now, and that may be asked about again."""
NUMBERED = 100_000
"""Pieces of audio of which it is remembered which tokens stand for them."""
TEXT = 0
"""Of enum mtmd_input_chunk_type."""
SHORTEST = 160
"""Samples. Less is made up to this with silence: libmtmd ends the process at a single one."""


@functools.cache
def _mtmd() -> Any:
    """llama-cpp-python's module of libmtmd's functions. Raises `UnsupportedModel` where that library is missing."""
    library()  # first, so that it is loaded as it should be
    try:
        from llama_cpp import mtmd_cpp
    except (ImportError, OSError, RuntimeError, FileNotFoundError) as error:
        raise UnsupportedModel(f"This build of llama-cpp-python has no libmtmd ({error}).") from error
    mtmd_cpp.mtmd_log_set(log_callback(), ctypes.c_void_p(0))
    mtmd_cpp.mtmd_helper_log_set(log_callback(), ctypes.c_void_p(0))
    return mtmd_cpp


def hears(path: Path) -> bool:
    """Whether a projector is one of sound. Reads its header only."""
    return bool(_mtmd().mtmd_get_cap_from_file(str(path).encode()).inp_audio)


@attrs.define(eq=False)
class Heard(Attached):
    """A piece of audio as the model takes it: real tokens around it, and a vector for each of the others."""

    vectors: NDArray[np.float32]
    """float32 [negative tokens, d], in the order of their numbers, which go down from `first`."""
    first: int
    waiting: deque[tuple[Any, int]]
    """The windows that are not encoded yet, as libmtmd has them, with the row of the first vector of each."""
    release: Callable[[], object]
    """Gives the windows back."""

    @property
    def last(self) -> int:
        return self.first - len(self.vectors) + 1


@attrs.define(eq=False)
class Projector:
    """An `mmproj` that hears, ready for one model. Attaching, hearing and asking for `vectors` have a thread each."""

    _context: Any
    rate: int
    """Samples a second."""
    width: int
    """The length of a vector."""
    dimensions: int
    """Of a position: models with M-RoPE count in four, which for audio are all the same."""
    weight_bytes: int
    _numbers: OrderedDict[bytes, int] = attrs.field(factory=OrderedDict)
    """The first token, by the digest of the audio."""
    _next: int = -1
    _alive: weakref.WeakValueDictionary[int, Heard] = attrs.field(factory=weakref.WeakValueDictionary)
    """What somebody holds, by its first token."""
    _kept: OrderedDict[bytes, Heard] = attrs.field(factory=OrderedDict)
    """What was asked about last."""
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    """Around `_alive`."""
    _using: threading.Lock = attrs.field(factory=threading.Lock)
    """Around the context: what is attached next may be cut up while a window is encoded."""

    @classmethod
    def load(cls, path: Path, model: Any, *, gpu: bool, threads: int) -> Projector:
        """Raises `UnsupportedModel` for one that hears nothing, or cannot be used with the model."""
        mtmd = _mtmd()
        name = str(path).encode()
        if not hears(path):
            raise UnsupportedModel(f"The projector {path.name} is for pictures, which no model is shown yet.")
        params = mtmd.mtmd_context_params_default()
        params.use_gpu, params.n_threads, params.print_timings, params.warmup = gpu, threads, False, True
        context = mtmd.mtmd_init_from_file(name, model, params)
        if not context:
            raise UnsupportedModel(
                f"llama.cpp cannot use the projector {path.name} with this model. The log of sauropod.llama_cpp says "
                "why."
            )
        return cls(
            context,
            mtmd.mtmd_get_audio_sample_rate(context),
            library().llama_model_n_embd_inp(model),
            4 if mtmd.mtmd_decode_use_mrope(context) else 1,
            path.stat().st_size,
        )

    def attach(self, audio: AudioFrame) -> Heard:
        """What stands for it, encoded only if it was a short while ago. Raises `UnsupportedInput`."""
        samples = np.ascontiguousarray(audio.samples, dtype=np.float32)
        if not np.isfinite(samples).all():
            raise UnsupportedInput("The audio holds samples that are no numbers (NaN or infinite). Record it anew.")
        samples = np.pad(samples, (0, max(0, SHORTEST - len(samples))))
        digest = hashlib.sha256(samples.data).digest()
        heard = self._kept.get(digest) or self._living(digest) or self._cut(samples, digest)
        with self._lock:
            self._alive[heard.first] = heard
        self._keep(digest, heard)
        return heard

    def hear(self, heard: Heard) -> bool:
        """Encode its next window; whether there are more. Raises `BackendError`."""
        if heard.waiting:
            window, row = heard.waiting.popleft()
            found = self._encode(window)
            heard.vectors[row : row + len(found)] = found
        if not heard.waiting:
            heard.release()
        return bool(heard.waiting)

    def vectors(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """What stands for tokens that were given out, and heard: float32 [n, d]."""
        rows: list[NDArray[np.float32]] = []
        taken = 0
        while taken < len(tokens):
            heard = self._owner(tokens[taken])
            others = (at for at in range(taken, len(tokens)) if not heard.last <= tokens[at] <= heard.first)
            end = next(others, len(tokens))
            rows.append(heard.vectors[heard.first - np.asarray(tokens[taken:end])])
            taken = end
        return np.concatenate(rows)

    def close(self) -> None:
        _mtmd().mtmd_free(self._context)

    def _living(self, digest: bytes) -> Heard | None:
        """What somebody holds of this audio."""
        with self._lock:
            return self._alive.get(self._numbers.get(digest, 0))

    def _owner(self, token: int) -> Heard:
        with self._lock:
            alive = list(self._alive.values())
        for heard in alive:
            if heard.last <= token <= heard.first:
                return heard
        raise BackendError("Audio of a prompt is not held any more while it is read. This is a fault of sauropod's.")

    def _cut(self, samples: NDArray[np.float32], digest: bytes) -> Heard:
        """In windows, with the text that the model wants around them. Nothing is encoded."""
        mtmd = _mtmd()
        with self._using:
            windows = _windows(self._context, samples)
        try:
            parts = [mtmd.mtmd_input_chunks_get(windows, at) for at in range(mtmd.mtmd_input_chunks_size(windows))]
            counts = [mtmd.mtmd_input_chunk_get_n_tokens(part) for part in parts]
            texts = [_text_of(part) for part in parts]
            count = sum(count for count, text in zip(counts, texts, strict=True) if text is None)
            vectors = np.empty((count, self.width), np.float32)
            first, row, tokens, waiting = self._number(digest, count), 0, list[int](), deque[tuple[Any, int]]()
            for part, count, text in zip(parts, counts, texts, strict=True):
                if text is not None:
                    tokens += text
                    continue
                tokens += range(first - row, first - row - count, -1)
                waiting.append((part, row))
                row += count
        except BaseException:
            mtmd.mtmd_input_chunks_free(windows)
            raise
        heard = Heard(tokens, vectors, first, waiting, lambda: None)
        heard.release = weakref.finalize(heard, mtmd.mtmd_input_chunks_free, windows)  # once, now or when it is gone
        return heard

    def _encode(self, window: Any) -> NDArray[np.float32]:
        mtmd = _mtmd()
        with self._using:
            if mtmd.mtmd_encode_chunk(self._context, window):
                raise BackendError("llama.cpp could not encode the audio. The log of sauropod.llama_cpp says more.")
            count, found = mtmd.mtmd_input_chunk_get_n_tokens(window), mtmd.mtmd_get_output_embd(self._context)
            return np.array(np.ctypeslib.as_array(found, shape=(count, self.width)))

    def _number(self, digest: bytes, count: int) -> int:
        """The first of the tokens that stand for it, always the same."""
        if digest not in self._numbers:
            self._numbers[digest] = self._next
            self._next -= count
        self._numbers.move_to_end(digest)
        while len(self._numbers) > NUMBERED:
            self._numbers.popitem(last=False)
        return self._numbers[digest]

    def _keep(self, digest: bytes, heard: Heard) -> None:
        self._kept[digest] = heard
        self._kept.move_to_end(digest)
        while len(self._kept) > 1 and sum(each.vectors.nbytes for each in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)


def _windows(context: Any, samples: NDArray[np.float32]) -> Any:
    """Audio as libmtmd cuts it up: its `mtmd_input_chunks`, which have to be freed. Raises `UnsupportedInput`."""
    mtmd = _mtmd()
    bitmap = mtmd.mtmd_bitmap_init_from_audio(len(samples), samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float)))
    windows = mtmd.mtmd_input_chunks_init()
    try:
        marker = mtmd.mtmd_get_marker(context)
        text = mtmd.mtmd_input_text(marker, len(marker), False, True)
        bitmaps = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
        result = mtmd.mtmd_tokenize(context, windows, ctypes.byref(text), bitmaps, 1)
    finally:
        mtmd.mtmd_bitmap_free(bitmap)
    if result == 0:
        return windows
    mtmd.mtmd_input_chunks_free(windows)
    raise UnsupportedInput(f"llama.cpp cannot take this audio in (mtmd_tokenize gave {result}).")


def _text_of(part: Any) -> list[int] | None:
    """A part's tokens, if it is text."""
    mtmd, size = _mtmd(), ctypes.c_size_t()
    if mtmd.mtmd_input_chunk_get_type(part) != TEXT:
        return None
    tokens = mtmd.mtmd_input_chunk_get_tokens_text(part, ctypes.byref(size))
    return list(tokens[: size.value])


@attrs.define(eq=False)
class VectorBatch:
    """A `llama_batch` of vectors, made for one step."""

    native: Any
    last: list[int]
    """The index of each chunk's last vector, where its logits will be."""
    _held: tuple[NDArray[Any], ...]
    """What the library reads where it lies."""

    @classmethod
    def of(cls, chunks: Sequence[Chunk], projector: Projector) -> VectorBatch:
        vectors = np.ascontiguousarray(np.concatenate([projector.vectors(chunk.tokens) for chunk in chunks]))
        lengths = [len(chunk.tokens) for chunk in chunks]
        count = len(vectors)
        position = np.concatenate([np.arange(chunk.start, chunk.start + len(chunk.tokens)) for chunk in chunks])
        position = np.tile(position.astype(np.int32), projector.dimensions)
        slot = np.repeat(np.array([chunk.slot for chunk in chunks], np.int32), lengths)
        output = np.zeros(count, np.int8)
        last = [int(end) - 1 for end in np.cumsum(lengths)]
        output[last] = [chunk.sample for chunk in chunks]
        slots_of_each = np.ones(count, np.int32)
        addresses = slot.ctypes.data + slot.itemsize * np.arange(count, dtype=np.uintp)
        int32 = ctypes.POINTER(ctypes.c_int32)
        native = library().llama_batch(
            n_tokens=count,
            token=None,
            embd=vectors.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
            pos=position.ctypes.data_as(int32),
            n_seq_id=slots_of_each.ctypes.data_as(int32),
            seq_id=addresses.ctypes.data_as(ctypes.POINTER(int32)),
            logits=output.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )
        return cls(native, last, (vectors, position, slot, output, slots_of_each, addresses))
