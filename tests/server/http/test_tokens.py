"""/tokenize and /detokenize."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.serving import fake
from server.talking import Talk, talking

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with talking(small=fake(says={})) as talk:
        yield talk


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(), special=st.booleans())
async def test_the_tokens_of_a_text_are_that_text(talk: Talk, text: str, special: bool) -> None:
    found = (await talk.post("/tokenize", content=text, add_special=special)).json()
    assert found == {"tokens": [257] * special + list(text.encode())}
    assert (await talk.post("/detokenize", **found)).json() == {"content": text}


async def test_input_is_another_name_of_content(talk: Talk) -> None:
    assert (await talk.post("/tokenize", model="small", input="ab")).json() == {"tokens": [97, 98]}


@pytest.mark.parametrize(
    ("path", "param", "body"),
    [
        ("/tokenize", "content", {}),
        ("/tokenize", "input", {"content": "a", "input": "a"}),
        ("/tokenize", "content", {"content": 5}),
        ("/detokenize", "tokens", {}),
        ("/detokenize", "tokens[0]", {"tokens": [-1]}),
        ("/detokenize", None, {"tokens": [9999]}),
    ],
)
async def test_what_is_wrong_is_refused(talk: Talk, path: str, param: str | None, body: dict[str, Any]) -> None:
    assert (await talk.refused(path, **body))["param"] == param
