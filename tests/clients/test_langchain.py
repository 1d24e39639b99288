"""langchain-openai, with both APIs."""

from __future__ import annotations

import pytest

langchain_openai = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed: nox -s clients")

from langchain_core.messages import HumanMessage, ToolMessage  # noqa: E402
from langchain_core.tools import tool  # noqa: E402
from langchain_openai import ChatOpenAI, OpenAIEmbeddings  # noqa: E402
from pydantic import BaseModel  # noqa: E402

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


@tool
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"18 degrees in {city}"


def chat(url: str, model: str, responses: bool) -> ChatOpenAI:
    return ChatOpenAI(
        model=model, base_url=url, api_key="none", use_responses_api=responses, max_tokens=200, max_retries=0
    )


@pytest.mark.parametrize("responses", [True, False])
async def test_a_question_is_answered(url: str, responses: bool) -> None:
    assert (await chat(url, "fake", responses).ainvoke("Hello")).text == "Hello there, how are you?"


@pytest.mark.parametrize("responses", [True, False])
async def test_an_answer_comes_as_it_is_written(url: str, responses: bool) -> None:
    texts = [chunk.text async for chunk in chat(url, "fake", responses).astream("Hello")]
    assert "".join(texts) == "Hello there, how are you?"
    assert len([text for text in texts if text]) > 1


@pytest.mark.parametrize("responses", [True, False])
async def test_a_tool_is_called_and_its_result_told(url: str, responses: bool) -> None:
    model = chat(url, "fake", responses).bind_tools([get_weather])
    question = HumanMessage("What is the weather in Paris?")
    asked = await model.ainvoke([question])
    (call,) = asked.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Paris"})
    told = await model.ainvoke([question, asked, ToolMessage("18 degrees", tool_call_id=call["id"])])
    assert told.text == "It is 18 degrees."


@pytest.mark.parametrize("responses", [True, False])
async def test_an_answer_has_the_form_that_is_asked_for(url: str, responses: bool) -> None:
    model = chat(url, "demo", responses).with_structured_output(Person)
    assert isinstance(await model.ainvoke("Turn this into JSON: Ada is 36 years old."), Person)


async def test_texts_become_vectors(url: str) -> None:
    embeddings = OpenAIEmbeddings(model="demo", base_url=url, api_key="none", check_embedding_ctx_length=False)
    first, second = await embeddings.aembed_documents(["One.", "Two."])
    assert len(first) == len(second) > 0
