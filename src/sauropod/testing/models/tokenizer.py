"""A vocabulary and how text is cut into it, as a model file describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

import attrs

__all__ = ["Kind", "Piece", "Tokenizer"]


class Kind(IntEnum):
    """What a token is for, in the numbers of `tokenizer.ggml.token_type`."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@attrs.frozen
class Piece:
    """A token: its text as the file spells it.

    A model never says a `quiet` piece: control tokens, and those that would leave a broken character.
    """

    text: str
    kind: Kind = Kind.NORMAL
    score: float = 0.0
    quiet: bool = False


@attrs.frozen(kw_only=True)
class Tokenizer:
    """What goes into a file under `tokenizer.`. Roles map `bos`, `eos`, `unknown`, … to a piece's text."""

    model: str
    pieces: Sequence[Piece]
    roles: Mapping[str, str]
    flags: Mapping[str, bool]
    pre: str = ""
    merges: Sequence[str] = ()
    chat_template: str = ""

    def __attrs_post_init__(self) -> None:
        # llama.cpp aborts the process on a vocabulary that says the same twice.
        if len({piece.text for piece in self.pieces}) != len(self.pieces):
            raise ValueError("The vocabulary says the same piece twice.")

    @property
    def eos(self) -> int | None:
        """The token that ends an answer."""
        text = self.roles.get("eos")
        return None if text is None else self.token(text)

    def token(self, text: str) -> int:
        """The number of the piece with this text."""
        return next(token for token, piece in enumerate(self.pieces) if piece.text == text)

    def metadata(self) -> dict[str, str | bool | int | list[str] | list[int] | list[float]]:
        """The keys and values of the file, all but the chat template."""
        values: dict[str, str | bool | int | list[str] | list[int] | list[float]] = {
            "tokenizer.ggml.model": self.model,
            "tokenizer.ggml.tokens": [piece.text for piece in self.pieces],
            "tokenizer.ggml.token_type": [int(piece.kind) for piece in self.pieces],
        }
        if self.pre:
            values["tokenizer.ggml.pre"] = self.pre
        if self.merges:
            values["tokenizer.ggml.merges"] = list(self.merges)
        else:
            values["tokenizer.ggml.scores"] = [piece.score for piece in self.pieces]
        for role, text in self.roles.items():
            values[f"tokenizer.ggml.{role}_token_id"] = self.token(text)
        for flag, value in self.flags.items():
            values[f"tokenizer.ggml.{flag}"] = value
        return values
