"""What happens in a live conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import attrs

from sauropod._session.items import CallItem, Item, SaidItem
from sauropod._session.settings import Output, SessionSettings
from sauropod._values.completion import Usage
from sauropod._values.spoken import SpeechFrame

__all__ = [
    "AudioCleared",
    "AudioCommitted",
    "IdleTimedOut",
    "ItemAdded",
    "ItemDone",
    "ItemRemoved",
    "ItemTruncated",
    "NothingHeard",
    "Reply",
    "ReplyAudio",
    "ReplyCallDelta",
    "ReplyFinished",
    "ReplyHeld",
    "ReplyReason",
    "ReplyResumed",
    "ReplyStarted",
    "ReplyStatus",
    "ReplyText",
    "SessionEvent",
    "SessionUpdated",
    "TurnTimings",
    "UserHeard",
    "UserSaid",
    "UserStarted",
    "UserStopped",
    "UserUnheard",
]

ReplyStatus: TypeAlias = Literal["in_progress", "completed", "cancelled", "incomplete", "failed"]
ReplyReason: TypeAlias = Literal["interrupted", "cancelled", "max_tokens", "context_length"]


@attrs.frozen(kw_only=True)
class TurnTimings:
    """When what happened: seconds after the last sample of the user's speech had come in. None: it did not.

    For a reply that no speech led to they count from when it was asked for.
    """

    endpoint: float | None = None
    """It is certain that the turn is over."""
    transcript: float | None = None
    first_token: float | None = None
    first_phrase: float | None = None
    """Enough is written to begin to speak."""
    first_audio: float | None = None
    """Given out: from voice to voice."""
    speculated: bool = False
    """The reply was begun before the turn was certainly over."""


@attrs.frozen(kw_only=True)
class Reply:
    """A reply, as far as it has come."""

    id: str
    output: Output
    status: ReplyStatus = "in_progress"
    reason: ReplyReason | None = None
    """Why it was cancelled or is incomplete: `"interrupted"` by speech, `"cancelled"` by the application, …"""
    items: Sequence[SaidItem | CallItem] = ()
    """What it came to; at its end."""
    usage: Usage | None = None
    """None where the model was stopped."""
    timings: TurnTimings = attrs.field(factory=TurnTimings)
    error: Exception | None = None
    """Why it failed."""
    apart: bool = False
    """It is no part of the conversation."""
    voice_name: str | Mapping[str, float] | None = None
    max_tokens: int | None = None
    metadata: Mapping[str, str] = attrs.field(factory=dict)


# -- the user ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class UserStarted:
    """The user has begun to speak; the item will be added when it is over. Seconds of the session's audio."""

    item_id: str
    start: float


@attrs.frozen
class UserHeard:
    """What the user says, while it is said: what will stay, and what may change."""

    item_id: str
    stable: str
    tentative: str

    @property
    def text(self) -> str:
        """Both."""
        return f"{self.stable} {self.tentative}".strip()


@attrs.frozen
class UserStopped:
    """The user's turn is over. Seconds of the session's audio."""

    item_id: str
    start: float
    end: float


@attrs.frozen
class UserSaid:
    """What the user said. The item has it now."""

    item: SaidItem
    seconds: float
    """How long it was."""
    language: str | None = None


@attrs.frozen
class UserUnheard:
    """What the user said could not be recognised. The conversation goes on without."""

    item_id: str
    error: Exception


@attrs.frozen
class NothingHeard:
    """There was speech, and not a word in it; so there is no reply. The item stays, without words."""

    item_id: str


@attrs.frozen
class AudioCommitted:
    """Audio was taken in as an item of the conversation."""

    item_id: str
    after_id: str | None


@attrs.frozen
class AudioCleared:
    """Audio that was not taken in is dropped."""


@attrs.frozen
class IdleTimedOut:
    """Nobody said anything for a while, so the session speaks again. Seconds of the session's audio."""

    item_id: str
    start: float
    end: float


# -- the conversation -------------------------------------------------------------------------------------------------


@attrs.frozen
class ItemAdded:
    """An item is in the conversation; of a reply that is apart, in that. It may not be complete yet."""

    item: Item
    after_id: str | None
    reply_id: str | None = None
    """The reply that it is part of."""


@attrs.frozen
class ItemDone:
    """An item is complete, or never will be."""

    item: Item
    after_id: str | None
    reply_id: str | None = None


@attrs.frozen
class ItemTruncated:
    """An answer was cut to what was heard of it: so many seconds, and this text."""

    item_id: str
    seconds: float
    text: str


@attrs.frozen
class ItemRemoved:
    """An item was taken out of the conversation."""

    item_id: str


@attrs.frozen
class SessionUpdated:
    """The settings have changed to these."""

    settings: SessionSettings


# -- the reply --------------------------------------------------------------------------------------------------------


@attrs.frozen
class ReplyStarted:
    """A reply has begun."""

    reply: Reply


@attrs.frozen
class ReplyText:
    """More of what the reply says; of a spoken one, of its transcript, which runs ahead of the audio."""

    reply_id: str
    item_id: str
    text: str


@attrs.frozen
class ReplyAudio:
    """More of how it sounds. Frames begin at the item's first sample, and nothing is left out between them."""

    reply_id: str
    item_id: str
    frame: SpeechFrame


@attrs.frozen
class ReplyCallDelta:
    """More of a call's arguments."""

    reply_id: str
    item_id: str
    arguments: str


@attrs.frozen
class ReplyHeld:
    """Something like speech is heard: no audio is given out until it is clear what it is."""

    reply_id: str


@attrs.frozen
class ReplyResumed:
    """It was nothing, so the reply goes on where it was held."""

    reply_id: str


@attrs.frozen
class ReplyFinished:
    """A reply has come to its end, whatever it is."""

    reply: Reply


SessionEvent: TypeAlias = (
    UserStarted
    | UserHeard
    | UserStopped
    | UserSaid
    | UserUnheard
    | NothingHeard
    | AudioCommitted
    | AudioCleared
    | IdleTimedOut
    | ItemAdded
    | ItemDone
    | ItemTruncated
    | ItemRemoved
    | SessionUpdated
    | ReplyStarted
    | ReplyText
    | ReplyAudio
    | ReplyCallDelta
    | ReplyHeld
    | ReplyResumed
    | ReplyFinished
)
"""What a `Session` yields. `ResultItem`s of functions come as `ItemAdded`."""
