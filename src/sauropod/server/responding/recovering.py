"""Recovering: what becomes of responses whose server was stopped while it wrote them."""

from __future__ import annotations

from typing import Any

import msgspec

from sauropod.server.problems import Problem
from sauropod.server.responding.history import kept
from sauropod.server.responding.responder import Responder
from sauropod.server.store import LoggedEvent, ResponseRecord, StoreError
from sauropod.server.wire.decoding import encoded
from sauropod.server.wire.responses.items import plain
from sauropod.server.wire.responses.replay import recovered
from sauropod.server.wire.responses.response import Response

__all__ = ["recover"]

_response = msgspec.json.Decoder(Response)


async def recover(responder: Responder) -> None:
    """Those of which nothing was written yet begin anew, those in the middle are incomplete."""
    for record in await responder.server.store.unfinished():
        try:
            await (_resume if record.status == "queued" else _end)(responder, record)
        except Exception:  # whatever is wrong with one is no reason not to start
            responder.server.log.exception("%s was left by a server that was stopped, and cannot be read.", record.id)
            await _give_up(responder, record)


async def _resume(responder: Responder, record: ResponseRecord) -> None:
    try:
        await responder.resume(record)
        responder.server.log.info("%s waited when the server was stopped, and begins now.", record.id)
    except Problem as problem:
        responder.server.log.warning("%s cannot begin again: %s", record.id, problem)
        await _end(responder, record)


async def _give_up(responder: Responder, record: ResponseRecord) -> None:
    end: dict[str, Any] = {
        "completed_at": None,
        "response": record.response,
        "output_items": [],
        "events": [],
        "conversation_id": None,
    }
    try:
        await responder.server.store.finish(record.id, status="failed", **end)
    except StoreError as error:
        responder.server.log.error("%s", error)


async def _end(responder: Responder, record: ResponseRecord) -> None:
    store = responder.server.store
    log = [event.payload for event in await store.events(record.id, after=-1)]
    response, ending = recovered(_response.decode(record.response), log)
    await store.finish(
        record.id,
        status=response.status,
        completed_at=None,
        response=encoded(response),
        output_items=kept([plain(item) for item in response.output]),
        events=[LoggedEvent(event.sequence_number, encoded(event)) for event in ending] if log else [],
        conversation_id=record.conversation_id,
    )
    responder.server.log.info("%s was being written when the server was stopped, and is incomplete.", record.id)
