"""Sessions without async: one thread speaks, another reads."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from sauropod import (
    AudioFrame,
    ClosedError,
    ReplyFinished,
    ReplyText,
    SaidItem,
    SessionEvent,
    UnsupportedInput,
    UserSaid,
)
from sauropod.blocking import Engine, Session, Transcriber, Voice
from session.talking import FRAME, RATE, said


def models(stack: ExitStack) -> tuple[Engine, Voice, Transcriber]:
    options = {"says": {"Who are you?": "I am a fake."}, "context_length": 1024}
    ears = Transcriber("fake:recognizer", vad="fake:voice_detector", isolation="thread")
    return (
        stack.enter_context(Engine("fake:", isolation="thread", options=options)),
        stack.enter_context(Voice("fake:synthesizer", isolation="thread")),
        stack.enter_context(ears),
    )


def speak(session: Session) -> None:
    samples = said("Who are you?")
    for at in range(0, len(samples), FRAME):
        session.send(AudioFrame(samples[at : at + FRAME], RATE, at))


def test_one_thread_speaks_and_another_reads() -> None:
    with ExitStack() as stack:
        engine, voice, ears = models(stack)
        session = stack.enter_context(Session(engine, voice=voice, transcriber=ears, ahead_seconds=None))
        speaker = threading.Thread(target=speak, args=[session])
        speaker.start()
        events: list[SessionEvent] = []
        for event in session:
            events.append(event)
            if isinstance(event, ReplyFinished):
                break
        speaker.join()
        assert [event.item.text for event in events if isinstance(event, UserSaid)] == ["Who are you?"]
        assert "".join(event.text for event in events if isinstance(event, ReplyText)) == "I am a fake."
        assert [item.text for item in session.items if isinstance(item, SaidItem)] == ["Who are you?", "I am a fake."]


def test_it_is_written_to_and_asked() -> None:
    with ExitStack() as stack:
        engine, voice, ears = models(stack)
        with Session(engine, voice=voice, transcriber=ears) as session:
            item = session.add("Who are you?")
            reply = session.respond(output="text")
            ended = next(event for event in session if isinstance(event, ReplyFinished))
            assert ended.reply.id == reply
            assert session.retrieve(item.id) == item
            session.remove(item.id)
            assert session.update(instructions="Be brief.").instructions == "Be brief."
            with pytest.raises(UnsupportedInput, match="No reply"):
                session.cancel()
            with pytest.raises(UnsupportedInput, match="no audio"):
                session.commit()
            session.clear()
            with pytest.raises(UnsupportedInput, match="not said aloud"):
                session.truncate(session.items[0].id, 0.0)
        with pytest.raises(ClosedError):
            session.clear()
        with pytest.raises(ClosedError):
            next(session)
