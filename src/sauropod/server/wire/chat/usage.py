"""TokenUsage: what a text took, as chat completions and completions tell it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from sauropod import Usage

__all__ = ["TokenUsage", "usage_of"]


class PromptDetails(Struct):
    """`cached_tokens` were taken from the prefix cache."""

    cached_tokens: int = 0
    audio_tokens: int = 0


class CompletionDetails(Struct):
    """`reasoning_tokens` are the thoughts among them."""

    reasoning_tokens: int = 0
    audio_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class TokenUsage(Struct):
    """Counts of tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails


def usage_of(taken: Iterable[Usage]) -> TokenUsage:
    """What several prompts and their answers took together."""
    each = list(taken)
    prompt = sum(usage.prompt_tokens for usage in each)
    completion = sum(usage.completion_tokens for usage in each)
    return TokenUsage(
        prompt,
        completion,
        prompt + completion,
        PromptDetails(sum(usage.cached_tokens for usage in each)),
        CompletionDetails(sum(usage.reasoning_tokens for usage in each)),
    )
