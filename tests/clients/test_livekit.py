"""livekit-agents' plug-in for OpenAI's Realtime API: a spoken question, answered with a tool."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

pytest.importorskip("livekit.plugins.openai", reason="livekit-plugins-openai is not installed: nox -s clients")

import aiohttp
from livekit import rtc
from livekit.agents import llm
from livekit.plugins import openai

from sauropod.testing import speech_of
from server.serving import Listening

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]

RATE = 24_000


@llm.function_tool
async def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"18 degrees in {city}"


def frames(text: str) -> list[rtc.AudioFrame]:
    samples = np.concatenate([speech_of(text, RATE), np.zeros(round(0.7 * RATE), np.float32)])
    pcm = np.round(samples * 32767).astype("<i2")
    return [
        rtc.AudioFrame(pcm[at : at + 480].tobytes(), RATE, 1, len(pcm[at : at + 480])) for at in range(0, len(pcm), 480)
    ]


async def test_a_spoken_question_is_answered_with_a_tool(talker: Listening) -> None:
    generations: asyncio.Queue[Any] = asyncio.Queue()
    heard: asyncio.Queue[Any] = asyncio.Queue()
    async with aiohttp.ClientSession() as http, asyncio.timeout(20):
        model = openai.realtime.RealtimeModel(
            model="fake", voice="fake", api_key="none", base_url=f"{talker.url}/v1", http_session=http
        )
        session = model.session()
        session.on("generation_created", generations.put_nowait)
        session.on("input_audio_transcription_completed", heard.put_nowait)
        await session.update_tools([get_weather])
        for frame in frames("What is the weather in Paris?"):
            session.push_audio(frame)

        generation = await generations.get()
        calls = [call async for call in generation.function_stream]
        assert [(call.name, call.arguments) for call in calls] == [("get_weather", '{"city":"Paris"}')]
        while not (transcript := await heard.get()).is_final:
            pass
        assert transcript.transcript == "What is the weather in Paris?"

        context = session.chat_ctx.copy()
        context.items.append(
            llm.FunctionCallOutput(
                call_id=calls[0].call_id, output="18 degrees in Paris", is_error=False, name="get_weather"
            )
        )
        await session.update_chat_ctx(context)
        answer = await session.generate_reply()
        said, samples = "", 0
        async for message in answer.message_stream:
            said += "".join([str(piece) async for piece in message.text_stream])
            samples += sum([frame.samples_per_channel async for frame in message.audio_stream])
        assert said == "It is 18 degrees."
        assert samples > 0.3 * RATE
        await session.aclose()
        await model.aclose()
