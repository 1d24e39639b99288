"""Write down what is said in recordings: as text, as subtitles, or as JSON with the time of every word.

Long files are cut where nobody speaks. With several files, each transcript is written beside its recording.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from sauropod._speech.subtitles import TRANSCRIPT_FORMATS, render
from sauropod.cli.failures import FAILED, OK, report
from sauropod.cli.figures import duration
from sauropod.cli.options import add_speech_loading, as_text, speech_options
from sauropod.cli.parser import usage_error
from sauropod.cli.progress import Bar
from sauropod.cli.terminal import note, print_text, status
from sauropod.errors import RequestError

if TYPE_CHECKING:
    from sauropod import Transcriber, Transcript

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "FILE ... [options]"
EXAMPLES = """\
  sauropod transcribe meeting.wav
  sauropod transcribe talk.mp3 --format srt -o talk.srt
  sauropod transcribe *.flac --format vtt --model istupakov/parakeet-tdt-0.6b-v3-onnx:int8
"""

ENDINGS = {"text": ".txt", "srt": ".srt", "vtt": ".vtt", "json": ".json"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    about = "wav, flac, mp3, ogg, opus, ...; with the extra av also m4a, webm, mp4"
    parser.add_argument("files", metavar="FILE", nargs="+", help=about)
    parser.add_argument("--format", choices=list(TRANSCRIPT_FORMATS), default="text", help="(default: text)")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to; of one file only (default: stdout)")
    about = (
        "demo, a directory, org/repo:int8 on huggingface.co, onnx_asr:whisper-base, voxtral:org/repo (default: demo)"
    )
    parser.add_argument("--model", metavar="MODEL", default="demo", help=about)
    about = "what tells where somebody speaks; none takes all for speech (default: goes with the model)"
    parser.add_argument("--vad", metavar="MODEL", default="auto", help=about)
    parser.add_argument("--language", metavar="TAG", type=as_text, help="what is spoken, where a model has to be told")
    add_speech_loading(parser)


def run(options: argparse.Namespace) -> int:
    if options.output is not None and len(options.files) > 1:
        usage_error("-o goes with one FILE. Of several, each is written beside its recording.", "sauropod transcribe")
    if len(options.files) > 1:
        beside = [_beside(file, options) for file in options.files]
        twice = next((path for path in beside if beside.count(path) > 1), None)
        if twice is not None:
            usage_error(
                f"Two recordings would be written to {twice}. Transcribe them one by one.", "sauropod transcribe"
            )
    return anyio.run(_run, options)


async def _run(options: argparse.Namespace) -> int:
    from sauropod import Transcriber

    given: dict[str, Any] = {**speech_options(options), "vad": None if options.vad == "none" else options.vad}
    transcriber = Transcriber(options.model, language=options.language, **given)
    with status(f"Loading {options.model} ..."):
        await transcriber.open()
    async with transcriber:
        failed = False
        for file in options.files:
            try:
                _write(await _transcribed(transcriber, file, options), file, options)
            except (RequestError, OSError) as error:
                if len(options.files) == 1:
                    raise
                report(error)  # the other files may be better
                failed = True
    return FAILED if failed else OK


async def _transcribed(transcriber: Transcriber, file: str, options: argparse.Namespace) -> Transcript:
    with Bar(Path(file).name) as bar:
        transcript = await transcriber.transcribe(file, progress=lambda told: bar.show(told.done, told.total))
    if options.verbose:
        words = len(transcript.words)
        note(f"{file}: {duration(transcript.duration)} of audio, {words} words, confidence {transcript.confidence:.0%}")
    return transcript


def _beside(file: str, options: argparse.Namespace) -> Path:
    return Path(file).with_suffix(ENDINGS[options.format])


def _write(transcript: Transcript, file: str, options: argparse.Namespace) -> None:
    text = render(transcript, options.format)
    if len(options.files) > 1:
        beside = _beside(file, options)
        beside.write_text(text, encoding="utf-8")
        note(f"{file} → {beside}")
    elif options.output is not None:
        Path(options.output).write_text(text, encoding="utf-8")
    else:
        print_text(text)
