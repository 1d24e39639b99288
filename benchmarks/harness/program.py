"""A benchmark as a program: options in, report out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import anyio

from benchmarks.harness.bystanders import Bystanders
from benchmarks.harness.machine import Machine
from benchmarks.harness.peers import HOW_TO_BUILD, chosen
from benchmarks.harness.report import Report, Row
from benchmarks.harness.setup import Setup, parser

__all__ = ["Benchmark", "run"]

Benchmark: TypeAlias = Callable[[Setup], Awaitable[Sequence[Row]]]


def run(description: str | None, benchmark: Benchmark) -> None:
    """Read the command line, measure, print the report."""
    arguments = parser(description).parse_args()
    logging.basicConfig(level=logging.ERROR)
    setup, machine, watch = Setup.of(arguments), Machine.read(), Bystanders()
    rows = anyio.run(benchmark, setup)
    report = Report(machine, setup.model.name, chosen(setup), setup.describe(), watch.share(), rows)
    print(report.describe())
    if arguments.json is not None:
        report.write(arguments.json)
    if chosen(setup) != "llama-server":
        print(f"\n{HOW_TO_BUILD}")
