"""/v1/rerank: a query, documents, and how well each answers it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from sauropod.server.problems import invalid
from sauropod.server.wire.decoding import decoded

__all__ = ["CreateRerank", "RerankUsage", "Reranked", "ranked", "read_rerank"]

MOST = 10_000
"""Documents of one request."""


class CreateRerank(Struct, kw_only=True):
    """The body. `documents` are texts, or objects with a `text`. What it does not name is not looked at."""

    query: Annotated[str, Meta(min_length=1)]
    documents: list[Any]
    model: str | None = None
    top_n: Annotated[int, Meta(ge=1)] | None = None
    return_documents: bool | None = None

    @property
    def texts(self) -> list[str]:
        """The documents. Raises `Problem`."""
        if not 0 < len(self.documents) <= MOST:
            raise invalid(
                f"'documents' has 1 to {MOST:,} entries; got {len(self.documents):,}.", "documents", "invalid_value"
            )
        return [_text(each, f"documents[{at}]") for at, each in enumerate(self.documents)]


class Document(Struct):
    """A document, as it is given back."""

    text: str


class Result(Struct):
    """How well one document answers the query, from 0 to 1. `index` is its place among those that were given."""

    index: int
    relevance_score: float
    document: Document | UnsetType = UNSET


class RerankUsage(Struct):
    """Tokens that were computed."""

    prompt_tokens: int
    total_tokens: int


class Reranked(Struct):
    """The answer: the best first."""

    id: str
    model: str
    results: list[Result]
    usage: RerankUsage


def read_rerank(body: bytes) -> CreateRerank:
    """Raises `Problem`."""
    return decoded(CreateRerank, body)


def ranked(asked: CreateRerank, texts: Sequence[str], scores: Sequence[Sequence[float]]) -> list[Result]:
    """The results, the best first; equally good ones in their order.

    A model that gives one number gives a logit, which becomes a probability. One that gives several gives
    probabilities, of which the first says that a document fits.
    """
    order = sorted(range(len(texts)), key=lambda at: -scores[at][0])
    results = [Result(at, _relevance(scores[at])) for at in order[: asked.top_n]]
    if asked.return_documents:
        for result in results:
            result.document = Document(texts[result.index])
    return results


def _relevance(score: Sequence[float]) -> float:
    if len(score) > 1:
        return score[0]
    grown = math.exp(-abs(score[0]))
    return 1 / (1 + grown) if score[0] >= 0 else grown / (1 + grown)


def _text(given: Any, where: str) -> str:
    text = given.get("text") if isinstance(given, dict) else given
    if isinstance(text, str) and text:
        return text
    raise invalid(f"A document is a text, or an object with a 'text'; '{where}' is none.", where, "invalid_type")
