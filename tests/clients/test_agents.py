"""openai-agents: function tools, handoffs, structured output, streaming, and sessions, over Responses and chat."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

agents = pytest.importorskip("agents", reason="openai-agents is not installed: nox -s clients")

from agents import (  # noqa: E402
    Agent,
    Model,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIConversationsSession,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    function_tool,
)
from openai import AsyncOpenAI  # noqa: E402
from pydantic import BaseModel  # noqa: E402

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]

QUIET = RunConfig(tracing_disabled=True)


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


@function_tool
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"18 degrees in {city}"


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=url, api_key="none") as client:
        yield client


def models(client: AsyncOpenAI, name: str) -> list[Model]:
    return [OpenAIResponsesModel(name, client), OpenAIChatCompletionsModel(name, client)]


async def test_a_function_is_called_and_its_result_told(client: AsyncOpenAI) -> None:
    for model in models(client, "fake"):
        agent = Agent("assistant", model=model, tools=[get_weather])
        result = await Runner.run(agent, "What is the weather in Paris?", run_config=QUIET)
        assert result.final_output == "It is 18 degrees."


async def test_an_answer_comes_as_it_is_written(client: AsyncOpenAI) -> None:
    for model in models(client, "fake"):
        result = Runner.run_streamed(Agent("assistant", model=model), "Hello", run_config=QUIET)
        deltas = [
            event.data.delta
            async for event in result.stream_events()
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
        ]
        assert "".join(deltas) == result.final_output == "Hello there, how are you?"
        assert len(deltas) > 1


async def test_an_answer_has_the_form_that_is_asked_for(client: AsyncOpenAI) -> None:
    for model in models(client, "demo"):
        agent = Agent("assistant", model=model, output_type=Person, model_settings=ModelSettings(max_tokens=60))
        result = await Runner.run(agent, "Turn this into JSON: Ada is 36 years old.", run_config=QUIET)
        assert isinstance(result.final_output, Person)


async def test_one_agent_hands_over_to_another(client: AsyncOpenAI) -> None:
    for model in models(client, "demo"):
        poet = Agent("poet", model=model, handoff_description="Writes poems.")
        desk = Agent(
            "desk", model=model, handoffs=[poet], model_settings=ModelSettings(tool_choice="required", max_tokens=60)
        )
        result = await Runner.run(desk, "What is the capital of France?", run_config=QUIET)
        assert result.last_agent is poet


async def test_a_session_is_kept_in_a_conversation(client: AsyncOpenAI) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    agent = Agent("assistant", model=OpenAIResponsesModel("fake", client))
    await Runner.run(agent, "Hello", session=session, run_config=QUIET)
    result = await Runner.run(agent, "think", session=session, run_config=QUIET)
    assert result.final_output == "So it is."
    items = await session.get_items()
    assert len(items) == 5
