"""The same voice agent with pipecat: its service for OpenAI's Realtime API, and this machine behind it.

pip install "sauropod[llama,speech,server]" "pipecat-ai[openai,local]"
sauropod serve &
python examples/pipecat_agent.py
"""

import asyncio

from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import LLMRunFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.transports.local.audio import LocalAudioTransport, LocalAudioTransportParams


async def get_weather(params: FunctionCallParams) -> None:
    await params.result_callback({"weather": "18 degrees and sun"})


async def main() -> None:
    weather = FunctionSchema("get_weather", "Get the weather in a city.", {"city": {"type": "string"}}, ["city"])
    service = OpenAIRealtimeLLMService(api_key="none", model="default", base_url="ws://127.0.0.1:8080/v1/realtime")
    service.register_function("get_weather", get_weather)
    context = LLMContext([{"role": "user", "content": "Hello."}], tools=ToolsSchema(standard_tools=[weather]))
    pair = LLMContextAggregatorPair(context)
    transport = LocalAudioTransport(LocalAudioTransportParams(audio_in_enabled=True, audio_out_enabled=True))
    task = PipelineTask(Pipeline([transport.input(), pair.user(), service, transport.output(), pair.assistant()]))
    await task.queue_frame(LLMRunFrame())
    await PipelineRunner().run(task)


if __name__ == "__main__":
    asyncio.run(main())
