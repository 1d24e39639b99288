"""`Engine`: one language model, ready to be asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, Unpack, get_args, overload

import anyio
import anyio.to_thread
import attrs

from sauropod._asking import (
    AnyTool,
    Asked,
    AskOptions,
    PriorityName,
    PromptOptions,
    RunOptions,
    as_inputs,
    as_priority,
    checked,
)
from sauropod._handles import ChatHandle, Handle, WorkerHandle, devices_of
from sauropod._running import ToolRun
from sauropod._runtime.mailbox import in_daemon_thread
from sauropod._runtime.pool import Isolation, shared_pool
from sauropod._runtime.registry import backend_for_file, installed_backends, load_backend
from sauropod._stream import TextStream
from sauropod._typed.functions import FunctionTool, as_tools
from sauropod._values.completion import Completion
from sauropod._values.grammar import GrammarKind
from sauropod._values.info import Device, ModelInfo
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.messages import Message, Prompt, Tool, ToolChoice
from sauropod._values.running import RunLimits
from sauropod._values.sampling import SamplingParams
from sauropod._values.scheduling import SchedulerOptions
from sauropod.abc import Backend
from sauropod.errors import ClosedError, UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sauropod._sources import ProgressCallback

__all__ = ["Engine", "ModelName", "PriorityName"]

ModelName: TypeAlias = str | os.PathLike[str] | Mapping[str, str]
"""A model as users write it; `docs/models.md` lists the forms."""

T = TypeVar("T")


class Engine:
    """A language model on this machine, or behind a plug-in.

        async with sauropod.Engine("demo") as engine:
            completion = await engine.complete("What is the capital of France?")
            print(completion.text)

    Works under asyncio and trio, and from several event loops at once. `sauropod.blocking.Engine` is the same without
    async. Opening loads the model (and fetches it, if it has to); closing gives all of its memory back.

    `source` is a path, a directory, `org/repo` or `hf:org/repo:Q4_K_M` on the Hugging Face Hub, `"demo"` for the
    embedded demo model, or `backend:anything` for a backend that reads no model files.

    Where and how it runs:

    - `device`: `"auto"`, `"cpu"`, `"cuda"`, `"cuda:1"`, `"vulkan"`, `"metal"`, …; what is not there raises
      `DeviceUnavailable`, and nothing falls back in silence. `info.placement` says what was got.
    - `isolation`: `"process"` runs native code in a child process, so that its faults stay there; `"thread"` in a
      thread of this one. `worker` names a worker of this model's own; by default all models on a device share one.
    - `context_length`: the most tokens of one sequence. `slots`: how many sequences run at once (8).
      `cache_length`: cells of the KV cache that all slots share. Unasked, they are what the model was trained for and
      what fits into memory.
    - `step_tokens` (512): the most tokens computed in one step. `threads`: of the CPU; unasked, its physical cores.
    - `gpu_layers`, `tensor_split`, `flash_attention`, `cache_type` (`"f16"`, `"q8_0"`, `"f16,q8_0"` for keys and
      values), `adapters` (LoRA file → scale), `rpc_servers` (host:port), `pooling`, `chat_template`: as in llama.cpp.
    - `system_prompt`: what the system says where a conversation does not begin with that. It is a Jinja template; if
      it uses `tools`, it describes them itself, and may ask for calls in a fence: ```` ```tool_call ````.
    - `sampling`: defaults for every request, over the model file's own.
    - `max_waiting` (256): requests that may wait for a slot; one more raises `QueueFull`. `snapshot_bytes` (512 MiB):
      host memory for conversations that lost their slot, or left it while others run.
    - `options`: what only a particular backend knows. `progress` is told about downloads; without it, there is a bar
      where there is somebody to see it.

    An option of the wrong kind or out of range raises `UnsupportedInput`, here or, where only the backend can tell, in
    `open()`, which also raises `ModelNotFound`, `UnsupportedModel`, `DeviceUnavailable`, `BackendNotFound`,
    `OutOfMemory` or `BackendCrashed`.
    """

    def __init__(
        self,
        source: ModelName = "demo",
        *,
        backend: str | None = None,
        device: str = "auto",
        worker: str | None = None,
        isolation: Isolation = "process",
        context_length: int | None = None,
        slots: int | None = None,
        cache_length: int | None = None,
        step_tokens: int | None = None,
        threads: int | None = None,
        gpu_layers: int | None = None,
        tensor_split: Sequence[float] = (),
        flash_attention: bool | None = None,
        cache_type: str = "f16",
        adapters: Mapping[str, float] | None = None,
        rpc_servers: Sequence[str] = (),
        pooling: str | None = None,
        chat_template: str | None = None,
        system_prompt: str | None = None,
        sampling: SamplingParams | None = None,
        max_waiting: int = 256,
        snapshot_bytes: int = 512 * 1024 * 1024,
        options: Mapping[str, Any] | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        if isolation not in get_args(Isolation):
            raise UnsupportedInput(f"isolation is one of {' and '.join(get_args(Isolation))}; got {isolation!r}.")
        self._source, self._backend = _split_source(source, backend)
        self._worker, self._isolation = worker, isolation
        self._progress = progress
        self._sampling = checked(sampling) or SamplingParams()
        self._scheduling = SchedulerOptions(max_waiting=max_waiting, snapshot_bytes=snapshot_bytes)
        self._options = LoadOptions(
            device=device.strip().lower() if isinstance(device, str) else device,
            context_length=context_length,
            slots=slots,
            cache_length=cache_length,
            step_tokens=step_tokens,
            threads=threads,
            gpu_layers=gpu_layers,
            tensor_split=tensor_split,
            flash_attention=flash_attention,
            cache_type=cache_type,
            adapters=adapters or {},
            rpc_servers=rpc_servers,
            pooling=pooling,
            chat_template=chat_template,
            system_prompt=system_prompt,
            extra=options or {},
        )
        self._opened: Handle | None = None
        self._opening = self._closed = False

    # -- open and close --------------------------------------------------------------------------------------------

    async def open(self) -> Self:
        """Load the model. `async with` does this; by itself it is for notebooks and frameworks, with `aclose`."""
        if self._opening or self._opened is not None or self._closed:
            raise ClosedError("An engine is opened once. Make a new one.")
        self._opening = True
        try:
            handle = await self._load()
        finally:
            self._opening = False
        if self._closed:
            await handle.aclose()
            raise ClosedError("The engine was closed while it was being opened. Make a new one.")
        self._opened = handle
        return self

    async def aclose(self) -> None:
        """Unload the model and give its memory back. Requests still in flight fail with `ClosedError`.

        All of that is under way at once, and cancelling only stops the waiting for it. An engine that is being opened
        is closed when it has been.
        """
        handle, self._opened, self._closed = self._opened, None, True
        if handle is not None:
            await handle.aclose()

    async def __aenter__(self) -> Self:
        return self if self._opened is not None else await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def info(self) -> ModelInfo:
        """What the model is, and where it was put. Raises `ClosedError` while it is not open."""
        return self._handle.info

    # -- asking ----------------------------------------------------------------------------------------------------

    @overload
    async def complete(self, prompt: Prompt, *, returns: type[T], **options: Unpack[AskOptions]) -> T: ...

    @overload
    async def complete(self, prompt: Prompt, *, returns: None = None, **options: Unpack[AskOptions]) -> Completion: ...

    async def complete(self, prompt: Prompt, *, returns: Any = None, **options: Unpack[AskOptions]) -> Any:
        """The model's answer, once it is whole; with `returns`, as an instance of that type.

        Other arguments and errors are those of `stream`. With `returns` it raises `InvalidOutput` if the answer ends
        in the middle, or is not of the type.
        """
        async with self.stream(prompt, returns=returns, **options) as stream:
            async for _ in stream:
                pass
            return stream.completion if returns is None else stream.value

    def stream(self, prompt: Prompt, *, returns: Any = None, **options: Unpack[AskOptions]) -> TextStream:
        """The model's answer as it is written.

        A string is what the user says; a list of `Message` is a conversation; a list of token ids, or a string with
        `raw`, is continued as it is. A model without a chat template continues strings too.

        - `tools`: what the model may call, each a `Tool`, or a function with annotations and a docstring. Its calls are
          events, and `tool_calls` of the completion; `run` executes them. `tool_choice`: `"auto"`, `"none"`,
          `"required"`, one of the tools, or a `ToolChoice`. `parallel_tool_calls` (True): whether it may call several
          at once.
        - `returns`: a type the answer is to be an instance of: a dataclass, an attrs class, a TypedDict, a pydantic
          model, or a plain type. The text is held to its schema, and `value` of the stream is the instance.
        - `reasoning_effort`: how hard to think, in the words of the model's template (`"none"`, `"low"`, …).
          `reasoning_budget`: tokens of thoughts after which the model has to answer.
        - `overflow`: `"error"`, or `"truncate"` to leave out the oldest turns of a conversation that is too long.
        - `raw`, `sampling`, `priority` (`"live"`, `"normal"`, `"background"`), `template_options`: variables for the
          chat template. Any other option is a field of `SamplingParams`, over those of `sampling`.

        Raises here `InvalidSampling`, `UnsupportedInput` and `ClosedError`; while it is iterated over also
        `PromptTooLong`, `QueueFull`, `InvalidGrammar`, `BackendError`, `BackendCrashed` and, for a finished text that
        is not what it was held to, `InvalidOutput`.
        """
        asked = self._asked(prompt, options, returns)
        strict = asked.strict if GrammarKind.LARK in self.info.grammars else {}
        run = self._handle.start(asked.prompt, asked.sampling, asked.priority)
        return TextStream(run, asked.sampling.grammar, strict, returns)

    @overload
    def run(
        self,
        prompt: Prompt,
        *,
        tools: Sequence[AnyTool],
        returns: type[T],
        **options: Unpack[RunOptions],
    ) -> ToolRun[T]: ...

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
        self,
        prompt: Prompt,
        *,
        tools: Sequence[AnyTool],
        returns: Any = None,
        **options: Unpack[RunOptions],
    ) -> ToolRun[Any]:
        """Let the model call tools until it answers. Await it for the result, or iterate over it in `async with`.

        Functions among the `tools` are executed, those of one round at once: coroutine functions in the event loop,
        others in threads. What they return, or raise, is told to the model. A call of a tool that is no function ends
        the run, and is `pending` in its result.

        - `tool_choice`: what is required is so in the first round only, after which the model may answer; what is
          not among its `names` is never called.
        - `max_rounds`: how often the model is asked. In the last round of several it has to answer, because it gets no
          tools.
        - `timeout`: seconds for all of it, after which it is stopped with `RunTimeout`. `tool_timeout`: for one call.
        - `approve`: is asked before a call is executed, and may be a coroutine function. False, or a reason as text,
          is told to the model instead of a result.

        Other options and errors are those of `stream`.
        """
        known = {field.name for field in attrs.fields(RunLimits)}
        limits = RunLimits(**{name: value for name, value in options.items() if name in known})  # type: ignore[arg-type]
        asking: dict[str, Any] = {name: value for name, value in options.items() if name not in known}
        asking["tools"] = given = as_tools(tools)
        asked = self._asked(prompt, asking, returns)
        if not asked.prompt.messages:
            raise UnsupportedInput(
                "run() goes on with a conversation; a text or tokens are only continued. Use stream()."
            )
        if asked.sampling.n != 1:
            raise UnsupportedInput(f"run() goes on with one answer; n is {asked.sampling.n}. Leave n out.")
        allowed = {each.name for each in asked.prompt.chat.offered}
        functions = {each.tool.name: each for each in given if isinstance(each, FunctionTool)}
        functions = {name: function for name, function in functions.items() if name in allowed}
        described = {each.name for each in given if isinstance(each, Tool) and each.name in allowed}

        choice = asked.prompt.chat.tool_choice

        def ask(messages: Sequence[Message], *, first: bool, with_tools: bool) -> TextStream:
            now = choice if first else choice.optional if with_tools else ToolChoice("none")
            return self.stream(list(messages), returns=returns, **{**asking, "tool_choice": now})

        return ToolRun(ask, list(asked.prompt.messages), functions, described, limits, returns)

    async def embed(
        self,
        texts: str | Sequence[str | tuple[str, str]],
        *,
        normalize: bool = True,
        priority: PriorityName = "normal",
    ) -> NDArray[np.float32]:
        """One vector for each text: float32 [texts, d], of length 1 unless `normalize` is off.

        A reranker takes pairs (query, document) and gives one score for each: float32 [pairs, classes], as it is.
        Raises `UnsupportedInput`, and `PromptTooLong` for a text longer than the model can take in.
        """
        import numpy as np

        inputs = as_inputs(texts)
        if not inputs:
            return np.empty((0, self.info.embedding_length), dtype=np.float32)
        vectors = await self._handle.embed(inputs, as_priority(priority))
        if not normalize or self.info.pooling == "rank":
            return vectors
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        normalized: NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
        return normalized

    async def count_tokens(self, prompt: Prompt, **options: Unpack[PromptOptions]) -> int:
        """How many tokens the prompt takes, rendered as `complete` would."""
        return await self._handle.count_tokens(self._asked(prompt, options).prompt)

    # -- inside ----------------------------------------------------------------------------------------------------

    @property
    def _handle(self) -> Handle:
        if self._opened is None:
            hint = "it has been closed" if self._closed else "use it in `async with`, or await engine.open()"
            raise ClosedError(f"The engine is not open: {hint}.")
        return self._opened

    def _asked(self, prompt: Prompt, options: Mapping[str, Any], returns: Any = None) -> Asked:
        return Asked.of(prompt, options, renders=self.info.chat, defaults=self._sampling, returns=returns)

    async def _load(self) -> Handle:
        backend = await anyio.to_thread.run_sync(load_backend, self._backend)
        if not isinstance(backend, Backend):
            return ChatHandle(await backend.connect(Source(str(self._source)), self._options))
        worker = self._worker or await self._device_worker()
        source = await self._find(backend, worker)
        return await WorkerHandle.load(
            shared_pool, worker, self._isolation, self._backend, source, self._options, self._scheduling
        )

    async def _device_worker(self) -> str:
        """The worker for the device this model will be on: every model there shares it."""
        wanted = self._options.device.split(",")[0].strip()
        if wanted == "cpu":
            return wanted
        names = [device.name for device in await self._devices("cpu")]
        if wanted == "auto":
            return names[0]
        return next((name for name in names if name == wanted or name.startswith(f"{wanted}:")), wanted)

    async def _devices(self, worker: str) -> Sequence[Device]:
        if self._backend not in shared_pool.devices:
            shared_pool.devices[self._backend] = await devices_of(shared_pool, worker, self._isolation, self._backend)
        return shared_pool.devices[self._backend]

    async def _find(self, backend: Backend, worker: str) -> Source:
        if not backend.suffixes:
            return Source(str(self._source))
        memory = sum(device.total_memory for device in await self._devices(worker))

        def find() -> Source:
            from sauropod._sources import find_model, runnable

            return find_model(self._source, check=runnable(backend.supports, memory), progress=self._progress)

        return await in_daemon_thread(find)


def _split_source(source: ModelName, backend: str | None) -> tuple[ModelName, str]:
    """What names the model, and the backend that is to load it."""
    if backend is not None:
        return source, backend
    if isinstance(source, str):
        name, colon, rest = source.partition(":")
        if colon and name in installed_backends():
            return rest, name
    return source, backend_for_file("model.gguf")
