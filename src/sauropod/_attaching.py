"""Audio in a prompt: read, and turned into what the model hears, before it is asked."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sauropod._audio import AudioLimits, read_audio
from sauropod._mailbox import in_daemon_thread
from sauropod._runtime.protocol import PromptText
from sauropod._values.audio import AudioFrame
from sauropod._values.info import ModelInfo
from sauropod._values.messages import Message, Sound
from sauropod.errors import UnsupportedInput

__all__ = ["heard", "require_hearing"]

LIMITS = AudioLimits(max_seconds=3600.0)
"""An hour comes to tens of thousands of tokens."""


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

    def read(message: Message) -> Message:
        sounds = [_read(sound, rate) for sound in message.audio]
        return attrs.evolve(message, audio=sounds) if sounds else message

    messages = await in_daemon_thread(lambda: [read(message) for message in prompt.messages])
    return attrs.evolve(prompt, messages=messages)


def _read(sound: Sound, rate: int) -> AudioFrame:
    return read_audio(sound, rate=rate, limits=LIMITS)
