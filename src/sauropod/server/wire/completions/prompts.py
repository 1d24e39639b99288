"""Prompts: a text, a list of texts, a list of token ids, or a list of such lists."""

from __future__ import annotations

from typing import Any, TypeAlias

from sauropod.server.problems import invalid

__all__ = ["Given", "prompts_of"]

MOST = 2048
"""Of one request."""

Given: TypeAlias = str | list[int]
"""One prompt: a text, or the model's own token ids."""


def prompts_of(given: str | list[Any], param: str = "prompt") -> list[Given]:
    """The prompts: one text, a list of them, one list of token ids, or a list of those. Raises `Problem`."""
    if isinstance(given, str):
        return [given]
    if given and all(map(_is_token, given)):
        return [given]
    if not 0 < len(given) <= MOST:
        raise invalid(f"'{param}' is a list of 1 to {MOST:,}; got {len(given):,}.", param, "invalid_value")
    return [_prompt(each, f"{param}[{at}]", param) for at, each in enumerate(given)]


def _prompt(given: Any, where: str, param: str) -> Given:
    if isinstance(given, str):
        return given
    if isinstance(given, list) and given and all(map(_is_token, given)):
        return given
    raise invalid(
        f"'{param}' is a text, a list of texts, a list of token ids, or a list of such lists; '{where}' is none.",
        where,
        "invalid_type",
    )


def _is_token(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)
