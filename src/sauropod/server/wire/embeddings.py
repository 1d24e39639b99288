"""/v1/embeddings: what is to be embedded, and vectors as clients want them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

from sauropod.server.problems import invalid
from sauropod.server.wire.decoding import encoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CreateEmbedding", "Embedding", "EmbeddingUsage", "Embeddings", "embedding_of", "shortened"]


class CreateEmbedding(Struct, kw_only=True):
    """The body. `dimensions` are how many numbers of each vector are wanted. `user` is accepted."""

    input: str | list[Any]
    model: str | None = None
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


class Embedding(Struct):
    """One vector: numbers, or their bytes (float32, little-endian) in base64."""

    index: int
    embedding: Raw
    object: Literal["embedding"] = "embedding"


class EmbeddingUsage(Struct):
    """Tokens that were computed."""

    prompt_tokens: int
    total_tokens: int


class Embeddings(Struct):
    """The answer, in the order of the input."""

    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
    object: Literal["list"] = "list"


def shortened(vectors: NDArray[np.float32], dimensions: int | None) -> NDArray[np.float32]:
    """The first numbers of each vector, brought to length 1 again. Raises `Problem` if there are not so many."""
    import numpy as np

    if dimensions is None or dimensions == vectors.shape[1]:
        return vectors
    if dimensions > vectors.shape[1]:
        raise invalid(
            f"'dimensions' is {dimensions:,}, and the model's vectors have {vectors.shape[1]:,}.",
            "dimensions",
            "invalid_value",
        )
    cut = vectors[:, :dimensions]
    lengths = np.linalg.norm(cut, axis=1, keepdims=True)
    short: NDArray[np.float32] = (cut / np.maximum(lengths, 1e-12)).astype(np.float32)
    return short


def embedding_of(index: int, vector: NDArray[np.float32], base64_wanted: bool) -> Embedding:
    """One vector, as it is sent."""
    if base64_wanted:
        return Embedding(index, Raw(b'"%b"' % base64.b64encode(vector.astype("<f4").tobytes())))
    return Embedding(index, Raw(encoded(vector.tolist())))
