"""llguidance: loaded once, and what it needs to know of a model's vocabulary."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

from sauropod.backends.llama_cpp.library import library
from sauropod.backends.llama_cpp.vocabulary import Vocabulary
from sauropod.errors import UnsupportedInput

__all__ = ["fault", "guidance", "make_tokenizer", "new_matcher"]

_MARK = b"\xff"
"""Begins what llguidance takes for a token of its own, and not for text: no text holds this byte."""


@functools.cache
def guidance() -> Any:
    """The module. Raises `UnsupportedInput` if it is not installed."""
    try:
        import llguidance
    except ImportError as error:
        raise UnsupportedInput(
            f'Grammars need llguidance, which cannot be imported ({error}). Run: pip install "sauropod[llama]"'
        ) from error
    return llguidance


def make_tokenizer(vocabulary: Vocabulary) -> Any:
    """An `LLTokenizer` over the bytes that tokens add to a text. It encodes with the model's own tokenizer.

    Takes about a second for the largest vocabularies.
    """
    lib = library()
    tokens = [
        _MARK + mark if (mark := vocabulary.mark(token)) else vocabulary.piece(token)
        for token in range(vocabulary.size)
    ]
    end = lib.llama_vocab_eot(vocabulary.pointer)
    ends = sorted(vocabulary.eos, key=lambda token: (token != end, token))
    try:
        return guidance().LLTokenizer.from_llamacpp(
            tokens=tokens,
            vocab_ptr=vocabulary.pointer,
            tokenize_fptr=ctypes.cast(lib._lib.llama_tokenize, ctypes.c_void_p).value,
            eos_token=ends,
        )
    except ValueError as error:
        raise UnsupportedInput(f"This model's vocabulary cannot be held to a grammar ({error}).") from error


def new_matcher(source: str, tokenizer: Any) -> Any:
    """An `LLMatcher` at the beginning of a text. It raises nothing: `fault` says what is wrong with it."""
    return guidance().LLMatcher(tokenizer, source, log_level=0, limits=_limits())


def fault(matcher: Any) -> str:
    """Why a matcher failed, on one line."""
    text = " ".join(str(matcher.get_error()).replace("<non-verbose/>", "").split())
    if not text or text.startswith("NoExtension"):
        return "no text satisfies it"
    for sign, meaning in _MEANT.items():
        if sign in text:
            return meaning
    return text if len(text) <= 300 else f"{text[:300]}…"


_MEANT = {
    "coerce_one_of": "oneOf can be enforced only where no two of its branches can be valid at once; use anyOf",
    "Too many items": "it is too large, or requires itself without end",
}
"""What llguidance says in words that tell its users what to set."""


@functools.cache
def _limits() -> Any:
    """How much work a grammar may be.

    An object with a thousand optional properties has some thousand items in a row. A hundred thousand states, of a
    kilobyte each, take a tenth of a second when one token forces them all.
    """
    return guidance().LLParserLimits(
        initial_lexer_fuel=400_000,
        max_lexer_states=100_000,
        max_items_in_row=5_000,
        step_max_items=20_000,
        verbose_errors=False,
    )
