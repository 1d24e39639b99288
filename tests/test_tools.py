"""Tools, thoughts and types over llama.cpp: what a model writes that has learned nothing, and is held to it all."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
import jsonschema
import pytest

import sauropod
from answers import heard
from sauropod import (
    Engine,
    Grammar,
    InvalidGrammar,
    InvalidOutput,
    Message,
    PromptTooLong,
    StopReason,
    Tool,
    ToolChoice,
    UnsupportedInput,
)
from workers import kill_worker

pytestmark = pytest.mark.anyio

TEMPLATES = Path(__file__).parent / "templates"
FORMS = (
    *("qwen3", "qwen3-coder", "gemma-4", "mistral-v13", "llama-3.2-pythonic", "gpt-oss", "command-r", "kimi-k2.6"),
    *("glm-4.5", "minimax-m2", "deepseek-v3.1", "llama-3.1", "functionary-3.1", "plain"),
)

ORDER = Tool(
    "order",
    "Orders something.",
    {
        "type": "object",
        "properties": {
            "what": {"enum": ["tea", "green tea"]},
            "count": {"type": "integer", "minimum": 1, "maximum": 99},
            "hot": {"type": "boolean"},
            "note": {"type": "string", "maxLength": 6},
            "with": {"type": "array", "items": {"enum": ["milk", "sugar"]}, "maxItems": 2},
        },
        "required": ["what", "count", "note"],
        "additionalProperties": False,
    },
)
OTHER = Tool("other", "Does something else.", {"type": "object", "properties": {}, "additionalProperties": False})


def template(name: str) -> str:
    return (TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8")


@pytest.fixture
async def engine(tiny_model: Path, nothing_leaks: None) -> AsyncIterator[Engine]:
    async with Engine(tiny_model, context_length=2048, slots=4, threads=1, isolation="thread") as engine:
        yield engine


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("form", FORMS)
async def test_a_call_is_made_in_the_form_of_any_template_and_its_result_told(form: str, tiny_model: Path) -> None:
    async with Engine(tiny_model, chat_template=template(form), isolation="thread", threads=1, slots=2) as engine:
        question = Message.user("Some tea?")
        options: dict[str, Any] = {"parallel_tool_calls": False, "temperature": 1, "reasoning_budget": 4, "seed": 3}
        stream = engine.stream([question], tools=[ORDER, OTHER], tool_choice=ORDER, max_tokens=300, **options)
        events = [event async for event in stream]
        completion = stream.completion
        assert completion.stop_reason is StopReason.EOS
        found = heard(events[:-1])
        assert (found.text, found.calls) == (completion.text, list(completion.tool_calls))
        (call,) = completion.tool_calls
        assert call.name == "order"
        jsonschema.validate(dict(call.arguments), ORDER.parameters)
        told = [question, completion.message, Message.tool("done", call=call)]
        answer = await engine.complete(told, tools=[ORDER, OTHER], max_tokens=5)
        assert answer.context is not None
        assert answer.context.kept_messages == 3


async def test_only_one_call_is_made_where_only_one_may(engine: Engine) -> None:
    for seed in range(3):
        completion = await engine.complete(
            "Tea?", tools=[OTHER], tool_choice="required", parallel_tool_calls=False, seed=seed, max_tokens=100
        )
        assert [call.name for call in completion.tool_calls] == ["other"]


async def test_of_an_allowed_set_nothing_else_is_called(engine: Engine) -> None:
    choice = ToolChoice("required", ["other"])
    completion = await engine.complete("Tea?", tools=[ORDER, OTHER], tool_choice=choice, max_tokens=200)
    assert {call.name for call in completion.tool_calls} == {"other"}


async def test_with_no_choice_there_is_no_call(engine: Engine) -> None:
    completion = await engine.complete("Tea?", tools=[ORDER], tool_choice="none", max_tokens=20)
    assert completion.tool_calls == ()


async def test_texts_with_calls_are_told_apart(engine: Engine) -> None:
    stream = engine.stream("Tea?", tools=[OTHER], tool_choice="required", n=3, temperature=1, max_tokens=200)
    events = [event async for event in stream]
    for index, choice in enumerate(stream.completion.choices):
        own = [event for event in events[:-1] if getattr(event, "index", None) == index]
        assert heard(own).calls == list(choice.tool_calls)
        assert choice.tool_calls


async def test_a_tool_whose_schema_cannot_be_held_is_named_and_disturbs_nobody(engine: Engine) -> None:
    bad = Tool("bad", "", {"type": "object", "properties": {"a": {"not": {"type": "string"}}}})
    async with anyio.create_task_group() as group:
        group.start_soon(_ask, engine)
        with pytest.raises(InvalidGrammar, match=r"the tool 'bad'.*not.*strict=False"):
            await engine.complete("Tea?", tools=[ORDER, bad])
    lenient = Tool("bad", "", bad.parameters, strict=False)
    completion = await engine.complete("Tea?", tools=[lenient], tool_choice="required", max_tokens=3)
    assert completion.usage.completion_tokens == 3


async def _ask(engine: Engine) -> None:
    assert (await engine.complete("Hello", max_tokens=30, ignore_eos=True)).usage.completion_tokens == 30


DEEP: dict[str, Any] = {}
for _ in range(10_000):
    DEEP = {"properties": {"a": DEEP}}

HOSTILE: dict[str, dict[str, Any]] = {
    "nested a thousand times": {"properties": {"a": {"items": DEEP}}},
    "a pattern that explodes": {"properties": {"a": {"type": "string", "pattern": "(a{1,1000}){1,1000}"}}},
    "huge lists": {"properties": {"a": {"type": "array", "items": {"type": "integer"}, "minItems": 10**9}}},
    "refers to itself": {"$ref": "#"},
    "endless references": {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"$ref": "#/$defs/x"}}},
    "many values": {"properties": {"a": {"enum": [f"value number {number}" for number in range(60_000)]}}},
    "no schema": {"properties": 5},
    "no type": {"type": "object", "properties": {"a": {"type": "strng"}}},
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_tool_costs_little_and_holds_nobody_up(name: str, engine: Engine) -> None:
    try:
        tool = Tool("bad", "", HOSTILE[name])
    except UnsupportedInput:
        return  # too deep to be written down at all
    await engine.complete("Hello", tools=[OTHER], max_tokens=1)  # the tokenizer of grammars is made once
    began = time.monotonic()
    gaps: list[float] = []
    async with anyio.create_task_group() as group:

        async def listen() -> None:
            last = time.monotonic()
            async for _ in engine.stream("Hello", max_tokens=60, ignore_eos=True):
                now = time.monotonic()
                gaps.append(now - last)
                last = now

        group.start_soon(listen)
        with contextlib.suppress(InvalidGrammar, PromptTooLong):
            await engine.complete("Tea?", tools=[tool], tool_choice="required", max_tokens=5)
        spent = time.monotonic() - began
    assert spent < 5  # 1 is meant; what is above is for a busy machine
    assert sorted(gaps)[int(len(gaps) * 0.9)] < 0.5


# -- thoughts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["qwen3-thinking", "deepseek-r1", "ministral", "gpt-oss"])
async def test_thoughts_end_when_their_budget_is_spent(form: str, tiny_model: Path, nothing_leaks: None) -> None:
    async with Engine(tiny_model, chat_template=template(form), isolation="thread", threads=1) as engine:
        open_, answer = "", Grammar.choice(["yes", "no"])
        assert engine.info.syntax is not None
        assert engine.info.syntax.reasoning is not None
        if not any(engine.info.syntax.reasoning.open in prefill for prefill in engine.info.syntax.prefills):
            open_ = engine.info.syntax.reasoning.open
        completion = await engine.complete(
            "Is it?", grammar=answer, reasoning_budget=20, temperature=1, seed=5, max_tokens=200
        )
        assert completion.text in ("yes", "no")
        if not open_:  # the model is in the middle of thoughts, which it ends at once or not
            assert completion.reasoning
        assert completion.usage.reasoning_tokens <= 20 + 12
        again = await engine.complete("Is it?", grammar=answer, reasoning_budget=0, max_tokens=200)
        assert (again.reasoning, again.usage.reasoning_tokens) == (None, 0)
        assert again.text in ("yes", "no")


async def test_without_a_budget_thoughts_go_on_to_the_end(tiny_model: Path, nothing_leaks: None) -> None:
    async with Engine(tiny_model, chat_template=template("qwen3-thinking"), isolation="thread", threads=1) as engine:
        completion = await engine.complete("Is it?", max_tokens=60, ignore_eos=True, seed=1)
    assert completion.text == ""
    assert completion.reasoning
    assert completion.usage.reasoning_tokens == completion.usage.completion_tokens == 60


@pytest.mark.skipif(sys.platform == "win32", reason="kills processes by signal")
@pytest.mark.parametrize("killed_after", [3, 20, 45])
async def test_thoughts_and_calls_that_are_held_go_on_in_a_new_worker(killed_after: int, tiny_model: Path) -> None:
    """With what was left of the budget, and where the grammar was."""
    asked: Any = {"tools": [ORDER], "tool_choice": "required", "parallel_tool_calls": False, "max_tokens": 300}
    asked |= {"reasoning_budget": 12, "temperature": 1, "seed": 3}
    async with Engine(tiny_model, chat_template=template("qwen3-thinking"), device="cpu", threads=1) as engine:
        whole = await engine.complete("Tea?", **asked)
        async with engine.stream("Tea?", **asked) as stream:
            events = 0
            async for _ in stream:
                events += 1
                if events == killed_after:
                    kill_worker(engine)
        again = stream.completion
    assert len(whole.tool_calls) == 1
    assert again.tokens == whole.tokens
    assert again.usage.reasoning_tokens == whole.usage.reasoning_tokens
    assert [call.arguments for call in again.tool_calls] == [call.arguments for call in whole.tool_calls]


# -- types -------------------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    certain: bool
    what: Literal["tea", "milk"]
    count: int | None = None


@pytest.mark.parametrize("type_", [Answer, bool, Literal["a", "b"], list[Literal[1, 2]] | None])
async def test_an_answer_is_an_instance_of_what_was_asked_for(type_: Any, engine: Engine) -> None:
    for seed in range(3):
        stream = engine.stream("So?", returns=type_, seed=seed, temperature=1, max_tokens=60)
        async for _ in stream:
            pass
        if stream.completion.stop_reason is StopReason.MAX_TOKENS:
            continue
        value = stream.value
        match type_:
            case type():
                assert isinstance(value, type_)
            case _:
                assert value in ("a", "b", None) or isinstance(value, list)


async def test_an_answer_that_was_cut_off_is_none_and_says_so(engine: Engine) -> None:
    with pytest.raises(InvalidOutput, match=r"max_tokens was reached after 3 tokens") as raised:
        await engine.complete("So?", returns=Answer, max_tokens=3)
    assert raised.value.truncated
    assert raised.value.text.startswith('{"')
    stream = engine.stream("So?", returns=Answer, max_tokens=3)
    assert [event async for event in stream][-1] == sauropod.Finished(stream.completion)
    with pytest.raises(InvalidOutput):
        _ = stream.value


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"returns": complex}, "complex"),
        ({"returns": Answer, "grammar": Grammar.json_object()}, "grammar"),
        ({"returns": Answer, "n": 2}, "n is 2"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused(options: dict[str, Any], told: str, engine: Engine) -> None:
    with pytest.raises(UnsupportedInput, match=told):
        await engine.complete("So?", **options)


# -- conversations -----------------------------------------------------------------------------------------------------


async def test_a_long_conversation_goes_on_and_says_what_it_forgot(tiny_model: Path, nothing_leaks: None) -> None:
    async with Engine(tiny_model, context_length=1024, slots=1, isolation="thread", threads=1) as engine:
        talk: list[Message] = [Message.system("Be kind.")]
        ledgers = []
        for turn in range(30):
            talk.append(Message.user(f"Tell me something about dinosaurs, number {turn}."))
            answer = await engine.complete(talk, overflow="truncate", max_tokens=24, ignore_eos=True)
            assert answer.context is not None
            ledgers.append(answer.context)
            talk.append(answer.message)
    assert ledgers[0].dropped_messages == 0
    assert ledgers[-1].dropped_messages > 0
    assert all(each.kept_tokens <= 1024 - 24 for each in ledgers)
    assert all(each.dropped_messages % 2 == 0 for each in ledgers)
    assert sum(each.cached_tokens > each.kept_tokens // 2 for each in ledgers) >= len(ledgers) // 2


async def test_a_model_without_tools_in_its_template_says_so_and_calls_them(
    tiny_model: Path, nothing_leaks: None
) -> None:
    async with Engine(tiny_model, chat_template=template("plain"), isolation="thread", threads=1) as engine:
        assert engine.info.syntax is not None
        assert engine.info.syntax.calls is not None
        assert engine.info.syntax.calls.origin == "generic"
        completion = await engine.complete("Tea?", tools=[OTHER], tool_choice="required", max_tokens=100)
        assert completion.tool_calls[0].name == "other"
        with_tools = await engine.count_tokens("Tea?", tools=[OTHER])
        assert with_tools > await engine.count_tokens("Tea?") + 20


FENCE = """You are Dino.{% if tools and tools != "[]" %}
# Tools
{{ tools | tojson }}
To call one, write:
```tool_call
{"name": <name>, "arguments": <arguments>}
```{% endif %}"""


async def test_a_system_prompt_may_tell_of_tools_and_ask_for_a_fence(tiny_model: Path, nothing_leaks: None) -> None:
    async with Engine(tiny_model, system_prompt=FENCE, isolation="thread", threads=1) as engine:
        assert engine.info.syntax is not None
        assert engine.info.syntax.calls is not None
        assert engine.info.syntax.calls.head == "```tool_call\n"
        called = await engine.complete(
            "Tea?", tools=[ORDER], tool_choice="required", parallel_tool_calls=False, max_tokens=300, seed=1
        )
        told = [Message.user("Tea?"), called.message, Message.tool("done", call=called.tool_calls[0])]
        assert (await engine.complete(told, tools=[ORDER], max_tokens=5)).usage.completion_tokens


def calls_in(messages: Sequence[Message]) -> int:
    return sum(len(message.tool_calls) for message in messages)


async def test_a_run_over_a_model_that_has_learned_nothing_ends_all_the_same(engine: Engine) -> None:
    def order(what: Literal["tea", "milk"], count: Literal[1, 2]) -> str:
        """Order something."""
        return f"{count} {what}"

    options: Any = {"parallel_tool_calls": False, "max_rounds": 3, "max_tokens": 80, "seed": 2}
    result = await engine.run("Tea?", tools=[order], tool_choice="required", **options)
    assert result.stop in ("rounds", "answer", "truncated")
    assert result.messages[2].content in ("1 tea", "2 tea", "1 milk", "2 milk")
    assert calls_in(result.messages) == sum(message.role == "tool" for message in result.messages)


async def test_a_run_with_a_type_has_an_instance_or_says_why_not(engine: Engine) -> None:
    def order(what: Literal["tea", "milk"]) -> str:
        """Order something."""
        return what

    @dataclass
    class Bill:
        sum: Literal[3, 4]

    options: Any = {"parallel_tool_calls": False, "max_tokens": 60, "seed": 1}
    result = await engine.run("Tea?", tools=[order], returns=Bill, tool_choice="none", **options)
    assert result.value in (Bill(3), Bill(4))
    result = await engine.run("Tea?", tools=[order], returns=Bill, tool_choice="required", max_rounds=2, **options)
    assert result.value in (Bill(3), Bill(4))
    assert result.stop == "rounds"
    result = await engine.run("Tea?", tools=[order], returns=Bill, tool_choice="required", max_rounds=1, **options)
    assert [call.name for call in result.pending] == ["order"]
    with pytest.raises(InvalidOutput, match=r"result\.pending") as told:
        _ = result.value
    assert told.value.tool_calls == tuple(result.pending)


async def test_an_answer_that_ended_at_a_stop_string_is_no_instance(engine: Engine) -> None:
    with pytest.raises(InvalidOutput, match="at which it was to stop") as told:
        await engine.complete("A number?", returns=Literal[1234567, 1234568], stop=["4"])  # type: ignore[call-overload]
    assert (told.value.text, told.value.truncated) == ("123", True)


async def test_a_call_instead_of_an_instance_is_told_with_the_error(engine: Engine) -> None:
    options: Any = {"tools": [OTHER], "tool_choice": "required", "parallel_tool_calls": False}
    with pytest.raises(InvalidOutput, match="called a tool instead") as told:
        await engine.complete("A number?", returns=int, max_tokens=80, **options)
    assert [call.name for call in told.value.tool_calls] == ["other"]


@pytest.mark.parametrize("form", ["qwen3-coder", "llama-3.2-pythonic", "glm-4.5", "qwen3"])
async def test_a_call_that_was_cut_off_is_no_call(form: str, tiny_model: Path, nothing_leaks: None) -> None:
    """Wherever that was: never one with fewer arguments, or half of one."""
    count = {"type": "integer", "minimum": 10_000_000, "maximum": 99_999_999}
    properties = {"first": {"enum": ["tea"]}, "count": count, "dry": {"enum": [True]}}
    tool = Tool("pay", "", {"type": "object", "properties": properties, "required": ["first", "count", "dry"]})
    async with Engine(tiny_model, chat_template=template(form), device="cpu", context_length=2048) as engine:
        asked: Any = {"tools": [tool], "tool_choice": "required", "parallel_tool_calls": False, "reasoning_budget": 0}
        whole = await engine.complete("Pay", **asked, temperature=0, max_tokens=400)
        assert len(whole.tool_calls) == 1
        for most in range(1, len(whole.tokens)):
            cut = await engine.complete("Pay", **asked, temperature=0, max_tokens=most)
            assert [call.arguments for call in cut.tool_calls] in ([], [whole.tool_calls[0].arguments]), most
            assert cut.stop_reason is StopReason.MAX_TOKENS or cut.tool_calls
