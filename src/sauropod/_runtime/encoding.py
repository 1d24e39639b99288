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


def encode(model: LanguageModel, text: str, audio: Sequence[AudioFrame] = ()) -> Encoded:
    """A prompt in which audio stands where the text has places for it. Raises `UnsupportedInput`."""
    if not audio:
        return Encoded(list(model.encode(text, special=True)))
    first, *rest = text.split(PLACE)
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


def placed(messages: Sequence[Message]) -> Sequence[Message]:
    """The conversation as text, with a place where audio stands and nowhere else."""
    if not any(message.audio for message in messages):
        return messages
    return [_placed(message) for message in messages]


def _placed(message: Message) -> Message:
    content = message.content
    if not message.audio:
        content = content.replace(PLACE, "")
    elif PLACE not in content:
        content = PLACE * len(message.audio) + content
    return attrs.evolve(message, content=content, audio=())
