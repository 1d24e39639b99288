"""What went wrong, said in one paragraph, and the exit code that stands for it."""

from __future__ import annotations

import os
import re
import signal
import sys
import traceback
from collections.abc import Callable

from sauropod.cli.terminal import abandon, clean, print_error, styled, wrapped
from sauropod.errors import BackendError, LoadError, RequestError, SauropodError

__all__ = ["ENVIRONMENT", "EXIT_CODES", "FAILED", "INTERRUPTED", "OK", "UsageError", "exit_code", "report", "watched"]

OK, FAILED, USAGE, NOT_LOADED, REFUSED, BACKEND_FAILED = range(6)
INTERRUPTED = 128 + signal.SIGINT
NOBODY_READS = 128 + 13  # SIGPIPE, which Windows does not have

EXIT_CODES = """\
exit codes:
  0    it worked
  1    it failed; for doctor: something has to be mended; for replay: something differs
  2    the command line is wrong
  3    the model cannot be found or loaded
  4    the request was refused: too long, out of range, ...
  5    the backend failed, crashed or ran out of memory
  130  interrupted with Ctrl-C
  141  nobody reads the output any more
"""

ENVIRONMENT = """\
environment:
  SAUROPOD_MODELS       directories of models, separated as in PATH
  SAUROPOD_TRACEBACK=1  as --traceback
  NO_COLOR              no colours
  HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE   as for huggingface_hub
"""


class UsageError(Exception):
    """The command line asks for something that cannot be meant."""


def watched(command: Callable[[], int], *, with_traceback: bool = False) -> int:
    """The command's exit code, or that of what it raised, which is said on stderr."""
    try:
        code = _ended(command)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
        return NOBODY_READS
    except KeyboardInterrupt:
        print_error("")
        return INTERRUPTED
    except Exception as error:
        report(error, with_traceback or os.environ.get("SAUROPOD_TRACEBACK", "") not in ("", "0"))
        return exit_code(error)
    return code


def _ended(command: Callable[[], int]) -> int:
    try:
        return command()
    except SystemExit as end:  # argparse's way, after --help
        return end.code if isinstance(end.code, int) else OK


def report(error: BaseException, with_traceback: bool = False) -> None:
    """Say on stderr what went wrong."""
    if with_traceback:
        print_error(clean("".join(traceback.format_exception(error)), sys.stderr).rstrip("\n"))
        return
    text = wrapped(clean(f"error: {_message(_innermost(error))}", sys.stderr), sys.stderr)
    print_error(text.replace("error:", styled("error:", "bold red", sys.stderr), 1))


def exit_code(error: BaseException) -> int:
    """The exit code that stands for an error; see `EXIT_CODES`."""
    match _innermost(error):
        case UsageError():
            return USAGE
        case LoadError():
            return NOT_LOADED
        case RequestError():
            return REFUSED
        case BackendError():
            return BACKEND_FAILED
        case _:
            return FAILED


def _innermost(error: BaseException) -> BaseException:
    """Of errors in several tasks, the first; the others are mostly its consequences."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _as_options(message: str) -> str:
    """The message, with what Python calls `context_length` called as it is called here."""
    from sauropod.cli.options import LOADING, REASONING, SAMPLING

    names = "|".join(name for name in (*LOADING, *REASONING, *SAMPLING) if "_" in name)
    return re.sub(rf"(?<![\w/.-])({names})(?![\w/-]|\.\w)", lambda match: f"--{match[1].replace('_', '-')}", message)


def _message(error: BaseException) -> str:
    if isinstance(error, SauropodError | UsageError):
        return _as_options(str(error))
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}."
    return (
        f"{type(error).__name__}: {error}. This should not happen, so it is a fault of sauropod's. "
        "Run the command again with --traceback, and report what it shows."
    )
