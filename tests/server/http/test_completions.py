"""/v1/completions, in process and by the official client over a socket."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types import Completion

from sauropod.server.wire.completions.request import CreateCompletion
from server.sdk import strict
from server.serving import fake
from server.talking import Talk, endless, on_a_socket, talking, until

pytestmark = pytest.mark.anyio

PATH = "/v1/completions"
SAYS = {"Once": " upon a time", "Hello": ", you"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with talking(small=fake(says=SAYS), babbling=fake(says={}, eos_rate=0.0), endless=endless()) as talk:
        yield talk


async def test_a_text_is_gone_on_with(talk: Talk) -> None:
    found = strict(Completion, (await talk.post(PATH, prompt="Once")).json())
    assert [(choice.text, choice.finish_reason) for choice in found.choices] == [(" upon a time", "stop")]
    assert found.model == "small"
    assert found.usage is not None
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (5, 12)


async def test_as_many_tokens_are_written_as_with_openai_where_nothing_is_said(talk: Talk) -> None:
    found = strict(Completion, (await talk.post(PATH, model="babbling", prompt="x")).json())
    assert found.usage is not None
    assert (found.usage.completion_tokens, found.choices[0].finish_reason) == (16, "length")


async def test_several_prompts_are_answered_in_their_order(talk: Talk) -> None:
    found = strict(Completion, (await talk.post(PATH, prompt=["Once", "Hello"], n=2, echo=True)).json())
    texts = [(choice.index, choice.text) for choice in found.choices]
    assert texts == list(enumerate(["Once upon a time"] * 2 + ["Hello, you"] * 2))


async def test_token_ids_are_the_models_own(talk: Talk) -> None:
    for prompt in ([257, *b"Once"], [[257, *b"Once"]]):
        assert (await talk.post(PATH, prompt=prompt)).json()["choices"][0]["text"] == " upon a time"
    echoed = await talk.post(PATH, prompt=[*b"Once"], echo=True)
    assert echoed.json()["choices"][0]["text"] == "Once upon a time"


async def test_a_stream_is_the_same_texts_in_pieces(talk: Talk) -> None:
    body: dict[str, Any] = {"model": "babbling", "prompt": ["a", "b"], "n": 2, "seed": 5, "logprobs": 2}
    whole = strict(Completion, (await talk.post(PATH, **body)).json())
    found = await talk.post(PATH, stream=True, stream_options={"include_usage": True}, **body)
    *events, done, end = found.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    pieces = [json.loads(event.removeprefix("data: ")) for event in events]
    assert [piece["usage"] is None for piece in pieces] == [*[True] * (len(pieces) - 1), False]
    texts: dict[int, str] = defaultdict(str)
    tables: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for choice in (choice for piece in pieces for choice in piece["choices"]):
        texts[choice["index"]] += choice["text"]
        for name, values in (choice["logprobs"] or {}).items():
            tables[choice["index"]][name] += values
    for choice in whole.choices:
        assert choice.text == texts[choice.index]
        assert choice.logprobs is not None
        assert choice.logprobs.model_dump() == tables[choice.index]
    assert whole.usage is not None
    assert pieces[-1]["usage"]["total_tokens"] == whole.usage.total_tokens


async def test_log_probabilities_say_where_their_tokens_begin(talk: Talk) -> None:
    found = await talk.post(PATH, prompt="Once", logprobs=1)
    (logprobs,) = [choice.logprobs for choice in strict(Completion, found.json()).choices]
    assert logprobs is not None
    assert logprobs.tokens == list(" upon a time")
    assert logprobs.text_offset == list(range(12))
    assert logprobs.top_logprobs is not None
    assert len(logprobs.top_logprobs[0]) == 2


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("suffix", {"suffix": "end"}),
        ("best_of", {"best_of": 3}),
        ("echo", {"echo": True, "logprobs": 1}),
        ("prompt", {"prompt": []}),
        ("prompt[1]", {"prompt": ["a", 5]}),
        ("prompt", {"prompt": "x" * 5000}),
        ("max_tokens", {"max_tokens": 0}),
    ],
)
async def test_what_cannot_be_done_is_refused_by_its_name(talk: Talk, param: str, body: dict[str, Any]) -> None:
    assert (await talk.refused(PATH, **{"prompt": "x", **body}))["param"] == param


async def test_the_official_client_is_answered(talk: Talk) -> None:
    async with on_a_socket(talk.app) as client:
        stream = await client.completions.create(model="small", prompt="Once", stream=True)
        assert "".join([piece.choices[0].text async for piece in stream]) == " upon a time"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_frees_its_slots(talk: Talk, stream: bool) -> None:
    body = {"model": "endless", "prompt": ["a", "b"], "stream": stream, "max_tokens": 1_000_000}
    async with on_a_socket(talk.app) as client, httpx.AsyncClient(base_url=str(client.base_url)) as http:
        async with anyio.create_task_group() as asking:
            asking.start_soon(partial(http.post, "completions", json=body))
            await until(lambda: talk.works_on("endless") > 0)
            asking.cancel_scope.cancel()
        await until(lambda: not talk.works_on("endless"))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [name for name in CreateCompletion.__struct_fields__ if name not in ("model", "stream")]
ASKED = st.builds(
    lambda body: {"max_tokens": 1, "prompt": "x", **body}, st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3)
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=20) | JSON | ASKED)
async def test_whatever_is_sent_is_answered_or_refused(talk: Talk, body: Any) -> None:
    found = await talk.http.post(PATH, content=body if isinstance(body, bytes) else json.dumps(body).encode())
    assert found.status_code in (200, 400), found.text
