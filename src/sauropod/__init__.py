"""Listens, thinks and speaks on your own machine.

    import sauropod

    async with sauropod.Engine("demo") as engine:
        print((await engine.complete("What is the capital of France?")).text)

`sauropod.blocking` has the same without async, `sauropod.abc` is what plug-ins implement, and `sauropod.testing` helps
to test either.
"""

from typing import TYPE_CHECKING, Any

from sauropod._asking import AskOptions, RunOptions
from sauropod._engine import Engine
from sauropod._running import ToolRun
from sauropod._stream import TextStream
from sauropod._typed.functions import FunctionTool, tool
from sauropod._values.audio import AudioFrame
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
from sauropod._values.grammar import Grammar, GrammarKind
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
from sauropod._values.speech import (
    FinalTranscript,
    HearingEvent,
    Mark,
    PartialTranscript,
    Segment,
    SpeechInfo,
    SpeechSpan,
    Transcript,
    UtteranceEnded,
    UtteranceStarted,
    Word,
)
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

if TYPE_CHECKING:
    from sauropod._audio import AudioLimits
    from sauropod._detector import DetectorStream, VoiceDetector
    from sauropod._hearing import TranscriptStream
    from sauropod._speaking import VoiceStream
    from sauropod._speech.endpointer import EndpointSettings
    from sauropod._transcriber import Transcriber, TranscriptionProgress
    from sauropod._values.spoken import SpeechFrame
    from sauropod._voice import SayOptions, Speech, Voice

__all__ = [
    "AskOptions",
    "AudioFrame",
    "AudioLimits",
    "BackendCrashed",
    "BackendError",
    "BackendNotFound",
    "Choice",
    "ClosedError",
    "Completion",
    "ContextLedger",
    "DetectorStream",
    "Device",
    "DeviceUnavailable",
    "EndpointSettings",
    "Engine",
    "FinalTranscript",
    "Finished",
    "FunctionTool",
    "Grammar",
    "GrammarKind",
    "HearingEvent",
    "InvalidGrammar",
    "InvalidOutput",
    "InvalidSampling",
    "LoadError",
    "Mark",
    "Message",
    "ModelInfo",
    "ModelNotFound",
    "OutOfMemory",
    "PartialTranscript",
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
    "SayOptions",
    "Segment",
    "Speech",
    "SpeechFrame",
    "SpeechInfo",
    "SpeechSpan",
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
    "Transcriber",
    "Transcript",
    "TranscriptStream",
    "TranscriptionProgress",
    "UnsupportedInput",
    "UnsupportedModel",
    "Usage",
    "UtteranceEnded",
    "UtteranceStarted",
    "Voice",
    "VoiceDetector",
    "VoiceStream",
    "Word",
    "tool",
]

_LATER = {
    "AudioLimits": "sauropod._audio",
    "DetectorStream": "sauropod._detector",
    "EndpointSettings": "sauropod._speech.endpointer",
    "SayOptions": "sauropod._voice",
    "Speech": "sauropod._voice",
    "SpeechFrame": "sauropod._values.spoken",
    "Transcriber": "sauropod._transcriber",
    "TranscriptStream": "sauropod._hearing",
    "TranscriptionProgress": "sauropod._transcriber",
    "Voice": "sauropod._voice",
    "VoiceDetector": "sauropod._detector",
    "VoiceStream": "sauropod._speaking",
}
"""What is imported when it is first asked for: who only thinks need not wait for ears and a mouth."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sauropod' has no attribute {name!r}")
    from importlib import import_module

    return globals().setdefault(name, getattr(import_module(_LATER[name]), name))
