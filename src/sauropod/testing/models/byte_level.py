"""Byte-level vocabularies, as GPT-2 and Qwen have them: every byte is a piece, merges make more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice

from sauropod.testing.models.merges import merges
from sauropod.testing.models.templates import CHATML
from sauropod.testing.models.tokenizer import Kind, Piece, Tokenizer
from sauropod.testing.models.words import CHARACTERS, MARKS, WORDS

__all__ = ["VOXTRAL_MARKS", "byte_pair", "ragged_bytes", "spell"]

_CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
VOXTRAL_MARKS = ("[INST]", "[/INST]", "[BEGIN_AUDIO]", "[TRANSCRIBE]")
_TAGS = ("<think>", "</think>", "<tool_call>", "</tool_call>")


def byte_pair(size: int, *, marks: Sequence[str] = ()) -> Tokenizer:
    """English words and parts of them; characters outside ASCII mostly span several tokens.

    `marks` are control tokens besides its own. Raises `ValueError` for a size that has no room for the bytes and the
    special tokens.
    """
    tags = [Piece(tag, Kind.USER_DEFINED) for tag in _TAGS]
    tags += [Piece(mark, Kind.CONTROL, quiet=True) for mark in marks]
    room = size - 256 - len(_CONTROL) - len(tags)
    if room < 0:
        raise ValueError(f"A vocabulary of {size} has no room for {size - room} bytes and special tokens.")
    pairs = _pairs(room)
    texts = [spell(bytes([byte])) for byte in range(256)] + [left + right for left, right in pairs]
    pieces = [Piece(text, quiet=not _readable(text)) for text in texts]
    return _tokenizer([*pieces, *_control(), *tags], [f"{left} {right}" for left, right in pairs])


def ragged_bytes(size: int) -> Tokenizer:
    """One token a byte in, anything out: a model says pieces that start and end in the middle of a character.

    There are lone bytes that no UTF-8 text contains, user-defined tokens with characters of several bytes, and
    runs of spaces. Nothing that text is encoded to is longer than a byte or a user-defined token.
    """
    tags = [Piece(text, Kind.USER_DEFINED) for text in ("<note:é🦕>", "🦕🦕", "   ", "<think>", "</think>")]
    room = size - 256 - len(_CONTROL) - len(tags) - 1
    if room < 0:
        raise ValueError(f"A vocabulary of {size} has no room for {size - room} bytes and special tokens.")
    impossible = spell(b"\xff"), spell(b"\xfe")  # the format wants one merge: this one no text can use
    texts = [spell(bytes([byte])) for byte in range(256)] + ["".join(impossible)]
    texts += [spell(text) for text in islice(dict.fromkeys(_fragments()), room)]
    return _tokenizer([*(Piece(text) for text in texts), *_control(), *tags], [" ".join(impossible)])


def spell(text: bytes) -> str:
    """Bytes as GPT-2 spells them in a vocabulary: one printable character each."""
    return "".join(_alphabet()[byte] for byte in text)


@cache
def _alphabet() -> tuple[str, ...]:
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(256, 512))
    return tuple(chr(byte if byte in printable else next(others)) for byte in range(256))


def _readable(spelled: str) -> bool:
    """Whether a piece is whole characters that can be seen, or a line break."""
    try:
        text = bytes(_alphabet().index(character) for character in spelled).decode()
    except UnicodeDecodeError:
        return False
    return text.replace("\n", "").isprintable()


def _control() -> list[Piece]:
    return [Piece(text, Kind.CONTROL, quiet=True) for text in _CONTROL]


def _pairs(count: int) -> list[tuple[str, str]]:
    """Learned merges, as many as leave room for those of the characters and marks."""
    fixed = list(dict.fromkeys(pair for text in (*CHARACTERS, *MARKS) for pair in _chain(text)))
    learned = merges(max(count - len(fixed), 0))
    return [*((spell(left.encode()), spell(right.encode())) for left, right in learned), *fixed][:count]


def _chain(text: str) -> Iterator[tuple[str, str]]:
    """Join a text byte by byte, from the left."""
    data = text.encode()
    return ((spell(data[:end]), spell(data[end : end + 1])) for end in range(1, len(data)))


def _fragments() -> Iterator[bytes]:
    """Texts cut inside a character."""
    for word in ("", " ", "a", *(f" {word}" for word in WORDS)):
        for character in CHARACTERS:
            data = character.encode()
            for cut in range(1, len(data)):
                if word or cut > 1:
                    yield word.encode() + data[:cut]
                if word or len(data) - cut > 1:
                    yield data[cut:] + word.encode()


def _tokenizer(pieces: list[Piece], merges: list[str]) -> Tokenizer:
    return Tokenizer(
        model="gpt2",
        pre="qwen2",
        pieces=pieces,
        merges=merges,
        roles={"bos": "<|endoftext|>", "eos": "<|im_end|>", "padding": "<|endoftext|>"},
        flags={"add_bos_token": False},
        chat_template=CHATML,
    )
