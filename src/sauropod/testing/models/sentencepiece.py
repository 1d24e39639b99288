"""A SentencePiece vocabulary, as Llama 2 and Gemma have it: words start with `▁`, unknown characters become bytes."""

from __future__ import annotations

from sauropod.testing.models.merges import merges
from sauropod.testing.models.templates import INSTRUCT
from sauropod.testing.models.tokenizer import Kind, Piece, Tokenizer
from sauropod.testing.models.words import CHARACTERS

__all__ = ["sentence_piece"]


def sentence_piece(size: int) -> Tokenizer:
    """Adds `<s>` and a space in front of a text. Characters without a piece are cut into `<0x..>` tokens."""
    special = [
        Piece("<unk>", Kind.UNKNOWN, quiet=True),
        Piece("<s>", Kind.CONTROL, quiet=True),
        Piece("</s>", Kind.CONTROL, quiet=True),
    ]
    octets = [Piece(f"<0x{byte:02X}>", Kind.BYTE, quiet=byte != ord("\n")) for byte in range(256)]
    letters = ["▁", *(chr(code) for code in range(ord("!"), ord("~") + 1)), *CHARACTERS]
    room = size - len(special) - len(octets) - len(letters)
    if room < 0:
        raise ValueError(f"A vocabulary of {size} has no room for {size - room} bytes, letters and special tokens.")
    words = ["".join(pair).replace(" ", "▁") for pair in merges(room)]
    normal = [Piece(text, score=-float(rank)) for rank, text in enumerate([*words, *letters])]
    return Tokenizer(
        model="llama",
        pieces=[*special, *octets, *normal],
        roles={"bos": "<s>", "eos": "</s>", "unknown": "<unk>"},
        flags={"add_bos_token": True, "add_eos_token": False, "add_space_prefix": True},
        chat_template=INSTRUCT,
    )
