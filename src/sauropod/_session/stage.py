"""Stage: what all parts of a session share."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs
from anyio.abc import TaskGroup

from sauropod._engine import Engine
from sauropod._session.events import ItemAdded, ItemDone, SessionEvent
from sauropod._session.items import Conversation, Item
from sauropod._session.listening import Listening
from sauropod._session.player import Player
from sauropod._session.settings import SessionSettings
from sauropod._session.user_turn import UserTurn
from sauropod._speech.turns import Turns
from sauropod._voice import Voice
from sauropod.errors import ClosedError

__all__ = ["Stage"]


@attrs.define(eq=False)
class Stage:
    """One conversation: who takes part in it, and what there is of it."""

    engine: Engine
    voice: Voice | None
    """None: it only writes."""
    listening: Listening | None
    """None: it hears nothing."""
    player: Player
    settings: SessionSettings
    tell: Callable[[SessionEvent], None]
    """Tells the application. It never waits."""
    tasks: TaskGroup
    conversation: Conversation = attrs.field(factory=Conversation)
    turns: Turns = attrs.field(factory=Turns)
    turn: UserTurn | None = None
    """The user's turn that is being said."""
    taken: UserTurn | None = None
    """The last one that is over."""
    unsettled: dict[str, anyio.Event] = attrs.field(factory=dict)
    """Items of which nobody knows yet what was said, with what is set when it is known."""

    @property
    def ears(self) -> Listening:
        """Those of a session that hears."""
        assert self.listening is not None
        return self.listening

    @property
    def native_audio(self) -> bool:
        """Whether the model hears the user itself. Where nobody answers it need not even be open."""
        try:
            return self.settings.native_audio is not False and self.engine.info.hears
        except ClosedError:
            return False

    def seconds(self, samples: int) -> float:
        """Of the user's audio."""
        return samples / self.ears.rate

    def put(self, item: Item, after: str | None = None, *, done: bool = True) -> str | None:
        """Into the conversation, and tell of it. The id of the item before it. Raises `UnsupportedInput`."""
        before = self.conversation.add(item, after)
        self.tell(ItemAdded(item, before))
        if done:
            self.tell(ItemDone(item, before))
        return before
