"""Acting: does with a session what its client's events ask for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import anyio
import attrs

from sauropod import CallItem, Item, ResultItem, SaidItem, Session, SessionOptions, SessionSettings
from sauropod.errors import UnsupportedInput
from sauropod.server.http.speaking import VOICE, Speaking
from sauropod.server.problems import Problem, invalid
from sauropod.server.serving import Server
from sauropod.server.wire.call_ids import wire_id
from sauropod.server.wire.realtime.client_events import (
    AppendAudio,
    AskedResponse,
    CancelResponse,
    ClearAudio,
    ClearOutput,
    ClientEvent,
    CommitAudio,
    CreateItem,
    CreateResponse,
    DeleteItem,
    RetrieveItem,
    TruncateItem,
    UpdateSession,
)
from sauropod.server.wire.realtime.formats import Incoming
from sauropod.server.wire.realtime.items import item_of
from sauropod.server.wire.realtime.patching import patched
from sauropod.server.wire.realtime.response import reply_id
from sauropod.server.wire.realtime.server_events import ServerEvent
from sauropod.server.wire.realtime.session import AnySession, RealtimeSession
from sauropod.server.wire.realtime.settings import reply_options, session_options
from sauropod.server.wire.realtime.writer import Asked, Writer

__all__ = ["Acting"]

LARGE = 256 * 1024
"""Characters of sound from which on it is decoded in a thread."""
MOST = 16
"""Responses apart from the conversation that one client may have under way at once."""
MOST_BYTES = 64 * 1024 * 1024
"""Of the items that one client puts into its conversation."""
LEAST = 1024
"""What an item takes at least."""


@attrs.define(eq=False)
class Acting:
    """For one client."""

    server: Server
    session: AnySession
    """As the client knows it."""
    writer: Writer
    speaking: Speaking
    incoming: Incoming = attrs.field(factory=Incoming)
    _options: SessionOptions = attrs.field(factory=SessionOptions)
    _live: Session | None = None
    _given: dict[str, int] = attrs.field(factory=dict)
    """Bytes of the items that the client has put in."""

    async def open(self) -> None:
        """Read the session as it begins. Raises `Problem`."""
        self._options = await self._read(self.session)

    def begin(self) -> AbstractAsyncContextManager[Session]:
        """The session itself, to be entered."""
        self.speaking.fixed, recordings = True, self.server.recordings
        self._live = Session(
            self.speaking.engine,
            voice=self.speaking.voice,
            transcriber=self.speaking.transcriber,
            settings=SessionSettings(**self._options),
            record=None if recordings is None else recordings / f"{self.session.id}.jsonl",
            record_audio=self.server.record_audio,
        )
        return self._live

    async def do(self, event: ClientEvent) -> Sequence[ServerEvent]:
        """What is told of it at once; all else the session tells. Raises `Problem`, and what the session raises."""
        match event:
            case UpdateSession():
                return await self._update(event)
            case AppendAudio():
                await self._append(event)
            case CommitAudio():
                await self._commit()
            case ClearAudio():
                self._check_ears()
                self.incoming.clear()
                await self._session.clear()
            case RetrieveItem(item_id):
                return [self.writer.retrieved(self._session.retrieve(self._known(item_id, "retrieve")))]
            case DeleteItem(item_id):
                await self._session.remove(self._known(item_id, "delete"))
            case ClearOutput():
                raise invalid("Only WebRTC has an output buffer. Send response.cancel.", "type", "invalid_value")
            case _:
                self._check_answers()
                await self._do_more(event)
        return ()

    async def _do_more(self, event: CreateItem | TruncateItem | CreateResponse | CancelResponse) -> None:
        match event:
            case CreateItem():
                await self._create(event)
            case TruncateItem():
                await self._truncate(event)
            case CreateResponse(response=asked):
                await self._respond(asked or AskedResponse())
            case CancelResponse(response_id=id):
                await self._cancel(id)

    # -- the session ---------------------------------------------------------------------------------------------------

    async def _update(self, event: UpdateSession) -> Sequence[ServerEvent]:
        session = patched(self.session, event.session)
        if self.writer.spoke and _voice(session) != _voice(self.session):
            raise invalid(
                "The session has been heard, so it keeps its voice. Connect anew for another.",
                VOICE,
                "cannot_update_voice",
            )
        options = await self._read(session)
        if self._live is None:
            self.session, self._options = session, options
            return [self.writer.updated(session)]
        self.writer.updates.append(session)
        try:
            await self._live.update(**options)
        except BaseException:
            self.writer.updates.pop()
            raise
        self.session, self._options = session, options
        return ()

    async def _read(self, session: AnySession) -> SessionOptions:
        """What the session is told. Raises `Problem` or `UnsupportedInput` for what it would not take."""
        await self.speaking.check_ears(session)
        name = await self.speaking.choose(session) if isinstance(session, RealtimeSession) else None
        options = session_options(session, name)
        SessionSettings(**options)
        if self.speaking.voice is not None:
            self.speaking.voice.check(voice=name, speed=options.get("speed"))
        return options

    # -- what is heard -------------------------------------------------------------------------------------------------

    async def _append(self, event: AppendAudio) -> None:
        self._check_ears()
        form = self.session.audio.input.format
        if len(event.audio) < LARGE:
            frame = self.incoming.feed(event.audio, form)
        else:
            frame = await anyio.to_thread.run_sync(self.incoming.feed, event.audio, form)
        if frame is not None:
            await self._session.send(frame)

    async def _commit(self) -> None:
        self._check_ears()
        try:
            await self._session.commit()
        except UnsupportedInput as error:
            raise invalid(str(error), code="input_audio_buffer_commit_empty") from None

    def _check_ears(self) -> None:
        if self.speaking.transcriber is None:
            raise Problem(501, "Nothing hears here: `stt_model` is empty in the settings.", code="no_transcriber")

    # -- the conversation ----------------------------------------------------------------------------------------------

    async def _create(self, event: CreateItem) -> None:
        item = item_of(event.item, self.session.audio.input.format)
        if isinstance(item, ResultItem):
            self._check_call(item.call_id)
        after = event.previous_item_id
        if after is not None and after != "root":
            self._known(after, "create", "previous_item_id")
        bytes = self._room_for(item)
        added = await self._session.add(item, after)
        self._given[added.id] = bytes

    def _room_for(self, item: Item) -> int:
        """What it takes. Raises `Problem` if that is too much, beside the items that are there."""
        there = {each.id for each in self._session.items}
        self._given = {id: bytes for id, bytes in self._given.items() if id in there}
        bytes = LEAST + _bytes_of(item)
        if sum(self._given.values()) + bytes > MOST_BYTES:
            raise invalid(
                f"The items of this conversation would take more than {MOST_BYTES // 2**20} MiB. Delete some first.",
                "item",
                "conversation_too_large",
            )
        return bytes

    def _check_call(self, call_id: str) -> None:
        calls = (item.call.id or item.id for item in self._session.items if isinstance(item, CallItem))
        if call_id not in calls:
            raise invalid(
                f"No function was called with the id {wire_id(call_id)!r} in this conversation.",
                "item.call_id",
                "invalid_tool_call_id",
            )

    async def _truncate(self, event: TruncateItem) -> None:
        if event.content_index != 0:
            raise invalid("Items have one part here: 'content_index' is 0.", "content_index", "invalid_value")
        await self._session.truncate(self._known(event.item_id, "truncate"), event.audio_end_ms / 1000)

    def _known(self, item_id: str, act: str, param: str = "item_id") -> str:
        try:
            self._session.retrieve(item_id)
        except UnsupportedInput as error:
            raise invalid(str(error), param, f"item_{act}_invalid_item_id") from None
        return item_id

    # -- responses -----------------------------------------------------------------------------------------------------

    async def _respond(self, asked: AskedResponse) -> None:
        assert isinstance(self.session, RealtimeSession)
        apart = asked.conversation == "none"
        if apart and self.writer.apart >= MOST:
            raise Problem(429, f"{MOST} responses are under way already.", "rate_limit_error", "rate_limit_exceeded")
        options = reply_options(asked, self.session, self.speaking.named)
        try:
            id = await self._session.respond(**options)
        except UnsupportedInput as error:
            active = self.writer.replying and not apart
            code = "conversation_already_has_active_response" if active else "invalid_value"
            raise invalid(str(error), code=code) from None
        self.writer.ask(id, Asked(asked.format, asked.voice, apart))

    async def _cancel(self, response_id: str | None) -> None:
        reply = None if response_id is None else reply_id(response_id)
        try:
            await self._session.cancel(reply)
            self.writer.forget(reply)
        except UnsupportedInput as error:
            raise invalid(
                f"Cancellation failed: {error}", "response_id" if response_id else None, "response_cancel_not_active"
            ) from None

    def _check_answers(self) -> None:
        if not isinstance(self.session, RealtimeSession):
            raise invalid("In a transcription session nobody answers. Connect with ?model= for one.", "type")

    @property
    def _session(self) -> Session:
        assert self._live is not None
        return self._live


def _bytes_of(item: Item) -> int:
    match item:
        case SaidItem(text=text, audio=audio):
            return len(text or "") + (0 if audio is None else audio.samples.nbytes)
        case CallItem(call):
            return len(str(call.arguments))
        case ResultItem(output=output):
            return len(output)


def _voice(session: AnySession) -> str | None:
    return session.audio.output.voice if isinstance(session, RealtimeSession) else None
