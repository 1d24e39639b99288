"""Pieces: the parts of words the recogniser writes, made by byte-pair merging, and `vocab.txt`.

`▁` begins a word, as in SentencePiece. `<unk>` is piece 0 and is never written; `<blk>`, the blank, is the last line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

UNKNOWN, BLANK = "<unk>", "<blk>"
START = "▁"


@dataclass(frozen=True)
class Pieces:
    """Text to ids and back. The blank's id is `len(pieces)`."""

    tokens: Tokenizer

    def __len__(self) -> int:
        return int(self.tokens.get_vocab_size())

    def ids(self, text: str) -> list[int]:
        """The ids of `text`; none for an empty one."""
        return list(self.tokens.encode(text).ids)

    def text(self, ids: Iterable[int]) -> str:
        """What `ids` stand for."""
        return "".join(self.tokens.id_to_token(each) for each in ids).replace(START, " ").strip()

    def lines(self) -> list[str]:
        """The lines of vocab.txt: a piece, a space, its id."""
        names = [self.tokens.id_to_token(each) for each in range(len(self))]
        return [f"{name} {number}" for number, name in enumerate((*names, BLANK))]

    def save(self, path: Path) -> None:
        """Write the merges, from which `load` makes the same pieces."""
        self.tokens.save(str(path))


def load(path: Path) -> Pieces:
    """Pieces that were saved."""
    return Pieces(Tokenizer.from_file(str(path)))


def build(texts: Sequence[str], size: int) -> Pieces:
    """`size` pieces, merged where they are frequent in `texts`. A mark is always a piece of its own."""
    tokens = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokens.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"[,.?]"), "isolated"),
            pre_tokenizers.Split(Regex(r" ?[^ ,.?]+"), "isolated"),
            pre_tokenizers.Metaspace(replacement=START, prepend_scheme="first", split=False),
        ]
    )
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=[UNKNOWN], show_progress=False)
    tokens.train_from_iterator(texts, trainer)
    return Pieces(tokens)
