"""One chat under way: what is said to the model, and what is said to the chat itself."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from sauropod import AskOptions, Completion, Engine, PromptTooLong, SauropodError
from sauropod.cli.asking import ask
from sauropod.cli.conversation import Conversation, NotAConversation
from sauropod.cli.failures import OK, exit_code, report
from sauropod.cli.figures import plural, speed_line
from sauropod.cli.terminal import note
from sauropod.cli.writing import Writing

__all__ = ["Talk"]

HELP = '''\
/system TEXT   tell the model how to behave; without TEXT, show what it was told
/clear         forget what was said
/stats         how long the conversation is, and how fast the last answer was
/save FILE     write the conversation to a file
/load FILE     go on with one
/exit          leave, as Ctrl-D does
"""            begins a message of many lines, and ends it
... \\          goes on in the next line
Ctrl-C         stops an answer; what there is of it stays in the conversation

A message that is to begin with / begins with a space.'''


@attrs.define(eq=False)
class Talk:
    """A conversation with a loaded model. What goes wrong in a turn is said, and the turn taken back."""

    engine: Engine
    asked: AskOptions
    """How the model is to answer."""
    interactive: bool = True
    """Somebody sits there, who may interrupt an answer without meaning to leave."""
    verbose: bool = False
    conversation: Conversation = attrs.field(factory=Conversation)
    last: Completion | None = None
    """The last answer that came to its end, unless another was stopped since."""
    code: int = OK
    """The exit code of the first turn that failed."""

    def take(self, message: str) -> bool:
        """Answer a message, or do what it says if it begins with a slash. False: it said to leave."""
        if message.startswith("/"):
            return self._command(*message.partition(" ")[::2])
        if message.strip():
            try:
                self._answer(message.strip())
            except SauropodError as error:
                report(error)
                self.code = self.code or exit_code(error)
                if isinstance(error, PromptTooLong):
                    note("The conversation is as it was before this message. /clear begins a new one.")
        return True

    # -- to the model --------------------------------------------------------------------------------------------------

    def _answer(self, message: str) -> None:
        answer = Writing()
        try:
            with answer:
                prompt = self.conversation.asking(message)
                self.last = ask(self.engine, prompt, answer.take, **self.asked)
            self._conclude(self.last)
        except KeyboardInterrupt:
            if not self.interactive:
                raise
            answer.end()
            self.last = None if answer.text.strip() else self.last
            note("(Stopped. What it has said stays in the conversation.)" if answer.text.strip() else "(Stopped.)")
        if answer.text.strip():
            self.conversation.keep(message, answer.text)
        elif self.interactive:
            note("(There was no answer, so your message is taken back.)")

    def _conclude(self, completion: Completion) -> None:
        if completion.stop_reason == "context_length":
            note(f"(The context of {self.engine.info.context_length:,} tokens is full. /clear begins a new one.)")
        elif completion.stop_reason == "max_tokens" and self.interactive:
            note("(Cut off at --max-tokens.)")
        if self.verbose:
            note(f"({speed_line(completion)})")

    # -- to the chat ---------------------------------------------------------------------------------------------------

    def _command(self, name: str, argument: str) -> bool:
        """Do what a line with a slash says. False: leave."""
        commands: dict[str, Callable[[str], None]] = {
            "/help": lambda _: note(HELP),
            "/system": self._instruct,
            "/clear": lambda _: self._clear(),
            "/stats": lambda _: self._show_stats(),
            "/save": self._save,
            "/load": self._load,
        }
        if name in ("/exit", "/quit", "/bye"):
            return False
        if name in commands:
            commands[name](argument.strip())
        else:
            near = difflib.get_close_matches(name, [*commands, "/exit"], 1) or ["/help"]
            note(f"There is no {name} here. Did you mean {near[0]}? To say it to the model, begin with a space.")
        return True

    def _instruct(self, text: str) -> None:
        if text:
            self.conversation.system = text
            note("The model is told so from the next message on.")
        else:
            note(self.conversation.system or "The model was told nothing. /system TEXT does.")

    def _clear(self) -> None:
        self.conversation.turns.clear()
        kept = "" if self.conversation.system is None else " What /system told the model stays."
        note(f"Forgotten.{kept}")

    def _show_stats(self) -> None:
        turns = plural(self.conversation.length, "turn")
        if self.last is None:
            stopped = f"{turns}; there are no figures of an answer that was stopped, or loaded from a file."
            note(stopped if self.conversation.length else "Nothing was answered yet.")
            return
        used = self.last.usage.total_tokens
        note(f"{turns}; the last one took {used:,} of the context's {self.engine.info.context_length:,} tokens.")
        note(f"Last answer: {speed_line(self.last)}.")

    def _save(self, name: str) -> None:
        with self._telling("/save", name) as path:
            self.conversation.save(path)
            note(f"Saved to {path}.")

    def _load(self, name: str) -> None:
        with self._telling("/load", name) as path:
            self.conversation = Conversation.load(path)
            note(f"{plural(self.conversation.length, 'turn')} loaded from {path}.")

    @contextlib.contextmanager
    def _telling(self, command: str, name: str) -> Iterator[Path]:
        try:
            yield Path(name).expanduser()
        except (OSError, RuntimeError) as error:
            note(f"{command}: {error}" if name else f"{command} wants the name of a file.")
        except NotAConversation as error:
            note(str(error))
