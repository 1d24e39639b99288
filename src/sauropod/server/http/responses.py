"""/v1/responses over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import Response as Answer
from starlette.routing import Route
from starlette.types import ASGIApp

from sauropod.server.http.calls import answer, body_of, responder_of, server_of, unless_gone
from sauropod.server.http.pages import page_asked, page_of
from sauropod.server.http.streaming import EventStream, sse
from sauropod.server.http.tape import Tape
from sauropod.server.problems import Problem, invalid, missing
from sauropod.server.responding import Running
from sauropod.server.responding.compacting import compact, count_input
from sauropod.server.store import ResponseRecord
from sauropod.server.wire.decoding import decoded, encoded
from sauropod.server.wire.responses.events import LAST, Event
from sauropod.server.wire.responses.replay import last_event, replayed
from sauropod.server.wire.responses.request import CompactRequest, CountRequest, read_create
from sauropod.server.wire.responses.response import Response

__all__ = ["routes"]

UNFINISHED = ("queued", "in_progress")
FOLLOWING = 0.3
"""Seconds between two looks at what another server tells."""

_response = msgspec.json.Decoder(Response)
_event = msgspec.json.Decoder(Event)


async def create(request: Request) -> ASGIApp:
    """POST /v1/responses"""
    body = await body_of(request)
    asked = read_create(body)

    async def begun() -> Running:
        running = await responder_of(request).start(asked, body)
        try:
            await running.ready()
        except BaseException:
            await _stopped(running)
            raise
        return running

    async def whole() -> Response:
        running = await responder_of(request).start(asked, body)
        try:
            return await running.whole()
        except BaseException:
            await _stopped(running)
            raise

    if asked.stream:
        running = await unless_gone(request, begun)
        return _stream(request, running.tape, None if asked.background else running, 0)
    if asked.background:
        return answer((await unless_gone(request, begun)).response)
    return answer(await unless_gone(request, whole))


async def retrieve(request: Request) -> ASGIApp:
    """GET /v1/responses/{id}"""
    response_id, wanted = request.path_params["id"], request.query_params
    after = _number(wanted.get("starting_after"))
    stream, running = wanted.get("stream") == "true", responder_of(request).running(response_id)
    if running is not None:
        if stream:
            return _stream(request, running.tape, None, after + 1)
        return answer(running.response)
    record = await _record(request, response_id)
    if not stream:
        return Answer(_as_it_is(record), media_type="application/json")
    if record.status in UNFINISHED:
        return _lines(request, _followed(request, record, after))
    return _lines(request, _at_once(await _kept_events(request, record, after)))


async def delete(request: Request) -> Answer:
    """DELETE /v1/responses/{id}"""
    response_id = request.path_params["id"]
    running = responder_of(request).running(response_id)
    if running is not None:
        await running.stop()
    if not await server_of(request).store.delete_response(response_id):
        raise _unknown(response_id)
    return answer({"id": response_id, "object": "response", "deleted": True})


async def cancel(request: Request) -> Answer:
    """POST /v1/responses/{id}/cancel"""
    response_id = request.path_params["id"]
    running = responder_of(request).running(response_id)
    if running is not None and running.response.background:
        await running.stop()
        return answer(running.response)
    record = await _record(request, response_id)
    if record.background and record.status in UNFINISHED:
        raise Problem(
            409,
            f"The response '{response_id}' is being written by another server, which can cancel it.",
            code="response_elsewhere",
            param="response_id",
            retry=5.0,
        )
    if not record.background:
        raise invalid(
            "Only a response in the background can be cancelled. Close the connection to stop this one.", "response_id"
        )
    return Answer(record.response, media_type="application/json")


async def input_items(request: Request) -> Answer:
    """GET /v1/responses/{id}/input_items"""
    response_id, asked = request.path_params["id"], page_asked(request)
    await _record(request, response_id)
    page = await server_of(request).store.input_items(
        response_id, after=asked.after, limit=asked.limit, order=asked.order
    )
    return answer(page_of([each.payload for each in page.items], [each.id for each in page.items], page.has_more))


async def input_tokens(request: Request) -> Answer:
    """POST /v1/responses/input_tokens"""
    asked = decoded(CountRequest, await body_of(request))
    asked.check()
    count = await unless_gone(request, lambda: count_input(server_of(request), asked))
    return answer({"object": "response.input_tokens", "input_tokens": count})


async def compacted(request: Request) -> Answer:
    """POST /v1/responses/compact"""
    asked = decoded(CompactRequest, await body_of(request))
    return answer(await unless_gone(request, lambda: compact(server_of(request), asked)))


routes = [
    Route("/v1/responses", create, methods=["POST"]),
    Route("/v1/responses/input_tokens", input_tokens, methods=["POST"]),
    Route("/v1/responses/compact", compacted, methods=["POST"]),
    Route("/v1/responses/{id}", retrieve, methods=["GET"]),
    Route("/v1/responses/{id}", delete, methods=["DELETE"]),
    Route("/v1/responses/{id}/cancel", cancel, methods=["POST"]),
    Route("/v1/responses/{id}/input_items", input_items, methods=["GET"]),
]


# -- inside --------------------------------------------------------------------------------------------------------


async def _stopped(running: Running) -> None:
    """Its client has gone; what there is of it is kept."""
    with anyio.CancelScope(shield=True):
        await running.stop()


def _stream(request: Request, tape: Tape, owned: Running | None, start: int) -> EventStream:
    """What is on the tape. A response that is `owned` by this client ends when the client leaves."""

    return _lines(request, tape.read(start), None if owned is None else owned.stop)


def _lines(
    request: Request, events: AsyncIterator[Sequence[bytes]], closed: Callable[[], Awaitable[None]] | None = None
) -> EventStream:
    async def lines() -> AsyncIterator[Sequence[bytes]]:
        async for payloads in events:
            yield [sse(payload, _name(payload)) for payload in payloads]

    return EventStream(lines(), closed=closed, patience=server_of(request).patience)


async def _at_once(events: Sequence[bytes]) -> AsyncIterator[Sequence[bytes]]:
    yield events


async def _followed(request: Request, record: ResponseRecord, after: int) -> AsyncIterator[Sequence[bytes]]:
    """What another server tells of it, as that is logged, up to its end."""
    store = server_of(request).store
    while record.status in UNFINISHED:
        if events := await store.events(record.id, after=after):
            after = events[-1].sequence
            yield [event.payload for event in events]
        await anyio.sleep(FOLLOWING)
        found = await store.response(record.id)
        if found is None:
            return
        record = found
    yield await _kept_events(request, record, after)


def _number(text: str | None) -> int:
    if text is None:
        return -1
    if not text.isdecimal() or len(text) > 9:
        raise invalid("'starting_after' is the number of an event.", "starting_after", "invalid_value")
    return int(text)


def _name(payload: bytes) -> str:
    """The type of an event, which is what its JSON begins with."""
    start = len(b'{"type":"')
    return payload[start : payload.index(b'"', start)].decode()


def _as_it_is(record: ResponseRecord) -> bytes:
    """What is stored of one that another server is writing is how it began."""
    if record.status not in UNFINISHED:
        return record.response
    response = _response.decode(record.response)
    response.status = record.status  # type: ignore[assignment]
    return encoded(response)


async def _record(request: Request, response_id: str) -> ResponseRecord:
    record = await server_of(request).store.response(response_id)
    if record is None:
        raise _unknown(response_id)
    return record


async def _kept_events(request: Request, record: ResponseRecord, after: int) -> list[bytes]:
    """Those that follow that number, to the last.

    Of a response whose server was killed a client may have seen more than the log has. It is told the end too.
    """
    log = [event.payload for event in await server_of(request).store.events(record.id, after=-1)]
    response = _response.decode(record.response)
    events = [_event.decode(payload) for payload in log] or replayed(response)
    last = events[-1].sequence_number
    if not isinstance(events[-1], LAST) or last < after:
        return [*log[after + 1 :], encoded(last_event(response, max(last, after) + 1))]
    return [encoded(event) for event in events if event.sequence_number > after]


def _unknown(response_id: str) -> Problem:
    return missing(f"Response with id '{response_id}' not found.", param="response_id")
