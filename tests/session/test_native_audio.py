"""A model that hears is given what the user says, and not only what a recogniser makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import numpy as np
import pytest

import sauropod
from sauropod import (
    AudioFrame,
    Engine,
    IdleTimedOut,
    ItemDone,
    NothingHeard,
    ReplyFinished,
    ReplyStarted,
    SaidItem,
    Session,
    Transcriber,
    TurnTaking,
    UserSaid,
)
from sauropod.testing import FakeLanguageModel
from session.talking import RATE, models, said, silence, speak, until

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def hearing(
    says: Mapping[str, str], *, hears: bool = True, ears: Mapping[str, Any] | None = None, **options: Any
) -> AsyncIterator[tuple[Session, Engine]]:
    made = {"says": says, "context_length": 4096, "step_tokens": 512, "hears": hears}
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(Engine("fake:", isolation="thread", options=made))
        transcriber = await stack.enter_async_context(
            Transcriber("fake:recognizer", vad="fake:voice_detector", isolation="thread", options=ears or {})
        )
        session = Session(engine, transcriber=transcriber, output="text", **options)
        yield await stack.enter_async_context(session), engine


def answers(events: Sequence[Any]) -> list[str | None]:
    """What was said by the session."""
    items = [event.item for event in events if isinstance(event, ItemDone)]
    return [item.text for item in items if isinstance(item, SaidItem) and item.role == "assistant"]


async def answer(session: Session) -> str | None:
    """What the next reply says."""
    (found,) = answers(await until(session, ReplyFinished))
    return found


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[AudioFrame]:
    """All that models hear."""
    found: list[AudioFrame] = []
    attach = FakeLanguageModel.attach

    def noting(self: FakeLanguageModel, audio: AudioFrame) -> Any:
        found.append(audio)
        return attach(self, audio)

    monkeypatch.setattr(FakeLanguageModel, "attach", noting)
    return found


async def test_the_model_hears_and_the_application_reads(heard: list[AudioFrame]) -> None:
    says = {"♪": "I heard it.", "hello": "I read it."}
    async with hearing(says) as (session, _):
        await speak(session, said("hello"))
        events = await until(session, ReplyFinished)
        (told,) = [event for event in events if isinstance(event, UserSaid)]
        assert told.item.text == "hello"
        assert told.item.audio is not None
        assert answers(events) == ["I heard it."]
        assert any(np.array_equal(audio.samples, told.item.audio.samples) for audio in heard)
        await speak(session, said("hello"))
        assert await answer(session) == "I heard it."


@pytest.mark.parametrize("native", [None, False])
async def test_without_it_the_model_reads_the_transcript(native: bool | None) -> None:
    says = {"♪": "I heard it.", "hello": "I read it."}
    async with hearing(says, hears=native is False, native_audio=native) as (session, _):
        await speak(session, said("hello"))
        assert await answer(session) == "I read it."


async def test_it_can_be_changed_meanwhile_and_a_model_that_hears_nothing_refuses() -> None:
    says = {"♪": "I heard it.", "hello": "I read it."}
    async with hearing(says) as (session, _):
        await session.update(native_audio=False)
        await speak(session, said("hello"))
        assert await answer(session) == "I read it."
        await session.update(native_audio=True)
        await speak(session, said("hello"))
        assert await answer(session) == "I heard it."
    async with hearing(says, hears=False) as (session, engine):
        with pytest.raises(sauropod.UnsupportedInput, match="hears no audio"):
            await session.update(native_audio=True)
        with pytest.raises(sauropod.UnsupportedInput, match="hears no audio"):
            Session(engine, output="text", native_audio=True)


async def test_who_is_only_listened_to_needs_no_engine_that_is_open() -> None:
    turns = TurnTaking(respond=False)
    async with models() as (_, _voice, ears), Session(Engine("fake:"), transcriber=ears, turns=turns) as session:
        await speak(session, said("hello to whoever writes this down"))
        assert (await until(session, UserSaid))[-1].item.text == "hello to whoever writes this down"


async def test_what_is_no_speech_is_not_answered_though_it_could_be_heard() -> None:
    async with hearing({"♪": "I heard it.", "hello": "I read it."}, native_audio=True) as (session, _):
        noise = np.full(round(0.3 * RATE), 0.09, np.float32)
        await speak(session, np.concatenate([noise, silence(0.7)]))
        events = await until(session, NothingHeard)
        await speak(session, said("hello"))
        events += await until(session, ReplyFinished)
        assert sum(isinstance(event, ReplyStarted) for event in events) == 1


async def test_audio_that_was_dropped_is_told_by_its_words() -> None:
    says = {"♪": "I heard it.", "hello": "I read it."}
    async with hearing(says, audio_seconds=0.0) as (session, _):
        await speak(session, said("hello"))
        assert await answer(session) == "I read it."


async def test_a_long_turn_is_heard_whole() -> None:
    """Its parts are recognised by themselves, and its audio is one."""
    words = [f"word{number} is one of those that are said in a long turn" for number in range(24)]
    async with hearing({"♪": "I heard it."}) as (session, _):
        await speak(session, said(" and then ".join(words)))
        events = await until(session, ReplyFinished)
        (told,) = [event for event in events if isinstance(event, UserSaid)]
        assert told.item.audio is not None
        assert told.item.audio.duration == pytest.approx(told.seconds, abs=0.05)
        assert told.item.audio.duration > 20
        assert told.item.audio.rate == RATE


async def test_what_was_no_speech_is_never_heard_by_the_model(heard: list[AudioFrame]) -> None:
    noise = np.full(round(0.3 * RATE), 0.09, np.float32)
    async with hearing({"♪": "I heard it."}, speculate=False, prefill=False) as (session, _):
        for _ in range(2):
            await speak(session, np.concatenate([noise, silence(0.7)]))
            await until(session, NothingHeard)
        await speak(session, said("hello"))
        assert await answer(session) == "I heard it."
    assert len(heard) == 1


async def test_a_session_that_speaks_again_by_itself_has_heard_nothing() -> None:
    options: Any = {"ahead_seconds": None, "turns": TurnTaking(idle_seconds=0.1)}
    async with (
        models({"hello": "I read it."}, hears=True) as (engine, voice, ears),
        Session(engine, voice=voice, transcriber=ears, **options) as session,
    ):
        await session.add("hello")
        await session.respond()
        await until(session, IdleTimedOut)
        assert (await until(session, ReplyFinished))[-1].reply.status == "completed"


async def test_what_is_written_beside_audio_is_read_and_others_are_not_the_user(heard: list[AudioFrame]) -> None:
    audio = AudioFrame(np.full(RATE, 0.1, np.float32), RATE)
    async with hearing({"hello": "I read it."}) as (session, _):
        await session.add(SaidItem("assistant", "Welcome.", audio))
        await session.add(SaidItem("user", "hello", audio))
        await session.respond()
        assert answers(await until(session, ReplyFinished)) == ["Welcome.", "I read it."]
    assert heard == []


async def test_a_long_turn_of_which_the_beginning_is_gone_is_read_now_and_later(heard: list[AudioFrame]) -> None:
    words = " and then ".join(f"word{number} is one of those that are said in a long turn" for number in range(24))
    options: Any = {"audio_seconds": 12.0, "turns": TurnTaking(patience=3.0), "speculate": False, "prefill": False}
    async with hearing({"word3": "I read it."}, **options) as (session, _):
        await speak(session, said(words, gap=4.0))
        events = await until(session, ReplyFinished)
        assert answers(events) == ["I read it."]
        await session.respond()
        assert answers(await until(session, ReplyFinished)) == ["I read it."]
    assert heard == []


async def test_audio_makes_way_seldom(heard: list[AudioFrame]) -> None:
    """So that most turns find what was computed of those before."""
    computed = []
    async with hearing({"♪": "I heard it."}, audio_seconds=6.0) as (session, _):
        for number in range(14):
            await speak(session, said(f"this is what is said in turn {number}"))
            (finished,) = [event for event in await until(session, ReplyFinished) if isinstance(event, ReplyFinished)]
            assert finished.reply.usage is not None
            computed.append(finished.reply.usage.prompt_tokens - finished.reply.usage.cached_tokens)
        kept = [item for item in session.items if isinstance(item, SaidItem) and item.audio is not None]
    assert 0 < sum(item.audio.duration for item in kept if item.audio is not None) <= 6.0
    usual = sorted(computed)[len(computed) // 2]
    assert sum(each > usual + 100 for each in computed) <= len(computed) // 3
