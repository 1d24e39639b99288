"""Sampled: how tokens are chosen, as the bodies of chat completions and completions say it."""

from __future__ import annotations

from typing import Annotated, Any, cast

from msgspec import Meta, Struct

from sauropod import Grammar, SamplingOptions
from sauropod.errors import RequestError
from sauropod.server.problems import Problem, invalid

__all__ = ["Sampled", "StreamOptions", "gbnf_of"]

SEEDS = 2**32
"""Seeds are taken modulo this."""

_PLAIN = ("temperature", "top_p", "top_k", "min_p", "typical_p", "repeat_penalty", "stop", "ignore_eos")
_ZERO_IS_OFF = ("presence_penalty", "frequency_penalty")


class StreamOptions(Struct):
    """`include_obfuscation` is accepted: nothing is obfuscated here."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Sampled(Struct, kw_only=True):
    """`top_k` to `grammar` are this server's own. `metadata` to `service_tier` are accepted."""

    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    logit_bias: dict[str, float] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    typical_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    repeat_penalty: Annotated[float, Meta(gt=0)] | None = None
    ignore_eos: bool | None = None
    grammar: str | None = None
    metadata: dict[str, Any] | None = None
    user: str | None = None
    service_tier: str | None = None

    @property
    def tells_usage(self) -> bool:
        """Whether a stream ends with what it took."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    def sampling(self) -> SamplingOptions:
        """What of it was given, as `Engine.stream` takes it, but for the grammar. Raises `Problem`."""
        options: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(self, name)) is not None}
        options |= {name: value for name in _ZERO_IS_OFF if (value := getattr(self, name))}
        if self.seed is not None:
            options["seed"] = self.seed % SEEDS
        if self.logit_bias:
            options["logit_bias"] = {_token(token): bias for token, bias in self.logit_bias.items()}
        if self.n is not None:
            options["n"] = self.n
        return cast("SamplingOptions", options)


def gbnf_of(text: str) -> Grammar:
    """A grammar as llama.cpp writes it. Raises `Problem`."""
    try:
        return Grammar.gbnf(text)
    except RequestError as error:
        raise Problem(400, str(error), param="grammar", code="invalid_value") from error


def _token(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 16:
        return int(text)
    raise invalid(
        f"'logit_bias' goes from token ids, such as \"50256\", to numbers; got {text[:40]!r}.",
        "logit_bias",
        "invalid_value",
    )
