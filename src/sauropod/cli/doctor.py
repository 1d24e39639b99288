"""Check this installation, and say how to mend it.

Each line is ok, missing (sauropod works without) or a problem, with what mends it. The exit code is 0 if models can be
run, 1 otherwise. A token is never shown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sauropod.cli.options import add_json
from sauropod.cli.terminal import print_json, print_text, status, styled, wrapped

if TYPE_CHECKING:
    from sauropod.cli.checks import Check

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "[options]"
EXAMPLES = """\
  sauropod doctor
  sauropod doctor --json
"""

COLOURS = {"ok": "green", "missing": "yellow", "problem": "bold red"}
STATUS_WIDTH, NAME_WIDTH = 7, 17
MARGIN = 2 + STATUS_WIDTH + 2 + NAME_WIDTH + 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    found: list[Check] = []
    for title, checks in _groups().items():
        if not options.json:
            print_text(f"{styled(title, 'bold')}\n")
        for check in _each(checks):
            found.append(check)
            if not options.json:
                print_text(_line(check))
    usable = not any(check.status == "problem" for check in found)
    if options.json:
        print_json({"usable": usable, "checks": [_data(check) for check in found]})
    else:
        print_text("\nModels can be run.\n" if usable else "\nModels cannot be run until the problems are mended.\n")
    return 0 if usable else 1


def _groups() -> dict[str, Iterator[Check]]:
    from sauropod.cli import checks

    groups = {
        "This machine": checks.system(),
        "Libraries": checks.libraries(),
        "Backends": checks.backends(),
        "Models": checks.models(),
        "Trials": checks.trials(),
    }
    return {title: checks.guarded(title, group) for title, group in groups.items()}


def _each(checks: Iterator[Check]) -> Iterator[Check]:
    """The checks, with a sign on the terminal that one is under way."""
    while True:
        with status("  ..."):
            check = next(checks, None)
        if check is None:
            return
        yield check


def _line(check: Check) -> str:
    """A check as it is shown, with what mends it below unless it was said."""
    detail = wrapped(check.detail, sys.stdout, margin=MARGIN)
    mark = styled(f"{check.status:{STATUS_WIDTH}}", COLOURS[check.status])
    fix = f"{' ' * MARGIN}{styled(check.fix, 'cyan')}\n" if check.fix and check.fix not in check.detail else ""
    return f"  {mark}  {check.name:{NAME_WIDTH}}  {detail}\n{fix}"


def _data(check: Check) -> dict[str, str]:
    return {"name": check.name, "status": check.status, "detail": check.detail, "fix": check.fix}
