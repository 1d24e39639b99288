"""Audio in a prompt: read, and turned into what the model hears, before it is asked."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sauropod._audio import AudioLimits, read_audio
from sauropod._mailbox import in_daemon_thread
from sauropod._runtime.protocol import PromptText
from sauropod._values.info import ModelInfo
from sauropod._values.messages import Message
from sauropod.errors import UnsupportedInput

__all__ = ["heard", "require_hearing"]

MOST_SECONDS = 3600.0
"""Of the audio in one prompt: an hour comes to tens of thousands of tokens."""


def require_hearing(messages: Sequence[Message], info: ModelInfo) -> None:
    """Raise `UnsupportedInput` for a conversation with audio, and a model that hears none."""
    if not info.hears and any(message.audio for message in messages):
        raise UnsupportedInput(
            f"{info.name} hears no audio. Use a model that does, with its projector (mmproj) beside it, or turn the "
            "audio into text with sauropod.Transcriber."
        )


async def heard(prompt: PromptText, rate: int) -> PromptText:
    """The prompt with its audio read: float32 at so many samples a second. Raises `UnsupportedInput` for bad audio."""
    if not any(message.audio for message in prompt.messages):
        return prompt

    def read() -> list[Message]:
        left, messages = MOST_SECONDS, list[Message]()
        for message in prompt.messages:
            sounds = []
            for sound in message.audio:
                if left <= 0:
                    raise UnsupportedInput(f"A prompt holds {MOST_SECONDS:,.0f} s of audio at most. Leave some out.")
                sounds.append(read_audio(sound, rate=rate, limits=AudioLimits(max_seconds=left)))
                left = round(left - sounds[-1].duration, 3)
            messages.append(attrs.evolve(message, audio=sounds) if sounds else message)
        return messages

    return attrs.evolve(prompt, messages=await in_daemon_thread(read))
