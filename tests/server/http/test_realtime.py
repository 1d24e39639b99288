"""/v1/realtime: what is said is heard and answered, over a socket; every event is checked."""

from __future__ import annotations

import base64
import json
import random
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sauropod import Engine
from sauropod._session.replay import Replay
from sauropod._speech import g711
from sauropod.server import Settings
from sauropod.server.config import Authentication, Limits, Realtime
from sauropod.server.http import acting
from sauropod.testing import speech_of
from server.realtime_client import SAYS, WEATHER, Client, app_of, connected, served, sound, state, talking
from server.realtime_rules import Told, check_session
from server.serving import Listening

pytest.importorskip("soxr")
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


SPOKEN = [
    "session.created",
    "conversation.created",
    "session.updated",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.input_audio_transcription.completed",
    "conversation.item.done",
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
]


async def test_what_is_said_is_heard_and_answered_aloud() -> None:
    async with talking() as client:
        await client.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        await client.say("Who are you?")
        response = await client.done()
        client.told.finish()
        assert [name for name in client.told.names() if not name.endswith("transcription.delta")] == SPOKEN
        heard = client.told.of("conversation.item.input_audio_transcription.completed")[0]
        assert heard["transcript"] == "Who are you?"
        assert heard["usage"]["type"] == "duration"
        assert response["output"][0]["content"] == [{"type": "output_audio", "transcript": "I am a fake."}]
        assert response["status"] == "completed"
        assert response["usage"]["output_tokens"] > 0
        (spoken,) = client.told.sounds.values()
        expected = g711.to_int16(speech_of("I am a fake.", 24_000)).astype("<i2").tobytes()
        assert spoken[: len(expected)] == expected


async def test_what_is_written_is_answered_in_writing() -> None:
    async with talking() as client:
        await client.update(output_modalities=["text"])
        await client.write("Who are you?")
        await client.send("response.create")
        response = await client.done()
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "I am a fake."}]
    assert not client.told.sounds


async def test_a_spoken_exchange_with_a_tool() -> None:
    async with talking() as client:
        await client.update(tools=[WEATHER])
        await client.say("What is the weather?")
        response = await client.done()
        (call,) = response["output"]
        assert (call["type"], call["name"]) == ("function_call", "get_weather")
        assert json.loads(call["arguments"]) == {"city": "Paris"}
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "18 degrees"}
        await client.send("conversation.item.create", item=result)
        await client.send("response.create")
        response = await client.done()
        client.told.finish()
    assert response["output"][0]["content"][0]["transcript"] == "It is 18 degrees."


async def test_a_function_is_called_while_the_sentence_before_it_is_spoken() -> None:
    call = '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>'
    async with talking(says={"weather": "Let me look at that for you, it takes a moment. " + call}) as client:
        await client.update(tools=[WEATHER])
        await client.say("What is the weather?")
        response = await client.done()
        client.told.finish()
    assert [item["type"] for item in response["output"]] == ["message", "function_call"]
    names = [event["type"] for event in client.told.events]
    assert names.index("response.function_call_arguments.done") < names.index("response.output_audio.done")


async def test_more_than_so_many_responses_apart_are_refused() -> None:
    async with talking(options={"seconds_per_token": 0.02}) as client:
        await client.update(output_modalities=["text"])
        await client.write("Tell me a lot.")
        for _ in range(16):
            await client.send("response.create", response={"conversation": "none"})
        error = await client.refused("response.create", response={"conversation": "none"})
        assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
        for each in client.told.of("response.created"):
            await client.send("response.cancel", response_id=each["response"]["id"])
        assert (await client.done())["status"] == "cancelled"


@pytest.mark.parametrize("form", ["audio/pcmu", "audio/pcma"])
async def test_telephones_are_talked_with_in_their_own_codes(form: str) -> None:
    async with talking(says={"": "I am a fake."}) as client:
        side = {"format": {"type": form}}
        transcription = {"model": "gpt-realtime-whisper"}
        session = await client.update(audio={"input": {**side, "transcription": transcription}, "output": side})
        assert session["audio"]["output"]["format"] == {"type": form}
        await client.say("Who are you?", form=form)
        response = await client.done()
        (heard,) = client.told.of("conversation.item.input_audio_transcription.completed")
        # The fake speaks in amplitudes, of which eight bits cannot keep all.
        assert len(heard["transcript"]) == len("Who are you?")
        assert response["audio"]["output"]["format"] == {"type": form}
        assert response["output"][0]["content"][0]["transcript"] == "I am a fake."
        (spoken,) = client.told.sounds.values()
        samples = g711.decode(spoken, "mulaw" if form == "audio/pcmu" else "alaw")
        expected = speech_of("I am a fake.", 8_000)
        assert samples[: len(expected)].std() == pytest.approx(expected.std(), rel=0.1)


async def test_speech_cuts_what_is_being_said() -> None:
    async with talking() as client:
        await client.say("Tell me a lot.")
        await client.until("response.output_audio.delta")
        await client.say("Stop.")
        response = await client.done()
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "turn_detected")
        cut = response["output"][0]
        await client.until("conversation.item.truncated", item_id=cut["id"])
        second = await client.done()
        client.told.finish()
    assert SAYS["a lot"].startswith(cut["content"][0]["transcript"])
    assert cut["status"] == "incomplete"
    assert second["output"][0]["content"][0]["transcript"] == "Well."
    assert len(client.told.sounds[cut["id"]]) / 48_000 < 3


async def test_a_client_may_cut_cancel_and_clear_by_itself() -> None:
    async with talking() as client:
        await client.update(audio={"input": {"turn_detection": None}})
        await client.say("Tell me a lot.")
        await client.send("input_audio_buffer.commit")
        committed = await client.until("input_audio_buffer.committed")
        await client.send("response.create")
        delta = await client.until("response.output_audio.delta")
        await client.send("response.cancel", response_id=delta["response_id"])
        response = await client.done()
        assert response["status_details"]["reason"] == "client_cancelled"
        await client.send("conversation.item.truncate", item_id=delta["item_id"], content_index=0, audio_end_ms=0)
        assert (await client.until("conversation.item.truncated", audio_end_ms=0))["item_id"] == delta["item_id"]
        await client.send("conversation.item.retrieve", item_id=delta["item_id"])
        cut = (await client.until("conversation.item.retrieved"))["item"]
        assert cut["content"][0]["transcript"] == ""
        await client.send("conversation.item.retrieve", item_id=committed["item_id"])
        heard = (await client.until("conversation.item.retrieved"))["item"]
        assert len(base64.b64decode(heard["content"][0]["audio"])) > 2 * 24_000 * 0.2
        await client.send("conversation.item.delete", item_id=delta["item_id"])
        await client.until("conversation.item.deleted")
        await client.say("Nobody hears this.")
        await client.send("input_audio_buffer.clear")
        await client.until("input_audio_buffer.cleared")
        error = await client.refused("input_audio_buffer.commit")
        assert error["code"] == "input_audio_buffer_commit_empty"
        client.told.finish()


async def test_responses_apart_are_made_beside_the_conversation() -> None:
    async with talking() as client:
        await client.update(output_modalities=["text"])
        await client.write("Tell me a lot.")
        reference = (await client.until("conversation.item.done"))["item"]["id"]
        text = {"type": "input_text", "text": "Who are you?"}
        for given in (
            [{"type": "message", "role": "user", "content": [text]}],
            [{"type": "item_reference", "id": reference}],
        ):
            await client.send(
                "response.create", response={"conversation": "none", "input": given, "metadata": {"topic": "a"}}
            )
        found = [await client.done(), await client.done()]
        client.told.finish()
    assert {each["output"][0]["content"][0]["text"] for each in found} == {"I am a fake.", SAYS["a lot"]}
    assert [(each["conversation_id"], each["metadata"]) for each in found] == [(None, {"topic": "a"})] * 2


async def test_a_conversation_may_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "MOST_BYTES", 3000)
    async with talking() as client:

        async def put(id: str, length: int, *, refused: bool = False) -> dict[str, Any]:
            content = [{"type": "input_text", "text": "x" * length}]
            item = {"type": "message", "id": id, "role": "user", "content": content}
            await client.send("conversation.item.create", item=item)
            return await client.until("error" if refused else "conversation.item.done")

        await put("a", 500)
        refused = await put("b", 2000, refused=True)
        assert refused["error"]["code"] == "conversation_too_large"
        assert "Delete some first" in refused["error"]["message"]
        await client.send("conversation.item.delete", item_id="a")
        await client.until("conversation.item.deleted")
        await put("b", 1900)


async def test_an_item_with_audio_is_listened_to() -> None:
    async with talking() as client:
        await client.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        (whole,) = sound("Who are you?", size=1 << 20)
        part = {"type": "input_audio", "audio": whole}
        item = {"type": "message", "id": "mine", "role": "user", "content": [part]}
        await client.send("conversation.item.create", item=item, previous_item_id="root")
        await client.send("response.create", response={"output_modalities": ["text"]})
        response = await client.done()
        client.told.finish()
    assert response["output"][0]["content"][0]["text"] == "I am a fake."
    assert client.told.of("conversation.item.input_audio_transcription.completed")[0]["item_id"] == "mine"


async def test_an_idle_user_is_talked_to() -> None:
    async with talking(says={"": "Yes."}) as client:
        await client.update(audio={"input": {"turn_detection": {"idle_timeout_ms": 100}}})
        await client.say("Who are you?")
        await client.until("input_audio_buffer.timeout_triggered")
        await client.until("response.created")


async def test_whoever_only_wants_to_know_what_was_said_is_not_answered() -> None:
    async with talking("intent=transcription") as client:
        assert client.told.session["audio"]["input"]["transcription"]["model"]
        await client.send(
            "session.update",
            session={"type": "transcription", "include": ["item.input_audio_transcription.logprobs"]},
        )
        await client.until("session.updated")
        await client.say("Who are you?", "And you?")
        for text in ("Who are you?", "And you?"):
            found = await client.until("conversation.item.input_audio_transcription.completed")
            assert found["transcript"] == text
            assert [each["token"] for each in found["logprobs"]] == text.split()
        assert (await client.refused("response.create"))["param"] == "type"
        assert "conversation.created" not in client.told.names()
        client.told.finish()


async def test_no_model_is_opened_for_a_transcript() -> None:
    async with served() as server, connected(server, "intent=transcription") as client:
        await client.say("Who are you?")
        await client.until("conversation.item.input_audio_transcription.completed")
        assert state(server).catalog.opened("fake") is None


async def test_errors_end_nothing() -> None:
    async with talking() as client:
        refused = client.refused
        assert (await refused("dance"))["param"] == "type"
        assert (await refused("session.update", session={"model": "other"}))["code"] == "cannot_update_model"
        voice = {"audio": {"output": {"voice": "nobody"}}}
        assert (await refused("session.update", session=voice))["param"] == "session.audio.output.voice"
        ears = {"audio": {"input": {"transcription": {"model": "nothing"}}}}
        error = await refused("session.update", session=ears)
        assert (error["param"], error["code"]) == ("session.audio.input.transcription.model", "model_not_found")
        assert (await refused("response.cancel"))["code"] == "response_cancel_not_active"
        assert (await refused("response.cancel"))["message"].startswith("Cancellation failed")
        assert (await refused("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
        assert (await refused("input_audio_buffer.append", audio="?"))["param"] == "audio"
        for act in ("retrieve", "delete"):
            error = await refused(f"conversation.item.{act}", item_id="none")
            assert (error["code"], error["param"]) == (f"item_{act}_invalid_item_id", "item_id")
        error = await refused("conversation.item.truncate", item_id="none", content_index=0, audio_end_ms=1)
        assert error["code"] == "item_truncate_invalid_item_id"
        result = {"type": "function_call_output", "call_id": "none", "output": "x"}
        assert (await refused("conversation.item.create", item=result))["code"] == "invalid_tool_call_id"
        assert (await refused("output_audio_buffer.clear"))["param"] == "type"
        assert (await refused("response.create"))["message"]
        await client.socket.send(b"\xff\xfe")
        await client.until("error")
        await client.write("Tell me a lot.")
        await client.send("response.create")
        await client.until("response.created")
        assert (await refused("response.create"))["code"] == "conversation_already_has_active_response"
        twice = {"type": "message", "id": "one", "role": "user", "content": []}
        await client.send("conversation.item.create", item=twice)
        assert "one" in (await refused("conversation.item.create", item=twice))["message"]
        await client.send("response.cancel")
        assert (await client.done())["status"] == "cancelled"


async def test_binary_messages_are_read_as_text_is() -> None:
    async with talking() as client:
        await client.socket.send(json.dumps({"type": "session.update", "session": {"instructions": "x"}}).encode())
        assert (await client.until("session.updated"))["session"]["instructions"] == "x"


async def test_another_voice_may_speak_until_one_was_heard() -> None:
    async with talking() as client:
        session = await client.update(audio={"output": {"voice": "other"}})
        assert session["audio"]["output"]["voice"] == "other"
        await client.write("Who are you?")
        await client.until("conversation.item.done")
        error = await client.refused("session.update", session={"audio": {"output": {"voice": "storyteller"}}})
        assert error["code"] == "cannot_update_voice"
        await client.update(audio={"output": {"voice": "alloy"}})
        await client.send("response.create")
        response = await client.done()
        assert response["audio"]["output"]["voice"] == "alloy"
        error = await client.refused("session.update", session={"audio": {"output": {"voice": "other"}}})
        assert error["code"] == "cannot_update_voice"
        await client.update(instructions="x", audio={"output": {"voice": "alloy"}})


async def test_without_a_voice_sessions_write_and_without_ears_they_read() -> None:
    async with talking(voices={}, settings=Settings(database=":memory:", stt_model=None), transcriber=None) as client:
        assert client.told.session["output_modalities"] == ["text"]
        assert (await client.refused("input_audio_buffer.append", audio="AAAA"))["code"] == "no_transcriber"
        await client.write("Who are you?")
        await client.send("response.create")
        assert (await client.done())["output"][0]["content"][0]["text"] == "I am a fake."


# -- who may come in ---------------------------------------------------------------------------------------------------


async def refused_with(server: Listening, query: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as raised:
        async with connect(f"ws://127.0.0.1:{server.port}/v1/realtime?{query}", proxy=None, **options):
            pass
    return raised.value.response.status_code


async def test_what_cannot_begin_is_refused_with_a_status() -> None:
    async with served() as server:
        assert await refused_with(server, "model=nothing") == 404
        assert await refused_with(server, "call_id=rtc_1") == 404
        assert await refused_with(server, "intent=dancing") == 400
        async with connected(server, "") as client:
            assert client.told.session["model"] == "fake"


KEYS = Settings(database=":memory:", authentication=Authentication(keys=("secret",)))


async def test_a_page_sends_its_key_as_a_subprotocol() -> None:
    async with served(KEYS) as server:
        assert await refused_with(server, "model=fake") == 401
        wrong: Any = ["realtime", "openai-insecure-api-key.other"]
        assert await refused_with(server, "model=fake", subprotocols=wrong) == 401
        right: Any = ["realtime", "openai-insecure-api-key.secret"]
        async with connected(server, subprotocols=right) as client:
            assert client.socket.subprotocol == "realtime"
            await client.update(instructions="x")


async def made(server: Listening, **body: Any) -> dict[str, Any]:
    headers = {"authorization": "Bearer secret"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as http:
        found = await http.post("/v1/realtime/client_secrets", json=body)
    secret: dict[str, Any] = found.json()
    assert found.status_code == 200, secret
    check_session(secret["session"])
    return secret


async def test_an_ephemeral_key_opens_the_session_it_was_made_for_and_nothing_else() -> None:
    async with served(KEYS) as server:
        session = {"type": "realtime", "model": "fake", "instructions": "Be brief.", "output_modalities": ["text"]}
        secret = await made(server, session=session, expires_after={"anchor": "created_at", "seconds": 60})
        assert secret["value"].startswith("ek_")
        assert secret["expires_at"] == secret["session"]["expires_at"] == pytest.approx(state(server).now() + 60, abs=5)
        key = {"authorization": f"Bearer {secret['value']}"}
        for _ in range(2):
            async with connected(server, "", headers=key) as client:
                assert client.told.session["instructions"] == "Be brief."
        offered: Any = ["realtime", f"openai-insecure-api-key.{secret['value']}"]
        async with connected(server, subprotocols=offered) as client:
            assert client.told.session["output_modalities"] == ["text"]
        assert await refused_with(server, "model=other", additional_headers=key) == 400
        async with httpx.AsyncClient(base_url=server.url, headers=key) as http:
            for path in ("/v1/models", "/v1/realtime/client_secrets"):
                assert (await http.post(path)).status_code == 401
        state(server).now = lambda: secret["expires_at"] + 1.0
        assert await refused_with(server, "model=fake", additional_headers=key) == 401


async def test_a_key_for_transcripts_only() -> None:
    async with served() as server:
        secret = await made(server, session={"type": "transcription"})
        key = {"authorization": f"Bearer {secret['value']}"}
        async with connected(server, "", headers=key) as client:
            assert client.told.session["type"] == "transcription"
        unknown = {"authorization": "Bearer ek_unknown"}
        assert await refused_with(server, "", additional_headers=unknown) == 401


@pytest.mark.parametrize(
    "body",
    [
        {"expires_after": {"seconds": 5}},
        {"expires_after": {"seconds": 7201}},
        {"session": {"type": "dance"}},
        {"session": {"type": "realtime", "voice": "x"}},
        {"session": {"model": 5}},
    ],
)
async def test_a_key_that_cannot_be_is_refused(body: dict[str, Any]) -> None:
    app = app_of()
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        found = await http.post("/v1/realtime/client_secrets", json=body)
        assert found.status_code == 400
        assert found.json()["error"]["param"]
        assert (await http.post("/v1/realtime/client_secrets")).status_code == 200


# -- clients that misbehave, and servers that stop ---------------------------------------------------------------------


async def closed(socket: ClientConnection) -> int | None:
    """The code with which the server closes it."""
    with anyio.fail_after(10), suppress(ConnectionClosed):
        while True:
            await socket.recv()
    return socket.close_code


async def test_a_message_that_is_too_large_ends_only_its_own_connection() -> None:
    async with served() as server, connected(server) as other:
        async with connected(server) as client:
            with suppress(ConnectionClosed):
                await client.socket.send("x" * (33 * 1024 * 1024))
            assert await closed(client.socket) == 1009
        await other.update(instructions="x")


async def test_who_takes_nothing_is_let_go() -> None:
    settings = Settings(database=":memory:", limits=Limits(slow_client_seconds=0.3))
    async with served(settings) as server, connected(server, max_queue=1) as client:
        client.socket.transport.pause_reading()
        for _ in range(60):
            if not state(server).conversing:
                break
            with anyio.move_on_after(0.5):  # after a while it is not listened to either
                await client.write(secrets.token_hex(100_000))  # which cannot be compressed by much
        with anyio.fail_after(10):
            while state(server).conversing:
                await anyio.sleep(0.01)
        client.socket.transport.abort()


async def test_who_leaves_leaves_nothing_behind() -> None:
    async with served() as server:
        async with connected(server) as client:
            await client.say("Tell me a lot.")
            await client.until("response.output_audio.delta")
            assert state(server).conversing
        with anyio.fail_after(10):
            while state(server).conversing:
                await anyio.sleep(0.01)


async def test_a_server_that_stops_lets_the_reply_end() -> None:
    async with served() as server, connected(server) as client, connected(server) as quiet:
        await client.update(output_modalities=["text"])
        await client.write("Tell me a lot.")
        await client.send("response.create")
        await client.until("response.created")
        state(server).draining = True
        assert (await client.done())["status"] == "completed"
        for each in (client, quiet):
            assert await closed(each.socket) == 1001
        assert await refused_with(server, "model=fake") == 503


async def test_a_model_that_cannot_be_opened_is_told_of() -> None:
    def broken() -> Engine:
        return Engine("/nowhere/at/all.gguf")

    async with (
        served(engines={"broken": broken}) as server,
        connect(f"ws://127.0.0.1:{server.port}/v1/realtime", proxy=None) as socket,
    ):
        error = json.loads(await socket.recv())
        assert error["type"] == "error"
        assert "/nowhere" in error["error"]["message"]
        assert await closed(socket) == 1011


RANDOM = random.Random(7)


def anything(client: Client) -> dict[str, Any]:
    """Some event, of which the client knows no more than what it was told."""
    choose = RANDOM.choice
    ids = [*client.told.added, *client.told.responses, "none"]
    text = [{"type": "input_text", "text": choose(["Who are you?", "Tell me a lot.", "Stop.", ""])}]
    turns = choose([None, {"type": "semantic_vad", "eagerness": "high"}, {"type": "server_vad"}, {"threshold": 0.6}])
    session = choose(
        [
            {"output_modalities": [choose(["text", "audio"])]},
            {"audio": {"input": {"turn_detection": turns}}},
            {"audio": {"input": {"transcription": choose([None, {"model": "whisper-1"}])}}},
            {"audio": {"input": {"format": {"type": choose(["audio/pcm", "audio/pcmu"])}}}},
            {"audio": {"output": {"voice": choose(["alloy", "nobody", "other"])}}},
            {"tools": [WEATHER], "tool_choice": choose(["auto", "required", "x"])},
            {"dance": 1},
        ]
    )
    response = choose([None, {"conversation": "none"}, {"input": [{"type": "item_reference", "id": choose(ids)}]}, {}])
    event: dict[str, Any] = choose(
        [
            {"type": "session.update", "session": session},
            *[{"type": "input_audio_buffer.append", "audio": each} for each in sound("Who are you?", size=1 << 20)] * 3,
            {"type": "input_audio_buffer.append", "audio": "???"},
            {"type": "input_audio_buffer.commit"},
            {"type": "input_audio_buffer.clear"},
            {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": text}},
            {
                "type": "conversation.item.create",
                "previous_item_id": choose(["root", choose(ids)]),
                "item": {"type": "function_call_output", "call_id": choose(ids), "output": "18 degrees"},
            },
            {"type": "conversation.item.delete", "item_id": choose(ids)},
            {"type": "conversation.item.retrieve", "item_id": choose(ids)},
            {
                "type": "conversation.item.truncate",
                "item_id": choose(ids),
                "content_index": 0,
                "audio_end_ms": choose([0, 100, 10**6]),
            },
            {"type": "response.create", **({} if response is None else {"response": response})},
            {"type": "response.cancel", **choose([{}, {"response_id": choose(ids)}])},
            {"type": choose(["dance", "", None, 5])},
        ]
    )
    return event


async def test_whatever_a_client_does_it_is_told_in_order_and_the_session_goes_on() -> None:
    async with served() as server:
        for _ in range(2):
            async with connected(server) as client:
                for _ in range(30):
                    await client.socket.send(json.dumps(anything(client)))
                    with anyio.move_on_after(RANDOM.choice([0, 0.01, 0.03])):
                        while True:
                            client.told.take(await client.socket.recv())
                await client.update(instructions="Still here.")


# -- clients of others -------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")
async def test_the_official_client_holds_a_conversation() -> None:
    told = Told()
    async with (
        served() as server,
        AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
        client.realtime.connect(model="fake") as connection,
    ):
        await connection.session.update(
            session={"type": "realtime", "tools": [WEATHER], "audio": {"input": {"transcription": {}}}}  # type: ignore[list-item]
        )
        for message in sound("What is the weather?"):
            await connection.input_audio_buffer.append(audio=message)
        async for event in connection:
            told.take(event.to_dict(mode="json", exclude_unset=True))
            if event.type == "response.done":
                (call,) = event.response.output or []
                if call.type != "function_call":
                    break
                assert call.call_id is not None
                result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"}
                await connection.conversation.item.create(item=result)
                await connection.response.create()
        secret = await client.realtime.client_secrets.create(session={"type": "realtime", "model": "fake"})
        assert secret.session.type == "realtime"
    told.finish()
    assert call.type == "message"
    assert told.of("conversation.item.input_audio_transcription.completed")


async def test_a_client_of_the_beta_is_talked_with_in_its_words() -> None:
    async with (
        served() as server,
        connect(
            f"ws://127.0.0.1:{server.port}/v1/realtime?model=fake",
            proxy=None,
            additional_headers={"OpenAI-Beta": "realtime=v1"},
        ) as socket,
    ):
        session = {"modalities": ["text", "audio"], "input_audio_transcription": {"model": "whisper-1"}}
        await socket.send(json.dumps({"type": "session.update", "session": session}))
        for message in sound("Who are you?"):
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": message}))
        names: list[str] = []
        while not names or names[-1] != "response.done":
            event = json.loads(await socket.recv())
            names.append(event["type"])
        assert {"session.created", "session.updated", "conversation.item.created"} <= set(names)
        assert {"response.audio.delta", "response.audio_transcript.done", "response.done"} <= set(names)
        assert event["response"]["output"][0]["content"][0] == {"type": "audio", "transcript": "I am a fake."}


async def test_a_server_that_is_told_to_writes_down_what_happens(tmp_path: Path) -> None:
    settings = Settings(database=":memory:", realtime=Realtime(record=str(tmp_path / "records")))
    async with served(settings) as server, connected(server) as client:
        await client.say("Who are you?")
        await client.done()
    (file,) = (tmp_path / "records").glob("sess_*.jsonl")
    replay = Replay.of(file.read_text(encoding="utf-8").splitlines())
    assert replay.difference is None
    assert "UserSaid" in file.read_text(encoding="utf-8")
