"""/v1/chat/completions"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import attrs
from msgspec import UNSET
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from sauropod import AskOptions, Message, StreamEvent
from sauropod.errors import InvalidGrammar, PromptTooLong
from sauropod.server.catalog import Served
from sauropod.server.http.calls import answer, body_of, server_of, unless_gone
from sauropod.server.http.live import Tell, streamed
from sauropod.server.problems import invalid
from sauropod.server.serving import Server
from sauropod.server.wire.chat.messages import messages_of
from sauropod.server.wire.chat.objects import ChatCompletion
from sauropod.server.wire.chat.options import options_of
from sauropod.server.wire.chat.request import CreateChat, read_chat
from sauropod.server.wire.chat.tools import Toolbox, toolbox_of
from sauropod.server.wire.chat.writer import ChatWriter

__all__ = ["routes"]


async def chat_completions(request: Request) -> ASGIApp:
    """POST /v1/chat/completions"""
    chat = _Chat.of(server_of(request), await body_of(request))
    if chat.asked.stream:
        return await streamed(request, chat.tell)
    return answer(await unless_gone(request, chat.whole))


routes = [Route("/v1/chat/completions", chat_completions, methods=["POST"])]


# -- inside --------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Chat:
    """A request, read and checked."""

    server: Server
    asked: CreateChat
    messages: list[Message]
    toolbox: Toolbox
    options: AskOptions

    @classmethod
    def of(cls, server: Server, body: bytes) -> _Chat:
        """Raises `Problem`."""
        asked = read_chat(body)
        toolbox = toolbox_of(asked.tools, asked.functions)
        return cls(server, asked, messages_of(asked.messages), toolbox, options_of(asked, toolbox))

    async def whole(self) -> ChatCompletion:
        """The completion."""
        async with self.server.catalog.use(self.asked.model) as served:
            writer = self._writer(served)
            async with aclosing(self._events(served)) as events:
                async for event in events:
                    writer.take(event)
            return writer.whole()

    async def tell(self, tell: Tell) -> None:
        """Its chunks."""
        async with self.server.catalog.use(self.asked.model) as served:
            writer = self._writer(served)
            async with aclosing(self._events(served)) as events:
                async for event in events:
                    tell(writer.take(event))

    async def _events(self, served: Served) -> AsyncGenerator[StreamEvent]:
        """What the model does. A schema that cannot be enforced is let go where nobody insists on it."""
        attempts = self._attempts()
        for options in attempts:
            try:
                async with served.engine.stream(self.messages, **options) as stream:
                    async for event in stream:
                        yield event
                return
            except InvalidGrammar:  # which comes before any event
                if options is attempts[-1]:
                    raise
            except PromptTooLong as error:
                raise invalid(str(error), "messages", "context_length_exceeded") from error

    def _attempts(self) -> list[AskOptions]:
        looser = self.toolbox.loosened
        return [self.options] if looser is None else [self.options, {**self.options, "tools": looser.tools}]

    def _writer(self, served: Served) -> ChatWriter:
        return ChatWriter(
            self.server.new_id("chatcmpl"),
            int(self.server.now()),
            served.name,
            self.toolbox,
            self.asked.n or 1,
            served.holds_calls,
            self.asked.tells_usage,
            "default" if self.asked.service_tier else UNSET,
        )
