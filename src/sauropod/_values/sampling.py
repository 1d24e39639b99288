"""How the next token is chosen, and when to stop."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypedDict

import attrs

from sauropod.errors import InvalidSampling

__all__ = ["DEFAULT_SAMPLING", "SamplingOptions", "SamplingParams", "StopReason"]

MAX_STOPS = 4096
MAX_STOP_CHARACTERS = 65536
MAX_CHOICES = 128
MAX_TOP_LOGPROBS = 100


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


def _number(
    low: float = -math.inf, high: float = math.inf, *, above: bool = False
) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """A validator for a finite number in [low, high], or in (low, high] if `above`."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidSampling(f"{attribute.name} must be a finite number; got {value!r}.")
        if value < low or value > high or (above and value == low):
            lower = "" if low == -math.inf else f"{'above' if above else 'at least'} {low:g}"
            upper = "" if high == math.inf else f"at most {high:g}"
            bounds = " and ".join(filter(None, [lower, upper]))
            raise InvalidSampling(f"{attribute.name} must be {bounds}; got {value!r}.")

    return check


def _integer(low: int, high: int) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """A validator for an integer in [low, high]."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidSampling(f"{attribute.name} must be an integer from {low} to {high}; got {value!r}.")

    return check


def _strings(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _optional_strings(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else _strings(value)


def _integers(value: Iterable[int]) -> tuple[int, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True, repr=False)
class SamplingParams:
    """How tokens are chosen. A field left at None takes the model file's own default, then llama.cpp's.

    The defaults in force for a loaded model are `engine.info.sampling`. Samplers apply in llama.cpp's
    order: bias, penalties, DRY, top-k, typical-p, top-p, min-p, XTC, temperature.

    Raises `InvalidSampling` for values that are out of range or not finite numbers.
    """

    temperature: float | None = attrs.field(default=None, validator=_number(0, 1000))
    """Divides the logits; 0 always takes the likeliest token."""
    top_k: int | None = attrs.field(default=None, validator=_integer(0, 2**31 - 1))
    """Keep the k likeliest tokens; 0 keeps all."""
    top_p: float | None = attrs.field(default=None, validator=_number(0, 1))
    """Keep the likeliest tokens that together reach this probability (arXiv:1904.09751); 1 keeps all."""
    min_p: float | None = attrs.field(default=None, validator=_number(0, 1))
    """Drop tokens less likely than this share of the likeliest; 0 drops none."""
    typical_p: float | None = attrs.field(default=None, validator=_number(0, 1))
    """Locally typical sampling (arXiv:2202.00666); 1 is off."""
    repeat_penalty: float | None = attrs.field(default=None, validator=_number(0, 1000, above=True))
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
    dry_breakers: Sequence[str] | None = attrs.field(default=None, converter=_optional_strings)
    """Strings that end a repetition for DRY."""
    xtc_probability: float | None = attrs.field(default=None, validator=_number(0, 1))
    """Chance, at each token, that XTC removes all but the least likely of the top choices; 0 is off."""
    xtc_threshold: float | None = attrs.field(default=None, validator=_number(0, 1))
    logit_bias: Mapping[int, float] = attrs.field(factory=dict)
    """Added to the logits of these token ids; -inf forbids a token."""
    seed: int | None = attrs.field(default=None, validator=_integer(0, 2**32 - 1))
    """The same request with the same seed gives the same text while the engine serves nothing else.

    A seeded request computes its prompt afresh, because a prompt taken from the prefix cache can
    differ in the last bit of a logit. None draws a new seed for each request.
    """
    stop: Sequence[str] = attrs.field(default=(), converter=_strings)
    """Strings that end the text; they are not part of it."""
    stop_tokens: Sequence[int] = attrs.field(default=(), converter=_integers)
    """Token ids that end the text, besides the model's own; they are not part of it."""
    ignore_eos: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    """Forbid the model to end its turn; only other limits stop it."""
    max_tokens: int | None = attrs.field(default=None, validator=_integer(1, 2**31 - 1))
    """At most this many tokens; None is as many as the context holds."""
    logprobs: int | None = attrs.field(default=None, validator=_integer(0, MAX_TOP_LOGPROBS))
    """Report each token's log-probability, with this many alternatives; None reports nothing.

    They are of the model's own distribution, before any sampler has changed it.
    """
    n: int = attrs.field(default=1, validator=_integer(1, MAX_CHOICES))
    """How many texts to write from the one prompt, which is computed once."""

    @stop.validator
    def _usable_stops(self, _: object, stops: tuple[str, ...]) -> None:
        if not all(isinstance(text, str) for text in stops):
            raise InvalidSampling("stop must be a string or a list of strings.")
        if not all(stops):
            raise InvalidSampling("stop holds an empty string, which would end every text at once. Remove it.")
        if len(stops) > MAX_STOPS or sum(map(len, stops)) > MAX_STOP_CHARACTERS:
            raise InvalidSampling(
                f"stop holds {len(stops):,} strings of {sum(map(len, stops)):,} characters in all; "
                f"at most {MAX_STOPS:,} strings and {MAX_STOP_CHARACTERS:,} characters are allowed."
            )

    @stop_tokens.validator
    def _token_ids(self, _: object, tokens: tuple[int, ...]) -> None:
        if not all(isinstance(token, int) and token >= 0 for token in tokens):
            raise InvalidSampling("stop_tokens must be token ids, integers of at least 0.")

    @logit_bias.validator
    def _biases(self, _: object, biases: Mapping[int, float]) -> None:
        for token, bias in biases.items():
            if isinstance(token, bool) or not isinstance(token, int) or token < 0:
                raise InvalidSampling(f"logit_bias maps token ids to numbers; got the key {token!r}.")
            if isinstance(bias, bool) or not isinstance(bias, int | float) or math.isnan(bias) or bias == math.inf:
                raise InvalidSampling(f"logit_bias for token {token} must be a number or -inf; got {bias!r}.")

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
