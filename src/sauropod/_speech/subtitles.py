"""A transcript as a file: plain text, SubRip, WebVTT or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from sauropod._speech.cues import Cue, clean, cues, milliseconds
from sauropod._values.speech import Segment, Transcript, Word
from sauropod.errors import UnsupportedInput

__all__ = ["TRANSCRIPT_FORMATS", "TranscriptFormat", "render", "to_json", "to_srt", "to_text", "to_vtt"]

TranscriptFormat: TypeAlias = Literal["text", "srt", "vtt", "json"]

ARROW = re.compile("-{2,}>")


def render(transcript: Transcript, format: TranscriptFormat) -> str:
    """The whole file, ending with a newline. It can always be encoded as UTF-8."""
    if format not in TRANSCRIPT_FORMATS:
        raise UnsupportedInput(f"format must be one of {', '.join(TRANSCRIPT_FORMATS)}; got {format!r}.")
    return TRANSCRIPT_FORMATS[format](transcript)


def to_text(transcript: Transcript) -> str:
    """What was said, without times; the text's own line breaks are kept."""
    return "\n".join(clean(line) for line in transcript.text.strip().splitlines()) + "\n"


def to_srt(transcript: Transcript) -> str:
    """SubRip. It has no standard and no way to escape, so an arrow, with which times are written, loses a hyphen."""
    blocks = (
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{ARROW.sub('->', _text(cue))}\n"
        for number, cue in enumerate(cues(transcript), 1)
    )
    return "\n".join(blocks)


def to_vtt(transcript: Transcript) -> str:
    """WebVTT, as W3C describes it. `&`, `<` and `>` are escaped, and with the last every arrow."""
    blocks = (
        f"\n{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(_text(cue))}\n" for cue in cues(transcript)
    )
    return "WEBVTT\n" + "".join(blocks)


def to_json(transcript: Transcript) -> str:
    """One object, much like the verbose JSON that Whisper's tools write:

        {"text": "Hello there.", "language": "en", "duration": 1.5,
         "segments": [{"id": 0, "start": 0.12, "end": 0.94, "text": "Hello there.",
                       "words": [{"word": "Hello", "start": 0.12, "end": 0.4, "confidence": 0.98}, …]}, …],
         "words": [… those of all segments …]}

    Times are seconds from the beginning of the audio, to the millisecond. `language` may be null. Nothing is left out
    or moved, as it is in subtitles, save that a time is never negative.
    """
    segments = [_segment(number, segment) for number, segment in enumerate(transcript.segments)]
    whole = {
        "text": clean(transcript.text),
        "language": transcript.language,
        "duration": milliseconds(transcript.duration) / 1000,
        "segments": segments,
        "words": [word for segment in segments for word in segment["words"]],
    }
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


TRANSCRIPT_FORMATS: dict[str, Callable[[Transcript], str]] = {
    "text": to_text,
    "srt": to_srt,
    "vtt": to_vtt,
    "json": to_json,
}


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "start": milliseconds(segment.start) / 1000,
        "end": milliseconds(segment.end) / 1000,
        "text": clean(segment.text),
        "words": [_word(word) for word in segment.words],
    }


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": clean(word.text),
        "start": milliseconds(word.start) / 1000,
        "end": milliseconds(word.end) / 1000,
        "confidence": round(min(max(word.confidence, 0.0), 1.0), 4),
    }


def _clock(time: int, point: str) -> str:
    """Milliseconds as 00:00:00,000. Hours have two digits or more."""
    seconds, thousandths = divmod(time, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"


def _text(cue: Cue) -> str:
    return "\n".join(cue.lines)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
