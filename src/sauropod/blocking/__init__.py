"""The same nouns without async: a portal to an event loop in a thread, and delegation. No logic of its own.

    from sauropod.blocking import Engine

    with Engine("demo") as engine:
        print(engine.complete("What is the capital of France?").text)

May be used from any number of threads, and inside a running event loop (a notebook's) too.
"""

from sauropod.blocking.conversing import Session
from sauropod.blocking.speech import (
    DetectorStream,
    Transcriber,
    TranscriberOptions,
    TranscriptStream,
    Voice,
    VoiceDetector,
    VoiceDetectorOptions,
    VoiceOptions,
    VoiceStream,
)
from sauropod.blocking.text import Engine, EngineOptions, TextStream, ToolRun

__all__ = [
    "DetectorStream",
    "Engine",
    "EngineOptions",
    "Session",
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
