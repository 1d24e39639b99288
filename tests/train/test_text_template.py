"""The chat template, rendered as transformers does it."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="chat templates need it: pip install 'sauropod[llama]'")

import jinja2
from examples.train.text import cases, material, template, tools
from examples.train.text.messages import Call, Conversation, assistant, system, tool, user

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "title": "City"}, "day": {"enum": ["a"], "type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture(scope="module")
def chat() -> jinja2.Template:
    return template.compiled(template.PATH.read_text("utf-8"))


def rendered(chat: jinja2.Template, messages: list[dict[str, Any]], **options: Any) -> str:
    return str(chat.render(messages=messages, **options))


def test_a_turn_is_opened_for_the_answer(chat: jinja2.Template) -> None:
    text = template.render(chat, Conversation((user("Hi"),)), open_turn=True)
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_instructions_come_first_with_and_without_tools(chat: jinja2.Template) -> None:
    alone = template.render(chat, Conversation((system("Be kind."), user("Hi"))))
    assert alone == "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    offered = template.render(chat, Conversation((system("Be kind."), user("Hi")), (WEATHER,)))
    assert offered == (
        "<|im_start|>system\nBe kind.\n\n# Tools\n\nYou may call these functions:\n<tools>\n"
        '{"name": "weather", "description": "The weather.", "parameters": {"city": {"type": "string"}, '
        '"day": {"type": "string", "enum": ["a"]}}, "required": ["city"]}\n'
        "</tools><|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    )


def test_a_developer_instructs_like_a_system(chat: jinja2.Template) -> None:
    text = rendered(chat, [{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "Hi"}])
    assert text.startswith("<|im_start|>system\nBe kind.<|im_end|>\n")


def test_content_may_be_parts_or_missing(chat: jinja2.Template) -> None:
    parts = [{"type": "text", "text": "Hello "}, {"type": "text", "text": "there"}]
    assert "user\nHello there<|im_end|>" in rendered(chat, [{"role": "user", "content": parts}])
    call = {"type": "function", "function": {"name": "a", "arguments": {}}}
    text = rendered(chat, [{"role": "assistant", "content": None, "tool_calls": [call]}])
    assert text == '<|im_start|>assistant\n<tool_call>\n{"name": "a", "arguments": {}}\n</tool_call><|im_end|>\n'


def test_arguments_may_be_json_text(chat: jinja2.Template) -> None:
    call = {"function": {"name": "a", "arguments": '{"x": 1}'}}
    assert '"arguments": {"x": 1}}' in rendered(chat, [{"role": "assistant", "content": "", "tool_calls": [call]}])


def test_results_of_parallel_calls_share_a_turn(chat: jinja2.Template) -> None:
    text = template.render(chat, Conversation((user("?"), assistant("", [Call("a", {})]), tool("1"), tool("2"))))
    assert text.endswith(
        "<|im_start|>user\n<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response><|im_end|>\n"
    )


def test_json_is_written_as_transformers_writes_it() -> None:
    assert template.tojson({"b": "<é>", "a": None}) == '{"b": "<é>", "a": null}'


def test_rendered_calls_are_read_back(chat: jinja2.Template) -> None:
    rng, lists = random.Random(4), material.trained()
    from examples.train.text.requests import ask

    for _ in range(200):
        made = [ask(tools.choose(rng.choice(lists.others), rng), lists.words, rng).calls[0] for _ in range(2)]
        text = template.render(chat, Conversation((assistant("", made),)))
        assert cases.parsed(text) == [(call.name, dict(call.arguments)) for call in made]


def test_a_malformed_call_is_not_read() -> None:
    assert cases.parsed('<tool_call>\n{"name": "a"\n</tool_call>') is None
    assert cases.parsed('<tool_call>\n{"name": "a"}\n</tool_call>') is None
    assert cases.parsed("Hello") == []
