"""The commands by name, and how their arguments are read."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import NoReturn, Protocol, cast

from sauropod.cli.failures import ENVIRONMENT, EXIT_CODES, UsageError

__all__ = ["COMMANDS", "OVERVIEW", "Command", "Parser", "command_named", "usage_error"]

COMMANDS = {
    "demo": "see it work: a short conversation with the models that come with sauropod",
    "run": "ask a model one thing",
    "chat": "write to a model and read its answers",
    "talk": "talk to a model, by voice",
    "speak": "say a text",
    "transcribe": "write down what is said in recordings",
    "serve": "serve OpenAI's API with models on this machine",
    "replay": "play a session's recording again, and see what happened when",
    "pull": "fetch a model",
    "ls": "list the models on this machine",
    "rm": "remove models",
    "doctor": "check this installation, and say how to mend it",
    "bench": "measure how fast a model is here",
}

TO_BE_TEXT = " Text that begins with a dash goes after --, with which the options end."

_LISTED = "".join(f"  {name:12}{about}\n" for name, about in COMMANDS.items())

OVERVIEW = f"""\
usage: sauropod COMMAND [options]

Listens, thinks and speaks on your own machine.

commands:
{_LISTED}\
  --version  --help           `sauropod COMMAND --help` explains a command

examples:
  sauropod demo
  sauropod run demo "What is the capital of France?"
  sauropod speak "Hello there." -o hello.wav
  sauropod transcribe hello.wav
  sauropod pull Qwen/Qwen3-0.6B-GGUF
  sauropod chat Qwen/Qwen3-0.6B-GGUF
  sauropod serve

{EXIT_CODES}
{ENVIRONMENT}"""


class Command(Protocol):
    """What the module of a command has. Its docstring is the command's description, `EXAMPLES` ends its help."""

    USAGE: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace) -> int:
        """Do it, and give the exit code."""


class Parser(argparse.ArgumentParser):
    """Argparse, but options may stand between positional arguments, and a slip is answered with what is near."""

    @classmethod
    def of(cls, name: str, command: Command) -> Parser:
        """The parser of one command."""
        parser = cls(
            prog=f"sauropod {name}",
            usage=f"%(prog)s {command.USAGE}",
            description=(command.__doc__ or "").strip(),
            epilog=f"examples:\n{command.EXAMPLES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(parser)
        _add_common(parser)
        return parser

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The options. Ends the process after `--help`; raises `UsageError` for what it does not understand."""
        options, unknown = self.parse_known_intermixed_args(arguments)
        if unknown:
            known = [option for option in self._option_string_actions if option.startswith("--")]
            slip = next((each for each in unknown if each.startswith("-")), unknown[0])
            hint = _hint(slip.partition("=")[0], known) or (TO_BE_TEXT if slip.startswith("-") else "")
            self.error(f"{slip!r} is not understood.{hint}")
        return options

    def error(self, message: str) -> NoReturn:
        """Raise it as a `UsageError`."""
        sentence = message[0].upper() + message[1:] + ("" if message.endswith((".", "?")) else ".")
        usage_error(sentence + (TO_BE_TEXT if "ignored explicit argument" in message else ""), self.prog)


def command_named(name: str) -> Command:
    """The command of that name. Raises `UsageError`, with what may have been meant."""
    if name not in COMMANDS:
        usage_error(f"There is no command {name!r}.{_hint(name, COMMANDS)}")
    return cast("Command", import_module(f"sauropod.cli.{name}"))


def usage_error(message: str, command: str = "sauropod") -> NoReturn:
    """Refuse the command line."""
    raise UsageError(f"{message} See: {command} --help")


def _hint(given: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(given, list(known), 2)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _add_common(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("messages")
    group.add_argument(
        "-v", "--verbose", action="count", default=0, help="say more on stderr; -vv: also what native libraries log"
    )
    group.add_argument("--traceback", action="store_true", help="show where in the program an error came from")
