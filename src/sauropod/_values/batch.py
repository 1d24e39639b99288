"""What crosses to a language model in one step, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sauropod.errors import SauropodError

__all__ = ["Attached", "Chunk", "Sampled"]


@attrs.define(eq=False)
class Attached:
    """Tokens that stand for something that is no text, such as a piece of audio.

    Those that are no token of the vocabulary are negative, and mean the same as long as the model is loaded: equal
    audio has equal tokens, other audio has others, so that what was computed of a prompt is found again by its tokens.
    The model can compute them as long as somebody holds this.
    """

    tokens: Sequence[int]


@attrs.frozen
class Chunk:
    """Tokens of one sequence to compute in one step.

    `tokens` come after the `start` tokens the slot holds already. With `sample` the backend chooses the token
    that follows the last of them.
    """

    slot: int
    start: int
    tokens: Sequence[int]
    sample: bool


@attrs.frozen
class Sampled:
    """The token chosen for a slot.

    `logprob` and `top` (token, log-probability; likeliest first) are filled where the slot's sampling asks for
    them. `forced` are the tokens after it that the slot's grammar leaves no choice about: they count as chosen, and an
    end token among them is the last. With an `error` nothing was chosen, and this slot's sequence ends with it; the
    others go on.
    """

    slot: int
    token: int
    logprob: float | None = None
    top: Sequence[tuple[int, float]] = ()
    forced: Sequence[int] = ()
    error: SauropodError | None = None
