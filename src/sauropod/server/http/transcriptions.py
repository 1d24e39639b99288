"""/v1/audio/transcriptions and /v1/audio/translations"""

from __future__ import annotations

import attrs
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sauropod import FinalTranscript, Segment
from sauropod._audio import open_audio
from sauropod.server.http.calls import form_of, server_of, unless_gone, whole_size
from sauropod.server.http.live import Write, told
from sauropod.server.http.streaming import EventStream, sse
from sauropod.server.problems import invalid
from sauropod.server.serving import Server
from sauropod.server.wire.audio.transcription import (
    CreateTranscription,
    TextDelta,
    TextDone,
    check_task,
    read_form,
    written,
)
from sauropod.server.wire.decoding import encoded

__all__ = ["routes"]


async def transcribe(request: Request) -> Response | EventStream:
    """POST /v1/audio/transcriptions"""
    return await _answered(request, "transcribe")


async def translate(request: Request) -> Response | EventStream:
    """POST /v1/audio/translations"""
    return await _answered(request, "translate")


routes = [
    Route("/v1/audio/transcriptions", transcribe, methods=["POST"]),
    Route("/v1/audio/translations", translate, methods=["POST"]),
]


# -- inside --------------------------------------------------------------------------------------------------------


async def _answered(request: Request, task: str) -> Response | EventStream:
    server = server_of(request)
    whole_size(request, server.upload_limit)
    form = await form_of(request, server.patience, max_files=1, max_fields=32, max_part_size=64 * 1024)
    hearing = None
    try:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise invalid("Missing required parameter: 'file'.", "file", "missing_required_parameter")
        hearing = _Hearing(server, read_form(form.multi_items()), upload, task)
        if not hearing.asked.streams:
            data, kind = await unless_gone(request, hearing.whole)
            return Response(data, media_type=kind)
        return await told(request, hearing.events, closed=form.close)
    finally:
        if hearing is None or not hearing.asked.streams:
            await form.close()


@attrs.frozen
class _Hearing:
    """A request, read and checked."""

    server: Server
    asked: CreateTranscription
    upload: UploadFile
    task: str

    async def whole(self) -> tuple[bytes, str]:
        """The answer, and its media type."""
        async with self.server.ears.use(self.asked.model) as transcriber:
            check_task(self.task, transcriber.info)
            transcript = await transcriber.transcribe(self.upload.file, language=self.asked.language)
        return written(transcript, self.asked, self.task)

    async def events(self, write: Write) -> None:
        """Each utterance as soon as it is known."""
        heard: list[Segment] = []
        async with self.server.ears.use(self.asked.model) as transcriber:
            check_task(self.task, transcriber.info)
            frames = open_audio(self.upload.file, rate=transcriber.info.sample_rate)
            options = {"language": self.asked.language, "partials": False}
            async with transcriber.stream(frames, priority="normal", **options) as events:  # type: ignore[arg-type]
                async for event in events:
                    if isinstance(event, FinalTranscript) and event.text:
                        delta = TextDelta.of(event.segment, not heard, self.asked.tells_logprobs)
                        heard.append(event.segment)
                        write(sse(encoded(delta), "transcript.text.delta"))
        write(sse(encoded(TextDone.of(heard, self.asked.tells_logprobs)), "transcript.text.done"))
