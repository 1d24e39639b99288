"""What /v1/completions answers: completions, whole or in pieces, which have the same form."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Literal, TypeAlias

import attrs
from msgspec import UNSET, Struct, UnsetType

from sauropod import TokenLogprob
from sauropod.server.wire.chat.logprobs import LEAST
from sauropod.server.wire.chat.usage import TokenUsage

__all__ = ["Ended", "Logprobs", "TextChoice", "TextCompletion", "TokenTable"]

Ended: TypeAlias = Literal["stop", "length"]


class Logprobs(Struct):
    """Lists side by side, with an entry for each token. `text_offset` is where in the text a token begins."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class TextChoice(Struct):
    """One text, or more of it."""

    text: str
    index: int
    logprobs: Logprobs | None = None
    finish_reason: Ended | None = None


class TextCompletion(Struct):
    """The answer, or a piece of it."""

    id: str
    created: int
    model: str
    choices: list[TextChoice]
    usage: TokenUsage | UnsetType | None = UNSET
    object: Literal["text_completion"] = "text_completion"


@attrs.define(eq=False)
class TokenTable:
    """Tells tokens as `Logprobs`, and counts the characters they come to."""

    offset: int = 0
    _decoder: codecs.IncrementalDecoder = attrs.field(
        factory=lambda: codecs.getincrementaldecoder("utf-8")(errors="replace")
    )

    def more(self, tokens: Sequence[TokenLogprob]) -> Logprobs | None:
        """Of the next tokens; None if there are none."""
        if not tokens:
            return None
        offsets = [self._advance(token.piece) for token in tokens]
        logprobs = [max(token.logprob, LEAST) for token in tokens]
        return Logprobs([_shown(token.piece) for token in tokens], logprobs, [_top(token) for token in tokens], offsets)

    def _advance(self, piece: bytes) -> int:
        before = self.offset
        self.offset += len(self._decoder.decode(piece))
        return before


def _top(token: TokenLogprob) -> dict[str, float]:
    """The likeliest tokens, and the one that was taken."""
    return {_shown(each.piece): max(each.logprob, LEAST) for each in (token, *token.alternatives)}


def _shown(piece: bytes) -> str:
    """A token as text; as OpenAI shows it where it is not whole characters: `bytes:\\xe2\\x82`."""
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)
