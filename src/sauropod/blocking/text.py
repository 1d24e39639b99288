"""The engine without async, and what it gives."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypedDict, TypeVar, overload

from typing_extensions import Unpack

import sauropod
from sauropod._asking import AnyTool, AskOptions, PriorityName, PromptOptions, RunOptions
from sauropod._opening import ModelName
from sauropod._runtime.pool import Isolation
from sauropod._values.completion import Completion, StreamEvent, TextDelta, Usage
from sauropod._values.info import ModelInfo
from sauropod._values.messages import Message, Prompt
from sauropod._values.running import RunEvent, RunResult
from sauropod._values.sampling import SamplingParams
from sauropod.errors import ClosedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sauropod._sources import ProgressCallback

from sauropod.blocking.loop import Caller
from sauropod.blocking.opened import Opened

__all__ = ["Engine", "EngineOptions", "TextStream", "ToolRun"]

Result = TypeVar("Result")


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
    projector: ModelName | bool
    sampling: SamplingParams | None
    max_waiting: int
    snapshot_bytes: int
    options: Mapping[str, Any] | None
    progress: ProgressCallback | None


class Engine(Opened[sauropod.Engine]):
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

    def prefill(self, prompt: Prompt, **options: Unpack[PromptOptions]) -> None:
        """Let the model read a prompt, so that an answer to one that begins like it begins sooner."""
        self._call(partial(self._noun.prefill, prompt, **options))

    def count_tokens(self, prompt: Prompt, **options: Unpack[PromptOptions]) -> int:
        """How many tokens the prompt takes."""
        return self._call(partial(self._noun.count_tokens, prompt, **options))

    def count_embedded(self, texts: str | Sequence[str | tuple[str, str]]) -> int:
        """As `sauropod.Engine.count_embedded`."""
        return self._call(partial(self._noun.count_embedded, texts))

    def tokenize(self, text: str, *, special: bool = True) -> list[int]:
        """As `sauropod.Engine.tokenize`."""
        return self._call(partial(self._noun.tokenize, text, special=special))

    def detokenize(self, tokens: Sequence[int]) -> str:
        """As `sauropod.Engine.detokenize`."""
        return self._call(partial(self._noun.detokenize, tokens))


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
    def usage(self) -> Usage:
        """What it has used so far."""
        return self._stream.usage

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
