"""The same voice agent with livekit-agents: its plug-in for OpenAI's Realtime API, and this machine behind it.

pip install "sauropod[llama,speech,server]" livekit-agents livekit-plugins-openai
sauropod serve &
python examples/livekit_agent.py console
"""

from livekit.agents import Agent, AgentSession, JobContext, WorkerOptions, cli, function_tool
from livekit.plugins import openai


class Assistant(Agent):
    """Somebody who knows the weather."""

    def __init__(self) -> None:
        super().__init__(instructions="Answer in one sentence.")

    @function_tool
    async def get_weather(self, city: str) -> str:
        """Get the weather in a city."""
        return "18 degrees and sun"


async def entrypoint(context: JobContext) -> None:
    model = openai.realtime.RealtimeModel(
        base_url="http://127.0.0.1:8080/v1", api_key="none", model="default", voice="alloy"
    )
    await AgentSession(llm=model).start(Assistant(), room=context.room)


if __name__ == "__main__":
    cli.run_app(WorkerOptions(entrypoint_fnc=entrypoint))
