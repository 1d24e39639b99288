"""A WordPiece vocabulary, as BERT has it: lower case, words marked by `▁`, the longest piece first."""

from __future__ import annotations

import string

from sauropod.testing.models.merges import merges
from sauropod.testing.models.tokenizer import Kind, Piece, Tokenizer

__all__ = ["word_piece"]


def word_piece(size: int) -> Tokenizer:
    """Puts `[CLS]` before a text and `[SEP]` after it. Other scripts than Latin become `[UNK]`."""
    special = [
        Piece("[PAD]", Kind.CONTROL, quiet=True),
        Piece("[UNK]", Kind.UNKNOWN, quiet=True),
        Piece("[CLS]", Kind.CONTROL, quiet=True),
        Piece("[SEP]", Kind.CONTROL, quiet=True),
        Piece("[MASK]", Kind.CONTROL, quiet=True),
    ]
    letters = string.ascii_lowercase + string.digits
    parts = ["▁", *letters, *(f"▁{letter}" for letter in letters), *(f"▁{mark}" for mark in string.punctuation)]
    room = size - len(special) - len(parts)
    if room < 0:
        raise ValueError(f"A vocabulary of {size} has no room for {size - room} letters and special tokens.")
    words = ["".join(pair).lower().replace(" ", "▁") for pair in merges(room + room // 8 + 32)]
    texts = list(dict.fromkeys([*parts, *words]))[: len(parts) + room]  # capitals made some of them alike
    return Tokenizer(
        model="bert",
        pieces=[*special, *(Piece(text) for text in texts)],
        roles={"bos": "[CLS]", "seperator": "[SEP]", "unknown": "[UNK]", "padding": "[PAD]", "mask": "[MASK]"},
        flags={"add_bos_token": True, "add_sep_token": True},
    )
