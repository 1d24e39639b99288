"""/v1/audio/speech: what is to be said, and the events of saying it."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sauropod.server.problems import invalid
from sauropod.server.wire.decoding import decoded

__all__ = ["OPENAI_MODELS", "CreateSpeech", "SpeechDelta", "SpeechDone", "SpeechUsage", "read_speech", "voice_of"]

LONGEST = 32_768
"""Characters, some forty minutes."""

OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""Names that stand for whatever speaks here."""
OPENAI_VOICES = (
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse"),
    *("marin", "cedar"),
)
"""Names that always are some voice."""

TOKENS_A_SECOND = 20
"""As OpenAI counts sound that is made."""


class VoiceId(Struct):
    """A voice, by its id."""

    id: str


class CreateSpeech(Struct, kw_only=True):
    """The body. `language` is this server's own. `instructions` are accepted."""

    input: str
    model: str | None = None
    voice: str | VoiceId | None = None
    instructions: str | None = None
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Meta(ge=0.25, le=4)] | None = None
    stream_format: Literal["audio", "sse"] = "audio"
    language: str | None = None

    @property
    def voice_name(self) -> str | None:
        return self.voice.id if isinstance(self.voice, VoiceId) else self.voice


class SpeechUsage(Struct):
    """Characters that went in, and twentieths of a second that came out."""

    input_tokens: int
    output_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, text: str, seconds: float) -> SpeechUsage:
        heard = math.ceil(seconds * TOKENS_A_SECOND)
        return cls(len(text), heard, len(text) + heard)


class SpeechDelta(Struct, tag="speech.audio.delta"):
    """More of the file, in base64."""

    audio: str

    @classmethod
    def of(cls, data: bytes) -> SpeechDelta:
        return cls(base64.b64encode(data).decode("ascii"))


class SpeechDone(Struct, tag="speech.audio.done"):
    """That was all."""

    usage: SpeechUsage


def read_speech(body: bytes) -> CreateSpeech:
    """Raises `Problem`."""
    asked = decoded(CreateSpeech, body)
    if not asked.input.strip():
        raise invalid("'input' says nothing. Give the text that is to be spoken.", "input", "invalid_value")
    if len(asked.input) > LONGEST:
        raise invalid(
            f"'input' has {len(asked.input):,} characters; {LONGEST:,} are spoken at once. Send it in parts.",
            "input",
            "string_above_max_length",
        )
    return asked


def voice_of(name: str | None, voices: Sequence[str], own: str) -> str | None:
    """Which of a model's voices is meant; None is the one that it has by itself, and so is its `own` name.

    A blend, `a:0.7+b:0.3`, is passed on. OpenAI's names are those that end like them, as in `af_alloy`, or one of the
    others, always the same. Raises `Problem` for any other.
    """
    if name is None or name.casefold() in ("default", own.casefold()) or not voices:
        return None
    if name in voices or "+" in name or ":" in name:
        return name
    folded = name.casefold()
    alike = [each for each in voices if each.casefold() == folded or each.casefold().endswith(f"_{folded}")]
    if alike:
        return alike[0]
    if folded in OPENAI_VOICES:
        return voices[OPENAI_VOICES.index(folded) % len(voices)]
    raise invalid(f"There is no voice {name!r} here. There are: {', '.join(voices)}.", "voice", "invalid_value")
