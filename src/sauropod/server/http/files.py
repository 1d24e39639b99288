"""/v1/files: kept as they are, in the server's own store."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sauropod.server.http.calls import answer, form_of, server_of, whole_size
from sauropod.server.http.pages import page_asked
from sauropod.server.http.streaming import EventStream
from sauropod.server.problems import Problem, invalid, missing
from sauropod.server.store import FileRecord
from sauropod.server.wire.files import checked_purpose, file_object

__all__ = ["routes"]

CHUNK = 1024 * 1024


async def create(request: Request) -> Response:
    """POST /v1/files"""
    server = server_of(request)
    whole_size(request, server.upload_limit)
    async with form_of(request, server.patience, max_files=1, max_fields=8, max_part_size=64 * 1024) as form:
        upload, purpose = form.get("file"), checked_purpose(form.get("purpose"))
        if not isinstance(upload, UploadFile):
            raise invalid("Missing required parameter: 'file'.", "file", "missing_required_parameter")
        now = int(server.now())
        record = FileRecord(
            id=server.new_id("file"),
            created_at=now,
            bytes=upload.size or 0,
            filename=upload.filename or "file",
            purpose=purpose,
            expires_at=_expires(form, now),
        )
        await server.store.add_file(record, _chunks(upload))
    return answer(_object(record))


async def list_all(request: Request) -> Response:
    """GET /v1/files"""
    asked = page_asked(request, limit=10_000, largest=10_000)
    purpose = request.query_params.get("purpose")
    page = await server_of(request).store.files(
        after=asked.after, limit=asked.limit, order=asked.order, purpose=purpose
    )
    ids = [record.id for record in page.files]
    found = [_object(record) for record in page.files]
    first, last = (ids[0], ids[-1]) if ids else (None, None)
    return answer({"object": "list", "data": found, "first_id": first, "last_id": last, "has_more": page.has_more})


async def retrieve(request: Request) -> Response:
    """GET /v1/files/{id}"""
    return answer(_object(await _record(request)))


async def delete(request: Request) -> Response:
    """DELETE /v1/files/{id}"""
    name = request.path_params["id"]
    if not await server_of(request).store.delete_file(name):
        raise _unknown(name)
    return answer({"id": name, "object": "file", "deleted": True})


async def content(request: Request) -> EventStream:
    """GET /v1/files/{id}/content"""
    record = await _record(request)
    headers = {"content-length": str(record.bytes)}
    chunks = server_of(request).store.file_chunks(record.id)
    headers |= {"content-type": "application/octet-stream"}
    pieces = ([chunk] async for chunk in chunks)
    return EventStream(pieces, headers=headers, patience=server_of(request).patience, quiet=None)


routes = [
    Route("/v1/files", create, methods=["POST"]),
    Route("/v1/files", list_all, methods=["GET"]),
    Route("/v1/files/{id}", retrieve, methods=["GET"]),
    Route("/v1/files/{id}", delete, methods=["DELETE"]),
    Route("/v1/files/{id}/content", content, methods=["GET"]),
]


def _expires(form: FormData, now: int) -> int | None:
    seconds = form.get("expires_after[seconds]")
    if seconds is None:
        return None
    if not isinstance(seconds, str) or not seconds.isdecimal() or not 1 <= len(seconds) <= 10:
        raise invalid("'expires_after.seconds' is a number of seconds.", "expires_after", "invalid_value")
    return now + int(seconds)


async def _chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await upload.read(CHUNK):
        yield chunk


async def _record(request: Request) -> FileRecord:
    record = await server_of(request).store.file(request.path_params["id"])
    if record is None:
        raise _unknown(request.path_params["id"])
    return record


def _object(record: FileRecord) -> dict[str, object]:
    return file_object(
        record.id,
        bytes=record.bytes,
        created_at=record.created_at,
        filename=record.filename,
        purpose=record.purpose,
        expires_at=record.expires_at,
    )


def _unknown(name: str) -> Problem:
    return missing(f"No such File object: {name}", param="id")
