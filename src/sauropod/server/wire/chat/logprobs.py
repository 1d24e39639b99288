"""Log-probabilities of tokens, as chat completions tell them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sauropod import TokenLogprob

__all__ = ["LEAST", "ChoiceLogprobs", "logprobs_of"]

LEAST = -9999.0
"""What stands for anything less likely, which JSON might have no number for."""


class TopLogprob(Struct):
    """One token that might have been. `bytes` are not always whole characters, and `token` is what they show as."""

    token: str
    logprob: float
    bytes: list[int]


class TokenLogprobs(Struct):
    """One token that was written, and the likeliest at its place."""

    token: str
    logprob: float
    bytes: list[int]
    top_logprobs: list[TopLogprob]


class ChoiceLogprobs(Struct):
    """Those of a choice, or of what a chunk adds to it: of every token, thoughts and calls included."""

    content: list[TokenLogprobs]
    refusal: None = None


def logprobs_of(tokens: Sequence[TokenLogprob]) -> ChoiceLogprobs | None:
    """None where there are none."""
    return ChoiceLogprobs([_token(each) for each in tokens]) if tokens else None


def _token(each: TokenLogprob) -> TokenLogprobs:
    top = [TopLogprob(*_parts(other)) for other in each.alternatives]
    return TokenLogprobs(*_parts(each), top)


def _parts(each: TokenLogprob) -> tuple[str, float, list[int]]:
    return each.piece.decode(errors="replace"), max(each.logprob, LEAST), list(each.piece)
