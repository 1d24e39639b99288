"""`sauropod …`: the command line.

Each command is a module of its own, with `add_arguments(parser)` and `run(options)`, imported when it is asked for.
What they share is in `terminal` (how it is written), `options` (what is asked) and `failures` (what went wrong).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from sauropod.cli.failures import INTERRUPTED, watched
from sauropod.cli.logs import logging_to_stderr
from sauropod.cli.parser import OVERVIEW, Parser, command_named, usage_error
from sauropod.cli.terminal import print_text, tolerant_streams

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code, which `failures` lists. Without arguments, those of the process.

    Whatever goes wrong becomes a paragraph on stderr; nothing is raised. A process that is interrupted ends here.
    """
    tolerant_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    code = watched(lambda: _run(given), with_traceback="--traceback" in given)
    if code == INTERRUPTED and arguments is None:
        os._exit(code)  # all is cleaned up, but a thread that waits for a hub would keep the process for minutes
    return code


def _run(given: list[str]) -> int:
    if given[:1] == ["help"]:
        given = [*given[1:2], "--help"]
    if not given or given[0] in ("-h", "--help"):
        print_text(OVERVIEW)
        return 0
    if given[0] in ("-V", "--version"):
        from importlib.metadata import version

        print_text(f"sauropod {version('sauropod')}\n")
        return 0
    if given[0].startswith("-"):
        usage_error(f"There is no option {given[0]} without a command. Options come after the command.")
    command = command_named(given[0])
    options = Parser.of(given[0], command).parse(given[1:])
    with logging_to_stderr(options.verbose):
        return command.run(options)
