"""Say a text: into a file, through the loudspeaker, or to stdout as WAV.

The text is given as words, or piped in where there are none.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from sauropod.cli.failures import OK
from sauropod.cli.figures import duration
from sauropod.cli.options import add_json, add_speech_loading, as_text, speech_options
from sauropod.cli.parser import usage_error
from sauropod.cli.terminal import is_terminal, note, print_json, print_text, status

if TYPE_CHECKING:
    from sauropod import Mark, Speech

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "[TEXT ...] [-o FILE | --play] [options]"
EXAMPLES = """\
  sauropod speak "Hello there." -o hello.wav
  sauropod speak --play < letter.txt
  sauropod speak --model onnx-community/Kokoro-82M-v1.0-ONNX --voice af_heart:0.7+af_bella:0.3 "Hello" -o hello.mp3
  sauropod speak --list
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    about = "what to say; several words need no quotes"
    parser.add_argument("text", metavar="TEXT", nargs="*", type=as_text, default=[], help=about)
    about = "where to: .wav, .flac, .mp3, .ogg, .opus; - is stdout"
    parser.add_argument("-o", "--output", metavar="FILE", help=about)
    parser.add_argument("--play", action="store_true", help="through the loudspeaker")
    about = "demo, a directory, org/repo:q8f16 on huggingface.co, orpheus:org/repo (default: demo)"
    parser.add_argument("--model", metavar="MODEL", default="demo", help=about)
    about = "a voice of the model, or several: af_heart:0.7+af_bella:0.3"
    parser.add_argument("--voice", metavar="NAME", type=as_text, help=about)
    parser.add_argument("--speed", metavar="X", type=float, default=1.0, help="0.5 to 2 (default: 1)")
    parser.add_argument("--language", metavar="TAG", type=as_text, help="how the text is read, such as en-gb")
    parser.add_argument("--list", action="store_true", help="list the model's voices and say nothing")
    add_json(parser)
    add_speech_loading(parser)


def run(options: argparse.Namespace) -> int:
    if options.list:
        return anyio.run(_list, options)
    text = " ".join(options.text) or _piped()
    if not text.strip():
        usage_error("There is nothing to say. Give a text, or pipe it in.", "sauropod speak")
    if options.output is None and not options.play:
        usage_error("Where to? Give -o FILE, or --play.", "sauropod speak")
    speech = anyio.run(_speak, options, text)
    if options.output == "-":
        sys.stdout.buffer.write(speech.encode("wav"))
    elif options.output is not None:
        speech.save(options.output)
    _conclude(speech, options)
    return OK


async def _speak(options: argparse.Namespace, text: str) -> Speech:
    import numpy as np

    from sauropod import Speech, Voice
    from sauropod._audio import Player

    async with Voice(options.model, **_voice_options(options)) as voice:
        rate = voice.info.sample_rate
        frames = []
        with status("Speaking ..."):
            async with voice.stream(text) as stream:
                if not options.play:
                    frames = [frame async for frame in stream]
                else:
                    with Player(rate) as player:
                        async for frame in stream:
                            frames.append(frame)
                            await anyio.to_thread.run_sync(player.write, frame.samples)
    samples = np.concatenate([frame.samples for frame in frames]) if frames else np.zeros(0, np.float32)
    return Speech(text, samples, rate, tuple(mark for frame in frames for mark in frame.marks))


async def _list(options: argparse.Namespace) -> int:
    from sauropod import Voice

    async with Voice(options.model, **speech_options(options)) as voice:
        info = voice.info
    if options.json:
        print_json({"model": info.name, "voices": list(info.voices), "languages": list(info.languages)})
    else:
        print_text("".join(f"{name}\n" for name in info.voices))
    return OK


def _conclude(speech: Speech, options: argparse.Namespace) -> None:
    where = options.output if options.output not in (None, "-") else None
    if options.json and options.output != "-":
        marks = [_mark(speech, mark) for mark in speech.marks]
        print_json({"file": where, "seconds": speech.duration, "sample_rate": speech.rate, "marks": marks})
    elif where:
        note(f"{where}: {duration(speech.duration)} at {speech.rate:,} Hz")
    if not len(speech.samples):
        note("There was nothing in it that can be said.")


def _mark(speech: Speech, mark: Mark) -> dict[str, Any]:
    text = speech.text[mark.start : mark.end]
    return {"text": text, "start": mark.first / speech.rate, "end": mark.last / speech.rate}


def _voice_options(options: argparse.Namespace) -> dict[str, Any]:
    return {
        **speech_options(options),
        "voice": options.voice,
        "speed": options.speed,
        "language": options.language,
    }


def _piped() -> str:
    if sys.stdin is None or sys.stdin.closed or is_terminal(sys.stdin):
        return ""
    return sys.stdin.buffer.read().decode("utf-8-sig", "replace").strip()
