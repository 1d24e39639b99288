"""Listens, thinks and speaks on your own machine.

    import sauropod

    async with sauropod.Engine("demo") as engine:
        print((await engine.complete("What is the capital of France?")).text)

`sauropod.blocking` has the same without async, `sauropod.abc` is what plug-ins implement, and `sauropod.testing` helps
to test either.
"""

from sauropod._engine import Engine
from sauropod._stream import TextStream
from sauropod._values.completion import (
    Choice,
    Completion,
    Finished,
    StreamEvent,
    TextDelta,
    Timings,
    TokenLogprob,
    Usage,
)
from sauropod._values.grammar import Grammar
from sauropod._values.info import Device, ModelInfo, Placement
from sauropod._values.messages import Message, Prompt, Tool, ToolCall
from sauropod._values.sampling import SamplingOptions, SamplingParams, StopReason
from sauropod.errors import (
    BackendCrashed,
    BackendError,
    BackendNotFound,
    ClosedError,
    DeviceUnavailable,
    InvalidGrammar,
    InvalidSampling,
    LoadError,
    ModelNotFound,
    OutOfMemory,
    PromptTooLong,
    QueueFull,
    RequestError,
    SauropodError,
    UnsupportedInput,
    UnsupportedModel,
)

__all__ = [
    "BackendCrashed",
    "BackendError",
    "BackendNotFound",
    "Choice",
    "ClosedError",
    "Completion",
    "Device",
    "DeviceUnavailable",
    "Engine",
    "Finished",
    "Grammar",
    "InvalidGrammar",
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
    "RequestError",
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
    "UnsupportedInput",
    "UnsupportedModel",
    "Usage",
]
