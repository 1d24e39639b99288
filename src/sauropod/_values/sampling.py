"""How the next token is chosen, and when to stop."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

import attrs

from sauropod._values.checks import integer, is_finite, is_integer, is_text, kind, listed, mapped, number
from sauropod._values.grammar import Grammar
from sauropod.errors import InvalidSampling

__all__ = ["DEFAULT_SAMPLING", "SamplingOptions", "SamplingParams", "StopReason"]

MAX_STOPS = 4096
MAX_STOP_CHARACTERS = 65536
MAX_CHOICES = 128
MAX_TOP_LOGPROBS = 100
LARGEST_BIAS = 1_000_000
"""More is no surer, and overflows when it is divided by a small temperature."""


class StopReason(enum.StrEnum):
    """Why a sequence ended."""

    EOS = "eos"
    """The model ended its turn."""
    STOP = "stop"
    """A stop string or stop token of the request was reached."""
    MAX_TOKENS = "max_tokens"
    """The request's own limit was reached."""
    CONTEXT_LENGTH = "context_length"
    """The model's context is full."""


_number = partial(number, InvalidSampling)
_integer = partial(integer, InvalidSampling)


def _stops(value: str | Iterable[str] | None) -> tuple[str, ...]:
    return listed(value, InvalidSampling, "stop", "strings", is_text)


def _breakers(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else listed(value, InvalidSampling, "dry_breakers", "strings", is_text)


def _stop_tokens(value: Iterable[int] | None) -> tuple[int, ...]:
    return listed(value, InvalidSampling, "stop_tokens", "token ids", _is_token)


def _biases(value: Mapping[int, float] | None) -> dict[int, float]:
    what = f"token ids to -inf or numbers up to ±{LARGEST_BIAS:,}"
    return mapped(value, InvalidSampling, "logit_bias", what, lambda token, bias: _is_token(token) and _is_bias(bias))


def _is_token(token: Any) -> bool:
    return is_integer(token) and token >= 0


def _is_bias(bias: Any) -> bool:
    return bias == -math.inf or (is_finite(bias) and abs(bias) <= LARGEST_BIAS)


@attrs.frozen(kw_only=True, repr=False)
class SamplingParams:
    """How tokens are chosen. A field left at None takes the model file's own default, then llama.cpp's.

    The defaults in force for a loaded model are `engine.info.sampling`. Samplers apply in llama.cpp's
    order: bias, penalties, DRY, top-k, typical-p, top-p, min-p, XTC, temperature.

    Raises `InvalidSampling` for values that are out of range or not finite numbers.
    """

    temperature: float | None = attrs.field(default=None, validator=_number(1e-8, 1000, zero=True))
    """Divides the logits; 0 always takes the likeliest token."""
    top_k: int | None = attrs.field(default=None, validator=_integer(0, 2**31 - 1))
    """Keep the k likeliest tokens; 0 keeps all."""
    top_p: float | None = attrs.field(default=None, validator=_number(0, 1))
    """Keep the likeliest tokens that together reach this probability (arXiv:1904.09751); 1 keeps all."""
    min_p: float | None = attrs.field(default=None, validator=_number(0, 1))
    """Drop tokens less likely than this share of the likeliest; 0 drops none."""
    typical_p: float | None = attrs.field(default=None, validator=_number(0, 1))
    """Locally typical sampling (arXiv:2202.00666); 1 is off."""
    repeat_penalty: float | None = attrs.field(default=None, validator=_number(0.01, 1000))
    """Divides the logits of tokens seen in the last `penalty_last_n`; 1 is off."""
    presence_penalty: float | None = attrs.field(default=None, validator=_number(-1000, 1000))
    """Taken off the logit of every token seen; 0 is off."""
    frequency_penalty: float | None = attrs.field(default=None, validator=_number(-1000, 1000))
    """Taken off a token's logit once for each time it was seen; 0 is off."""
    penalty_last_n: int | None = attrs.field(default=None, validator=_integer(-1, 2**31 - 1))
    """How many tokens back the penalties look, prompt included; -1 is the whole context, 0 is off."""
    dry_multiplier: float | None = attrs.field(default=None, validator=_number(0, 1000))
    """Strength of DRY, which penalises what would continue a repetition; 0 is off."""
    dry_base: float | None = attrs.field(default=None, validator=_number(1, 1000))
    dry_allowed_length: int | None = attrs.field(default=None, validator=_integer(0, 2**31 - 1))
    dry_last_n: int | None = attrs.field(default=None, validator=_integer(-1, 2**31 - 1))
    dry_breakers: Sequence[str] | None = attrs.field(default=None, converter=_breakers)
    """Strings that end a repetition for DRY."""
    xtc_probability: float | None = attrs.field(default=None, validator=_number(0, 1))
    """Chance, at each token, that XTC removes all but the least likely of the top choices; 0 is off."""
    xtc_threshold: float | None = attrs.field(default=None, validator=_number(0, 1))
    logit_bias: Mapping[int, float] = attrs.field(factory=dict, converter=_biases)
    """Added to the logits of these token ids; -inf forbids a token. One of the model's tokens must be left."""
    seed: int | None = attrs.field(default=None, validator=_integer(0, 2**32 - 1))
    """The same request with the same seed gives the same text while the engine serves nothing else.

    A seeded request computes its prompt afresh, because a prompt taken from the prefix cache can
    differ in the last bit of a logit. None draws a new seed for each request. With `n` above 1 the
    texts are computed together as it happens, and may part at a near tie.
    """
    stop: Sequence[str] = attrs.field(default=(), converter=_stops)
    """Strings that end the text; they are not part of it."""
    stop_tokens: Sequence[int] = attrs.field(default=(), converter=_stop_tokens)
    """Token ids that end the text, besides the model's own; they are not part of it."""
    ignore_eos: bool = attrs.field(default=False, validator=kind(InvalidSampling, bool))
    """Forbid the model to end its turn; only other limits stop it."""
    max_tokens: int | None = attrs.field(default=None, validator=_integer(1, 2**31 - 1))
    """At most this many tokens; None is as many as the context holds."""
    logprobs: int | None = attrs.field(default=None, validator=_integer(0, MAX_TOP_LOGPROBS))
    """Report each token's log-probability, with this many alternatives; None reports nothing.

    They are of the model's own distribution, before any sampler has changed it.
    """
    n: int = attrs.field(default=1, validator=_integer(1, MAX_CHOICES, optional=False))
    """How many texts to write from the one prompt, which is computed once."""
    grammar: Grammar | None = attrs.field(default=None, validator=kind(InvalidSampling, Grammar, optional=True))
    """What the text must be. Where it leaves no choice, the tokens that must come are written without asking the
    model; where it is complete, the text ends."""

    @grammar.validator
    def _may_end(self, _: attrs.Attribute[Any], grammar: Grammar | None) -> None:
        if grammar is not None and self.ignore_eos:
            raise InvalidSampling(
                "ignore_eos forbids the end of the text, which a grammar needs. Leave one of them out."
            )

    @stop.validator
    @dry_breakers.validator
    def _usable(self, field: attrs.Attribute[Any], strings: tuple[str, ...] | None) -> None:
        strings = strings or ()
        if not all(strings):
            raise InvalidSampling(f"{field.name} holds an empty string, which is found everywhere. Remove it.")
        if len(strings) > MAX_STOPS or sum(map(len, strings)) > MAX_STOP_CHARACTERS:
            raise InvalidSampling(
                f"{field.name} holds {len(strings):,} strings of {sum(map(len, strings)):,} characters in all; "
                f"at most {MAX_STOPS:,} strings and {MAX_STOP_CHARACTERS:,} characters are allowed."
            )

    def over(self, defaults: SamplingParams) -> SamplingParams:
        """These parameters, with what was left at its default taken from `defaults`."""
        return attrs.evolve(defaults, **self._given())

    def _given(self) -> dict[str, Any]:
        """The fields that are not at their default."""
        values = {field: getattr(self, field.name) for field in attrs.fields(SamplingParams)}
        return {field.name: value for field, value in values.items() if value != _default(field)}

    def __repr__(self) -> str:
        return f"SamplingParams({', '.join(f'{name}={value!r}' for name, value in self._given().items())})"


class SamplingOptions(TypedDict, total=False):
    """The fields of `SamplingParams` as keyword arguments: `engine.complete("…", temperature=0)`."""

    temperature: float | None
    top_k: int | None
    top_p: float | None
    min_p: float | None
    typical_p: float | None
    repeat_penalty: float | None
    presence_penalty: float | None
    frequency_penalty: float | None
    penalty_last_n: int | None
    dry_multiplier: float | None
    dry_base: float | None
    dry_allowed_length: int | None
    dry_last_n: int | None
    dry_breakers: Sequence[str] | None
    xtc_probability: float | None
    xtc_threshold: float | None
    logit_bias: Mapping[int, float]
    seed: int | None
    stop: str | Sequence[str]
    stop_tokens: Sequence[int]
    ignore_eos: bool
    max_tokens: int | None
    logprobs: int | None
    n: int
    grammar: Grammar | None


def _default(field: attrs.Attribute[Any]) -> Any:
    return {} if field.name == "logit_bias" else field.default


DEFAULT_SAMPLING = SamplingParams(
    temperature=0.8,
    top_k=40,
    top_p=0.95,
    min_p=0.05,
    typical_p=1.0,
    repeat_penalty=1.0,
    presence_penalty=0.0,
    frequency_penalty=0.0,
    penalty_last_n=64,
    dry_multiplier=0.0,
    dry_base=1.75,
    dry_allowed_length=2,
    dry_last_n=-1,
    dry_breakers=("\n", ":", '"', "*"),
    xtc_probability=0.0,
    xtc_threshold=0.1,
)
"""What applies where neither the request nor the model file says otherwise: llama.cpp's own defaults."""
