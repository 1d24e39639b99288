"""See it work: a spoken conversation with the small models that come with sauropod.

One voice asks, the recogniser hears, the language model answers, another voice speaks. What was said is written to WAV
files, and when what happened to a picture. With --text, or without the extra "speech", it is written instead.
Nothing is fetched for it and nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from sauropod.cli.figures import as_data, duration, model_line, plural, rate, tokens_per_second
from sauropod.cli.options import add_json, add_loading, add_model
from sauropod.cli.terminal import note, print_json, print_text

if TYPE_CHECKING:
    from sauropod import ModelInfo
    from sauropod.cli.show import Turn

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "[MODEL] [options]"
EXAMPLES = """\
  sauropod demo
  sauropod demo ./model.gguf
  sauropod demo --out ./spoken
  sauropod demo --text
  sauropod demo --json
"""

TOY = """\
That was a toy of {size}, trained from nothing for this demo: it knows a few hundred questions and says so when asked
for more. What ran it is what runs real models: llama.cpp, in a process of its own, which may crash without harm.
"""

NEXT = """\
Where to go from here:
  sauropod chat demo                    talk to it yourself
  sauropod speak "Hello" -o hello.wav   let it say something
  sauropod pull Qwen/Qwen3-0.6B-GGUF    fetch a real model: this one, or any GGUF repository on huggingface.co
  sauropod chat Qwen/Qwen3-0.6B-GGUF    ... and talk to that
  sauropod doctor                       what this machine can compute on, and what is missing

And in Python:
  from sauropod.blocking import Engine
  with Engine("demo") as engine:
      print(engine.complete("What is the capital of France?").text)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser, optional=True)
    parser.add_argument("--text", action="store_true", help="a written conversation, with a tool, instead of a spoken")
    about = "where recordings and the picture go (default: sauropod-demo)"
    parser.add_argument("--out", metavar="DIRECTORY", default="sauropod-demo", help=about)
    add_json(parser)
    add_loading(parser)


def run(options: argparse.Namespace) -> int:
    missing = [name for name in ("onnxruntime", "soxr", "soundfile") if importlib.util.find_spec(name) is None]
    if options.text:
        return _written(options)
    if missing:
        note(f'It is written, not spoken: {missing[0]} is missing. Install it with: pip install "sauropod[speech]"')
        return _written(options)
    from sauropod.cli.demo_speech import run_spoken

    return run_spoken(options, NEXT)


def _written(options: argparse.Namespace) -> int:
    from sauropod.cli.asking import opened, require_chat
    from sauropod.cli.show import Show

    began = time.perf_counter()
    with opened(options) as engine:
        loaded, info = time.perf_counter() - began, engine.info
        require_chat(info, options.model)
        show = Show(engine, quiet=options.json)
        if not options.json:
            print_text(f"{model_line(info)}, loaded in {duration(loaded)}\n")
        show.perform()
    if options.json:
        print_json(_report(show.turns, info, loaded))
    else:
        toy = f"{_toy(info)}\n" if options.model == "demo" else ""
        print_text(f"\n{_summary(show.turns)}\n\n{toy}{NEXT}")
    return 0


def _summary(turns: Sequence[Turn]) -> str:
    completions = [turn.completion for turn in turns]
    waits = [completion.timings.first_token for completion in completions]
    rates = list(filter(None, map(tokens_per_second, completions)))
    prompt = sum(completion.usage.prompt_tokens for completion in completions)
    cached = sum(completion.usage.cached_tokens for completion in completions)
    speed = f", then {rate(median(rates))} tokens a second" if rates else ""
    return (
        f"{plural(len(turns), 'answer')}. Median: first token after {duration(median(waits))}{speed}.\n"
        f"Of {prompt:,} tokens to read, {cached:,} had been read in an earlier turn and were not computed again."
    )


def _toy(info: ModelInfo) -> str:
    from sauropod._sources.sizes import in_words

    return TOY.format(size=in_words(info.placement.weight_bytes) if info.placement else "a few megabytes")


def _report(turns: Sequence[Turn], info: ModelInfo, loaded: float) -> dict[str, Any]:
    return {
        "model": {"name": info.name, "backend": info.backend, "quantization": info.quantization},
        "devices": list(info.placement.devices) if info.placement else [],
        "load_seconds": loaded,
        "turns": [
            {
                "question": turn.question,
                "text": turn.completion.text,
                "call": {"name": turn.call.name, "arguments": dict(turn.call.arguments)} if turn.call else None,
                **as_data(turn.completion),
            }
            for turn in turns
        ],
    }
