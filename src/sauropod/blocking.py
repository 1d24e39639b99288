"""The same nouns without async: a portal to an event loop in a thread, and delegation. No logic of its own.

    from sauropod.blocking import Engine

    with Engine("demo") as engine:
        print(engine.complete("What is the capital of France?").text)

May be used from any number of threads, and inside a running event loop (a notebook's) too.
"""

from __future__ import annotations

import os
import queue
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypedDict, TypeVar, overload

import anyio
from anyio.from_thread import BlockingPortal
from typing_extensions import Unpack

import sauropod
from sauropod._asking import AnyTool, AskOptions, PriorityName, PromptOptions, RunOptions
from sauropod._audio import AudioLimits, AudioSource
from sauropod._hearing import Frames
from sauropod._opening import ModelName, Openable
from sauropod._runtime.pool import Isolation
from sauropod._speaking import SpeakableText
from sauropod._speech.endpointer import EndpointSettings
from sauropod._transcriber import TranscriptionProgress
from sauropod._values.completion import Completion, StreamEvent, TextDelta
from sauropod._values.info import ModelInfo
from sauropod._values.messages import Message, Prompt
from sauropod._values.running import RunEvent, RunResult
from sauropod._values.sampling import SamplingParams
from sauropod._values.speech import HearingEvent, SpeechInfo, SpeechSpan, Transcript
from sauropod._values.spoken import SpeechFrame
from sauropod._voice import SayOptions, Speech
from sauropod.errors import ClosedError, SauropodError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sauropod._sources import ProgressCallback

__all__ = [
    "DetectorStream",
    "Engine",
    "EngineOptions",
    "TextStream",
    "ToolRun",
    "Transcriber",
    "TranscriberOptions",
    "TranscriptStream",
    "Voice",
    "VoiceDetector",
    "VoiceDetectorOptions",
    "VoiceOptions",
    "VoiceStream",
]


Result = TypeVar("Result")
Noun = TypeVar("Noun", bound=Openable[Any])
Event = TypeVar("Event", covariant=True)


class HeldStream(Protocol[Event]):
    """A stream that is iterated over within `async with`."""

    async def __aenter__(self) -> Any: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def __anext__(self) -> Event: ...


class Caller(Protocol):
    """Runs a coroutine function somewhere else, and waits for it."""

    def __call__(self, function: Callable[[], Awaitable[Result]]) -> Result: ...


class EngineOptions(TypedDict, total=False):
    """The keyword arguments of `sauropod.Engine`."""

    backend: str | None
    device: str
    worker: str | None
    isolation: Isolation
    context_length: int | None
    slots: int | None
    cache_length: int | None
    step_tokens: int | None
    threads: int | None
    gpu_layers: int | None
    tensor_split: Sequence[float]
    flash_attention: bool | None
    cache_type: str
    adapters: Mapping[str, float] | None
    rpc_servers: Sequence[str]
    pooling: str | None
    chat_template: str | None
    system_prompt: str | None
    sampling: SamplingParams | None
    max_waiting: int
    snapshot_bytes: int
    options: Mapping[str, Any] | None
    progress: ProgressCallback | None


class _SpeechOptions(TypedDict, total=False):
    """What voices, transcribers and detectors have in common."""

    backend: str | None
    device: str
    worker: str | None
    isolation: Isolation
    options: Mapping[str, Any] | None
    progress: ProgressCallback | None


class VoiceOptions(_SpeechOptions, total=False):
    """The keyword arguments of `sauropod.Voice`."""

    voice: str | Mapping[str, float] | None
    speed: float
    language: str | None
    codec: ModelName
    slots: int | None
    threads: int | None


class TranscriberOptions(_SpeechOptions, total=False):
    """The keyword arguments of `sauropod.Transcriber`."""

    vad: ModelName | None
    endpoint: EndpointSettings | None
    language: str | None
    threads: int | None


class VoiceDetectorOptions(_SpeechOptions, total=False):
    """The keyword arguments of `sauropod.VoiceDetector`."""

    threads: int


class _Openable(Generic[Noun]):
    """The life of a noun: made, opened, closed."""

    def __init__(self, noun: Noun) -> None:
        self._noun = noun
        self._loop: _Loop | None = None
        self._changing = threading.Lock()

    def open(self) -> Self:
        """Load the model. `with` does this, if it has not been done."""
        with self._changing:
            if self._loop is not None:
                raise ClosedError(f"{self._noun._article} is opened once. Make a new one.")
            self._loop = _Loop()
        try:
            self._call(self._noun.open)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Unload the model and give its memory back. Requests of other threads fail with `ClosedError`."""
        with self._changing:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.end(self._noun.aclose)

    def __enter__(self) -> Self:
        return self if self._loop is not None else self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, function: Callable[[], Awaitable[Result]]) -> Result:
        return self._running.call(function)

    @property
    def _running(self) -> _Loop:
        loop = self._loop
        if loop is None:
            name = self._noun._noun
            raise ClosedError(f"The {name} is not open. Use it in `with`, or call {name}.open().")
        return loop


class Engine(_Openable[sauropod.Engine]):
    """`sauropod.Engine` for code that does not await. Arguments, results and errors are the same."""

    def __init__(self, source: ModelName = "demo", **options: Unpack[EngineOptions]) -> None:
        super().__init__(sauropod.Engine(source, **options))

    @property
    def info(self) -> ModelInfo:
        """What the model is, and where it was put."""
        return self._noun.info

    @overload
    def complete(self, prompt: Prompt, *, returns: type[Result], **options: Unpack[AskOptions]) -> Result: ...

    @overload
    def complete(self, prompt: Prompt, *, returns: None = None, **options: Unpack[AskOptions]) -> Completion: ...

    def complete(self, prompt: Prompt, *, returns: Any = None, **options: Unpack[AskOptions]) -> Any:
        """The model's answer, once it is whole; with `returns`, as an instance of that type."""
        return self._call(partial(self._noun.complete, prompt, returns=returns, **options))

    def stream(self, prompt: Prompt, *, returns: Any = None, **options: Unpack[AskOptions]) -> TextStream:
        """The model's answer as it is written."""
        return TextStream(self._noun.stream(prompt, returns=returns, **options), self._call)

    @overload
    def run(
        self,
        prompt: Prompt,
        *,
        tools: Sequence[AnyTool],
        returns: type[Result],
        **options: Unpack[RunOptions],
    ) -> ToolRun[Result]: ...

    @overload
    def run(
        self,
        prompt: Prompt,
        *,
        tools: Sequence[AnyTool],
        returns: None = None,
        **options: Unpack[RunOptions],
    ) -> ToolRun[str]: ...

    def run(
        self, prompt: Prompt, *, tools: Sequence[AnyTool], returns: Any = None, **options: Unpack[RunOptions]
    ) -> ToolRun[Any]:
        """Let the model call tools until it answers. Iterate over it, or ask for its `result`."""
        return ToolRun(self._noun.run(prompt, tools=tools, returns=returns, **options), self._call)

    def embed(
        self,
        texts: str | Sequence[str | tuple[str, str]],
        *,
        normalize: bool = True,
        priority: PriorityName = "normal",
    ) -> NDArray[np.float32]:
        """One vector for each text: float32 [texts, d]."""
        return self._call(partial(self._noun.embed, texts, normalize=normalize, priority=priority))

    def count_tokens(self, prompt: Prompt, **options: Unpack[PromptOptions]) -> int:
        """How many tokens the prompt takes."""
        return self._call(partial(self._noun.count_tokens, prompt, **options))


class Voice(_Openable[sauropod.Voice]):
    """`sauropod.Voice` for code that does not await. Arguments, results and errors are the same."""

    def __init__(
        self, source: ModelName = "onnx-community/Kokoro-82M-v1.0-ONNX", **options: Unpack[VoiceOptions]
    ) -> None:
        super().__init__(sauropod.Voice(source, **options))

    @property
    def info(self) -> SpeechInfo:
        """What the model is, and where it was put."""
        return self._noun.info

    def say(self, text: str, **options: Unpack[SayOptions]) -> Speech:
        """All of a text as audio."""
        return self._call(partial(self._noun.say, text, **options))

    def stream(self, text: SpeakableText, **options: Unpack[SayOptions]) -> VoiceStream:
        """A text as audio while it is made: a whole text, or pieces of one as they come, as from `engine.stream()`."""
        return VoiceStream(self._noun.stream(text, **options), self._running)


class Transcriber(_Openable[sauropod.Transcriber]):
    """`sauropod.Transcriber` for code that does not await. Arguments, results and errors are the same."""

    def __init__(
        self, source: ModelName = "sauropod/parakeet-tdt-0.6b-v2", **options: Unpack[TranscriberOptions]
    ) -> None:
        super().__init__(sauropod.Transcriber(source, **options))

    @property
    def info(self) -> SpeechInfo:
        """What the recogniser is, and where it was put."""
        return self._noun.info

    def transcribe(
        self,
        audio: AudioSource,
        *,
        language: str | None = None,
        sample_rate: int | None = None,
        limits: AudioLimits | None = None,
        priority: PriorityName = "normal",
        progress: Callable[[TranscriptionProgress], None] | None = None,
    ) -> Transcript:
        """What is said in a file, the bytes of one, an array with its rate, or frames."""
        return self._call(
            partial(
                self._noun.transcribe,
                audio,
                language=language,
                sample_rate=sample_rate,
                limits=limits,
                priority=priority,
                progress=progress,
            )
        )

    def stream(
        self,
        frames: Frames,
        *,
        language: str | None = None,
        partials: bool = True,
        priority: PriorityName = "live",
    ) -> TranscriptStream:
        """What is said in a stream of `AudioFrame`s while it comes in. They are taken from it in a thread."""
        stream = self._noun.stream(frames, language=language, partials=partials, priority=priority)
        return TranscriptStream(stream, self._running)


class VoiceDetector(_Openable[sauropod.VoiceDetector]):
    """`sauropod.VoiceDetector` for code that does not await. Arguments, results and errors are the same."""

    def __init__(
        self,
        source: ModelName = "sauropod/Frame_VAD_Multilingual_MarbleNet_v2.0",
        **options: Unpack[VoiceDetectorOptions],
    ) -> None:
        super().__init__(sauropod.VoiceDetector(source, **options))

    @property
    def info(self) -> SpeechInfo:
        """What the model is, and where it was put."""
        return self._noun.info

    def detect(self, audio: AudioSource, settings: EndpointSettings | None = None) -> list[SpeechSpan]:
        """Where somebody speaks in a file, an array or frames, in order."""
        return self._call(partial(self._noun.detect, audio, settings))

    def stream(self, rate: int | None = None) -> DetectorStream:
        """Begin to listen to a stream of samples at `rate` a second; None is the detector's own."""
        return DetectorStream(self._noun.stream(rate), self._call)


class _Loop:
    """An event loop in a thread of its own, until `end`.

    anyio's own portal is ended by whoever forgets it; in a forked process, which has no such thread, that would hang.
    """

    def __init__(self) -> None:
        started: Future[BlockingPortal] = Future()

        async def serve() -> None:
            async with BlockingPortal() as portal:
                started.set_result(portal)
                await portal.sleep_until_stopped()

        def run() -> None:
            try:
                anyio.run(serve)
            except BaseException as error:
                if not started.done():
                    started.set_exception(error)

        self._thread = threading.Thread(target=run, name="sauropod-loop", daemon=True)
        self._thread.start()
        self._portal = started.result()
        self._process = os.getpid()
        self._ended = False

    def call(self, function: Callable[[], Awaitable[Result]]) -> Result:
        """Run a coroutine function on the loop. Ctrl-C here cancels it there."""
        if self._process != os.getpid():
            raise ClosedError("It was opened before this process was forked. Open a new one.")
        call = _Call(function)
        try:
            return self._portal.start_task_soon(call.run).result()
        except BaseException as error:
            call.give_up(self._portal)
            if self._ended and isinstance(error, Exception) and not isinstance(error, SauropodError):
                raise ClosedError("It was closed during this call.") from None
            raise

    def start(self, function: Callable[[], Awaitable[None]]) -> Future[None]:
        """Run a coroutine function on the loop, without waiting for its end."""
        if self._process != os.getpid():
            raise ClosedError("It was opened before this process was forked. Open a new one.")
        try:
            return self._portal.start_task_soon(function)
        except RuntimeError:
            raise ClosedError("It has been closed. Open a new one.") from None

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is a forked copy of the process that it runs in."""
        return self._process != os.getpid()

    def end(self, last: Callable[[], Awaitable[None]]) -> None:
        """Run a last coroutine function, and end the loop with whatever an interrupt may have left running on it."""
        if self._process != os.getpid():
            return
        try:
            self._portal.call(last)
        finally:
            self._ended = True
            self._portal.call(self._portal.stop, True)
            self._thread.join()


class _Call(Generic[Result]):
    """A call on the loop that can be given up at any moment, also while it is being handed over."""

    def __init__(self, function: Callable[[], Awaitable[Result]]) -> None:
        self._function = function
        self._scope: anyio.CancelScope | None = None
        self._given_up = self._done = False

    async def run(self) -> Result:
        with anyio.CancelScope() as self._scope:
            if self._given_up:
                self._scope.cancel()
            try:
                return await self._function()
            finally:
                self._done = True
        raise ClosedError("The call was given up.")  # its caller was interrupted: nobody sees this

    def give_up(self, portal: BlockingPortal) -> None:
        """Cancel it where it runs; nothing, once it is done."""
        self._given_up = True
        if self._scope is not None and not self._done:
            with suppress(RuntimeError):  # the loop has ended
                portal.start_task_soon(self._scope.cancel)


class ToolRun(Generic[Result]):
    """`sauropod.ToolRun` for code that does not await.

    result = engine.run("What is the weather in Oslo?", tools=[get_weather]).result

    for event in engine.run("…", tools=[get_weather]):
        ...
    """

    def __init__(self, run: sauropod.ToolRun[Result], call: Caller) -> None:
        self._run = run
        self._call = call
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ended = False

    @property
    def messages(self) -> Sequence[Message]:
        """The conversation as far as it has come."""
        return self._run.messages

    @property
    def result(self) -> RunResult[Result]:
        """What came of it. Runs to the end, if that has not been done."""
        for _ in self:
            pass
        return self._run.result

    def close(self) -> None:
        """Stop the run if it is still going on."""
        if self._thread is not None and not self._ended:
            with suppress(ClosedError):
                self._call(self._run.aclose)
            self._thread.join()
        self._ended = True

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RunEvent:
        if self._ended:
            raise StopIteration
        if self._thread is None:
            arguments = (self._run, self._call, self._events, weakref.ref(self))
            self._thread = threading.Thread(target=_pump, args=arguments, name="sauropod-run", daemon=True)
            self._thread.start()
        try:
            event = self._events.get()
        except BaseException:  # Ctrl-C
            self.close()
            raise
        if isinstance(event, BaseException):
            self._ended = True
            raise StopIteration if isinstance(event, StopIteration) else event
        return event  # type: ignore[no-any-return]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _pump(
    run: sauropod.ToolRun[Any],
    call: Caller,
    events: queue.SimpleQueue[Any],
    reader: weakref.ref[ToolRun[Any]],
) -> None:
    """One call on the loop for all of a run: what it has open belongs to one task.

    It stops with the next event after nobody holds the run any more. The garbage collector cannot do that itself: it
    may come when a lock is held that stopping needs.
    """

    async def tell() -> None:
        async with run:
            async for event in run:
                events.put(event)
                if reader() is None:
                    break

    try:
        call(tell)
    except BaseException as error:
        events.put(error)
    else:
        events.put(StopIteration())


class TextStream:
    """`sauropod.TextStream` for code that does not await."""

    def __init__(self, stream: sauropod.TextStream, call: Caller) -> None:
        self._stream = stream
        self._call = call

    @property
    def completion(self) -> Completion:
        """The whole answer, once the stream has come to its end."""
        return self._stream.completion

    @property
    def value(self) -> Any:
        """The answer as an instance of the type that was asked for with `returns`."""
        return self._stream.value

    def text(self) -> Iterator[str]:
        """Only the text, as it comes."""
        return (event.text for event in self if isinstance(event, TextDelta))

    def close(self) -> None:
        """Stop the request if it is still running."""
        with suppress(ClosedError):  # it ended with its engine
            self._call(self._stream.aclose)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> StreamEvent:
        try:
            return self._call(self._stream.__anext__)
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Held(Generic[Event]):
    """A stream that is open on the loop as long as the `with` block lasts here."""

    def __init__(self, stream: HeldStream[Event], loop: _Loop) -> None:
        self._stream = stream
        self._loop = loop
        self._held: Future[None] | None = None
        self._closing: anyio.Event | None = None

    def __enter__(self) -> Self:
        if self._held is not None:
            raise ClosedError("A stream is opened once. Make a new one.")
        opened: Future[None] = Future()

        async def hold() -> None:
            try:
                self._closing = anyio.Event()
                async with self._stream:
                    opened.set_result(None)
                    await self._closing.wait()
            finally:
                if not opened.done():
                    opened.set_exception(ClosedError("The stream could not be opened."))

        self._held = self._loop.start(hold)
        opened.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        closing = self._closing
        if self._held is None or closing is None or self._loop.is_elsewhere:
            return  # never opened, or opened before this process was forked

        async def close() -> None:
            closing.set()

        with suppress(ClosedError, RuntimeError):  # it ended with what it is a stream of
            self._loop.call(close)
        with suppress(CancelledError):
            self._held.result()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        if self._held is None:
            raise ClosedError("This is streamed within a `with` block: with ….stream(…) as stream.")
        try:
            return self._loop.call(self._stream.__anext__)
        except StopAsyncIteration:
            raise StopIteration from None


class VoiceStream(_Held[SpeechFrame]):
    """`sauropod.VoiceStream` for code that does not await.

    with voice.stream("Once upon a time there was a dinosaur.") as frames:
        for frame in frames:
            ...
    """


class TranscriptStream(_Held[HearingEvent]):
    """`sauropod.TranscriptStream` for code that does not await.

    with transcriber.stream(microphone) as events:
        for event in events:
            ...
    """


class DetectorStream:
    """`sauropod.DetectorStream` for code that does not await."""

    def __init__(self, stream: sauropod.DetectorStream, call: Caller) -> None:
        self._stream = stream
        self._call = call

    @property
    def rate(self) -> int:
        """Samples a second of what is fed."""
        return self._stream.rate

    @property
    def frame(self) -> int:
        """Samples, at the detector's own rate, that one probability stands for."""
        return self._stream.frame

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take in the next samples, float32 [n]. The probabilities that have become certain, float32 [k]."""
        return self._call(partial(self._stream.feed, samples))

    def finish(self) -> NDArray[np.float32]:
        """The rest of the probabilities: nothing more will come."""
        return self._call(self._stream.finish)
