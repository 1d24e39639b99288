"""CreateCompletion: the body of `POST /v1/completions`."""

from __future__ import annotations

from typing import Annotated, Any, cast

from msgspec import Meta

from sauropod import AskOptions
from sauropod.server.problems import invalid
from sauropod.server.wire.chat.sampling import Sampled, gbnf_of
from sauropod.server.wire.decoding import decoded

__all__ = ["CreateCompletion", "read_completion"]

USUAL_TOKENS = 16
"""As many as OpenAI writes where nothing is said."""


class CreateCompletion(Sampled, kw_only=True):
    """What it does not name is not looked at."""

    prompt: str | list[Any]
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    best_of: int | None = None
    suffix: str | None = None

    def check(self) -> None:
        """Raises `Problem` for what cannot be done here."""
        if self.suffix:
            raise invalid(
                "The models here go on from a text and cannot fill one in. Leave out 'suffix'.",
                "suffix",
                "unsupported_parameter",
            )
        if self.best_of is not None and self.best_of != (self.n or 1):
            raise invalid(
                "Texts are not compared here. Leave out 'best_of'; 'n' gives several to choose from.",
                "best_of",
                "unsupported_parameter",
            )
        if self.echo and self.logprobs is not None:
            raise invalid(
                "The prompt's own log-probabilities are not computed. Leave out 'echo' or 'logprobs'.",
                "echo",
                "unsupported_parameter",
            )

    def options(self) -> AskOptions:
        """As `Engine.stream` takes them. Raises `Problem`."""
        options = cast("AskOptions", self.sampling())
        options["raw"] = True
        options["max_tokens"] = self.max_tokens or USUAL_TOKENS
        if self.logprobs is not None:
            options["logprobs"] = self.logprobs
        if self.grammar is not None:
            options["grammar"] = gbnf_of(self.grammar)
        return options


def read_completion(body: bytes) -> CreateCompletion:
    """Raises `Problem`."""
    asked = decoded(CreateCompletion, body)
    asked.check()
    return asked
