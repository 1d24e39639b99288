"""/tokenize and /detokenize: texts as a model's tokens, and back."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from sauropod.server.problems import invalid

__all__ = ["Content", "Detokenize", "Tokenize", "Tokens"]

Token = Annotated[int, Meta(ge=0, lt=2**31)]


class Tokenize(Struct, kw_only=True):
    """The body of `POST /tokenize`. `content` and `input` are two names of the text.

    With `add_special` it is read as a whole prompt: what begins a text is put first, and marks such as `<|im_end|>`
    are the tokens they name. Without, it is only text.
    """

    content: str | None = None
    input: str | None = None
    model: str | None = None
    add_special: bool | None = None

    @property
    def text(self) -> str:
        """Raises `Problem` unless one of them is there."""
        given = [each for each in (self.content, self.input) if each is not None]
        if len(given) == 1:
            return given[0]
        if given:
            raise invalid("'content' and 'input' are two names of the same. Leave one of them out.", "input")
        raise invalid("Missing required parameter: 'content'. It is the text.", "content", "missing_required_parameter")


class Tokens(Struct):
    """The answer to it."""

    tokens: list[int]


class Detokenize(Struct, kw_only=True):
    """The body of `POST /detokenize`."""

    tokens: list[Token]
    model: str | None = None


class Content(Struct):
    """The answer to it: marks as they are written, and `\\ufffd` for what is no whole character."""

    content: str
