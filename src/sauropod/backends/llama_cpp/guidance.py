"""llguidance: loaded once, and what it needs to know of a model's vocabulary."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

from sauropod.backends.llama_cpp.library import library
from sauropod.backends.llama_cpp.vocabulary import Vocabulary
from sauropod.errors import UnsupportedInput

__all__ = ["guidance", "make_tokenizer", "parser_limits"]

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
    return guidance().LLTokenizer.from_llamacpp(
        tokens=tokens,
        vocab_ptr=vocabulary.pointer,
        tokenize_fptr=ctypes.cast(lib._lib.llama_tokenize, ctypes.c_void_p).value,
        eos_token=ends,
    )


@functools.cache
def parser_limits() -> Any:
    """How much work a grammar may be."""
    return guidance().LLParserLimits(verbose_errors=False)
