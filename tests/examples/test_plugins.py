"""The example plug-ins, installed as distributions of their own and found through their entry points."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import anyio
import pytest

import sauropod
from sauropod import (
    Engine,
    Finished,
    Message,
    ReasoningDelta,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
)
from sauropod.abc import LoadOptions, Source
from sauropod.testing import check_language_model

pytestmark = pytest.mark.anyio

INSTALLED = {point.name for point in entry_points(group="sauropod.backends")}
needs_markov = pytest.mark.skipif("markov" not in INSTALLED, reason="examples/plugins/markov is not installed")
needs_chat = pytest.mark.skipif("openai_chat" not in INSTALLED, reason="examples/plugins/openai_chat is not installed")

CORPUS = "the cat sat on the mat and the dog sat on the cat and the cat sat on the dog\n" * 3


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(CORPUS)
    return path


@needs_markov
def test_the_markov_chain_keeps_the_contract_of_language_models(corpus: Path) -> None:
    from sauropod_markov import Markov

    check_language_model(lambda: Markov().load(Source(str(corpus)), LoadOptions()))


@needs_markov
async def test_the_markov_chain_is_an_engine_like_any_other(corpus: Path) -> None:
    async with Engine(f"markov:{corpus}") as engine:
        completion = await engine.complete("the cat", temperature=0, max_tokens=4)
        assert completion.text == " sat on the cat"
        texts = {(await engine.complete("the", seed=seed, max_tokens=6)).text for seed in range(5)}
        assert len(texts) > 1
        assert all(set(text.split()) <= set(CORPUS.split()) for text in texts)


@needs_markov
async def test_what_the_plug_in_says_of_a_missing_text_reaches_the_user(nothing_leaks: None) -> None:
    with pytest.raises(sauropod.ModelNotFound, match=r"nothing\.txt"):
        await Engine("markov:nothing.txt").open()


@needs_markov
async def test_a_cold_markov_chain_takes_what_is_likeliest(corpus: Path) -> None:
    async with Engine(f"markov:{corpus}") as engine:
        assert (await engine.complete("the cat", temperature=1e-5, max_tokens=3)).text == " sat on the"


@needs_markov
@pytest.mark.parametrize("content", [b"", b" \n", b"caf\xe9 au lait"])
def test_a_file_without_words_is_no_markov_chain(content: bytes, tmp_path: Path) -> None:
    from sauropod_markov import Markov

    (tmp_path / "corpus.txt").write_bytes(content)
    with pytest.raises(sauropod.UnsupportedModel, match=r"corpus\.txt"):
        Markov().load(Source(str(tmp_path / "corpus.txt")), LoadOptions())


class ChatServer(ThreadingHTTPServer):
    """Speaks enough of the protocol to be asked, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.status = 200
        self.endless = False
        self.body: bytes | None = None
        """What is answered instead of an answer."""
        self.left = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(self.server.status)
        self.end_headers()
        if self.server.status != 200:
            self.wfile.write(b'{"error": {"message": "no, because"}}')
            return
        if self.server.body is not None:
            self.wfile.write(self.server.body)
            return
        try:
            while True:
                for word in ("Paris", " it", " is"):
                    self._event({"choices": [{"index": 0, "delta": {"content": word}}]})
                if not self.server.endless:
                    break
        except OSError:
            self.server.left.set()
            return
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self._event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, data: object) -> None:
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def engine_at(server: ChatServer) -> Engine:
    return Engine("openai_chat:some-model", options={"base_url": f"http://127.0.0.1:{server.server_port}/v1"})


@needs_chat
async def test_a_remote_model_is_an_engine_like_any_other(server: ChatServer) -> None:
    call = ToolCall("clock", {"zone": "UTC"}, id="call_1")
    conversation = [Message.user("Time?"), Message.assistant(tool_calls=[call]), Message.tool("noon", call=call)]
    async with engine_at(server) as engine:
        stream = engine.stream(conversation, temperature=0.5, stop="x", max_tokens=9)
        events = [event async for event in stream]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Paris", " it", " is"]
    assert isinstance(events[-1], Finished)
    assert stream.completion.text == "Paris it is"
    assert stream.completion.usage == sauropod.Usage(7, 0, 3)
    asked = server.asked[0]
    assert (asked["model"], asked["temperature"], asked["stop"], asked["max_tokens"]) == ("some-model", 0.5, ["x"], 9)
    assert asked["messages"][1]["tool_calls"][0]["function"] == {"name": "clock", "arguments": '{"zone": "UTC"}'}
    assert asked["messages"][2]["tool_call_id"] == "call_1"


@needs_chat
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_leaving_the_stream_closes_the_connection(server: ChatServer) -> None:
    """httpx leaves its own generators to the garbage collector, of which trio warns; it is made to do so in here."""
    server.endless = True
    async with engine_at(server) as engine:
        async with engine.stream("Hi") as stream:
            await anext(stream)
        with anyio.fail_after(20):
            assert await anyio.to_thread.run_sync(server.left.wait, 20)
    gc.collect()


@needs_chat
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, sauropod.ModelNotFound),
        (400, sauropod.RequestError),
        (408, sauropod.BackendError),
        (429, sauropod.BackendError),
        (500, sauropod.BackendError),
    ],
)
async def test_the_servers_refusals_are_typed(status: int, error: type[Exception], server: ChatServer) -> None:
    server.status = status
    async with engine_at(server) as engine:
        with pytest.raises(error, match="no, because"):
            await engine.complete("Hi")


def said(text: str, **ending: object) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': text}, **ending}]})}\n\n".encode()


@needs_chat
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>Welcome!</html>", "broke off"),
        (b'{"choices": []}', "broke off"),
        (said("half an ans"), "broke off"),
        (said("half an ans") + b"data: [DONE]\n\n", "broke off"),
        (said("half an ans") + b'data: {"error": {"message": "out of memory"}}\n\n', "out of memory"),
        (said("half an ans", finish_reason="content_filter"), "content_filter"),
        (b"data: {half\n\n", "no chat completion: {half"),
        (b"data: []\n\n", "no chat completion"),
        (b'data: {"choices": [{"index": 1, "delta": {"content": "x"}}]}\n\n', "no chat completion"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_what_is_no_whole_answer_is_an_error(body: bytes, told: str, server: ChatServer) -> None:
    """Of httpx's generators, see above."""
    server.body = body
    async with engine_at(server) as engine:
        with pytest.raises(sauropod.BackendError, match=told):
            await engine.complete("Hi")
    gc.collect()


@needs_chat
async def test_an_answer_may_end_with_its_last_words(server: ChatServer) -> None:
    server.body = said("Paris", finish_reason="length").replace(b"data: ", b"data:") + b"data:[DONE]\n\n"
    async with engine_at(server) as engine:
        completion = await engine.complete("Hi")
    assert (completion.text, completion.stop_reason) == ("Paris", "max_tokens")


@needs_chat
async def test_what_the_protocol_cannot_carry_is_refused(server: ChatServer) -> None:
    async with engine_at(server) as engine:
        with pytest.raises(sauropod.UnsupportedInput, match="logprobs, top_k"):
            await engine.complete("Hi", top_k=3, logprobs=0)
        with pytest.raises(sauropod.UnsupportedInput, match="reasoning_budget, overflow"):
            await engine.complete("Hi", reasoning_budget=3, overflow="truncate")
    assert server.asked == []


@needs_chat
async def test_a_server_that_is_not_there_is_a_backend_error() -> None:
    async with Engine("openai_chat:m", options={"base_url": "http://127.0.0.1:1/v1"}) as engine:
        with pytest.raises(sauropod.BackendError, match="cannot be reached"):
            await engine.complete("Hi")


@needs_chat
async def test_raw_text_is_refused(server: ChatServer) -> None:
    async with engine_at(server) as engine:
        with pytest.raises(sauropod.UnsupportedInput, match="conversations"):
            await engine.complete("Hi", raw=True)


@needs_chat
async def test_a_grammar_that_the_plug_in_does_not_know_is_refused(server: ChatServer) -> None:
    async with engine_at(server) as engine:
        with pytest.raises(sauropod.UnsupportedInput, match="grammar of the kind regex"):
            await engine.complete("Hello", grammar=sauropod.Grammar.regex("a+"))


def delta(**delta: object) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n".encode()


def called(number: int, arguments: str, **more: object) -> bytes:
    function = {"arguments": arguments, **({"name": more.pop("name")} if "name" in more else {})}
    return delta(tool_calls=[{"index": number, "function": function, **more}])


CLOCK = Tool("clock", "Tells the time.", {"type": "object", "properties": {"zone": {"type": "string"}}})


@needs_chat
async def test_calls_and_thoughts_of_the_server_are_events_like_any_other(server: ChatServer) -> None:
    parts = [called(0, "", name="clock", id="call_7"), called(0, '{"zone"'), called(0, ': "UTC"}')]
    server.body = b"".join([delta(reasoning_content="Hm."), *parts, said("", finish_reason="tool_calls")])
    async with engine_at(server) as engine:
        stream = engine.stream("Time?", tools=[CLOCK, Tool("other")], tool_choice=CLOCK, parallel_tool_calls=False)
        events = [event async for event in stream]
    call = ToolCall("clock", {"zone": "UTC"}, "call_7")
    assert events[:-1] == [
        ReasoningDelta("Hm."),
        ToolCallOpened(0, "call_7", "clock"),
        ToolCallDelta(0, '{"zone"'),
        ToolCallDelta(0, ': "UTC"}'),
        ToolCallClosed(0, call),
    ]
    assert (stream.completion.tool_calls, stream.completion.reasoning) == ([call], "Hm.")
    asked = server.asked[0]
    assert [tool["function"]["name"] for tool in asked["tools"]] == ["clock", "other"]
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "clock"}}
    assert asked["parallel_tool_calls"] is False


@needs_chat
async def test_a_call_that_cannot_be_read_is_text_with_a_warning(server: ChatServer) -> None:
    server.body = called(0, "{zone", name="clock", id="1") + said("", finish_reason="tool_calls")
    async with engine_at(server) as engine:
        completion = await engine.complete("Time?", tools=[CLOCK])
    assert (completion.text, completion.tool_calls) == ("{zone", [])
    assert "no JSON object" in completion.choices[0].warnings[0]


@needs_chat
async def test_an_answer_is_held_to_a_schema_there_and_checked_here(server: ChatServer) -> None:
    server.body = said('{"city": "Oslo"}', finish_reason="stop")
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    async with engine_at(server) as engine:
        completion = await engine.complete("Where?", grammar=sauropod.Grammar.json_schema(schema))
        assert completion.text == '{"city": "Oslo"}'
        assert server.asked[0]["response_format"]["json_schema"]["schema"] == schema
        server.body = said('{"town": "Oslo"}', finish_reason="stop")
        with pytest.raises(sauropod.InvalidOutput, match="city"):
            await engine.complete("Where?", grammar=sauropod.Grammar.json_schema(schema))
