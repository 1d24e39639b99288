"""`Engine`: one language model, ready to be asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, Unpack, overload

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
from sauropod._attaching import require_hearing
from sauropod._handles import ChatHandle, Handle, WorkerHandle
from sauropod._opening import ModelName, Openable, Place
from sauropod._running import ToolRun
from sauropod._runtime.pool import Isolation
from sauropod._stream import TextStream
from sauropod._typed.functions import FunctionTool, as_tools
from sauropod._values.completion import Completion
from sauropod._values.grammar import GrammarKind
from sauropod._values.info import Device, ModelInfo
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.messages import Message, Prompt, Tool, ToolChoice, as_tokens
from sauropod._values.running import RunLimits
from sauropod._values.sampling import SamplingParams
from sauropod._values.scheduling import SchedulerOptions
from sauropod.abc import Backend
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sauropod._sources import ProgressCallback

__all__ = ["Engine", "ModelName", "PriorityName", "engine_at"]

T = TypeVar("T")


class Engine(Openable[Handle]):
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
    - `projector`: what the model hears with (`mmproj`). True finds the one beside it, or in its repository; False takes
      none, and another is named by its file.
    - `sampling`: defaults for every request, over the model file's own.
    - `max_waiting` (256): requests that may wait for a slot; one more raises `QueueFull`. `snapshot_bytes` (512 MiB):
      host memory for conversations that lost their slot, or left it while others run.
    - `options`: what only a particular backend knows. `progress` is told about downloads; without it, there is a bar
      where there is somebody to see it.

    An option of the wrong kind or out of range raises `UnsupportedInput`, here or, where only the backend can tell, in
    `open()`, which also raises `ModelNotFound`, `UnsupportedModel`, `DeviceUnavailable`, `BackendNotFound`,
    `OutOfMemory` or `BackendCrashed`.
    """

    _noun: ClassVar[str] = "engine"

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
        projector: ModelName | bool = True,
        sampling: SamplingParams | None = None,
        max_waiting: int = 256,
        snapshot_bytes: int = 512 * 1024 * 1024,
        options: Mapping[str, Any] | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        super().__init__()
        self._place = Place.of(
            source,
            ending=".gguf",
            backend=backend,
            device=device,
            worker=worker,
            isolation=isolation,
            progress=progress,
        )
        self._projector = _checked_projector(projector)
        self._sampling = checked(sampling) or SamplingParams()
        self._scheduling = SchedulerOptions(max_waiting=max_waiting, snapshot_bytes=snapshot_bytes)
        self._options = LoadOptions(
            device=self._place.device,
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
        `raw`, is continued as it is. A model without a chat template continues strings too. A model that hears
        (`info.hears`) takes messages with audio: `Message.user("What is this?", audio="bird.wav")`.

        - `tools`: what the model may call, each a `Tool`, or a function with annotations and a docstring. Its calls are
          events, and `tool_calls` of the completion; `run` executes them. `tool_choice`: `"auto"`, `"none"`,
          `"required"`, one of the tools, or a `ToolChoice`. `parallel_tool_calls` (True): whether it may call several
          at once.
        - `returns`: a type the answer is to be an instance of: a dataclass, an attrs class, a TypedDict, a pydantic
          model, or a plain type. The text is held to its schema, and `value` of the stream is the instance.
        - `reasoning_effort`: how hard to think, in the words of the model's template (`"none"`, `"low"`, …).
          `reasoning_budget`: tokens of thoughts after which the model has to answer.
        - `overflow`: `"error"`, or `"truncate"` to leave out the oldest turns of a conversation that is too long: down
          to `retention` (0.875) of the context at once, so that what is left stays computed for a while.
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

    async def prefill(self, prompt: Prompt, **options: Unpack[PromptOptions]) -> None:
        """Let the model read a prompt, so that an answer to one that begins like it begins sooner.

        It is for what is known before the rest is: a long system prompt, or the beginning of what somebody is saying.
        What was read stays until its place is needed for something else. A model that is not on this machine is not
        asked. Raises what `stream` does.
        """
        if isinstance(self._handle, ChatHandle):
            return
        async with self.stream(prompt, **options, max_tokens=1, priority="live") as stream:
            async for _ in stream:
                pass

    async def count_tokens(self, prompt: Prompt, **options: Unpack[PromptOptions]) -> int:
        """How many tokens the prompt takes, rendered as `complete` would."""
        return await self._handle.count_tokens(self._asked(prompt, options).prompt)

    async def count_embedded(self, texts: str | Sequence[str | tuple[str, str]]) -> int:
        """How many tokens `embed` would compute for these. Raises what it does."""
        inputs = as_inputs(texts)
        return await self._handle.count_embedded(inputs) if inputs else 0

    async def tokenize(self, text: str, *, special: bool = True) -> list[int]:
        """The tokens of a text, as `complete(text, raw=True)` takes it.

        With `special` off it is only text: marks in it mean nothing, and no beginning is put before it. Raises
        `UnsupportedInput`.
        """
        if not isinstance(text, str):
            raise UnsupportedInput(f"tokenize() takes a text; got {type(text).__name__}.")
        return await self._handle.tokenize(text, special)

    async def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens, marks included; what is no whole character is `\ufffd`. Raises `UnsupportedInput`."""
        given = as_tokens(list(tokens)) if tokens else ()
        if given is None:
            raise UnsupportedInput("detokenize() takes a list of token ids, which are numbers.")
        return await self._handle.detokenize(given)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _asked(self, prompt: Prompt, options: Mapping[str, Any], returns: Any = None) -> Asked:
        asked = Asked.of(prompt, options, renders=self.info.chat, defaults=self._sampling, returns=returns)
        require_hearing(asked.prompt.messages, self.info)
        return asked

    async def _load(self) -> Handle:
        backend = await self._place.connection()
        if not isinstance(backend, Backend):
            return ChatHandle(await backend.connect(Source(str(self._place.source)), self._options))
        find = partial(self._find, backend)
        return await self._place.load(WorkerHandle, find, self._options, self._scheduling)

    def _find(self, backend: Backend, devices: Sequence[Device]) -> Source:
        from sauropod._sources import find_model, find_projector, runnable

        if not backend.suffixes:
            return Source(str(self._place.source))
        memory = sum(device.total_memory for device in devices)
        check = runnable(backend.supports, memory)
        named, progress = self._projector, self._place.progress
        source = find_model(self._place.source, check=check, progress=progress, projector=named is True)
        if isinstance(named, bool):
            return source
        return attrs.evolve(source, projector=find_projector(named, progress=progress), projector_named=True)


async def engine_at(
    place: Place, options: LoadOptions, *, context_length: int, projector: ModelName | bool = True
) -> Engine:
    """An open engine for ears or a mouth that is a language model: where they were to be, as they were to run."""
    return await Engine(
        place.source,
        backend=place.backend,
        device=place.device,
        worker=place.worker,
        isolation=place.isolation,
        slots=options.slots,
        threads=options.threads,
        context_length=context_length,
        projector=projector,
        options=options.extra,
        progress=place.progress,
    ).open()


def _checked_projector(projector: ModelName | bool) -> ModelName | bool:
    if isinstance(projector, bool | str | os.PathLike | Mapping):
        return projector
    raise UnsupportedInput(f"projector is True, False, or a file's name; got {projector!r}.")
