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
    from sauropod._audio import AudioLimits, Microphone, Player
    from sauropod._detector import DetectorStream, VoiceDetector
    from sauropod._hearing import TranscriptStream
    from sauropod._session.events import (
        AudioCleared,
        AudioCommitted,
        IdleTimedOut,
        ItemAdded,
        ItemDone,
        ItemRemoved,
        ItemTruncated,
        NothingHeard,
        Reply,
        ReplyAudio,
        ReplyCallDelta,
        ReplyFinished,
        ReplyHeld,
        ReplyResumed,
        ReplyStarted,
        ReplyText,
        SessionEvent,
        SessionUpdated,
        TurnTimings,
        UserHeard,
        UserSaid,
        UserStarted,
        UserStopped,
        UserUnheard,
    )
    from sauropod._session.items import CallItem, Item, ResultItem, SaidItem
    from sauropod._session.session import Session
    from sauropod._session.settings import ReplyOptions, SessionOptions, SessionSettings, TurnTaking
    from sauropod._speaking import VoiceStream
    from sauropod._speech.endpointer import EndpointSettings
    from sauropod._transcriber import Transcriber, TranscriptionProgress
    from sauropod._values.spoken import SpeechFrame
    from sauropod._voice import SayOptions, Speech, Voice

__all__ = [
    "AskOptions",
    "AudioCleared",
    "AudioCommitted",
    "AudioFrame",
    "AudioLimits",
    "BackendCrashed",
    "BackendError",
    "BackendNotFound",
    "CallItem",
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
    "IdleTimedOut",
    "InvalidGrammar",
    "InvalidOutput",
    "InvalidSampling",
    "Item",
    "ItemAdded",
    "ItemDone",
    "ItemRemoved",
    "ItemTruncated",
    "LoadError",
    "Mark",
    "Message",
    "Microphone",
    "ModelInfo",
    "ModelNotFound",
    "NothingHeard",
    "OutOfMemory",
    "PartialTranscript",
    "Placement",
    "Player",
    "Prompt",
    "PromptTooLong",
    "QueueFull",
    "ReasoningDelta",
    "Reply",
    "ReplyAudio",
    "ReplyCallDelta",
    "ReplyFinished",
    "ReplyHeld",
    "ReplyOptions",
    "ReplyResumed",
    "ReplyStarted",
    "ReplyText",
    "RequestError",
    "ResultItem",
    "RoundFinished",
    "RunEvent",
    "RunFinished",
    "RunOptions",
    "RunResult",
    "RunStop",
    "RunTimeout",
    "SaidItem",
    "SamplingOptions",
    "SamplingParams",
    "SauropodError",
    "SayOptions",
    "Segment",
    "Session",
    "SessionEvent",
    "SessionOptions",
    "SessionSettings",
    "SessionUpdated",
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
    "TurnTaking",
    "TurnTimings",
    "UnsupportedInput",
    "UnsupportedModel",
    "Usage",
    "UserHeard",
    "UserSaid",
    "UserStarted",
    "UserStopped",
    "UserUnheard",
    "UtteranceEnded",
    "UtteranceStarted",
    "Voice",
    "VoiceDetector",
    "VoiceStream",
    "Word",
    "tool",
]

_LATER = {
    "Microphone": "sauropod._audio",
    "Player": "sauropod._audio",
    "AudioCleared": "sauropod._session.events",
    "AudioCommitted": "sauropod._session.events",
    "IdleTimedOut": "sauropod._session.events",
    "ItemAdded": "sauropod._session.events",
    "ItemDone": "sauropod._session.events",
    "ItemRemoved": "sauropod._session.events",
    "ItemTruncated": "sauropod._session.events",
    "NothingHeard": "sauropod._session.events",
    "Reply": "sauropod._session.events",
    "ReplyAudio": "sauropod._session.events",
    "ReplyCallDelta": "sauropod._session.events",
    "ReplyFinished": "sauropod._session.events",
    "ReplyHeld": "sauropod._session.events",
    "ReplyResumed": "sauropod._session.events",
    "ReplyStarted": "sauropod._session.events",
    "ReplyText": "sauropod._session.events",
    "SessionEvent": "sauropod._session.events",
    "SessionUpdated": "sauropod._session.events",
    "TurnTimings": "sauropod._session.events",
    "UserHeard": "sauropod._session.events",
    "UserSaid": "sauropod._session.events",
    "UserStarted": "sauropod._session.events",
    "UserStopped": "sauropod._session.events",
    "UserUnheard": "sauropod._session.events",
    "CallItem": "sauropod._session.items",
    "Item": "sauropod._session.items",
    "ResultItem": "sauropod._session.items",
    "SaidItem": "sauropod._session.items",
    "ReplyOptions": "sauropod._session.settings",
    "SessionOptions": "sauropod._session.settings",
    "SessionSettings": "sauropod._session.settings",
    "TurnTaking": "sauropod._session.settings",
    "Session": "sauropod._session.session",
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
