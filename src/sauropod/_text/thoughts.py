"""Counting what a model thinks, so that it can be told to come to an end."""

from __future__ import annotations

import attrs

from sauropod._values.syntax import ReasoningSyntax

__all__ = ["ThoughtBudget"]


@attrs.define
class ThoughtBudget:
    """How many tokens of thoughts are left, as one token after another is taken in."""

    reasoning: ReasoningSyntax
    limit: int
    thinking: bool
    """Whether the model is in the middle of thoughts."""
    _answers: bool = False
    """Whether it has begun to answer: it does not begin to think again."""
    _spent: int = 0
    _tail: str = ""

    def take(self, text: str, whole: bool) -> bool:
        """Take in a token: the text that became certain with it, and whether it ends with a whole character.

        True if the model has to end its thoughts now.
        """
        self._tail = (self._tail + text)[-256:]
        if not self.thinking:
            self._look_for_a_beginning()
        else:
            self._spent += 1
            if self.reasoning.close in self._tail:
                self.end()
        return self.thinking and whole and self._spent >= self.limit

    def end(self) -> None:
        """The thoughts have ended, by themselves or from outside."""
        self.thinking, self._tail = False, ""

    def _look_for_a_beginning(self) -> None:
        """Thoughts may begin where no answer has; some models think several times."""
        said, open = self._tail.lstrip(), self.reasoning.open.strip()
        if self._answers or not said:
            return
        if open and said.startswith(open):
            self.thinking, self._tail = True, ""
        elif not open.startswith(said):
            self._answers = True
