"""Talk to a model.

A line that ends in a backslash goes on in the next; a message of many lines stands between two lines of three double
quotes. Ctrl-C stops an answer, Ctrl-D leaves. /help says what else there is.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sauropod.cli.failures import OK
from sauropod.cli.figures import model_line
from sauropod.cli.lines import ask, read_message, with_line_editing
from sauropod.cli.options import (
    add_loading,
    add_model,
    add_reasoning,
    add_sampling,
    add_system,
    asked_of,
)
from sauropod.cli.terminal import is_terminal, note

if TYPE_CHECKING:
    from sauropod.cli.chatting import Talk

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "MODEL [options]"
EXAMPLES = """\
  sauropod chat demo
  sauropod chat org/repo:Q4_K_M --system "Answer in one sentence." --temperature 0.3
  printf 'My name is Ada.\\nWhat is my name?\\n' | sauropod chat demo
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_system(parser)
    add_reasoning(parser)
    add_sampling(parser)
    add_loading(parser)


def run(options: argparse.Namespace) -> int:
    from sauropod.cli.asking import opened, require_chat
    from sauropod.cli.chatting import Talk

    asked = asked_of(options)
    with opened(options) as engine:
        require_chat(engine.info, options.model)
        talk = Talk(engine, asked, is_terminal(sys.stdin), options.verbose > 0)
        talk.conversation.system = options.system
        if talk.interactive:
            with_line_editing()
            note(f"{model_line(engine.info)}\n/help for what there is to know, Ctrl-D to leave")
        while _take_turn(talk):
            pass
    return OK if talk.interactive else talk.code


def _take_turn(talk: Talk) -> bool:
    """Whether to go on."""
    try:
        message = read_message(ask)
    except EOFError:
        if talk.interactive:
            print(file=sys.stderr)
        return False
    except KeyboardInterrupt:
        if not talk.interactive:
            raise
        note("\n(Ctrl-D or /exit leaves.)")
        return True
    return talk.take(message)
