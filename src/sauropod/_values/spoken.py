"""Speech as an application gets it: frames while it is made."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sauropod._values.audio import AudioFrame
from sauropod._values.speech import Mark

__all__ = ["SpeechFrame"]


@attrs.frozen(eq=False)
class SpeechFrame(AudioFrame):
    """Some speech, and what of the text it says."""

    text: str = ""
    """What is said in it, as it was written. Empty where a phrase only goes on."""
    marks: Sequence[Mark] = ()
    """Which samples say which characters, both counted from the beginning of all of it."""
