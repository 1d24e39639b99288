"""A voice agent with a tool: talk to it through microphone and loudspeaker, and interrupt it.

pip install "sauropod[llama,speech,audio]"
python examples/voice_agent.py
"""

import anyio

import sauropod
from sauropod import Microphone, Player, ReplyAudio, ReplyFinished, SaidItem, UserSaid


def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return "18 degrees and sun"


async def listen(session: sauropod.Session, microphone: Microphone) -> None:
    async for frame in microphone:
        await session.send(frame)


async def main() -> None:
    async with (
        sauropod.Engine("demo") as engine,
        sauropod.Voice("demo") as voice,
        sauropod.Transcriber("demo") as ears,
        sauropod.Session(engine, voice=voice, transcriber=ears, tools=[get_weather]) as session,
        Microphone() as microphone,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listen, session, microphone)
        with Player(voice.info.sample_rate) as player:
            async for event in session:
                match event:
                    case UserSaid(item):
                        print(">", item.text)
                    case ReplyAudio(_, _, frame):
                        await anyio.to_thread.run_sync(player.write, frame.samples)
                    case ReplyFinished(reply):
                        print(*(item.text for item in reply.items if isinstance(item, SaidItem)))


anyio.run(main)
