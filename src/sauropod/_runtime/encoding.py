"""A prompt's tokens: those of its text, and those that stand for the audio in it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sauropod._values.audio import AudioFrame
from sauropod._values.messages import PLACE, Message
from sauropod.abc import Attached, LanguageModel
from sauropod.errors import UnsupportedInput

__all__ = ["Encoded", "encode", "placed", "sounds_of"]


@attrs.frozen
class Encoded:
    """Tokens, and what has to be held for as long as they are to be computed."""

    tokens: list[int]
    attached: Sequence[Attached] = ()


def encode(model: LanguageModel, text: str, audio: Sequence[AudioFrame] = (), *, mark: str = PLACE) -> Encoded:
    """A prompt in which audio stands where the text has the mark. Raises `UnsupportedInput`."""
    if not audio:
        return Encoded(list(model.encode(text, special=True)))
    first, *rest = text.split(mark)
    if len(rest) != len(audio):
        raise UnsupportedInput(
            f"The chat template of {model.info.name} wrote {len(rest)} places for {len(audio)} pieces of audio, so it "
            "cannot be told which is which. Use a template that writes each message's content once."
        )
    tokens = list(model.encode(first, special=True))
    attached = [model.attach(sound) for sound in audio]
    for each, more in zip(attached, rest, strict=True):
        tokens += [*each.tokens, *(model.encode_rest(more) if more else ())]
    return Encoded(tokens, attached)


def sounds_of(messages: Sequence[Message]) -> list[AudioFrame]:
    """The audio of a conversation, in order. It has been read."""
    return [sound for message in messages for sound in message.audio if isinstance(sound, AudioFrame)]


def placed(messages: Sequence[Message], mark: str) -> Sequence[Message]:
    """The conversation as text, with the mark where audio stands."""
    return [_placed(message, mark) if message.audio else message for message in messages]


def _placed(message: Message, mark: str) -> Message:
    content = message.content
    written = content.replace(PLACE, mark) if PLACE in content else mark * len(message.audio) + content
    return attrs.evolve(message, content=written, audio=())
