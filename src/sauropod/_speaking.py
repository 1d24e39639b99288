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

__all__ = ["SpeakableText", "VoiceStream"]

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
    _ahead: ClassVar[int] = AHEAD
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
                if not phrase.code and speakable(phrase.text):
                    at = await self._say(phrase, at, out)

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

    async def _say(self, phrase: Cut, at: int, out: ObjectSendStream[SpeechFrame | Exception]) -> int:
        """One phrase, from sample `at` on. Where it ends."""
        begin, asked = at, attrs.evolve(self._phrase, text=phrase.text)
        async with aclosing(self._mouth.speak(asked, self._priority)) as parts:
            async for spoken in parts:
                frame = _frame(spoken, phrase, begin, at, self._mouth.info.sample_rate)
                at = frame.end
                if len(frame.samples):
                    await out.send(frame)
        return at


async def pieces(text: SpeakableText) -> AsyncGenerator[str, None]:
    """The text as it comes. Raises `UnsupportedInput` for what is none."""
    if isinstance(text, str):
        yield text
    elif isinstance(text, AsyncIterable):
        async with closing(text):
            async for piece in text:
                yield _said(piece)
    elif isinstance(text, Iterable) and not isinstance(text, bytes | bytearray):
        async with aclosing(in_thread(text)) as given:
            async for piece in given:
                yield _said(piece)
    else:
        raise UnsupportedInput(f"What is to be said is a text or pieces of one; got {type(text).__name__}.")


def _frame(spoken: Spoken, phrase: Cut, begin: int, at: int, rate: int) -> SpeechFrame:
    """Samples that begin at `at`, of a phrase that began at `begin`. Marks count from the beginning of everything."""
    marks = tuple(
        Mark(mark.start + phrase.start, mark.end + phrase.start, mark.first + begin, mark.last + begin)
        for mark in spoken.marks
    )
    return SpeechFrame(spoken.samples, rate, at, phrase.text if at == begin else "", marks)


def _said(piece: Any) -> str:
    """What of a piece is said. Raises `UnsupportedInput` for what is neither text nor an event of an engine's."""
    if isinstance(piece, str | TextDelta):
        return piece if isinstance(piece, str) else piece.text
    if isinstance(piece, get_args(StreamEvent)):
        return ""
    raise UnsupportedInput(f"What is to be said is text; got {type(piece).__name__}.")
