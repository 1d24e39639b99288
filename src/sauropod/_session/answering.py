"""Answering: begins replies, gives them out, and stops them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import anyio
import attrs

from sauropod._session.events import ItemTruncated, Reply, ReplyReason
from sauropod._session.executing import Executing
from sauropod._session.items import Conversation, Item, SaidItem, messages_of, new_id
from sauropod._session.replying import Moments, Replying, Said
from sauropod._session.settings import ReplyOptions
from sauropod._session.stage import Stage
from sauropod._session.user_turn import UserTurn
from sauropod._speech.turns import Sign
from sauropod._typed.functions import as_tools
from sauropod._values.audio import AudioFrame
from sauropod._values.messages import Message
from sauropod.errors import SauropodError, UnsupportedInput

__all__ = ["Answering"]


@attrs.define(eq=False)
class Answering:
    """The reply's side. What happens there it tells as signs to `take`."""

    stage: Stage
    take: Callable[[Sign], None]
    executing: Executing = attrs.field(init=False)
    reply: Replying | None = None
    """The reply under way, or the one that is begun in private."""
    said: dict[str, Said] = attrs.field(factory=dict)
    """What was said aloud, by its item."""
    _apart: dict[str, Replying] = attrs.field(factory=dict)
    _asked: tuple[str, ReplyOptions] | None = None
    """What the reply is to be like that somebody asks for."""
    _reading: bool = False

    def __attrs_post_init__(self) -> None:
        self.executing = Executing(self.stage, self.answer_results)

    # -- acts ----------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a reply, and tell of it."""
        asked, self._asked = self._asked, None
        id, options = asked or (new_id("reply"), ReplyOptions())
        taken = self.stage.taken
        turn = taken if asked is None and taken is not None and not taken.answered else None
        self._answers(taken)
        self.reply = self._new(id, options, turn)
        self._release(self.reply)

    def speculate(self) -> None:
        """Begin one in private, in case the turn is over."""
        turns, turn = self.stage.settings.turns, self.stage.turn
        if turn is not None and turns is not None and turns.respond and self.stage.settings.speculate:
            self.reply = self._new(new_id("reply"), ReplyOptions(), turn, private=True)

    def release(self) -> None:
        """The turn is over, as was expected. If the conversation has changed meanwhile, the reply is begun anew."""
        private, turn = self.reply, self.stage.taken
        if private is None or turn is None or private.turn is not turn or private.basis != self._basis(turn):
            self.discard()
            self.begin()
        else:
            self._answers(turn)
            self._release(private)

    def discard(self) -> None:
        """Drop the private reply."""
        private, self.reply = self.reply, None
        if private is not None:
            private.scope.cancel()

    def cut(self, reason: ReplyReason) -> None:
        """Stop the reply. What was not heard of it was not said."""
        replying, self.reply, self._asked = self.reply, None, None
        if replying is None:
            return
        replying.cut(reason)
        self.stage.player.stop()
        said = replying.said
        if said is not None and said.rate:
            self.said[said.item.id] = said
            text = said.item.text or ""
            if len(text) < len(said.text.rstrip()):
                self.stage.tell(ItemTruncated(said.item.id, said.until(text), text))

    # -- a reply's life ------------------------------------------------------------------------------------------------

    def _new(self, id: str, options: ReplyOptions, turn: UserTurn | None, *, private: bool = False) -> Replying:
        settings, apart = self.stage.settings, options.get("apart", False)
        output = options.get("output", settings.output)
        reply = Reply(
            id=id,
            output="text" if self.stage.voice is None else output,
            apart=apart,
            voice_name=options.get("voice_name", settings.voice_name),
            max_tokens=options.get("max_tokens", settings.max_tokens),
            metadata=options.get("metadata", {}),
        )
        choice: Any = options.get("tool_choice", settings.tool_choice)
        replying = Replying(
            reply,
            self.stage.engine,
            self.stage.voice,
            None if apart else self.stage.player,
            settings,
            as_tools(options["tools"]) if "tools" in options else settings.tools,
            "none" if self.executing.rounds >= settings.tool_rounds else choice,
            partial(self._prompt, options, turn),
            self.stage.tell,
            Conversation() if apart else self.stage.conversation,
            Moments(turn.voiced if turn is not None and turn.voiced else anyio.current_time(), speculated=private),
            self._spoke,
            self.executing.call,
            turn,
            self._basis(turn) if private else (),
        )
        self.stage.tasks.start_soon(self._run, replying)
        return replying

    def _answers(self, taken: UserTurn | None) -> None:
        """All that was said, and all that functions gave, is being answered."""
        self.executing.due = False
        if taken is not None:
            taken.answered = True

    def _release(self, replying: Replying) -> None:
        if replying.turn is not None:
            replying.moments.note("endpoint", replying.turn.over)
        replying.release()

    async def _run(self, replying: Replying) -> None:
        ended = await replying.run()
        self._apart.pop(replying.id, None)
        if replying.said is not None and replying.said.rate:
            self.said.setdefault(replying.said.item.id, replying.said)
        if ended and self.reply is replying:
            self.reply = None
            self.stage.player.go_on()
            self.take(Sign.DONE)

    def _spoke(self, replying: Replying) -> None:
        if self.reply is replying:
            self.take(Sign.SPOKE)

    # -- what it answers -----------------------------------------------------------------------------------------------

    def _basis(self, turn: UserTurn | None) -> tuple[object, ...]:
        """What a reply to that turn builds upon."""
        before = (item.id for item in self.stage.conversation if turn is None or item.id != turn.item_id)
        return (*before, self.stage.settings)

    async def _prompt(self, options: ReplyOptions, turn: UserTurn | None) -> list[Message] | None:
        """The messages to answer; None for a turn in which nothing was said."""
        if turn is None:
            for settled in list(self.stage.unsettled.values()):
                await settled.wait()
            return self.messages(options)
        if self._hears(turn) and not turn.known:
            self._read_ahead(self._with_turn(options, turn))
        text = await turn.words()
        if self.reply is not None and self.reply.turn is turn:
            self.reply.moments.note("transcript")
        if not text:
            return None
        if turn.item_id in self.stage.conversation:
            await turn.settled.wait()
        return self._with_turn(options, turn, text)

    def _with_turn(self, options: ReplyOptions, turn: UserTurn, text: str = "") -> list[Message]:
        """What the model is told, that turn included, of which it may not be certain yet that it is over."""
        messages = self.messages(options)
        if turn.item_id in self.stage.conversation:
            return messages
        if not self._hears(turn):
            return [*messages, Message.user(text)]
        ears = self.stage.ears
        audio = AudioFrame(ears.samples(turn.start, turn.end), ears.rate, turn.start)
        return [*messages, Message.user(audio=audio)]

    def _hears(self, turn: UserTurn) -> bool:
        """Whether the model hears that turn; one that is longer than what is kept is read."""
        if not self.stage.native_audio or self.stage.ears.tape.start > turn.start:
            return False
        return 0 < self.stage.seconds(turn.end - turn.start) <= self.stage.settings.audio_seconds

    def messages(self, options: ReplyOptions) -> list[Message]:
        """What the model is told: the conversation, or what the reply has of its own."""
        conversation = self.stage.conversation
        items: list[Item] = list(conversation)
        given: Sequence[Item | str] | None = options.get("items")
        if given is not None:
            items = [conversation.get(each) if isinstance(each, str) else each for each in given]
        instructions = options.get("instructions", self.stage.settings.instructions)
        return messages_of(items, instructions, native_audio=self.stage.native_audio)

    def read_along(self, text: str) -> None:
        """Let the model read what the user has said so far, so that less is left to be read at the end."""
        if not self.stage.native_audio and not self.stage.turns.replying:
            self._read_ahead([*self.messages(ReplyOptions()), Message.user(text)])

    def _read_ahead(self, messages: Sequence[Message]) -> None:
        """Let the model read, or hear, what it will be asked about."""
        if self.stage.settings.prefill and not self._reading:
            self._reading = True
            self.stage.tasks.start_soon(self._prefill, messages)

    async def _prefill(self, messages: Sequence[Message]) -> None:
        try:
            await self.stage.engine.prefill(messages, tools=self.stage.settings.tools)
        except SauropodError:
            pass  # it only was to save time; what is wrong will be told by the reply
        finally:
            self._reading = False

    def answer_results(self) -> None:
        """What functions gave is answered when all are done, and nobody else has the floor."""
        if self.executing.ready and self.stage.turns.vacant and self.reply is None:
            self.executing.rounds += 1
            self.take(Sign.ASKED)

    # -- what the application asks for ---------------------------------------------------------------------------------

    def respond(self, options: ReplyOptions) -> str:
        """Begin a reply, or have one begin after the one that is only played. Its id. Raises `UnsupportedInput`."""
        self._check(options)
        id = new_id("reply")
        if options.get("apart"):
            self._apart[id] = self._new(id, options, None)
            self._apart[id].release()
            return id
        current = self.reply if self.stage.turns.replying else None
        if current is not None and not current.written:
            raise UnsupportedInput(
                f"The reply {current.id} is being written. Wait for its end, or cancel it; a reply that is apart may "
                "be made beside it."
            )
        if current is not None and self._asked is not None:
            raise UnsupportedInput(f"The reply {self._asked[0]} is asked for already, and begins after this one.")
        self.executing.rounds, self._asked = 0, (id, options)
        self.take(Sign.ASKED)
        return id

    def _check(self, options: ReplyOptions) -> None:
        for name in options.keys() - ReplyOptions.__annotations__.keys():
            raise TypeError(f"{name!r} is no option of a reply; there are {', '.join(ReplyOptions.__annotations__)}.")
        if options.get("output", "text") not in ("audio", "text"):
            raise UnsupportedInput(f"output is 'audio' or 'text'; got {options['output']!r}.")
        if options.get("output") == "audio" and self.stage.voice is None:
            raise UnsupportedInput("This session has no voice. Give it one, or ask for output='text'.")
        if "tools" in options:
            as_tools(options["tools"])
        if not self.messages(options) and not self.stage.unsettled:
            raise UnsupportedInput("There is nothing to answer yet. Add an item, or give instructions.")

    def cancel(self, reply_id: str | None) -> None:
        """Stop a reply. Raises `UnsupportedInput` if there is none."""
        if reply_id is not None and reply_id in self._apart:
            self._apart.pop(reply_id).cut("cancelled")
            return
        current = self.reply if self.stage.turns.replying else None
        if current is None or reply_id not in (None, current.id):
            raise UnsupportedInput("No reply is under way that could be cancelled.")
        self.take(Sign.CANCELLED)

    def truncate(self, item_id: str, seconds: float) -> None:
        """Cut what was said aloud to what was heard in so many seconds. Raises `UnsupportedInput`."""
        current, item, said = self.reply, self.stage.conversation.get(item_id), self.said.get(item_id)
        under_way = current is not None and current.said is not None and current.said.item.id == item_id
        if under_way and current is not None:
            said = current.said
        if said is None or not said.rate or not isinstance(item, SaidItem):
            raise UnsupportedInput(f"The item {item_id!r} was not said aloud by the session, so it cannot be cut.")
        if not 0 <= seconds <= said.seconds + 0.001:
            raise UnsupportedInput(
                f"The audio of the item {item_id!r} is {said.seconds:.3f} s long; {seconds:g} s is outside of it."
            )
        if under_way:
            self.take(Sign.CANCELLED)
        text = said.heard(seconds)
        self.stage.conversation.change(attrs.evolve(item, text=text, status="incomplete"))
        self.stage.tell(ItemTruncated(item_id, seconds, text))
