"""Sessions over the models that come with sauropod: llama.cpp and onnxruntime, in worker processes."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from sauropod import (
    AudioFrame,
    Engine,
    Message,
    ReplyAudio,
    ReplyFinished,
    SaidItem,
    Session,
    Transcriber,
    UserSaid,
    Voice,
)
from session.rules import Rules
from session.talking import of, until

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("llama_cpp", "onnxruntime"))),
        reason="llama-cpp-python or onnxruntime is not installed",
    ),
]


@asynccontextmanager
async def conversation(**options: Any) -> AsyncIterator[tuple[Session, Engine, Voice]]:
    async with (
        Engine("demo") as engine,
        Voice("demo") as voice,
        Transcriber("demo") as ears,
        Session(engine, voice=voice, transcriber=ears, voice_name="demo_female", **options) as session,
    ):
        yield session, engine, voice


async def ask(session: Session, voice: Voice, text: str) -> None:
    """Say it, and be silent."""
    speech = await voice.say(text, voice="demo_male")
    samples = np.concatenate([speech.samples, np.zeros(speech.rate, np.float32)])
    for at in range(0, len(samples), 480):
        await session.send(AudioFrame(samples[at : at + 480], speech.rate, at))


async def test_questions_are_heard_and_answered_aloud() -> None:
    rules = Rules()
    async with conversation(ahead_seconds=None) as (session, _, voice):
        await ask(session, voice, "What is the capital of France?")
        events = await until(session, ReplyFinished)
        rules.take_all(events)
        assert of(events, UserSaid)[0].item.text == "What is the capital of France?"
        answer = session.items[-1]
        assert isinstance(answer, SaidItem)
        assert answer.text is not None
        assert "Paris" in answer.text
        assert sum(len(event.frame.samples) for event in of(events, ReplyAudio)) > 24_000
    rules.finish()


async def test_after_an_interruption_the_model_computes_no_more_than_the_new_turn() -> None:
    """What was not heard is not in the prompt, and what was is taken from the KV cache."""
    async with conversation(ahead_seconds=0.02) as (session, engine, voice):
        await ask(session, voice, "Who are you?")
        await until(session, ReplyAudio, where=lambda event: event.frame.start > 12_000)
        await session.cancel()
        await until(session, ReplyFinished)
        cut = session.items[-1]
        assert isinstance(cut, SaidItem)
        assert cut.status == "incomplete"
        question = "What is the capital of Spain?"
        await ask(session, voice, question)
        reply = of(await until(session, ReplyFinished), ReplyFinished)[0].reply
        said = [Message.user("Who are you?"), Message.assistant(cut.text or ""), Message.user(question)]
        assert reply.usage is not None
        assert reply.usage.prompt_tokens == await engine.count_tokens(said)
        computed = reply.usage.prompt_tokens - reply.usage.cached_tokens
        assert computed <= await engine.count_tokens([Message.user(question)]) + 4
