"""Measure how fast a model is on this machine: how fast it reads, how fast it writes, how soon it begins.

Several requests run at once, as many as `--requests` says, each with a prompt of its own of random tokens, so that
nothing is taken from the prefix cache. What is printed are medians over the repetitions. Nothing is compared with
anything; close what else is running if you want to compare.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import anyio

from sauropod.cli.figures import duration, model_line, plural, rate
from sauropod.cli.options import add_json, add_loading, add_model, engine_options
from sauropod.cli.parser import usage_error
from sauropod.cli.terminal import print_json, print_text, status, table

if TYPE_CHECKING:
    from sauropod import ModelInfo
    from sauropod.blocking import EngineOptions
    from sauropod.cli.measuring import Figures, Plan

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "MODEL [options]"
EXAMPLES = """\
  sauropod bench demo
  sauropod bench ./model.gguf --requests 1,2,4 --prompt 512 --generate 128 --repeat 5
  sauropod bench org/repo --device cuda --json
"""

HEADS = ("requests", "reading tok/s", "writing tok/s", "first token p50", "p95")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    group = parser.add_argument_group("measuring")
    group.add_argument("--requests", metavar="N,N,...", type=_counts, default="1,4,8,16", help="at once (1,4,8,16)")
    group.add_argument("--prompt", metavar="N", type=int, default=256, help="tokens of each prompt (256)")
    group.add_argument("--generate", metavar="N", type=int, default=64, help="tokens to write for each request (64)")
    group.add_argument("--repeat", metavar="N", type=int, default=3, help="how often (3)")
    add_json(parser)
    add_loading(parser)


def run(options: argparse.Namespace) -> int:
    from sauropod.cli.machine import machine_line
    from sauropod.cli.measuring import Plan

    if min(*options.requests, options.prompt, options.generate, options.repeat) < 1:
        usage_error("Counts are at least 1.", "sauropod bench")
    plan = Plan(options.requests, options.prompt, options.generate, options.repeat)
    machine = machine_line()  # before this program adds to the load
    info, figures = anyio.run(_measured, options.model, _options(options, plan), plan, not options.json)
    if options.json:
        print_json(_report(info, machine, plan, figures))
    else:
        print_text(f"{table(HEADS, [_row(each) for each in figures], right=range(5))}\n{_legend(plan)}\n{machine}\n")
    return 0


async def _measured(model: str, options: EngineOptions, plan: Plan, tell: bool) -> tuple[ModelInfo, list[Figures]]:
    from sauropod import Engine
    from sauropod.cli.measuring import measure, require_tokens, warm_up

    with status(f"Loading {model} ..."):
        engine = await Engine(model, **options).open()
    try:
        require_tokens(engine.info, model)
        if tell:
            print_text(f"{model_line(engine.info)}\n")
        figures = []
        with status("Warming up ..."):
            await warm_up(engine)
        for requests in plan.requests:
            with status(f"Measuring {plural(requests, 'request')} at once ..."):
                figures.append(await measure(engine, requests, plan))
        return engine.info, figures
    finally:
        await engine.aclose()


def _counts(text: str) -> tuple[int, ...]:
    """`1,4,8`."""
    try:
        return tuple(int(count) for count in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"takes numbers with commas between them, as in 1,4,8; got {text!r}") from None


def _options(options: argparse.Namespace, plan: Plan) -> EngineOptions:
    """As asked for; otherwise a slot for each request, and room for what is measured."""
    chosen = engine_options(options)
    chosen.setdefault("slots", max(plan.requests))
    chosen.setdefault("context_length", plan.context_length)
    return chosen


def _row(figures: Figures) -> tuple[str, ...]:
    return (
        str(figures.requests),
        rate(figures.reading),
        rate(figures.writing),
        duration(figures.first_token_p50),
        duration(figures.first_token_p95),
    )


def _legend(plan: Plan) -> str:
    return (
        f"requests: sent at the same moment, each with {plural(plan.prompt, 'random token')} to read, none cached\n"
        f"reading: all their prompts' tokens, until the last request had its first token\n"
        f"writing: {plural(plan.generate, 'token')} for each request, all together, from prompts of "
        f"{plan.short_prompt} tokens\n"
        f"first token: from sending a request until its first token was here, over all requests\n"
        f"medians of {plural(plan.repeat, 'repetition')}"
    )


def _report(info: ModelInfo, machine: str, plan: Plan, figures: list[Figures]) -> dict[str, Any]:
    import attrs

    return {
        "model": {"name": info.name, "quantization": info.quantization, "parameters": info.parameters},
        "devices": list(info.placement.devices) if info.placement else [],
        "slots": info.slots,
        "machine": machine,
        "plan": attrs.asdict(plan),
        "figures": [attrs.asdict(each) for each in figures],
    }
