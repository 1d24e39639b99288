"""What several commands ask for: a model, how to load it, how to choose tokens."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from sauropod.cli.parser import usage_error
from sauropod.errors import ModelNotFound

if TYPE_CHECKING:
    from sauropod import AskOptions
    from sauropod.blocking import EngineOptions

__all__ = [
    "LOADING",
    "REASONING",
    "SAMPLING",
    "add_json",
    "add_loading",
    "add_model",
    "add_reasoning",
    "add_sampling",
    "add_speech_loading",
    "add_system",
    "as_text",
    "asked_of",
    "engine_options",
    "speech_options",
]

LOADING = ("backend", "device", "isolation", "context_length", "slots", "threads", "gpu_layers", "cache_type")

SPEECH_LOADING = ("backend", "device", "isolation", "threads")

REASONING = ("reasoning_effort", "reasoning_budget")

SAMPLING: dict[str, tuple[type, str]] = {
    "temperature": (float, "0 always takes the likeliest token"),
    "top_k": (int, "keep the likeliest K tokens; 0 keeps all"),
    "top_p": (float, "keep the likeliest tokens that together reach this probability"),
    "min_p": (float, "drop tokens less likely than this share of the likeliest"),
    "typical_p": (float, "locally typical sampling; 1 is off"),
    "repeat_penalty": (float, "make tokens that were there before less likely; 1 is off"),
    "presence_penalty": (float, "the same, taken off once; 0 is off"),
    "frequency_penalty": (float, "the same, taken off for each time; 0 is off"),
    "seed": (int, "the same seed gives the same text"),
    "max_tokens": (int, "write at most so many"),
}


def add_model(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    about = "demo, a file, a directory, org/repo or hf:org/repo:Q4_K_M on huggingface.co, ..."
    if optional:
        about = f"{about} (default: demo)"
        parser.add_argument("model", metavar="MODEL", nargs="?", type=_model_name, default="demo", help=about)
    else:
        parser.add_argument("model", metavar="MODEL", type=_model_name, help=about)


def add_system(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--system", metavar="TEXT", type=as_text, help="what the model is told first")


def add_loading(parser: argparse.ArgumentParser) -> None:
    """The options of `sauropod.Engine`."""
    group = parser.add_argument_group("loading the model")
    group.add_argument("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1, vulkan, metal, ... (default: auto)")
    group.add_argument("--context-length", metavar="N", type=int, help="the most tokens of a conversation")
    group.add_argument("--slots", metavar="N", type=int, help="how many requests run at once (default: 8)")
    group.add_argument("--threads", metavar="N", type=int, help="of the CPU (default: its physical cores)")
    group.add_argument("--gpu-layers", metavar="N", type=int, help="layers on the GPU (default: all that fit)")
    group.add_argument("--cache-type", metavar="TYPE", help="of the KV cache: f16, q8_0, ... (default: f16)")
    about = "what the model hears with, or none (default: what is found beside it)"
    group.add_argument("--projector", metavar="FILE", help=about)
    group.add_argument("--backend", metavar="NAME", help="what runs it (default: by the kind of file)")
    group.add_argument(
        "--isolation", choices=["process", "thread"], help="where native code runs (default: a process of its own)"
    )
    about = "what only this backend knows; repeatable"
    group.add_argument("--option", metavar="NAME=VALUE", type=as_text, action="append", default=[], help=about)


def add_speech_loading(parser: argparse.ArgumentParser) -> None:
    """The options that a voice and a transcriber share."""
    group = parser.add_argument_group("loading the model")
    group.add_argument("--device", metavar="NAME", help="auto, cpu, cuda, coreml, directml, ... (default: auto)")
    group.add_argument("--threads", metavar="N", type=int, help="of the CPU (default: all cores)")
    group.add_argument("--backend", metavar="NAME", help="what runs it (default: by the kind of file)")
    group.add_argument(
        "--isolation", choices=["process", "thread"], help="where native code runs (default: a process of its own)"
    )
    about = "what only this backend knows; repeatable"
    group.add_argument("--option", metavar="NAME=VALUE", type=as_text, action="append", default=[], help=about)


def speech_options(options: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments of a `Voice` or a `Transcriber`: those that were given."""
    given: dict[str, Any] = {name: getattr(options, name) for name in SPEECH_LOADING}
    given["options"] = dict(_pair(each) for each in options.option) or None
    return {name: value for name, value in given.items() if value is not None}


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """The fields of `SamplingParams` that are worth having here."""
    group = parser.add_argument_group("choosing tokens", "What is left out is as the model file says.")
    for name, (kind, about) in SAMPLING.items():
        group.add_argument(f"--{name.replace('_', '-')}", metavar="N" if kind is int else "X", type=kind, help=about)
    about = "end before this text; repeatable"
    group.add_argument("--stop", metavar="TEXT", type=as_text, action="append", default=[], help=about)


def add_reasoning(parser: argparse.ArgumentParser) -> None:
    """How much a model that thinks is to think."""
    group = parser.add_argument_group("thinking")
    about = "how hard to think, in the words of the model's template: none, low, high, ..."
    group.add_argument("--reasoning-effort", metavar="LEVEL", type=as_text, help=about)
    about = "tokens of thoughts after which it has to answer; 0: it does not think"
    group.add_argument("--reasoning-budget", metavar="N", type=int, help=about)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write JSON instead")


def as_text(argument: str) -> str:
    """An argument, whose bytes may not be text, as text."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def asked_of(options: argparse.Namespace) -> AskOptions:
    """How the model is to answer. Raises `InvalidSampling`."""
    from sauropod import SamplingParams

    sampling = SamplingParams(stop=options.stop, **{name: getattr(options, name) for name in SAMPLING})
    effort, budget = (getattr(options, name) for name in REASONING)
    return {"sampling": sampling, "reasoning_effort": effort, "reasoning_budget": budget}


def engine_options(options: argparse.Namespace) -> EngineOptions:
    """The keyword arguments of an `Engine`: those that were given."""
    given: dict[str, Any] = {name: getattr(options, name) for name in LOADING}
    given["options"] = dict(_pair(each) for each in options.option) or None
    given["projector"] = False if options.projector == "none" else options.projector
    chosen: EngineOptions = {name: value for name, value in given.items() if value is not None}  # type: ignore[assignment]
    return chosen


def _model_name(argument: str) -> str:
    """The argument as it is. Raises `ModelNotFound` if it is not text, which native libraries are not given."""
    shown = as_text(argument)
    if shown != argument:
        raise ModelNotFound(f"{shown} has bytes in its name that are not UTF-8, so it cannot be opened. Rename it.")
    return argument


def _pair(text: str) -> tuple[str, Any]:
    """`NAME=VALUE`, the value read as JSON if it is any."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        usage_error(f"--option takes NAME=VALUE; got {text!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
