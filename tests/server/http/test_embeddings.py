"""/v1/embeddings, in process and by the official client over a socket."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse

from server.sdk import strict
from server.serving import fake
from server.talking import Talk, on_a_socket, talking

pytestmark = pytest.mark.anyio

PATH = "/v1/embeddings"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with talking(small=fake(says={})) as talk:
        yield talk


async def vectors_of(talk: Talk, **body: Any) -> np.ndarray[Any, Any]:
    found = strict(CreateEmbeddingResponse, (await talk.post(PATH, **body)).json())
    assert [each.index for each in found.data] == list(range(len(found.data)))
    return np.array([each.embedding for each in found.data], dtype=np.float32)


async def test_a_text_and_a_list_of_texts_are_embedded(talk: Talk) -> None:
    both, one = await vectors_of(talk, input=["Hello", "you"]), await vectors_of(talk, input="Hello")
    assert both.shape == (2, 8)
    np.testing.assert_array_equal(both[0], one[0])
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 1, rtol=1e-6)


async def test_token_ids_stand_for_the_text_they_are_of(talk: Talk) -> None:
    text = await vectors_of(talk, input=["Hello", "you"])
    np.testing.assert_array_equal(await vectors_of(talk, input=[[*b"Hello"], [*b"you"]]), text)
    np.testing.assert_array_equal(await vectors_of(talk, input=[*b"Hello"]), text[:1])
    assert "9999" in (await talk.refused(PATH, input=[9999]))["message"]


async def test_vectors_in_base64_are_the_same_numbers(talk: Talk) -> None:
    found = (await talk.post(PATH, input="Hello", encoding_format="base64")).json()
    numbers = np.frombuffer(base64.b64decode(found["data"][0]["embedding"]), "<f4")
    np.testing.assert_array_equal(numbers, (await vectors_of(talk, input="Hello"))[0])


async def test_usage_is_what_the_model_computes(talk: Talk) -> None:
    usage = (await talk.post(PATH, input=["Hello", "you"])).json()["usage"]
    assert usage == {"prompt_tokens": 10, "total_tokens": 10}  # with what begins each


@given(dimensions=st.integers(1, 8))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_fewer_dimensions_are_the_first_ones_at_length_one(talk: Talk, dimensions: int) -> None:
    whole, cut = await vectors_of(talk, input="Hello"), await vectors_of(talk, input="Hello", dimensions=dimensions)
    assert cut.shape == (1, dimensions)
    expected = whole[0, :dimensions]
    np.testing.assert_allclose(cut[0], expected / np.linalg.norm(expected), rtol=1e-5)


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("dimensions", {"input": "x", "dimensions": 9}),
        ("input", {}),
        ("input", {"input": []}),
        ("input[0]", {"input": [{}]}),
        ("encoding_format", {"input": "x", "encoding_format": "hex"}),
    ],
)
async def test_what_cannot_be_done_is_refused_by_its_name(talk: Talk, param: str, body: dict[str, Any]) -> None:
    assert (await talk.refused(PATH, **body))["param"] == param


async def test_nothing_is_not_embedded(talk: Talk) -> None:
    assert "empty" in (await talk.refused(PATH, input=["x", ""]))["message"]


async def test_the_official_client_is_answered(talk: Talk) -> None:
    async with on_a_socket(talk.app) as client:  # asks for base64
        found = await client.embeddings.create(model="small", input=["Hello", "you"])
        assert len(found.data[1].embedding) == 8
