"""Orpheus: a language model that speaks by writing the codes of SNAC.

The protocol is that of canopylabs/orpheus-3b-0.1-ft, whose vocabulary is Llama 3's and 28,682 tokens more. A prompt is
`[128259] + encode("{voice}: {text}") + [128009, 128260, 128261, 128257]`. What it answers is codes, seven to a frame of
85 ms: the i-th code is the token 128266 + 4096·(i mod 7) + code. 128258 ends the answer.

**What is not a code where one belongs.** Every token says which of a frame's seven places it is for. One that is for
another place than the next means that codes were left out or said twice; then the frame that has begun is dropped
(85 ms of sound, rather than noise), and the next begins with the next token that is for the first place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs

from sauropod._values.sampling import SamplingParams

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CODES_PER_FRAME", "END", "SAMPLE_RATE", "SAMPLING", "STYLES", "VOICES", "Frames", "code", "prompt"]

VOICES = ("tara", "leah", "jess", "leo", "dan", "mia", "zac", "zoe")
"""Of the English model, the most natural first as its authors hear them."""
STYLES = ("laugh", "chuckle", "sigh", "cough", "sniffle", "groan", "yawn", "gasp")
"""Sounds that a text may ask for, written as tags: `<laugh>`."""

SAMPLE_RATE = 24_000
END = 128258
"""The token that ends the speech."""

SAMPLING = SamplingParams(
    temperature=0.6, top_p=0.9, top_k=0, min_p=0.0, repeat_penalty=1.3, penalty_last_n=-1, stop_tokens=(END,)
)
"""What its authors recommend. With a penalty below 1.1 it says the same over and over."""

BEFORE = (128259,)
AFTER = (128009, 128260, 128261, 128257)
FIRST_CODE = 128266
CODES = 4096
CODES_PER_FRAME = 7
PLACES = (0, 1, 2, 2, 1, 2, 2)
"""The level of each of a frame's codes: c0, c1a, c2a, c2b, c1b, c2c, c2d."""


def prompt(encode: Callable[[str], Sequence[int]], text: str, voice: str) -> list[int]:
    """The tokens to go on from. `encode` gives a text's tokens, without any mark."""
    return [*BEFORE, *encode(f"{voice}: {text}"), *AFTER]


def code(token: int) -> tuple[int, int] | None:
    """The place in a frame that a token is for, and its code; None for any other token."""
    place, value = divmod(token - FIRST_CODE, CODES)
    return (place, value) if 0 <= place < CODES_PER_FRAME else None


@attrs.define(eq=False)
class Frames:
    """Gathers the codes of one speech."""

    ended: bool = attrs.field(default=False, init=False)
    """Whether the model has said that it is done. Nothing is taken in after that."""
    dropped: int = attrs.field(default=0, init=False)
    """Frames that were not whole."""
    _whole: list[tuple[int, ...]] = attrs.field(factory=list, init=False)
    _frame: list[int] = attrs.field(factory=list, init=False)

    def __len__(self) -> int:
        """Whole frames."""
        return len(self._whole)

    def feed(self, tokens: Sequence[int]) -> int:
        """Read on. How many frames became whole."""
        before = len(self._whole)
        for token in tokens:
            if self.ended or token == END:
                self.ended = True
                break
            if (found := code(token)) is not None:
                self._take(*found)
        return len(self._whole) - before

    def levels(self, begin: int = 0, end: int | None = None) -> list[NDArray[np.int64]]:
        """The codes of frames, the coarsest level first: int64 [n], [2n] and [4n]."""
        import numpy as np

        codes = np.array(self._whole[begin:end], np.int64).reshape(-1, CODES_PER_FRAME)
        return [codes[:, [at for at, place in enumerate(PLACES) if place == level]].reshape(-1) for level in range(3)]

    def _take(self, place: int, value: int) -> None:
        if place != len(self._frame):
            self.dropped += bool(self._frame)
            self._frame.clear()
            if place:
                return
        self._frame.append(value)
        if len(self._frame) == CODES_PER_FRAME:
            self._whole.append(tuple(self._frame))
            self._frame.clear()
