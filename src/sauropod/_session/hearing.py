"""Hearing: from the user's audio to signs, and from a turn that is over to an item with its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import attrs

from sauropod._log import log
from sauropod._session.events import (
    AudioCommitted,
    ItemAdded,
    ItemDone,
    NothingHeard,
    UserHeard,
    UserSaid,
    UserStarted,
    UserStopped,
    UserUnheard,
)
from sauropod._session.items import SaidItem, new_id
from sauropod._session.listening import Listening
from sauropod._session.stage import Stage
from sauropod._session.user_turn import Guess, UserTurn
from sauropod._speech.completeness import sounds_complete
from sauropod._speech.endpointer import EndpointEvent, SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted
from sauropod._speech.partials import Partials
from sauropod._speech.turns import Sign, User
from sauropod._values.audio import AudioFrame
from sauropod.errors import SauropodError, UnsupportedInput

__all__ = ["Hearing"]


LIKELY = 0.5
"""How likely a turn has to be over to be taken for that."""


@attrs.define(eq=False)
class Hearing:
    """The user's side. What happens there it tells as signs to `take`."""

    stage: Stage
    take: Callable[[Sign], None]
    read_along: Callable[[str], None]
    """Told what is certain of what is being said."""
    _pace: float = 0.0
    """Seconds that the last partial transcript took."""

    async def hear(self, frame: AudioFrame) -> None:
        """Take in what the user says next."""
        stage = self.stage
        for event in await stage.ears.feed(frame):
            self._heard(event, stage.ears)
        if stage.turn is not None:
            self._hear_more(stage.turn, stage.ears)
        stage.ears.forget(self._wanted_from())

    def _wanted_from(self) -> int:
        """The first sample that somebody may still ask for: of a long turn, as much as is kept with its item."""
        turn, now = self.stage.turn, self.stage.ears.now
        if turn is None:
            return now
        kept = round(self.stage.settings.audio_seconds * self.stage.ears.rate)
        return min(turn.begun, max(turn.start, now - kept))

    def _heard(self, event: EndpointEvent, ears: Listening) -> None:
        turn = self.stage.turn
        match event:
            case SpeechStarted(start) if turn is None:
                self.stage.turn = UserTurn(new_id(), start)
                self.take(Sign.ONSET)
            case SpeechStarted() if turn is not None:
                turn.drop_guess()  # it goes on, before its first part was judged; or after one as long as a clip may be
            case SpeechPaused(_, end) if turn is not None:
                self._paused(turn, end, ears)
            case SpeechResumed() if turn is not None:
                turn.drop_guess()
                if self.stage.turns.user is User.PAUSED:
                    self.take(Sign.RESUMED)
            case SpeechEnded(_, end) if turn is not None:
                self._ended(turn, end, ears)
            case _:
                pass

    def _paused(self, turn: UserTurn, end: int, ears: Listening) -> None:
        turn.end, turn.voiced = end, ears.arrival(end - self._tail)
        turn.guess = ears.guess(turn, end)
        if self.stage.turns.user is User.DOUBTED:
            self.stage.tasks.start_soon(self._judge_doubt, turn, turn.guess)
        else:
            self.take(Sign.PAUSE)
            self.stage.tasks.start_soon(self._judge_pause, turn, turn.guess)

    def _ended(self, turn: UserTurn, end: int, ears: Listening) -> None:
        if turn.guess is None and ears.speaking:  # it was cut because it is long, and not because it is over
            turn.parts.append(ears.guess(turn, end))
            turn.partials = Partials()
            return
        doubted, turn.end = self.stage.turns.user is User.DOUBTED, end
        if turn.guess is None or turn.guess.end != end:
            turn.drop_guess()
            turn.guess = ears.guess(turn, end)
            if doubted:
                self.stage.tasks.start_soon(self._judge_doubt, turn, turn.guess)
        if not doubted:  # else it is judged first
            self._over(turn)

    def _over(self, turn: UserTurn) -> None:
        """The turn is over by itself."""
        turns = self.stage.settings.turns
        turn.over = anyio.current_time()
        self.take(Sign.OVER)
        self.take(Sign.WANTED if turns is not None and turns.respond else Sign.UNWANTED)

    @property
    def _tail(self) -> int:
        """Samples of silence that belong to an utterance."""
        turns = self.stage.settings.turns
        tail = 0.0 if turns is None else min(turns.endpoint.tail_seconds, turns.endpoint.silence_seconds)
        return round(tail * self.stage.ears.rate)

    # -- judging -------------------------------------------------------------------------------------------------------

    async def _judge_pause(self, turn: UserTurn, guess: Guess) -> None:
        """End the turn at its pause, if it sounds complete and that is what counts."""
        turns = self.stage.settings.turns
        if turns is None or turns.patience is None:
            return
        complete = await self._sounds_complete(turn, guess)
        if complete and self._is_current(turn, guess, User.PAUSED):
            self.stage.ears.end_now()
            self._over(turn)

    async def _sounds_complete(self, turn: UserTurn, guess: Guess) -> bool:
        """By a model that was made for it, or by the words."""
        ears = self.stage.ears.ears
        if ears.turns is not None:
            try:
                samples = self.stage.ears.samples(turn.begun, guess.end)
                return await ears.ends_turn(samples) >= LIKELY
            except SauropodError as error:
                log("sauropod.session").warning("Whether a turn is over could not be judged by its sound: %s", error)
        await guess.known.wait()
        return guess.error is None and self.stage.turn is turn and sounds_complete(await turn.words())

    async def _judge_doubt(self, turn: UserTurn, guess: Guess) -> None:
        """The speech over the reply has paused: it was speech if there is a word in it."""
        await guess.known.wait()
        if self.stage.turn is not turn or turn.guess is not guess:
            return
        if self.stage.turns.user is User.DOUBTED:
            if guess.error is None and (guess.segment is None or not guess.segment.text):
                self.take(Sign.PAUSE)
                return
            self.take(Sign.CONFIRMED)
        if self.stage.turns.user is not User.TALKING:
            return
        # Confirmed here, or meanwhile: by time, or because the reply ended. Either way its end may be past.
        if self.stage.ears.speaking:
            self.take(Sign.PAUSE)
            await self._judge_pause(turn, guess)
        else:
            self._over(turn)

    def _is_current(self, turn: UserTurn, guess: Guess, user: User) -> bool:
        """Whether nothing has come meanwhile that makes it pointless."""
        return self.stage.turn is turn and turn.guess is guess and self.stage.turns.user is user

    # -- while the user speaks -----------------------------------------------------------------------------------------

    def _hear_more(self, turn: UserTurn, ears: Listening) -> None:
        """Recognise what there is so far, if there is enough that is new."""
        turns = self.stage.settings.turns
        doubted = self.stage.turns.user is User.DOUBTED
        if doubted and turn.guess is None and turns is not None and self._lasted(turn) >= turns.believe_seconds:
            self.take(Sign.CONFIRMED)
        if turn.guess is None and ears.hears_more(turn, self._pace):
            turn.hearing, turn.heard = True, ears.now
            self.stage.tasks.start_soon(self._hear_part, turn, ears.guess(turn, ears.now))

    async def _hear_part(self, turn: UserTurn, guess: Guess) -> None:
        await guess.known.wait()
        self._pace, turn.hearing = guess.seconds, False
        if self.stage.turn is not turn or turn.guess is not None or guess.segment is None or not guess.segment.text:
            return
        turns = self.stage.settings.turns
        if self.stage.turns.user is User.DOUBTED:
            if turns is None or self._lasted(turn) < turns.confirm_seconds:
                return
            self.take(Sign.CONFIRMED)
        stable, tentative = turn.partials.feed(guess.segment.text)
        before = [part.segment.text for part in turn.parts if part.segment is not None]
        turn.stable = " ".join([*before, stable]).strip()
        self.stage.tell(UserHeard(turn.item_id, turn.stable, tentative))
        if turn.stable:
            self.read_along(turn.stable)

    def _lasted(self, turn: UserTurn) -> float:
        """For how long the user has been speaking, in seconds."""
        turns = self.stage.settings.turns
        prefix = 0.0 if turns is None else turns.endpoint.prefix_seconds
        return self.stage.seconds(self.stage.ears.now - turn.start) - prefix

    # -- acts ----------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The turn has begun."""
        turn = self.stage.turn
        assert turn is not None
        turn.confirmed = True
        self.stage.tell(UserStarted(turn.item_id, self.stage.seconds(turn.start)))

    def take_in(self) -> None:
        """The turn is over: it becomes an item, and its words will follow."""
        stage, turn, ears = self.stage, self.stage.turn, self.stage.ears
        assert turn is not None
        stage.turn, stage.taken = None, turn
        ears.taken(turn.end)
        if turn.confirmed:
            stage.tell(UserStopped(turn.item_id, stage.seconds(turn.start), stage.seconds(turn.end)))
        samples = ears.samples(turn.start, turn.end)
        whole = len(samples) == turn.end - turn.start > 0  # of a long turn its beginning may be gone
        audio = AudioFrame(samples, ears.rate, turn.start) if whole else None
        item = SaidItem("user", None, audio, spoken=True, status="in_progress", id=turn.item_id)
        after = stage.conversation.add(item)
        stage.tell(AudioCommitted(item.id, after))
        stage.tell(ItemAdded(item, after))
        self._drop_old_audio()
        self.settle(turn)

    def forget(self) -> None:
        """What was heard is not to count."""
        turn, self.stage.turn = self.stage.turn, None
        if turn is not None:
            turn.drop()
        self.stage.ears.end_now()

    def settle(self, turn: UserTurn) -> None:
        """Find out what was said, and tell it."""
        self.stage.unsettled[turn.item_id] = turn.settled
        if turn.known:
            self._settled(turn)
        else:
            self.stage.tasks.start_soon(self._settle, turn)

    async def _settle(self, turn: UserTurn) -> None:
        for guess in turn.guesses:
            await guess.known.wait()
        self._settled(turn)

    def _settled(self, turn: UserTurn) -> None:
        text, error = None, None
        try:
            text = turn.text()
        except Exception as wrong:
            error = wrong
        turn.settled.set()
        del self.stage.unsettled[turn.item_id]
        if turn.item_id in self.stage.conversation:
            self._tell_words(turn, text, error)

    def _tell_words(self, turn: UserTurn, text: str | None, error: Exception | None) -> None:
        stage, item = self.stage, self.stage.conversation.get(turn.item_id)
        assert isinstance(item, SaidItem)
        item = attrs.evolve(item, text=text, words=turn.heard_words, status="incomplete" if error else "completed")
        stage.conversation.change(item)
        if error is not None:
            stage.tell(UserUnheard(item.id, error))
        elif text:
            stage.tell(UserSaid(item, stage.seconds(turn.end - turn.start), turn.language))
        else:
            stage.tell(NothingHeard(item.id))
        stage.tell(ItemDone(item, stage.conversation.before(item.id)))

    def _drop_old_audio(self) -> None:
        """Keep no more of the user's audio than is wanted: where it is more, half of that.

        So it happens seldom, and what a model that hears has computed of the conversation is of use meanwhile.
        """
        heard = [item for item in self.stage.conversation if isinstance(item, SaidItem) and item.audio is not None]
        most = self.stage.settings.audio_seconds
        if sum(_seconds(item) for item in heard) <= most:
            return
        left = most / 2
        for place, item in enumerate(reversed(heard)):
            left -= _seconds(item)
            if left < 0 and (place > 0 or _seconds(item) > most):
                self.stage.conversation.change(attrs.evolve(item, audio=None))

    # -- what the application asks for ---------------------------------------------------------------------------------

    def end_turn(self) -> UserTurn:
        """The turn ends here, or all audio that is in none is one. Raises `UnsupportedInput` if there is none."""
        stage, ears = self.stage, self.stage.ears
        if stage.turn is None:
            start, end = ears.loose()
            if end <= start:
                raise UnsupportedInput("There is no audio to be taken in: none has come since the last turn.")
            stage.turn = UserTurn(new_id(), start, end)
        turn = stage.turn
        ended: Sequence[int] = [event.end for event in ears.end_now() if isinstance(event, SpeechEnded)]
        turn.end = ended[-1] if ended else turn.end or ears.now
        if turn.guess is None or turn.guess.end != turn.end:
            turn.drop_guess()
            turn.guess = ears.guess(turn, turn.end)
        turn.voiced = turn.over = anyio.current_time()
        return turn


def _seconds(item: SaidItem) -> float:
    return 0.0 if item.audio is None else item.audio.duration
