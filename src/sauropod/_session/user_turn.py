"""UserTurn: what the user says in one go, from its first sound to its words."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import attrs

from sauropod._speech.partials import Partials
from sauropod._values.speech import Segment, Word

__all__ = ["Guess", "UserTurn"]


@attrs.define(eq=False)
class Guess:
    """The words of a turn up to some sample, on their way from the recogniser."""

    end: int
    scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)
    known: anyio.Event = attrs.field(factory=anyio.Event)
    segment: Segment | None = None
    language: str | None = None
    error: Exception | None = None
    seconds: float = 0.0
    """How long it took."""


@attrs.define(eq=False)
class UserTurn:
    """A turn of the user's. Samples count at the recogniser's rate, from the beginning of the session's audio."""

    item_id: str
    start: int
    end: int = 0
    """The sample after its last, once it is over or paused."""
    voiced: float = 0.0
    """When the last sample of speech came in, by the clock."""
    over: float = 0.0
    """When it was certain that it is over."""
    confirmed: bool = False
    """It is known to be speech, and not only something like it."""
    answered: bool = False
    """A reply to it has been begun."""
    parts: list[Guess] = attrs.field(factory=list)
    """Those that are as long as a clip may be, before the rest."""
    guess: Guess | None = None
    """Of the rest, as far as it has come."""
    partials: Partials = attrs.field(factory=Partials)
    stable: str = ""
    heard: int = 0
    """Up to which sample a partial transcript has been made."""
    hearing: bool = False
    """One is being made."""
    settled: anyio.Event = attrs.field(factory=anyio.Event)
    """Its words are known, or never will be."""

    @property
    def begun(self) -> int:
        """Where the part begins that is being said."""
        return self.parts[-1].end if self.parts else self.start

    def drop_guess(self) -> None:
        """It was not over."""
        if self.guess is not None:
            self.guess.scope.cancel()
            self.guess = None

    def drop(self) -> None:
        """Nobody wants to know its words any more."""
        self.drop_guess()
        for part in self.parts:
            part.scope.cancel()

    @property
    def guesses(self) -> Sequence[Guess]:
        """All that is recognised of it."""
        return (*self.parts, *([self.guess] if self.guess is not None else []))

    @property
    def known(self) -> bool:
        """Whether the recogniser has come to its end with all of them."""
        return all(guess.known.is_set() for guess in self.guesses)

    async def words(self) -> str:
        """What was said, as far as the guess goes. Raises what recognising raised."""
        while not self.known:  # what is guessed may change meanwhile
            for guess in self.guesses:
                await guess.known.wait()
        return self.text()

    def text(self) -> str:
        """The same where it is known."""
        for guess in self.guesses:
            if guess.error is not None:
                raise guess.error
        return " ".join(guess.segment.text for guess in self.guesses if guess.segment and guess.segment.text)

    @property
    def heard_words(self) -> Sequence[Word]:
        """With their times."""
        return tuple(word for guess in self.guesses if guess.segment for word in guess.segment.words)

    @property
    def language(self) -> str | None:
        return self.guess.language if self.guess is not None else None
