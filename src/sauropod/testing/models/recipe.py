"""What a caller may choose about a synthetic model, whatever its architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, TypedDict

import attrs

from sauropod.testing.models.byte_level import VOXTRAL_MARKS, byte_pair, ragged_bytes
from sauropod.testing.models.draft import Draft, Value, WeightType
from sauropod.testing.models.sentencepiece import sentence_piece
from sauropod.testing.models.tokenizer import Tokenizer
from sauropod.testing.models.wordpiece import word_piece

__all__ = ["DecoderOptions", "ModelOptions", "Pooling", "Recipe", "TokenizerName"]

TokenizerName = Literal["bpe", "spm", "wpm", "bytes", "voxtral"]
Pooling = Literal["none", "mean", "cls", "last", "rank"]

_TOKENIZERS: Mapping[TokenizerName, Callable[[int], Tokenizer]] = {
    "bpe": byte_pair,
    "spm": sentence_piece,
    "wpm": word_piece,
    "bytes": ragged_bytes,
    "voxtral": partial(byte_pair, marks=VOXTRAL_MARKS),
}
_POOLINGS: tuple[Pooling, ...] = ("none", "mean", "cls", "last", "rank")
_FILE_TYPES: Mapping[WeightType, int] = {"F32": 0, "F16": 1, "Q8_0": 7}
_SAMPLING: Mapping[str, type[int | float | str]] = {
    "sequence": str,
    "top_k": int,
    "top_p": float,
    "min_p": float,
    "xtc_probability": float,
    "xtc_threshold": float,
    "temp": float,
    "penalty_last_n": int,
    "penalty_repeat": float,
    "mirostat": int,
    "mirostat_tau": float,
    "mirostat_eta": float,
}


class ModelOptions(TypedDict, total=False):
    """The keyword arguments all builders share. Leave out what should be as usual."""

    seed: int
    """The same seed gives the same file, byte for byte. Default 0."""
    width: int
    """The length of the hidden state, a multiple of 32. Default 64."""
    vocabulary: int
    """The number of tokens. Default 512."""
    context_length: int
    """How many tokens the model says it was trained on."""
    tokenizer: TokenizerName
    """`"bpe"`: byte-level as GPT-2 and Qwen, ChatML with tools. `"spm"`: SentencePiece as Llama 2, marks that are
    plain text. `"wpm"`: WordPiece as BERT. `"bytes"`: byte-level with pieces that are not whole characters.
    `"voxtral"`: as `"bpe"`, with the marks around audio that Voxtral knows."""
    weights: WeightType
    """How matrices are stored. Default `"F32"`."""
    name: str
    license: str
    chat_template: str | bool
    """A Jinja template; True, the default, for the tokenizer's own, False for none."""
    sampling: Mapping[str, int | float | str]
    """The file's own sampling defaults by llama.cpp's names, `{"temp": 0.6, "top_k": 20}`."""
    pooling: Pooling
    """How the file says its embeddings are pooled. Left out unless given."""
    metadata: Mapping[str, Value]
    """More keys of the file, or other values for those it has anyway; the full names. Not checked."""


class DecoderOptions(ModelOptions, total=False):
    """`ModelOptions`, and what only a model that says something has."""

    tied: bool
    """Whether one matrix serves as embedding and as output. Default False."""
    ending: float
    """Roughly the chance that a token sampled at temperature 1 ends the answer. Default 0: it never ends itself."""


@attrs.frozen(kw_only=True)
class Recipe:
    """`DecoderOptions` with the defaults filled in. Raises `ValueError` for what cannot be built."""

    seed: int = 0
    width: int = 64
    vocabulary: int = 512
    context_length: int = 512
    tokenizer: TokenizerName = "bpe"
    weights: WeightType = "F32"
    name: str = "tiny"
    license: str = ""
    chat_template: str | bool = True
    sampling: Mapping[str, int | float | str] = attrs.field(factory=dict)
    pooling: Pooling | None = None
    metadata: Mapping[str, Value] = attrs.field(factory=dict)
    tied: bool = False
    ending: float = 0.0

    def __attrs_post_init__(self) -> None:
        if self.width % 32:
            raise ValueError(f"width={self.width} is not a multiple of 32, the block of the quantised types.")
        if not 0 <= self.ending < 1:
            raise ValueError(f"ending={self.ending} is not a chance: it must be at least 0 and below 1.")
        if self.ending and self.tied:
            raise ValueError("Only an output matrix of its own can say when to end: give ending without tied.")
        if unknown := set(self.sampling) - set(_SAMPLING):
            raise ValueError(f"llama.cpp knows no sampling default {sorted(unknown)}, only {sorted(_SAMPLING)}.")

    def vocabulary_of(self) -> Tokenizer:
        """The tokenizer of the size asked for. Raises `ValueError` for a size it cannot have."""
        tokenizer = _TOKENIZERS[self.tokenizer](self.vocabulary)
        if len(tokenizer.pieces) != self.vocabulary:
            raise ValueError(f'tokenizer="{self.tokenizer}" makes no more than {len(tokenizer.pieces)} tokens.')
        return tokenizer

    def start(self, architecture: str, tokenizer: Tokenizer) -> Draft:
        """A draft that says all that is the same for every architecture."""
        draft = Draft(architecture, self.weights)
        general: dict[str, Value] = {
            "general.type": "model",
            "general.name": self.name,
            "general.file_type": _FILE_TYPES[self.weights],
            "general.quantization_version": 2,
        }
        if self.license:
            general["general.license"] = self.license
        draft.metadata.update(general)
        draft.metadata.update(
            {f"general.sampling.{key}": _SAMPLING[key](value) for key, value in self.sampling.items()}
        )
        draft.metadata.update(tokenizer.metadata())
        if template := self._template(tokenizer):
            draft.metadata["tokenizer.chat_template"] = template
        draft.describe({"context_length": self.context_length, "embedding_length": self.width})
        if self.pooling is not None:
            draft.describe({"pooling_type": _POOLINGS.index(self.pooling)})
        return draft

    def _template(self, tokenizer: Tokenizer) -> str:
        if isinstance(self.chat_template, str):
            return self.chat_template
        return tokenizer.chat_template if self.chat_template else ""
