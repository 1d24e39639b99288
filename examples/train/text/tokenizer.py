"""Tokenizer: byte-level BPE that splits a word the same way wherever it stands.

A word copied out of `in Oslo` into `"Oslo"` should be the same tokens. So merges are learned on
words without the space before them, and a space joins only the commonest lower-case words that are
never values, as the last merges of all. llama.cpp splits text by the rule it calls `qwen2`; no merge crosses a boundary
that rule does not have, so both tokenise alike.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Collection, Iterable
from itertools import islice
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from . import conversations, template
from .material import Material

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MARKS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<tools>", "</tools>")
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
APART = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPACE = "Ġ"


def build(texts: Iterable[str], size: int, joined: int, copied: Collection[str]) -> Tokenizer:
    """A tokenizer of `size` tokens, of which `joined` are common words with the space before them.

    None of those `copied` is joined: they are the same tokens in a sentence and in JSON.
    """
    texts = list(texts)
    pieces = _trained(texts, size - joined - len(CONTROL) - len(MARKS))
    state = json.loads(pieces.to_str())["model"]
    vocabulary: dict[str, int] = state["vocab"]
    merges = [tuple(merge) for merge in state["merges"]]
    for word in islice(_common(texts, vocabulary, copied), joined):
        vocabulary[SPACE + word] = len(vocabulary)
        merges.append((SPACE, word))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = _split(QWEN2)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in CONTROL])
    tokenizer.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in MARKS])
    return tokenizer


def _trained(texts: list[str], size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _split(APART)
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator((piece for text in texts for piece in _pieces(text)), trainer)
    return tokenizer


def _split(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _pieces(text: str) -> list[str]:
    """`text` cut at the marks that are tokens of their own."""
    return re.split("|".join(re.escape(mark) for mark in (*CONTROL, *MARKS)), text)


def _common(texts: list[str], vocabulary: dict[str, int], copied: Collection[str]) -> Iterable[str]:
    """Lower-case words that are one token and never copied, the most frequent after a space first."""
    counts = Counter(word for text in texts for word in re.findall(r"(?<= )[a-z]+", text))
    return (word for word, _ in counts.most_common() if word in vocabulary and word not in copied)


def sample(material: Material, count: int, seed: int) -> list[str]:
    """Conversations as they are trained on, to learn the tokens from."""
    chat = template.compiled(template.PATH.read_text("utf-8"))
    drawn = islice(conversations.stream(material, random.Random(seed)), count)
    return [template.render(chat, each) for each in drawn]


def load(path: Path) -> Tokenizer:
    """A tokenizer saved before."""
    tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    return tokenizer


def merges(tokenizer: Tokenizer) -> list[str]:
    """The merges, first to last, as `left right`."""
    state = json.loads(tokenizer.to_str())["model"]
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in state["merges"]]


def id_of(tokenizer: Tokenizer, token: str) -> int:
    """The number of a token that must be there."""
    found = tokenizer.token_to_id(token)
    if found is None:
        raise ValueError(f"the tokenizer has no token {token!r}")
    return int(found)
