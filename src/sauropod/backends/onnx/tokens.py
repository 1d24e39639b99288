"""A recogniser's vocabulary, and words made of its tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from sauropod._values.speech import Word
from sauropod.errors import UnsupportedModel

__all__ = ["Token", "Vocabulary", "read_vocabulary", "words"]

SPACE = "▁"
"""How SentencePiece writes the space before a word."""

CLOSING = frozenset(".,!?;:…)]}»”。，！？、")
"""What belongs to the word before it, also where a model puts a space between."""

BLANKS = ("<blk>", "<blank>")
LONGEST = 4
"""Frames that a token lasts at most where the model does not tell: the longest duration of a TDT."""


@attrs.frozen
class Token:
    """A token that was said."""

    id: int
    frame: int
    """The encoder's frame at which it was said."""
    frames: int | None
    """How many frames it lasts; None where the model does not tell."""
    confidence: float = 1.0


@attrs.frozen
class Vocabulary:
    """Pieces of text by token, and the token that says nothing."""

    pieces: Sequence[str]
    blank: int

    @property
    def size(self) -> int:
        """How many tokens there are, the blank among them."""
        return max(len(self.pieces), self.blank + 1)

    def text(self, token: int) -> str:
        """What a token adds to the text, `▁` for a space; nothing for a control token such as `<unk>` or `<|en|>`."""
        piece = self.pieces[token] if token < len(self.pieces) else ""
        return "" if token == self.blank or (piece.startswith("<") and piece.endswith(">")) else piece


def read_vocabulary(path: Path) -> Vocabulary:
    """Read `vocab.txt`, a piece and its number on each line, or `tokenizer.json`, `{"vocab": {piece: number}}`.

    The blank is the piece named so, else the token after the last. Raises `UnsupportedModel` for any other file.
    """
    try:
        text = path.read_text(encoding="utf-8")
        numbers = _from_json(json.loads(text)) if path.suffix == ".json" else _from_lines(text)
    except (ValueError, TypeError, AttributeError) as error:
        raise UnsupportedModel(f"{path.name} is no vocabulary: {error}. Fetch it anew.") from error
    pieces = {number: piece for piece, number in numbers.items()}
    if not pieces or sorted(pieces) != list(range(len(numbers))):
        raise UnsupportedModel(f"{path.name} does not number its {len(numbers)} pieces from 0 on. Fetch it anew.")
    blank = next((numbers[name] for name in BLANKS if name in numbers), len(pieces))
    return Vocabulary(tuple(pieces[number] for number in range(len(pieces))), blank)


def _from_json(content: Any) -> Mapping[str, int]:
    table = content.get("vocab") or content.get("model", {}).get("vocab")
    return {str(piece): int(number) for piece, number in table.items()}


def _from_lines(text: str) -> Mapping[str, int]:
    pairs = (line.rsplit(" ", 1) for line in text.split("\n") if line.strip())
    return {piece: int(number) for piece, number in pairs}


def words(vocabulary: Vocabulary, tokens: Sequence[Token], frame: float, duration: float) -> list[Word]:
    """The words that the tokens spell, where a frame is so many seconds, as is the whole audio.

    A word begins with its first token. It ends where its last one does, punctuation aside: after as many frames as that
    token lasts, or when the next token is said.
    """
    spelled: list[_Spelling] = []
    spaced = True
    for index, token in enumerate(tokens):
        piece = vocabulary.text(token.id)
        body = piece.replace(SPACE, " ").strip()
        if not body:
            spaced = spaced or bool(piece)
            continue
        closing = all(character in CLOSING for character in body)
        if not spelled or ((spaced or piece.startswith(SPACE)) and not closing):
            spelled.append(_Spelling("", token.frame, token.frame))
        spelled[-1].add(body, token, _end(tokens, index), closing)
        spaced = False
    return [each.word(frame, duration) for each in spelled]


def _end(tokens: Sequence[Token], index: int) -> int:
    """The frame at which a token ends."""
    token = tokens[index]
    end = token.frame + (LONGEST if token.frames is None else max(token.frames, 1))
    return min(end, tokens[index + 1].frame) if index + 1 < len(tokens) else end


@attrs.define
class _Spelling:
    """A word while it is being spelled."""

    text: str
    first: int
    last: int
    confidence: float = 1.0

    def add(self, body: str, token: Token, end: int, closing: bool) -> None:
        if not closing or not self.text:
            self.last = max(self.last, end)
        self.text += body
        self.confidence = min(self.confidence, token.confidence)

    def word(self, frame: float, duration: float) -> Word:
        start = min(self.first * frame, duration)
        return Word(self.text, start, max(start, min(self.last * frame, duration)), self.confidence)
