"""The same voice agent through the official client: OpenAI's Realtime API, served on this machine.

pip install "sauropod[llama,speech,server,audio]" openai
sauropod serve &
python examples/realtime_client.py
"""

import base64

import anyio
import numpy as np
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeFunctionToolParam

from sauropod import Microphone, Player

RATE = 24_000
WEATHER: RealtimeFunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


async def listen(connection: AsyncRealtimeConnection, microphone: Microphone) -> None:
    async for frame in microphone:
        pcm = (np.clip(frame.samples, -1, 1) * 32767).astype("<i2").tobytes()
        await connection.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())


async def main() -> None:
    client = AsyncOpenAI(base_url="http://127.0.0.1:8080/v1", api_key="none")
    async with (
        client.realtime.connect(model="default") as connection,
        Microphone(rate=RATE) as microphone,
        anyio.create_task_group() as tasks,
    ):
        await connection.session.update(
            session={
                "type": "realtime",
                "tools": [WEATHER],
                "audio": {"input": {"transcription": {"model": "default"}}},
            }
        )
        tasks.start_soon(listen, connection, microphone)
        with Player(RATE) as player:
            async for event in connection:
                if event.type == "response.output_audio.delta":
                    samples = np.frombuffer(base64.b64decode(event.delta), "<i2").astype(np.float32) / 32768
                    await anyio.to_thread.run_sync(player.write, samples)
                elif event.type == "conversation.item.input_audio_transcription.completed":
                    print(">", event.transcript)
                elif event.type == "response.output_audio_transcript.done":
                    print(event.transcript)
                elif event.type == "response.function_call_arguments.done":
                    await connection.conversation.item.create(
                        item={"type": "function_call_output", "call_id": event.call_id, "output": "18 degrees and sun"}
                    )
                    await connection.response.create()


anyio.run(main)
