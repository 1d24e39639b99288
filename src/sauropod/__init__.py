"""Listens, thinks and speaks on your own machine.

    import sauropod

    async with sauropod.Engine("demo") as engine:
        print((await engine.complete("What is the capital of France?")).text)

`sauropod.blocking` has the same without async, `sauropod.abc` is what plug-ins implement, and `sauropod.testing` helps
to test either.
"""

from sauropod._asking import AskOptions, RunOptions
from sauropod._engine import Engine
from sauropod._running import ToolRun
from sauropod._stream import TextStream
from sauropod._typed.functions import FunctionTool, tool
from sauropod._values.completion import (
    Choice,
    Completion,
    ContextLedger,
    Finished,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    Timings,
    TokenLogprob,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallDropped,
    ToolCallOpened,
    Usage,
)
from sauropod._values.grammar import Grammar
from sauropod._values.info import Device, ModelInfo, Placement
from sauropod._values.messages import Message, Prompt, Tool, ToolCall, ToolChoice
from sauropod._values.running import (
    RoundFinished,
    RunEvent,
    RunFinished,
    RunResult,
    RunStop,
    ToolFinished,
    ToolStarted,
)
from sauropod._values.sampling import SamplingOptions, SamplingParams, StopReason
from sauropod.errors import (
    BackendCrashed,
    BackendError,
    BackendNotFound,
    ClosedError,
    DeviceUnavailable,
    InvalidGrammar,
    InvalidOutput,
    InvalidSampling,
    LoadError,
    ModelNotFound,
    OutOfMemory,
    PromptTooLong,
    QueueFull,
    RequestError,
    RunTimeout,
    SauropodError,
    UnsupportedInput,
    UnsupportedModel,
)

__all__ = [
    "AskOptions",
    "BackendCrashed",
    "BackendError",
    "BackendNotFound",
    "Choice",
    "ClosedError",
    "Completion",
    "ContextLedger",
    "Device",
    "DeviceUnavailable",
    "Engine",
    "Finished",
    "FunctionTool",
    "Grammar",
    "InvalidGrammar",
    "InvalidOutput",
    "InvalidSampling",
    "LoadError",
    "Message",
    "ModelInfo",
    "ModelNotFound",
    "OutOfMemory",
    "Placement",
    "Prompt",
    "PromptTooLong",
    "QueueFull",
    "ReasoningDelta",
    "RequestError",
    "RoundFinished",
    "RunEvent",
    "RunFinished",
    "RunOptions",
    "RunResult",
    "RunStop",
    "RunTimeout",
    "SamplingOptions",
    "SamplingParams",
    "SauropodError",
    "StopReason",
    "StreamEvent",
    "TextDelta",
    "TextStream",
    "Timings",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "ToolCallClosed",
    "ToolCallDelta",
    "ToolCallDropped",
    "ToolCallOpened",
    "ToolChoice",
    "ToolFinished",
    "ToolRun",
    "ToolStarted",
    "UnsupportedInput",
    "UnsupportedModel",
    "Usage",
    "tool",
]
