"""Whose turn it is: two tables, one for the user's side of a conversation and one for the reply's. Pure.

    user    QUIET ── speech ──▶ TALKING ⇄ PAUSED ── over ──▶ QUIET
              └─ speech over a reply ──▶ DOUBTED ── confirmed ──▶ TALKING
                                           └─ silent again ──▶ QUIET
    reply   NONE ── asked ──▶ THINKING ── spoke ──▶ SPEAKING ── done ──▶ NONE
              └─ pause ──▶ PRIVATE ── the turn is over ──▶ THINKING
            THINKING ⇄ WAITING, SPEAKING ⇄ HELD: held while the user is DOUBTED

Speech over a reply is doubted at first: the reply is held at once, and cut only when it is sure that somebody speaks;
on a false alarm it goes on where it was held. At a pause a reply is begun in private, which is given out if the turn
turns out to be over, and dropped if speech goes on.

`Turns.take` is told what happened and answers with what is to be done. What cannot happen raises `IllegalTurn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum, auto
from typing import TypeAlias

import attrs

__all__ = ["Act", "IllegalTurn", "Reply", "Sign", "Turns", "User"]


class IllegalTurn(RuntimeError):
    """Something happened that cannot happen here: whoever tells the signs is at fault."""


class User(StrEnum):
    """What the user does."""

    QUIET = auto()
    DOUBTED = auto()
    """Something like speech is heard while a reply is under way."""
    TALKING = auto()
    PAUSED = auto()
    """Silent, and perhaps not for good."""


class Reply(StrEnum):
    """What becomes of the reply."""

    NONE = auto()
    PRIVATE = auto()
    """Begun in case the user's turn is over. Nobody knows of it."""
    THINKING = auto()
    SPEAKING = auto()
    WAITING = auto()
    """Held before its first sound."""
    HELD = auto()
    """Held in the middle of speaking."""


class Sign(StrEnum):
    """What happens."""

    # on the user's side
    ONSET = auto()
    """There is speech."""
    CONFIRMED = auto()
    """The doubted speech is speech."""
    PAUSE = auto()
    RESUMED = auto()
    OVER = auto()
    """The turn is over."""
    CLEARED = auto()
    """What was said is not to count."""
    # on the reply's side
    WANTED = auto()
    """A turn that is over wants a reply."""
    UNWANTED = auto()
    """A turn that is over wants none."""
    ASKED = auto()
    """The application wants a reply."""
    SPOKE = auto()
    """The reply's first sound was given out."""
    DONE = auto()
    """The reply has come to its end."""
    CANCELLED = auto()
    """The application stops the reply."""


class Act(StrEnum):
    """What is to be done."""

    HEAR = auto()
    """The user's turn has begun."""
    TAKE = auto()
    """The user's turn is over: take it in."""
    FORGET = auto()
    """Let go of what was heard: it was no speech, or is not to count."""
    BEGIN = auto()
    BEGIN_PRIVATELY = auto()
    RELEASE = auto()
    """Give the private reply out."""
    DISCARD = auto()
    """Drop the private reply without a trace."""
    HOLD = auto()
    GO_ON = auto()
    CUT = auto()
    """Stop the reply where it is."""


_Step: TypeAlias = "tuple[User, tuple[Act | _Effect, ...]]"


class _Effect(StrEnum):
    """What the user's side does to the reply."""

    HOLD = auto()
    GO_ON = auto()
    INTERRUPT = auto()
    SPECULATE = auto()
    DROP = auto()


class _Onset(StrEnum):
    """Speech, by what it comes upon."""

    OVER_REPLY = auto()
    INTO_SILENCE = auto()


USERS: Mapping[tuple[User, Sign | _Onset], _Step] = {
    (User.QUIET, _Onset.INTO_SILENCE): (User.TALKING, (Act.HEAR,)),
    (User.QUIET, _Onset.OVER_REPLY): (User.DOUBTED, (_Effect.HOLD,)),
    (User.QUIET, Sign.OVER): (User.QUIET, (Act.TAKE,)),
    (User.QUIET, Sign.CLEARED): (User.QUIET, (Act.FORGET,)),
    (User.DOUBTED, Sign.CONFIRMED): (User.TALKING, (Act.HEAR, _Effect.INTERRUPT)),
    (User.DOUBTED, Sign.PAUSE): (User.QUIET, (Act.FORGET, _Effect.GO_ON)),
    (User.DOUBTED, Sign.OVER): (User.QUIET, (Act.HEAR, _Effect.INTERRUPT, Act.TAKE)),
    (User.DOUBTED, Sign.CLEARED): (User.QUIET, (Act.FORGET, _Effect.GO_ON)),
    (User.TALKING, Sign.PAUSE): (User.PAUSED, (_Effect.SPECULATE,)),
    (User.TALKING, Sign.OVER): (User.QUIET, (Act.TAKE,)),
    (User.TALKING, Sign.CLEARED): (User.QUIET, (Act.FORGET,)),
    (User.PAUSED, Sign.RESUMED): (User.TALKING, (_Effect.DROP,)),
    (User.PAUSED, Sign.OVER): (User.QUIET, (Act.TAKE,)),
    (User.PAUSED, Sign.CLEARED): (User.QUIET, (Act.FORGET, _Effect.DROP)),
}
"""What the user does next, and what comes of it. OVER while QUIET or DOUBTED is an application's own end of a turn."""

_UNDER_WAY = (Reply.THINKING, Reply.SPEAKING, Reply.WAITING, Reply.HELD)

REPLIES: Mapping[tuple[Reply, Sign | _Effect], tuple[Reply, tuple[Act, ...]]] = {
    (Reply.NONE, _Effect.SPECULATE): (Reply.PRIVATE, (Act.BEGIN_PRIVATELY,)),
    (Reply.NONE, _Effect.DROP): (Reply.NONE, ()),
    (Reply.NONE, Sign.WANTED): (Reply.THINKING, (Act.BEGIN,)),
    (Reply.NONE, Sign.UNWANTED): (Reply.NONE, ()),
    (Reply.NONE, Sign.ASKED): (Reply.THINKING, (Act.BEGIN,)),
    (Reply.PRIVATE, _Effect.DROP): (Reply.NONE, (Act.DISCARD,)),
    (Reply.PRIVATE, Sign.WANTED): (Reply.THINKING, (Act.RELEASE,)),
    (Reply.PRIVATE, Sign.UNWANTED): (Reply.NONE, (Act.DISCARD,)),
    (Reply.PRIVATE, Sign.ASKED): (Reply.THINKING, (Act.DISCARD, Act.BEGIN)),
    (Reply.THINKING, Sign.SPOKE): (Reply.SPEAKING, ()),
    (Reply.THINKING, _Effect.HOLD): (Reply.WAITING, (Act.HOLD,)),
    (Reply.SPEAKING, _Effect.HOLD): (Reply.HELD, (Act.HOLD,)),
    (Reply.WAITING, _Effect.GO_ON): (Reply.THINKING, (Act.GO_ON,)),
    (Reply.HELD, _Effect.GO_ON): (Reply.SPEAKING, (Act.GO_ON,)),
    (Reply.WAITING, _Effect.INTERRUPT): (Reply.NONE, (Act.CUT,)),
    (Reply.HELD, _Effect.INTERRUPT): (Reply.NONE, (Act.CUT,)),
    **{(state, Sign.DONE): (Reply.NONE, ()) for state in _UNDER_WAY},
    **{(state, Sign.CANCELLED): (Reply.NONE, (Act.CUT,)) for state in _UNDER_WAY},
    **{
        (state, sign): (state, ())
        for state in _UNDER_WAY
        for sign in (_Effect.SPECULATE, _Effect.DROP, Sign.WANTED, Sign.UNWANTED, Sign.ASKED)
    },
}
"""What becomes of the reply, and what is done. A reply that is wanted while another is under way is owed."""

_OF_THE_USER = frozenset({Sign.CONFIRMED, Sign.PAUSE, Sign.RESUMED, Sign.OVER, Sign.CLEARED})


@attrs.define
class Turns:
    """One conversation's."""

    interruptible: bool = True
    """Whether speech may cut a reply. If not, the reply goes on while the user is heard."""
    user: User = User.QUIET
    reply: Reply = Reply.NONE
    owed: bool = False
    """A reply is wanted once the one under way has ended."""

    @property
    def replying(self) -> bool:
        """Whether a reply is under way that somebody knows of."""
        return self.reply in _UNDER_WAY

    @property
    def vacant(self) -> bool:
        """Whether neither speaks, nor is about to."""
        return self.user is User.QUIET and self.reply is Reply.NONE

    def take(self, sign: Sign) -> list[Act]:
        """What is to be done, in this order. Raises `IllegalTurn`, and then nothing has changed."""
        if sign is Sign.ONSET:
            over = self.replying and self.interruptible
            return self._user(_Onset.OVER_REPLY if over else _Onset.INTO_SILENCE)
        if sign in _OF_THE_USER:
            return self._user(sign)
        return self._answered(sign)

    def allows(self, sign: Sign) -> bool:
        """Whether it can happen now."""
        if sign is Sign.ONSET:
            return self.user is User.QUIET
        return (self.user, sign) in USERS if sign in _OF_THE_USER else (self.reply, sign) in REPLIES

    def _user(self, sign: Sign | _Onset) -> list[Act]:
        if (self.user, sign) not in USERS:
            raise IllegalTurn(f"The user is {self.user}, so there can be no {sign}.")
        self.user, steps = USERS[self.user, sign]
        acts: list[Act] = []
        for step in steps:
            acts += [step] if isinstance(step, Act) else self._answered(step)
        return acts

    def _answered(self, sign: Sign | _Effect) -> list[Act]:
        if (self.reply, sign) not in REPLIES:
            raise IllegalTurn(f"The reply is {self.reply}, so there can be no {sign}.")
        before = self.replying
        self.reply, acts = REPLIES[self.reply, sign]
        done = list(acts)
        if before and sign in (Sign.WANTED, Sign.ASKED):
            self.owed = True
        elif sign in (_Effect.INTERRUPT, Sign.CANCELLED):
            self.owed = False
        elif sign is Sign.DONE and self.owed:
            self.owed = False
            done += self._answered(Sign.ASKED)
        if self.user is User.DOUBTED and before and not self.replying:
            self.user = User.TALKING  # nothing is left to be interrupted
            done.append(Act.HEAR)
        elif self.user is User.DOUBTED and sign is Sign.DONE:
            done += self._answered(_Effect.HOLD)  # what was owed is held like what was under way
        return done
