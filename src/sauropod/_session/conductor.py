"""Conductor: does what the turn table says.

Signs come from the user's audio, from the reply and from the application; `Turns` answers with acts, and each act is
done here. All of it happens in one event loop between two awaits, so nothing comes between a sign and its acts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import attrs

from sauropod._session.answering import Answering
from sauropod._session.events import (
    AudioCleared,
    AudioCommitted,
    IdleTimedOut,
    ReplyHeld,
    ReplyReason,
    ReplyResumed,
    SessionUpdated,
)
from sauropod._session.hearing import Hearing
from sauropod._session.items import Item, SaidItem
from sauropod._session.settings import SessionSettings
from sauropod._session.stage import Stage
from sauropod._session.user_turn import UserTurn
from sauropod._speech.resampler import Resampler
from sauropod._speech.turns import Act, IllegalTurn, Sign, Turns, User
from sauropod._values.audio import AudioFrame

__all__ = ["Conductor"]

Note = Callable[[Sign, Sequence[Act], Turns], None]


@attrs.define(eq=False)
class Conductor:
    """One conversation under way."""

    stage: Stage
    note: Note = lambda sign, acts, turns: None
    """Told of every sign and what comes of it, for who writes it down."""
    hearing: Hearing = attrs.field(init=False)
    answering: Answering = attrs.field(init=False)
    _idle: anyio.CancelScope | None = None

    def __attrs_post_init__(self) -> None:
        self.answering = Answering(self.stage, self.take)
        self.hearing = Hearing(self.stage, self.take, self.answering.read_along)

    def take(self, sign: Sign) -> None:
        """Something happened: do what is to be done. Raises `IllegalTurn`."""
        turns, settings = self.stage.turns, self.stage.settings.turns
        turns.interruptible = settings is not None and settings.interrupt
        try:
            acts = turns.take(sign)
        except IllegalTurn:
            self.note(sign, (), turns)
            raise
        self.note(sign, acts, turns)
        for act in acts:
            self._do(act, "cancelled" if sign is Sign.CANCELLED else "interrupted")
        if sign is not Sign.OVER:  # after which it is told whether a reply is wanted
            self.answering.answer_results()
            self._watch_idleness()

    def _do(self, act: Act, reason: ReplyReason) -> None:
        match act:
            case Act.HEAR:
                self.answering.executing.rounds = 0
                self.hearing.begin()
            case Act.TAKE:
                self.hearing.take_in()
            case Act.FORGET:
                self.hearing.forget()
            case Act.BEGIN:
                self.answering.begin()
            case Act.BEGIN_PRIVATELY:
                self.answering.speculate()
            case Act.RELEASE:
                self.answering.release()
            case Act.DISCARD:
                self.answering.discard()
            case Act.HOLD:
                self.stage.player.hold()
                self._tell_of_reply(ReplyHeld)
            case Act.GO_ON:
                self.stage.player.go_on()
                self._tell_of_reply(ReplyResumed)
            case Act.CUT:
                self.answering.cut(reason)

    def _tell_of_reply(self, kind: type[ReplyHeld | ReplyResumed]) -> None:
        reply = self.answering.reply
        if reply is not None and reply.started:
            self.stage.tell(kind(reply.id))

    # -- what the application asks for ---------------------------------------------------------------------------------

    def commit(self) -> str:
        """The user's turn ends here. Its item's id. Raises `UnsupportedInput` if there is no audio."""
        turn = self.hearing.end_turn()
        self.take(Sign.OVER)
        self.take(Sign.UNWANTED)
        self.stage.ears.skip()
        return turn.item_id

    def clear(self) -> None:
        """Audio that is in no item is dropped."""
        self.take(Sign.CLEARED)
        self.stage.ears.skip()
        self.stage.tell(AudioCleared())

    def add(self, item: Item, after: str | None) -> Item:
        """Put an item into the conversation; what is said in it will be found out. Raises `UnsupportedInput`."""
        stage = self.stage
        audio = item.audio if isinstance(item, SaidItem) and item.text is None else None
        if audio is None or not isinstance(item, SaidItem):
            stage.put(item, after)
            return item
        item = attrs.evolve(item, spoken=True, status="in_progress")
        resampler = Resampler(audio.rate, stage.ears.rate)
        samples = [resampler.feed(audio.samples), resampler.finish()]
        stage.put(item, after, done=False)
        turn = UserTurn(item.id, 0, sum(map(len, samples)))
        turn.guess = stage.ears.recognise_parts(samples)
        self.hearing.settle(turn)
        return item

    def configure(self, settings: SessionSettings) -> None:
        """Go on like this. If the way of listening changes, what is being said is let go of."""
        stage, before = self.stage, self.stage.settings
        stage.settings = settings
        stage.player.ahead = settings.ahead_seconds
        if stage.listening is not None:
            stage.listening.language = settings.language
            if _listens(settings) != _listens(before):
                if stage.turns.user is not User.QUIET:
                    self.clear()
                stage.listening.configure(settings.turns)
        self._watch_idleness()
        stage.tell(SessionUpdated(settings))

    # -- idleness ------------------------------------------------------------------------------------------------------

    def _watch_idleness(self) -> None:
        """Begin to wait for somebody to say something, or stop waiting."""
        turns = self.stage.settings.turns
        wanted = turns is not None and turns.idle_seconds is not None and self.stage.listening is not None
        idle = wanted and self.stage.turns.vacant and not self.answering.executing.busy and bool(self.answering.said)
        if not idle and self._idle is not None:
            self._idle.cancel()
            self._idle = None
        elif idle and self._idle is None and turns is not None and turns.idle_seconds is not None:
            self._idle = anyio.CancelScope()
            self.stage.tasks.start_soon(self._wait_idly, turns.idle_seconds, self._idle)

    async def _wait_idly(self, seconds: float, scope: anyio.CancelScope) -> None:
        with scope:
            await anyio.sleep(self.stage.player.unheard + seconds)
            self._idle = None
            self._speak_again(seconds)

    def _speak_again(self, seconds: float) -> None:
        stage, ears = self.stage, self.stage.ears
        end = ears.now
        start = max(end - round(seconds * ears.rate), 0)
        silence = AudioFrame(ears.samples(start, end), ears.rate, start)
        item = SaidItem("user", "", silence, spoken=True)
        ears.taken(end)
        stage.tell(IdleTimedOut(item.id, stage.seconds(start), stage.seconds(end)))
        stage.tell(AudioCommitted(item.id, stage.conversation.last))
        stage.put(item)
        self.take(Sign.ASKED)


def _listens(settings: SessionSettings) -> object:
    """What of the settings says how speech is found."""
    turns = settings.turns
    return None if turns is None else (turns.endpoint, turns.patience)
