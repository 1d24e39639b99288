"""Text to tokens and tokens to bytes."""

from __future__ import annotations

import ctypes
from typing import Any

import attrs
import numpy as np

from sauropod.backends.llama_cpp.library import library
from sauropod.errors import PromptTooLong, UnsupportedInput

__all__ = ["Vocabulary"]


@attrs.define(eq=False)
class Vocabulary:
    """The tokens of a loaded model. Safe to use from several threads."""

    pointer: Any
    context_length: int
    """Texts that cannot possibly fit into this many tokens are refused before the work is done."""
    size: int = attrs.field(init=False)
    eos: frozenset[int] = attrs.field(init=False)
    _longest: int = 0
    """Bytes of the longest token, once they had to be counted."""
    _pieces: dict[int, bytes] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        lib = library()
        self.size = lib.llama_vocab_n_tokens(self.pointer)
        self.eos = frozenset(token for token in range(self.size) if lib.llama_vocab_is_eog(self.pointer, token))

    @property
    def bos(self) -> str:
        """The beginning-of-text mark as text; empty if the model has none."""
        return self._text(library().llama_vocab_bos(self.pointer))

    @property
    def end(self) -> str:
        """The end-of-text mark as text; empty if the model has none."""
        return self._text(library().llama_vocab_eos(self.pointer))

    def piece(self, token: int) -> bytes:
        """The bytes a token adds to a text; control tokens add none."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._read_piece(token)
        return piece

    def mark(self, token: int) -> bytes:
        """The text of a token that adds none, as `<|im_end|>`; empty for a token of a text."""
        return b"" if self.piece(token) else library().llama_vocab_get_text(self.pointer, token) or b""

    def encode_text(self, text: str) -> list[int]:
        """The tokens of text that is only text."""
        return self._tokenize(text, add=False, parse=False)

    def encode_prompt(self, text: str) -> list[int]:
        """The tokens of a whole prompt: marks are read, and the beginning-of-text token is there once.

        Some templates write it, some files ask for it to be added, and some do both. A file may also ask for an end
        to be added, which is no way to begin an answer.
        """
        written = bool(self.bos) and text.startswith(self.bos)
        tokens = self._tokenize(text, add=not written, parse=True)
        lib = library()
        if tokens and lib.llama_vocab_get_add_eos(self.pointer) and tokens[-1] == lib.llama_vocab_eos(self.pointer):
            tokens.pop()
        return tokens

    def encode_rest(self, text: str) -> list[int]:
        """The tokens of a prompt's text that does not begin it: marks are read."""
        return self._tokenize(text, add=False, parse=True)

    def encode_input(self, text: str, second: str | None) -> list[int]:
        """The tokens of what is to be embedded: one text, or the two that a reranker compares.

        Pairs are joined as llama.cpp's server joins them: begin, query, end, separator, document, end.
        """
        if second is None:
            return self._tokenize(text, add=True, parse=True)
        lib = library()
        bos, eos, sep = (get(self.pointer) for get in (lib.llama_vocab_bos, lib.llama_vocab_eos, lib.llama_vocab_sep))
        eos = eos if eos >= 0 else sep
        marks = {
            "bos": [bos] * lib.llama_vocab_get_add_bos(self.pointer),
            "eos": [eos] * lib.llama_vocab_get_add_eos(self.pointer),
            "sep": [sep] * lib.llama_vocab_get_add_sep(self.pointer),
        }
        first, other = self.encode_text(text), self.encode_text(second)
        return [*marks["bos"], *first, *marks["eos"], *marks["sep"], *other, *marks["eos"]]

    def _tokenize(self, text: str, *, add: bool, parse: bool) -> list[int]:
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise UnsupportedInput(
                f"The text holds half of a surrogate pair at position {error.start}, which no encoding has. "
                "It was decoded wrongly; decode it with errors='replace'."
            ) from error
        self._refuse_the_hopeless(len(data))
        room = len(data) + 8  # no tokenizer makes more tokens than bytes, marks it adds aside
        tokens = np.empty(room, dtype=np.int32)
        array = tokens.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        count = library().llama_tokenize(self.pointer, data, len(data), array, room, add, parse)
        if count < 0:
            raise UnsupportedInput(f"The model's tokenizer cannot take this text of {len(data):,} bytes.")
        return tokens[:count].tolist()  # type: ignore[no-any-return]

    def _refuse_the_hopeless(self, length: int) -> None:
        """Raise `PromptTooLong` if not even the longest tokens could hold this many bytes within the context."""
        if length > 4 * self.context_length:
            if not self._longest:
                texts = (library().llama_vocab_get_text(self.pointer, token) or b"" for token in range(self.size))
                self._longest = max(map(len, texts), default=0) or 1
            if length // self._longest > self.context_length:
                raise PromptTooLong(length // self._longest, self.context_length, exact=False)

    def _read_piece(self, token: int) -> bytes:
        if not 0 <= token < self.size:
            return b""
        for room in (64, 65536):
            buffer = ctypes.create_string_buffer(room)
            count = library().llama_token_to_piece(self.pointer, token, buffer, room, 0, False)
            if count >= 0:
                return buffer.raw[:count]
        return b""

    def _text(self, token: int) -> str:
        text = library().llama_vocab_get_text(self.pointer, token) if token >= 0 else None
        return (text or b"").decode(errors="replace")
