"""Talk to a model by voice. It answers aloud, and may be interrupted.

It listens to the microphone and speaks through the loudspeaker; with headphones it does not hear itself. With --wav it
listens to a recording instead, as if that were said just now, and writes what both said to --out.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import anyio

from sauropod.cli.asking import require_chat
from sauropod.cli.failures import OK
from sauropod.cli.figures import duration
from sauropod.cli.options import add_json, add_loading, add_model, add_system, as_text, engine_options
from sauropod.cli.parser import usage_error
from sauropod.cli.terminal import note, print_json, status

if TYPE_CHECKING:
    from sauropod.cli.sounds import Devices, Files

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "[MODEL] [--wav FILE --out FILE] [options]"
EXAMPLES = """\
  sauropod talk
  sauropod talk ./model.gguf --voice onnx-community/Kokoro-82M-v1.0-ONNX --ears istupakov/parakeet-tdt-0.6b-v2-onnx:int8
  sauropod talk demo --wav question.wav --out conversation.wav
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser, optional=True)
    add_system(parser)
    about = "what speaks: demo, a directory, org/repo:q8f16, orpheus:org/repo (default: demo)"
    parser.add_argument("--voice", metavar="MODEL", default="demo", help=about)
    parser.add_argument("--voice-name", metavar="NAME", type=as_text, help="one of its voices (default: its first)")
    about = "what hears: demo, a directory, org/repo:int8, onnx_asr:whisper-base, voxtral:org/repo (default: demo)"
    parser.add_argument("--ears", metavar="MODEL", default="demo", help=about)
    parser.add_argument("--language", metavar="TAG", type=as_text, help="what you speak, where a model has to be told")
    about = "wait for as long as this when you have not finished (default: half a second, whatever you say)"
    parser.add_argument("--patience", metavar="SECONDS", type=float, help=about)
    parser.add_argument("--wav", metavar="FILE", help="a recording to listen to instead of the microphone")
    parser.add_argument("--out", metavar="FILE", help="where what both said is written to; with --wav")
    parser.add_argument("--record", metavar="FILE", help="what happens, for `sauropod replay`")
    parser.add_argument("--microphone", metavar="NAME", type=as_text, help="as python -m sounddevice lists them")
    parser.add_argument("--loudspeaker", metavar="NAME", type=as_text, help="the same")
    add_json(parser)
    add_loading(parser)


def run(options: argparse.Namespace) -> int:
    if (options.wav is None) != (options.out is None):
        usage_error("--wav and --out go together: a recording to listen to, and one to write.", "sauropod talk")
    return anyio.run(_run, options)


async def _run(options: argparse.Namespace) -> int:
    from sauropod import Session
    from sauropod.cli.live import Live

    async with AsyncExitStack() as stack:
        engine, voice, ears = await _models(options, stack)
        settings = _settings(options)
        interactive = sys.stdout.isatty() and options.wav is None
        live = Live(options.json, options.patience or 0.0, interactive)
        sounds = await _sounds(options, voice.info.sample_rate, stack)
        session = Session(engine, voice=voice, transcriber=ears, record=options.record, **settings)
        async with session:
            if options.wav is None:
                note("Talk. Ctrl-C ends it.")
            await live.hold(session, sounds)
    if options.json:
        print_json({"turns": live.told})
    if options.out is not None:
        seconds = sounds.save(options.out)  # type: ignore[union-attr]
        note(f"{options.out}: {duration(seconds)}, both of you")
    return OK


async def _models(options: argparse.Namespace, stack: AsyncExitStack) -> tuple[Any, Any, Any]:
    from sauropod import Engine, Transcriber, Voice

    isolation: Any = options.isolation or "process"
    with status(f"Loading {options.model}, a voice and ears ..."):
        engine = await stack.enter_async_context(Engine(options.model, **engine_options(options)))
        require_chat(engine.info, options.model)
        voice = await stack.enter_async_context(Voice(options.voice, isolation=isolation))
        ears = await stack.enter_async_context(Transcriber(options.ears, isolation=isolation))
    return engine, voice, ears


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    from sauropod import TurnTaking

    return {
        "instructions": options.system or "",
        "voice_name": options.voice_name,
        "language": options.language,
        "turns": TurnTaking(patience=options.patience),
    }


async def _sounds(options: argparse.Namespace, rate: int, stack: AsyncExitStack) -> Files | Devices:
    from sauropod._audio import Microphone, Player
    from sauropod.cli.sounds import Devices, Files

    if options.wav is not None:
        return Files(options.wav, rate)
    opened = Devices.opened(Microphone(options.microphone), Player(rate, device=options.loudspeaker))
    return await stack.enter_async_context(opened)
