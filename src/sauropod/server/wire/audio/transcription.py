"""/v1/audio/transcriptions and translations: what is to be heard, and what was."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sauropod import Segment, SpeechInfo, Transcript, Word
from sauropod._speech.subtitles import render
from sauropod.server.problems import invalid
from sauropod.server.wire.decoding import converted, encoded

__all__ = ["OPENAI_MODELS", "CreateTranscription", "TextDelta", "TextDone", "check_task", "read_form", "written"]

OPENAI_MODELS = (
    *("whisper-1", "gpt-transcribe", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"),
    "gpt-4o-mini-transcribe-2025-12-15",
)
"""Names that stand for whatever hears here."""

MEDIA_TYPES = {"text": "text/plain; charset=utf-8", "srt": "application/x-subrip", "vtt": "text/vtt; charset=utf-8"}
LEAST = 1e-9
"""A confidence has a logarithm."""
LISTS = ("timestamp_granularities", "include")
LANGUAGES = {
    "en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian", "pt": "portuguese",
    "nl": "dutch", "pl": "polish", "ru": "russian", "uk": "ukrainian", "sv": "swedish", "da": "danish",
    "fi": "finnish", "el": "greek", "cs": "czech", "sk": "slovak", "hu": "hungarian", "ro": "romanian",
    "bg": "bulgarian", "hr": "croatian", "sl": "slovenian", "et": "estonian", "lv": "latvian", "lt": "lithuanian",
    "mt": "maltese", "ja": "japanese", "zh": "chinese", "ko": "korean", "ar": "arabic", "hi": "hindi", "tr": "turkish",
}  # fmt: skip
"""As OpenAI's verbose answers name them."""


class CreateTranscription(Struct, kw_only=True):
    """The form, without its file. `prompt`, `temperature` and `chunking_strategy` are accepted."""

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    timestamp_granularities: list[Literal["word", "segment"]] = []
    include: list[str] = []
    chunking_strategy: str | None = None
    stream: Literal["true", "false", "True", "False", "1", "0"] = "false"

    @property
    def streams(self) -> bool:
        return self.stream.lower() in ("true", "1")

    @property
    def tells_logprobs(self) -> bool:
        return "logprobs" in self.include


class WordLogprob(Struct):
    """How sure a word is: a recogniser's tokens are not told here."""

    token: str
    bytes: list[int]
    logprob: float


class TextDelta(Struct, tag="transcript.text.delta", omit_defaults=True):
    """Another utterance."""

    delta: str
    logprobs: list[WordLogprob] | UnsetType = UNSET

    @classmethod
    def of(cls, segment: Segment, first: bool, logprobs: bool) -> TextDelta:
        text = segment.text if first else f" {segment.text}"
        return cls(text, _logprobs(segment.words) if logprobs else UNSET)


class TextDone(Struct, tag="transcript.text.done", omit_defaults=True):
    """All of it."""

    text: str
    logprobs: list[WordLogprob] | UnsetType = UNSET

    @classmethod
    def of(cls, segments: Sequence[Segment], logprobs: bool) -> TextDone:
        words = [word for segment in segments for word in segment.words]
        return cls(" ".join(each.text for each in segments), _logprobs(words) if logprobs else UNSET)


def read_form(given: Iterable[tuple[str, Any]]) -> CreateTranscription:
    """The fields of a form; a list's name may end in `[]`. Raises `Problem`."""
    found: dict[str, Any] = {}
    for field, value in given:
        name = field.removesuffix("[]")
        if name == "file" or not isinstance(value, str):
            continue
        if name in LISTS:
            found.setdefault(name, []).append(value)
        else:
            found[name] = _number(value) if name == "temperature" else value
    if found.get("response_format") == "diarized_json":
        raise invalid("Who speaks is not told here. Use another 'response_format'.", "response_format", "invalid_value")
    return converted(CreateTranscription, found, "")


def check_task(task: str, model: SpeechInfo) -> None:
    """Who hears English only need not translate into it. Raises `Problem` for a translation by any other."""
    if task == "translate" and {each.partition("-")[0] for each in model.languages} != {"en"}:
        raise invalid(
            f"{model.name} writes down what it hears, and does not translate. Use /v1/audio/transcriptions.",
            "model",
            "unsupported_task",
        )


def written(transcript: Transcript, asked: CreateTranscription, task: str = "transcribe") -> tuple[bytes, str]:
    """The answer, and its media type."""
    match asked.response_format:
        case "json":
            return encoded(_plain(transcript, asked.tells_logprobs)), "application/json"
        case "verbose_json":
            return encoded(_verbose(transcript, asked, task)), "application/json"
        case "text" | "srt" | "vtt" as form:
            return render(transcript, form).encode(), MEDIA_TYPES[form]


# -- inside --------------------------------------------------------------------------------------------------------


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _plain(transcript: Transcript, logprobs: bool) -> Mapping[str, Any]:
    told = {"logprobs": _logprobs(transcript.words)} if logprobs else {}
    return {"text": transcript.text, **told, "usage": _usage(transcript)}


def _verbose(transcript: Transcript, asked: CreateTranscription, task: str) -> Mapping[str, Any]:
    wanted = asked.timestamp_granularities or ["segment"]
    language = transcript.language or asked.language or "en"
    answer: dict[str, Any] = {
        "task": task,
        "language": LANGUAGES.get(language.partition("-")[0], language),
        "duration": transcript.duration,
        "text": transcript.text,
    }
    if "word" in wanted:
        answer["words"] = [{"word": word.text, "start": word.start, "end": word.end} for word in transcript.words]
    if "segment" in wanted:
        answer["segments"] = [_segment(at, segment) for at, segment in enumerate(transcript.segments)]
    return {**answer, "usage": _usage(transcript)}


def _segment(at: int, segment: Segment) -> Mapping[str, Any]:
    data = segment.text.encode()
    return {
        "id": at,
        "seek": round(segment.start * 100),
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": math.log(max(segment.confidence, LEAST)),
        "compression_ratio": len(data) / len(zlib.compress(data)),
        "no_speech_prob": 0.0,
    }


def _usage(transcript: Transcript) -> Mapping[str, Any]:
    return {"type": "duration", "seconds": transcript.duration}


def _logprobs(words: Iterable[Word]) -> list[WordLogprob]:
    return [WordLogprob(word.text, list(word.text.encode()), math.log(max(word.confidence, LEAST))) for word in words]
