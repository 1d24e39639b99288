"""/v1/rerank."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sauropod import Engine
from sauropod.server.catalog import ModelEntry
from sauropod.testing import models
from server.serving import fake
from server.talking import Talk, talking

pytestmark = pytest.mark.anyio

PATH = "/v1/rerank"
TEXTS = ["a cat sat", "the moon", "a dog ran"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("llama_cpp") is None:
        pytest.skip("llama-cpp-python is not installed")
    return models.tiny_reranker(tmp_path_factory.mktemp("models") / "reranker.gguf")


@pytest.fixture
async def talk(reranker: Path) -> AsyncIterator[Talk]:
    entry = ModelEntry("ranks", lambda: Engine(reranker, isolation="thread"))
    async with talking([entry], small=fake(says={})) as talk:
        yield talk


async def test_documents_are_told_the_best_first(talk: Talk) -> None:
    found = (await talk.post(PATH, query="a cat", documents=TEXTS)).json()
    scores = [each["relevance_score"] for each in found["results"]]
    assert sorted(each["index"] for each in found["results"]) == [0, 1, 2]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert found["model"] == "ranks"
    assert found["usage"]["total_tokens"] > 3 * len("acat")
    alone = (await talk.post(PATH, query="a cat", documents=[TEXTS[found["results"][0]["index"]]])).json()
    assert alone["results"][0]["relevance_score"] == pytest.approx(scores[0], rel=1e-3)


async def test_the_best_are_given_back_with_their_texts(talk: Talk) -> None:
    documents: list[Any] = [*TEXTS[:2], {"text": TEXTS[2], "title": "A dog"}]
    found = (await talk.post(PATH, query="a cat", documents=documents, top_n=2, return_documents=True)).json()
    assert len(found["results"]) == 2
    for each in found["results"]:
        assert each["document"] == {"text": TEXTS[each["index"]]}


async def test_a_model_is_used_for_what_it_can_do(talk: Talk) -> None:
    error = await talk.refused(PATH, model="small", query="a", documents=["b"])
    assert (error["param"], error["code"]) == ("model", "unsupported_model")
    error = await talk.refused("/v1/embeddings", model="ranks", input="a")
    assert (error["param"], error["code"]) == ("model", "unsupported_model")


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("query", {"documents": ["b"]}),
        ("query", {"query": "", "documents": ["b"]}),
        ("documents", {"query": "a"}),
        ("documents", {"query": "a", "documents": []}),
        ("documents[1]", {"query": "a", "documents": ["b", {"title": "c"}]}),
        ("top_n", {"query": "a", "documents": ["b"], "top_n": 0}),
    ],
)
async def test_what_is_wrong_is_refused_by_its_name(talk: Talk, param: str, body: dict[str, Any]) -> None:
    assert (await talk.refused(PATH, **body))["param"] == param
