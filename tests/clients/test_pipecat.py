"""pipecat's service for OpenAI's Realtime API: a spoken question, answered with a tool, in a pipeline."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pipecat", reason="pipecat-ai is not installed: nox -s clients")

from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import Frame, InputAudioRawFrame, LLMRunFrame, TTSAudioRawFrame, TTSTextFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.realtime.events import SessionProperties
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService

from sauropod.testing import speech_of
from server.serving import Listening

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]

RATE = 24_000
BLOCK = 480


class Ears(FrameProcessor):  # type: ignore[misc]
    """What comes out of the pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.audio, self.answered = "", 0, asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSTextFrame):
            self.text += frame.text
        if isinstance(frame, TTSAudioRawFrame):
            self.audio += len(frame.audio) // 2
        if "18 degrees." in self.text and self.audio > 0.3 * RATE:
            self.answered.set()
        await self.push_frame(frame, direction)


async def test_a_spoken_question_is_answered_with_a_tool(talker: Listening) -> None:
    called: list[Any] = []

    async def get_weather(params: Any) -> None:
        called.append(dict(params.arguments))
        await params.result_callback({"weather": "18 degrees in Paris"})

    weather = FunctionSchema("get_weather", "Get the weather in a city.", {"city": {"type": "string"}}, ["city"])
    service = OpenAIRealtimeLLMService(
        api_key="none",
        model="fake",
        base_url=f"ws://127.0.0.1:{talker.port}/v1/realtime",
        session_properties=SessionProperties(),
    )
    service.register_function("get_weather", get_weather)
    context = LLMContext([{"role": "user", "content": "Stop it now."}], tools=ToolsSchema(standard_tools=[weather]))
    pair, ears = LLMContextAggregatorPair(context), Ears()
    task = PipelineTask(
        Pipeline([pair.user(), service, ears, pair.assistant()]),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
    )

    async def speak() -> None:
        samples = np.concatenate([np.zeros(RATE, np.float32), speech_of("What is the weather in Paris?", RATE)])
        pcm = np.round(np.concatenate([samples, np.zeros(RATE, np.float32)]) * 32767).astype("<i2")
        await task.queue_frame(LLMRunFrame())  # tells the service its context, and so its tools
        for at in range(0, len(pcm), BLOCK):
            await task.queue_frame(InputAudioRawFrame(pcm[at : at + BLOCK].tobytes(), RATE, 1))
            await asyncio.sleep(BLOCK / RATE)
        await ears.answered.wait()

    async def hold() -> None:
        try:
            await asyncio.wait_for(speak(), 20)
        finally:
            await task.cancel()

    await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), hold())
    assert called == [{"city": "Paris"}]
    assert ears.text.strip().endswith("It is 18 degrees.")
