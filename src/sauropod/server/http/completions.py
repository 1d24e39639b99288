"""/v1/completions"""

from __future__ import annotations

import attrs
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from sauropod import AskOptions
from sauropod.errors import PromptTooLong
from sauropod.server.catalog import Served
from sauropod.server.http.calls import answer, body_of, server_of, unless_gone
from sauropod.server.http.live import Tell, streamed
from sauropod.server.http.several import side_by_side
from sauropod.server.problems import invalid
from sauropod.server.serving import Server
from sauropod.server.wire.completions.objects import TextCompletion
from sauropod.server.wire.completions.prompts import Given, prompts_of
from sauropod.server.wire.completions.request import CreateCompletion, read_completion
from sauropod.server.wire.completions.writer import CompletionWriter

__all__ = ["routes"]


async def completions(request: Request) -> ASGIApp:
    """POST /v1/completions"""
    asked = _Completions.of(server_of(request), await body_of(request))
    if asked.asked.stream:
        return await streamed(request, asked.write)
    return answer(await unless_gone(request, asked.whole))


routes = [Route("/v1/completions", completions, methods=["POST"])]


# -- inside --------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Completions:
    """A request, read and checked."""

    server: Server
    asked: CreateCompletion
    prompts: list[Given]
    options: AskOptions

    @classmethod
    def of(cls, server: Server, body: bytes) -> _Completions:
        """Raises `Problem`."""
        asked = read_completion(body)
        return cls(server, asked, prompts_of(asked.prompt), asked.options())

    async def whole(self) -> TextCompletion:
        """The completion."""
        writer = await self.write(lambda _: None)
        return writer.whole()

    async def write(self, tell: Tell) -> CompletionWriter:
        """Its pieces are told, of several prompts as they come."""
        async with self.server.catalog.use(self.asked.model) as served:
            writer = await self._writer(served)

            async def go_on(at: int) -> None:
                prompt = self.prompts[at]
                async with served.engine.stream(prompt, **self.options) as stream:
                    async for event in stream:
                        tell(writer.take(at, event))

            try:
                await side_by_side(len(self.prompts), go_on, served.engine.info.slots // writer.n)
            except PromptTooLong as error:
                raise invalid(str(error), "prompt", "context_length_exceeded") from error
            return writer

    async def _writer(self, served: Served) -> CompletionWriter:
        return CompletionWriter(
            self.server.new_id("cmpl"),
            int(self.server.now()),
            served.name,
            [await self._echo(served, prompt) for prompt in self.prompts],
            self.asked.n or 1,
            self.asked.tells_usage,
        )

    async def _echo(self, served: Served, prompt: Given) -> str:
        """What is told before what was written."""
        if not self.asked.echo:
            return ""
        return prompt if isinstance(prompt, str) else await served.engine.detokenize(prompt)
