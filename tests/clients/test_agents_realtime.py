"""openai-agents' RealtimeSession: spoken exchanges with tools, handoffs and interruptions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import numpy as np
import pytest

agents = pytest.importorskip("agents", reason="openai-agents is not installed: nox -s clients")

from agents import function_tool  # noqa: E402
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession  # noqa: E402

from sauropod.testing import speech_of  # noqa: E402
from server.serving import Listening  # noqa: E402

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]

RATE = 24_000


@function_tool
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"18 degrees in {city}"


@asynccontextmanager
async def connected(server: Listening, agent: RealtimeAgent[Any]) -> AsyncIterator[RealtimeSession]:
    """The agent's session with a server of ours."""
    runner = RealtimeRunner(agent)
    url = f"ws://127.0.0.1:{server.port}/v1/realtime?model=fake"
    settings = {
        "model_name": "fake",
        "tracing": None,
        "audio": {
            "input": {
                "format": "pcm16",
                "transcription": {"model": "default"},
                "turn_detection": {"type": "server_vad"},
            },
            "output": {"format": "pcm16", "voice": "fake"},
        },
    }
    config: Any = {"url": url, "api_key": "none", "initial_model_settings": settings}
    async with await runner.run(model_config=config) as session:
        yield session


async def say(session: RealtimeSession, text: str) -> None:
    samples = np.concatenate([speech_of(text, RATE), np.zeros(round(0.7 * RATE), np.float32)])
    pcm = np.round(samples * 32767).astype("<i2").tobytes()
    for at in range(0, len(pcm), 4800):
        await session.send_audio(pcm[at : at + 4800])


async def until(session: RealtimeSession, done: Callable[[Any, str], bool]) -> tuple[list[Any], str]:
    """The events, and all that was said, up to the event with which it is done."""
    events, said = list[Any](), ""
    with anyio.fail_after(20):
        async for event in session:
            events.append(event)
            if event.type == "error":
                raise AssertionError(event.error)
            if event.type == "raw_model_event" and event.data.type == "transcript_delta":
                said += event.data.delta
            if done(event, said):
                return events, said
    raise AssertionError("it ended")


def ended(event: Any, said: str) -> bool:
    return bool(said) and event.type == "audio_end"


async def test_a_spoken_question_is_answered_with_a_tool(talker: Listening) -> None:
    async with connected(talker, RealtimeAgent(name="assistant", tools=[get_weather])) as session:
        await say(session, "What is the weather in Paris?")
        events, said = await until(session, ended)
        kinds = {event.type for event in events}
        assert {"tool_start", "tool_end", "audio", "audio_end"} <= kinds
        assert said == "It is 18 degrees."
        assert sum(len(event.audio.data) for event in events if event.type == "audio") > 2 * RATE * 0.3


async def test_a_conversation_is_handed_to_another_agent(talker: Listening) -> None:
    spanish = RealtimeAgent(name="spanish", instructions="Speak Spanish.")
    async with connected(talker, RealtimeAgent(name="assistant", handoffs=[spanish])) as session:
        await say(session, "In Spanish please.")
        events, said = await until(session, ended)
        (handoff,) = [event for event in events if event.type == "handoff"]
        assert handoff.to_agent.name == "spanish"
        assert said == "Hola."


async def test_speech_interrupts_an_answer(talker: Listening) -> None:
    async with connected(talker, RealtimeAgent(name="assistant")) as session:
        await say(session, "Tell me a lot.")
        await until(session, lambda event, _: event.type == "audio")
        await say(session, "Stop it now please.")
        events, _ = await until(session, lambda event, _: event.type == "audio_interrupted")
        assert events
        _, said = await until(session, lambda event, said: said.endswith("I have stopped."))
        assert said.endswith("I have stopped.")
