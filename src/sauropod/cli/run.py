"""Ask a model one thing. The answer goes to stdout as it is written, everything else to stderr.

The prompt is what stands after the model, then what is piped in.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sauropod.cli.failures import FAILED, OK
from sauropod.cli.figures import as_data, duration, speed_line
from sauropod.cli.options import (
    add_json,
    add_loading,
    add_model,
    add_reasoning,
    add_sampling,
    add_system,
    as_text,
    asked_of,
)
from sauropod.cli.parser import usage_error
from sauropod.cli.terminal import is_terminal, note, print_json, status
from sauropod.cli.writing import Writing

if TYPE_CHECKING:
    from sauropod import AskOptions, Completion, Message, ModelInfo

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "MODEL [PROMPT ...] [options]"
EXAMPLES = """\
  sauropod run demo "What is the capital of France?"
  sauropod run ./model.gguf "Summarise this:" < letter.txt
  sauropod run org/repo:Q8_0 "Three names for a dinosaur" --temperature 0.9 --seed 7
  sauropod run ./voxtral "What is she asking for?" --audio question.wav
  sauropod run demo "Hello" --json
  sauropod run org/repo "A city and its country" --schema '{"type": "object"}'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    about = "what to ask; several words need no quotes"
    parser.add_argument("prompt", metavar="PROMPT", nargs="*", type=as_text, default=[], help=about)
    add_system(parser)
    about = "what the model is to hear, if it can; repeatable"
    parser.add_argument("--audio", metavar="FILE", action="append", default=[], help=about)
    parser.add_argument("--raw", action="store_true", help="continue the prompt as it is, without the chat template")
    about = "hold the answer to this JSON schema: a file, or the schema itself"
    parser.add_argument("--schema", metavar="SCHEMA", type=as_text, help=about)
    add_json(parser)
    add_reasoning(parser)
    add_sampling(parser)
    add_loading(parser)


def run(options: argparse.Namespace) -> int:
    from sauropod.cli.asking import ask, opened

    prompt, asked = _prompt(options), _asked(options)
    with opened(options) as engine:
        with Writing(quiet=options.json) as answer:
            completion = ask(engine, prompt, answer.take, **asked)
        _conclude(completion, engine.info, options)
    if options.schema is not None and completion.stop_reason != "eos":
        note(f"The answer was cut off ({completion.stop_reason}), so it is not what --schema asks for.")
        return FAILED
    return OK


def _conclude(completion: Completion, info: ModelInfo, options: argparse.Namespace) -> None:
    if options.json:
        print_json(_report(completion, info))
    if options.verbose:
        note(f"{speed_line(completion)} · {duration(completion.timings.total)} in all · {completion.stop_reason}")
    elif completion.stop_reason == "context_length" and not (options.json or options.schema):
        note(f"The answer ends here because the context of {info.context_length:,} tokens is full.")


def _report(completion: Completion, info: ModelInfo) -> dict[str, object]:
    choice = completion.choices[0]
    found = {
        "text": choice.text,
        "reasoning": choice.reasoning,
        "stop_reason": str(choice.stop_reason),
        "stop": choice.stop,
    }
    return {"model": info.name, **found, **as_data(completion)}


def _asked(options: argparse.Namespace) -> AskOptions:
    """Raises `InvalidSampling` or `InvalidGrammar`."""
    from sauropod import Grammar

    asked: AskOptions = {**asked_of(options), "raw": options.raw}
    if options.schema is None:
        return asked
    try:
        schema = json.loads(_schema_text(options.schema.strip()))
    except (OSError, ValueError) as error:
        usage_error(f"--schema is a file with a JSON schema, or the schema itself: {error}.", "sauropod run")
    return {**asked, "grammar": Grammar.json_schema(schema)}


def _schema_text(given: str) -> str:
    """The schema itself, or what is in a file. Raises `OSError` or `ValueError`."""
    if not given:
        raise ValueError("nothing is given")
    is_json = given.startswith(("{", "[", '"')) or given in ("true", "false", "null")
    return given if is_json else Path(given).read_text(encoding="utf-8-sig")


def _prompt(options: argparse.Namespace) -> str | list[Message]:
    from sauropod import Message

    text = "\n\n".join(filter(None, [" ".join(options.prompt), _piped(options.raw)]))
    if not text and not options.audio:
        usage_error("There is no prompt. Give one after the model, or pipe it in.", "sauropod run")
    if options.system is None and not options.audio:
        return text
    if options.raw:
        usage_error("--raw continues a text as it is, so it goes without --system and --audio.", "sauropod run")
    begun = [] if options.system is None else [Message.system(options.system)]
    return [*begun, Message.user(text, audio=options.audio)]


def _piped(raw: bool) -> str:
    """What is piped in, if it is not `raw` without the line break at its end."""
    if sys.stdin is None or sys.stdin.closed or is_terminal(sys.stdin):
        return ""
    with status("Reading what is piped in ..."):
        text = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    return text if raw else text.removesuffix("\n").removesuffix("\r")
