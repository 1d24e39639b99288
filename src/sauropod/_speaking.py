"""Text being spoken: phrases go in as they become certain, audio comes out as it is made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from typing import Any, ClassVar, TypeAlias, get_args

import anyio
import attrs
from anyio.abc import ObjectSendStream

from sauropod._flow import Flow
from sauropod._iterating import closing, in_thread
from sauropod._mouths import Mouth
from sauropod._text.phrases import Cut, Phrases, speakable
from sauropod._values.completion import StreamEvent, TextDelta
from sauropod._values.scheduling import Priority
from sauropod._values.speech import Mark, Phrase, Spoken
from sauropod._values.spoken import SpeechFrame
from sauropod.errors import UnsupportedInput

__all__ = ["SpeakableText", "VoiceStream", "say_all"]

SpeakableText: TypeAlias = "str | Iterable[Any] | AsyncIterable[Any]"
"""What is to be said: a text, or pieces of one as they come. Of the events of `engine.stream()` the text is said."""

AHEAD = 1
"""Frames that are made before anybody asks for them, beside the one that is being made."""


@attrs.define(eq=False)
class VoiceStream(Flow[SpeechFrame]):
    """The audio of a text, while the text is written and the audio is made.

        async with voice.stream(engine.stream("Tell me a story.")) as frames:
            async for frame in frames:
                play(frame.samples)

    The first frame comes after the first clause. One phrase is spoken ahead. Code in a fence is left out. Leaving the
    block stops all of it, the writing too. It belongs to the task that opened it.
    """

    _maker: ClassVar[str] = "voice.stream(…)"
    _ahead: ClassVar[float] = AHEAD
    _mouth: Mouth
    _text: SpeakableText
    _phrase: Phrase
    """How phrases are to be said: all but the text."""
    _priority: Priority

    async def _make(self, out: ObjectSendStream[SpeechFrame | Exception]) -> None:
        """Say one phrase after the other, while the text is cut into more."""
        to_speak, phrases = anyio.create_memory_object_stream[Cut | Exception](AHEAD)
        at = 0  # samples
        async with anyio.create_task_group() as tasks, phrases:
            tasks.start_soon(self._split, to_speak)
            async for phrase in phrases:
                if isinstance(phrase, Exception):
                    raise phrase
                async with aclosing(_said(self._mouth, phrase, at, self._phrase, self._priority)) as frames:
                    async for frame in frames:
                        at = frame.end
                        await out.send(frame)

    async def _split(self, to_speak: ObjectSendStream[Cut | Exception]) -> None:
        """Cut the text into phrases as it comes. An error of the text comes after what was said before it."""
        phrases = Phrases()
        async with to_speak:
            try:
                async with aclosing(pieces(self._text)) as text:
                    async for piece in text:
                        for phrase in phrases.feed(piece):
                            await to_speak.send(phrase)
                for phrase in phrases.finish():
                    await to_speak.send(phrase)
            except Exception as error:
                await to_speak.send(error)


async def say_all(mouth: Mouth, text: str, how: Phrase, priority: Priority) -> list[SpeechFrame]:
    """A whole text, for who wants all of it: nothing is read meanwhile, so it takes no tasks."""
    phrases, frames = Phrases(), list[SpeechFrame]()
    for phrase in [*phrases.feed(text), *phrases.finish()]:
        at = frames[-1].end if frames else 0
        async with aclosing(_said(mouth, phrase, at, how, priority)) as parts:
            frames += [frame async for frame in parts]
    return frames


async def _said(
    mouth: Mouth, phrase: Cut, at: int, how: Phrase, priority: Priority
) -> AsyncGenerator[SpeechFrame, None]:
    """One phrase, from sample `at` on; nothing of one that is not to be heard."""
    if phrase.code or not speakable(phrase.text):
        return
    begin, asked = at, attrs.evolve(how, text=phrase.text)
    async with aclosing(mouth.speak(asked, priority)) as parts:
        async for spoken in parts:
            frame = _frame(spoken, phrase, begin, at, mouth.info.sample_rate)
            at = frame.end
            if len(frame.samples):
                yield frame


async def pieces(text: SpeakableText) -> AsyncGenerator[str, None]:
    """The text as it comes. Raises `UnsupportedInput` for what is none."""
    if isinstance(text, str):
        yield text
    elif isinstance(text, AsyncIterable):
        async with closing(text):
            async for piece in text:
                yield _text_of(piece)
    elif isinstance(text, Iterable) and not isinstance(text, bytes | bytearray):
        async with aclosing(in_thread(text)) as given:
            async for piece in given:
                yield _text_of(piece)
    else:
        raise UnsupportedInput(f"What is to be said is a text or pieces of one; got {type(text).__name__}.")


def _frame(spoken: Spoken, phrase: Cut, begin: int, at: int, rate: int) -> SpeechFrame:
    """Samples that begin at `at`, of a phrase that began at `begin`. Marks count from the beginning of everything."""
    marks = tuple(
        Mark(mark.start + phrase.start, mark.end + phrase.start, mark.first + begin, mark.last + begin)
        for mark in spoken.marks
    )
    return SpeechFrame(spoken.samples, rate, at, phrase.text if at == begin else "", marks)


def _text_of(piece: Any) -> str:
    """What of a piece is said. Raises `UnsupportedInput` for what is neither text nor an event of an engine's."""
    if isinstance(piece, str | TextDelta):
        return piece if isinstance(piece, str) else piece.text
    if isinstance(piece, get_args(StreamEvent)):
        return ""
    raise UnsupportedInput(f"What is to be said is text; got {type(piece).__name__}.")
