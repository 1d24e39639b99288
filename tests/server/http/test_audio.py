"""/v1/audio: what is said over one endpoint is heard over the other, by the official client."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs
import httpx
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.audio import TranscriptionVerbose

from sauropod import SpeechInfo, Transcriber, Voice
from sauropod._audio import read_audio
from sauropod.server import Settings, create_app
from sauropod.server.problems import Problem
from sauropod.server.wire.audio.transcription import check_task
from server.serving import fake, listening

pytest.importorskip("soundfile")
pytestmark = pytest.mark.anyio

STORY = "Once there was a dinosaur, and it was very large. It ate leaves all day long! Did it sleep? Yes, it did."


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


def voice() -> Voice:
    return Voice("fake:synthesizer", isolation="thread")


def transcriber() -> Transcriber:
    return Transcriber("fake:recognizer", vad="fake:voice_detector", isolation="thread")


@attrs.frozen
class Talk:
    """A server, and both kinds of client of it."""

    client: AsyncOpenAI
    http: httpx.AsyncClient
    app: Any


@asynccontextmanager
async def talking(**given: Any) -> AsyncIterator[Talk]:
    app = create_app(
        Settings(database=":memory:"),
        **{"engines": {"fake": fake()}, "voices": {"storyteller": voice}, "transcriber": transcriber, **given},
    )
    async with (
        listening(app=app) as server,
        AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
        httpx.AsyncClient(base_url=server.url, timeout=20) as http,
    ):
        yield Talk(client, http, app)


async def said(talk: Talk, text: str = STORY, **asked: Any) -> bytes:
    options = {"model": "tts-1", "voice": "alloy", "response_format": "wav", **asked}
    return (await talk.client.audio.speech.create(input=text, **options)).content


async def test_what_is_said_is_heard() -> None:
    async with talking() as talk:
        wav = await said(talk)
        heard = await talk.client.audio.transcriptions.create(file=("a.wav", wav), model="whisper-1")
    assert heard.text == STORY
    assert heard.usage is not None
    assert heard.usage.type == "duration"
    assert heard.usage.seconds > 1


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("mp3", "audio/mpeg"),
        ("opus", "audio/ogg; codecs=opus"),
        ("flac", "audio/flac"),
        ("wav", "audio/wav"),
    ],
)
async def test_a_file_is_of_the_format_that_is_asked_for(form: str, kind: str) -> None:
    async with talking() as talk:
        found = await talk.http.post("/v1/audio/speech", json={"input": STORY, "response_format": form})
        pcm = await talk.http.post("/v1/audio/speech", json={"input": STORY, "response_format": "pcm"})
    assert found.headers["content-type"] == kind
    audio = read_audio(found.content)
    assert len(audio.samples) / audio.rate == pytest.approx(len(pcm.content) / 2 / 24_000, abs=0.2)


async def test_audio_is_sent_while_it_is_made() -> None:
    slow = Voice("fake:synthesizer", isolation="thread", options={"seconds": 0.05})
    async with (
        talking(voices={"slow": lambda: slow}) as talk,
        talk.http.stream("POST", "/v1/audio/speech", json={"input": STORY * 4, "response_format": "pcm"}) as stream,
    ):
        times = [anyio.current_time() async for _ in stream.aiter_raw()]
    assert len(times) > 3
    assert times[-1] - times[0] > 0.1


async def test_events_hold_the_same_file() -> None:
    async with talking() as talk:
        body = {"input": STORY, "response_format": "pcm", "stream_format": "sse"}
        found = await talk.http.post("/v1/audio/speech", json=body)
        whole = await said(talk, response_format="pcm")
    blocks = [block.split("\n") for block in found.text.split("\n\n") if block]
    events = [json.loads(data.removeprefix("data: ")) for _, data in blocks]
    assert [name for name, _ in blocks] == [f"event: {event['type']}" for event in events]
    *deltas, done = events
    assert b"".join(base64.b64decode(event["audio"]) for event in deltas) == whole
    assert done["type"] == "speech.audio.done"
    assert done["usage"]["input_tokens"] == len(STORY)
    assert done["usage"]["total_tokens"] == len(STORY) + done["usage"]["output_tokens"]


async def test_voices_are_found_by_their_names_and_by_those_of_openai() -> None:
    async with talking(voices={"storyteller": voice, "other": voice}) as talk:
        early = (await talk.http.get("/v1/audio/voices")).json()
        assert early["voices"] == ["storyteller", "other"]
        for name in ("alloy", "nova", "storyteller", "OTHER", {"id": "onyx"}, None):
            found = await talk.http.post("/v1/audio/speech", json={"input": "Hello.", "voice": name})
            assert found.status_code == 200, (name, found.text)
        late = (await talk.http.get("/v1/audio/voices")).json()
        own = next(each["id"] for each in late["data"] if each["id"] not in early["voices"])
        assert (await talk.http.post("/v1/audio/speech", json={"input": "Hello.", "voice": own})).status_code == 200
        unknown = await talk.http.post("/v1/audio/speech", json={"input": "Hello.", "voice": "nobody"})
        assert (unknown.status_code, unknown.json()["error"]["param"]) == (400, "voice")
        assert own in unknown.json()["error"]["message"]
        model = await talk.http.post("/v1/audio/speech", json={"input": "Hello.", "model": "gpt-9"})
        assert (model.status_code, model.json()["error"]["code"]) == (404, "model_not_found")


async def test_speech_that_makes_no_sense_is_refused() -> None:
    async with talking() as talk:
        for body, param in (
            ({"input": " "}, "input"),
            ({}, "input"),
            ({"input": "x" * 40_000}, "input"),
            ({"input": "x", "speed": 9}, "speed"),
            ({"input": "x", "response_format": "midi"}, "response_format"),
        ):
            found = await talk.http.post("/v1/audio/speech", json=body)
            assert (found.status_code, found.json()["error"]["param"]) == (400, param)
        slow = await talk.http.post("/v1/audio/speech", json={"input": "x", "speed": 0.3})
        assert slow.status_code == 400
        assert "0.5" in slow.json()["error"]["message"]


async def test_who_leaves_stops_what_is_said_to_him() -> None:
    slow = Voice("fake:synthesizer", isolation="thread", options={"seconds": 0.05})
    async with talking(voices={"slow": lambda: slow}) as talk:
        body = {"input": STORY * 20, "response_format": "pcm"}
        async with talk.http.stream("POST", "/v1/audio/speech", json=body) as stream:
            await anext(stream.aiter_raw())
        with anyio.fail_after(5):
            while slow._handle.handle.link._exchanges:  # type: ignore[attr-defined]
                await anyio.sleep(0.01)


@pytest.mark.parametrize("form", ["text", "srt", "vtt", "verbose_json", "json"])
async def test_a_transcript_is_of_the_format_that_is_asked_for(form: str) -> None:
    async with talking() as talk:
        wav = await said(talk)
        fields = {"model": "whisper-1", "response_format": form, "timestamp_granularities[]": ["word", "segment"]}
        found = await talk.http.post("/v1/audio/transcriptions", files={"file": ("a.wav", wav)}, data=fields)
    assert found.status_code == 200, found.text
    if form == "verbose_json":
        verbose = TranscriptionVerbose.model_validate(found.json())
        assert (verbose.text, verbose.language) == (STORY, "english")
        assert verbose.words is not None
        assert " ".join(word.word for word in verbose.words) == STORY
        assert verbose.segments is not None
        assert verbose.segments[-1].end <= verbose.duration
    elif form == "json":
        assert found.json()["text"] == STORY
    else:
        assert found.headers["content-type"].startswith({"srt": "application/x-subrip"}.get(form, "text/"))
        assert "dinosaur" in found.text
        assert ("-->" in found.text) == (form != "text")


async def test_a_transcript_comes_as_it_is_made() -> None:
    async with talking() as talk:
        first = read_audio(await said(talk, "Hello there.", response_format="wav"))
        pause = b"\0" * 2 * 24_000 * 2
        pcm = await said(talk, "Hello there.", response_format="pcm")
        again = await said(talk, "How are you?", response_format="pcm")
        wav = wave_of(pcm + pause + again, first.rate)
        stream = await talk.client.audio.transcriptions.create(
            file=("a.wav", wav), model="gpt-4o-transcribe", stream=True, include=["logprobs"]
        )
        events = [event async for event in stream]
    assert [event.type for event in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    *deltas, done = events
    assert "".join(event.delta for event in deltas) == done.text == "Hello there. How are you?"  # type: ignore[union-attr]
    assert done.logprobs is not None  # type: ignore[union-attr]
    assert [each.token for each in done.logprobs] == ["Hello", "there.", "How", "are", "you?"]  # type: ignore[union-attr]


async def test_what_is_no_audio_is_refused() -> None:
    async with talking() as talk:
        for stream in ("false", "true"):
            found = await talk.http.post(
                "/v1/audio/transcriptions",
                files={"file": ("a.wav", b"This is a text and no sound. " * 40)},
                data={"model": "whisper-1", "stream": stream},
            )
            assert (found.status_code, found.json()["error"]["type"]) == (400, "invalid_request_error")
        for data, param in (
            ({"response_format": "diarized_json"}, "response_format"),
            ({"response_format": "xml"}, "response_format"),
            ({"temperature": "hot"}, "temperature"),
            ({"timestamp_granularities[]": "hour"}, "timestamp_granularities[0]"),
        ):
            found = await talk.http.post("/v1/audio/transcriptions", files={"file": ("a", b"x")}, data=data)
            assert (found.status_code, found.json()["error"]["param"]) == (400, param)
        nothing = await talk.http.post("/v1/audio/transcriptions", files={"other": ("a", b"x")})
        assert nothing.json()["error"]["param"] == "file"
        with pytest.raises(openai.NotFoundError, match="default"):
            await talk.client.audio.transcriptions.create(file=("a.wav", await said(talk)), model="ears-9")


async def test_what_is_english_already_is_a_translation() -> None:
    async with talking() as talk:
        wav = await said(talk)
        found = await talk.http.post("/v1/audio/translations", files={"file": ("a.wav", wav)})
    assert found.json()["text"] == STORY


@pytest.mark.parametrize("languages", [(), ("de",), ("en", "de")])
def test_who_does_not_translate_says_so(languages: tuple[str, ...]) -> None:
    info = SpeechInfo(
        name="ears", backend="b", architecture="a", kind="recognizer", sample_rate=16_000, languages=languages
    )
    check_task("transcribe", info)
    with pytest.raises(Problem) as caught:
        check_task("translate", info)
    assert caught.value.code == "unsupported_task"


async def test_nothing_speaks_or_hears_where_nothing_is_to() -> None:
    settings = attrs.evolve(Settings(database=":memory:"), stt_model=None, voices={})
    app = create_app(settings, engines={"fake": fake()})
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        speech = await http.post("/v1/audio/speech", json={"input": "x"})
        heard = await http.post("/v1/audio/transcriptions", files={"file": ("a", b"x")})
    assert [each.status_code for each in (speech, heard)] == [501, 501]


def wave_of(pcm: bytes, rate: int) -> bytes:
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm)
    return file.getvalue()


async def test_a_format_whose_encoder_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    async with talking() as talk:
        with pytest.raises(openai.BadRequestError, match="PyAV") as caught:
            await talk.client.audio.speech.create(
                model="storyteller", voice="fake", input="Hello.", response_format="aac"
            )
    assert caught.value.param == "response_format"
