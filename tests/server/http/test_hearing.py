"""Audio in what is asked, over both of OpenAI's APIs, for a model that hears and for one that does not."""

from __future__ import annotations

import base64
import io
import re
import wave
from typing import Any

import numpy as np
import pytest

from server.serving import fake, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


HEARS = {"hears": True, "says": {"♪": "I heard it.", "again": "I remember it."}}


def recording(rate: int = 24_000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((np.sin(np.arange(rate // 2) / 20) * 9000).astype("<i2").tobytes())
    return out.getvalue()


def part(data: bytes) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": base64.b64encode(data).decode(), "format": "wav"}}


async def test_chat_hears() -> None:
    async with serving({"ears": fake(**HEARS)}) as client:
        asked = {"role": "user", "content": [part(recording()), {"type": "text", "text": "What is this?"}]}
        for stream in (False, True):
            answer = await client.post(
                "/v1/chat/completions", json={"model": "ears", "messages": [asked], "stream": stream}
            )
            assert answer.status_code == 200
            pieces = re.findall(r'"content":"((?:[^"\\]|\\.)*)"', answer.text)
            assert "".join(pieces) == "I heard it."
        usage = (await client.post("/v1/chat/completions", json={"model": "ears", "messages": [asked]})).json()["usage"]
        assert usage["prompt_tokens_details"]["cached_tokens"] > 5  # the sound among them


async def test_a_response_hears_and_the_next_remembers() -> None:
    async with serving({"ears": fake(**HEARS)}) as client:
        content = [{"type": "input_text", "text": "What is this?"}, part(recording())]
        asked = {"model": "ears", "input": [{"role": "user", "content": content}]}
        first = await client.post("/v1/responses", json=asked)
        assert first.json()["output"][0]["content"][0]["text"] == "I heard it."
        items = (await client.get(f"/v1/responses/{first.json()['id']}/input_items")).json()["data"]
        assert items[0]["content"] == content
        body = {"model": "ears", "input": "And again?", "previous_response_id": first.json()["id"]}
        second = (await client.post("/v1/responses", json=body)).json()
        assert second["output"][0]["content"][0]["text"] == "I remember it."
        assert second["usage"]["input_tokens_details"]["cached_tokens"] > 20
        counted = await client.post("/v1/responses/input_tokens", json=asked)
        assert counted.json()["input_tokens"] == first.json()["usage"]["input_tokens"]


@pytest.mark.parametrize("stream", [False, True])
async def test_what_cannot_be_heard_is_refused(stream: bool) -> None:
    async with serving({"ears": fake(**HEARS), "deaf": fake()}) as client:
        for model, data, told in (("deaf", recording(), "hears no audio"), ("ears", b"no audio at all", "audio")):
            asked = [{"role": "user", "content": [part(data)]}]
            chat = await client.post("/v1/chat/completions", json={"model": model, "messages": asked, "stream": stream})
            response = await client.post("/v1/responses", json={"model": model, "input": asked, "stream": stream})
            assert chat.status_code == 400, chat.text[:300]
            assert told in chat.json()["error"]["message"]
            assert told in response.text
            assert response.status_code == 400 or '"failed"' in response.text
