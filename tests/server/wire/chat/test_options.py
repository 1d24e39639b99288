"""A chat completion's parameters, as an engine takes them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sauropod import Grammar, SamplingParams, ToolChoice
from sauropod.server.problems import Problem
from sauropod.server.wire.chat.options import options_of
from sauropod.server.wire.chat.request import read_chat
from sauropod.server.wire.chat.tools import Toolbox, toolbox_of

OBJECT = {"type": "object", "properties": {"city": {"type": "string"}}}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "Tells.", "parameters": OBJECT}}
SHELL = {"type": "custom", "custom": {"name": "shell"}}
ALLOWED = {"mode": "required", "tools": [{"type": "function", "function": {"name": "clock"}}]}


def read(**body: Any) -> tuple[dict[str, Any], Toolbox]:
    asked = read_chat(msgspec.json.encode({"messages": [{"role": "user", "content": "Hello"}], **body}))
    toolbox = toolbox_of(asked.tools, asked.functions)
    return dict(options_of(asked, toolbox)), toolbox


def test_what_is_not_said_is_left_to_the_model() -> None:
    assert read() == ({}, Toolbox())


def test_sampling_is_passed_on() -> None:
    said = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 4,
        "min_p": 0.1,
        "typical_p": 0.8,
        "repeat_penalty": 1.1,
        "presence_penalty": 0.2,
        "frequency_penalty": 0.3,
        "seed": 5,
        "n": 2,
        "stop": ["a", "b"],
    }
    options, _ = read(**said, logit_bias={"7": -100}, user="me", store=True, metadata={"a": "b"}, service_tier="auto")
    assert options == {**said, "logit_bias": {7: -100.0}}
    SamplingParams(**options)


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 5, "max_tokens": 6}, {"max_tokens": 5}),
        ({"logprobs": True}, {"logprobs": 0}),
        ({"logprobs": True, "top_logprobs": 3}, {"logprobs": 3}),
        ({"logprobs": False}, {}),
        ({"seed": -1}, {"seed": 2**32 - 1}),
        ({"presence_penalty": 0}, {}),
        ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        ({"chat_template_kwargs": {"enable_thinking": False}}, {"template_options": {"enable_thinking": False}}),
        ({"response_format": {"type": "text"}}, {}),
        ({"response_format": {"type": "json_object"}}, {"grammar": Grammar.json_object()}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": OBJECT}}},
            {"grammar": Grammar.json_schema(OBJECT)},
        ),
        ({"grammar": 'root ::= "a"'}, {"grammar": Grammar.gbnf('root ::= "a"')}),
        ({"tool_choice": "none"}, {}),
    ],
)
def test_each_parameter_means_what_it_means_to_openai(body: dict[str, Any], options: dict[str, Any]) -> None:
    assert read(**body)[0] == options


def test_a_tool_is_a_function_or_is_given_one_text() -> None:
    options, toolbox = read(tools=[CLOCK, SHELL], parallel_tool_calls=False)
    clock, shell = options["tools"]
    assert (clock.name, clock.description, clock.parameters) == ("clock", "Tells.", OBJECT)
    assert shell.parameters["required"] == ["input"]
    assert [toolbox.is_custom(tool.name) for tool in toolbox.tools] == [False, True]
    assert options["parallel_tool_calls"] is False


def test_a_pattern_for_a_custom_tools_text_is_held_to() -> None:
    form = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "[a-z]+"}}
    options, _ = read(tools=[{"type": "custom", "custom": {"name": "shell", "format": form}}])
    assert options["tools"][0].parameters["properties"]["input"]["pattern"] == "^(?:[a-z]+)$"


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        (None, ToolChoice()),
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "function": {"name": "clock"}}, ToolChoice.only("clock")),
        ({"type": "custom", "custom": {"name": "shell"}}, ToolChoice.only("shell")),
        ({"type": "allowed_tools", "allowed_tools": ALLOWED}, ToolChoice("required", ["clock"])),
    ],
)
def test_a_choice_of_tools_has_many_forms(given: Any, choice: ToolChoice) -> None:
    assert read(tools=[CLOCK, SHELL], tool_choice=given)[0]["tool_choice"] == choice


def test_functions_are_tools_of_which_one_is_called() -> None:
    options, toolbox = read(functions=[{"name": "clock"}], function_call={"name": "clock"})
    assert (options["tool_choice"], options["parallel_tool_calls"]) == (ToolChoice.only("clock"), False)
    assert toolbox.legacy


def test_a_schema_nobody_insists_on_can_be_let_go() -> None:
    tools = [{"type": "function", "function": {"name": name, "strict": strict}} for name, strict in _STRICT]
    _, toolbox = read(tools=tools)
    assert [tool.strict for tool in toolbox.tools] == [True, True, False]
    assert toolbox.loosened is not None
    assert [tool.strict for tool in toolbox.loosened.tools] == [True, False, False]
    assert toolbox.loosened.loosened is None


_STRICT = [("yes", True), ("maybe", None), ("no", False)]


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("messages", {"messages": []}),
        ("temperature", {"temperature": 3}),
        ("n", {"n": 0}),
        ("max_tokens", {"max_tokens": 0}),
        ("top_logprobs", {"top_logprobs": 2}),
        ("logit_bias", {"logit_bias": {"the": 1}}),
        ("audio", {"audio": {"voice": "x"}, "modalities": ["audio"]}),
        ("modalities", {"modalities": ["text", "audio"]}),
        ("web_search_options", {"web_search_options": {}}),
        ("response_format.type", {"response_format": {"type": "xml"}}),
        ("response_format.json_schema", {"response_format": {"type": "json_schema"}}),
        ("response_format.json_schema.schema", {"response_format": {"type": "json_schema", "json_schema": {}}}),
        ("grammar", {"grammar": 'root ::= "a"', "response_format": {"type": "json_object"}}),
        ("tools[0].type", {"tools": [{"type": "web_search"}]}),
        ("tools[0].function", {"tools": [{"type": "function"}]}),
        ("tools[0].function.name", {"tools": [{"type": "function", "function": {}}]}),
        ("tools[0].function", {"tools": [{"type": "function", "function": {"name": "a b"}}]}),
        ("tools", {"tools": [CLOCK, CLOCK]}),
        ("functions", {"tools": [CLOCK], "functions": [{"name": "x"}]}),
        ("tool_choice", {"tool_choice": "required"}),
        ("tool_choice", {"tools": [CLOCK], "tool_choice": "always"}),
        ("tool_choice", {"tools": [CLOCK], "tool_choice": {"type": "function", "function": {"name": "x"}}}),
        ("tool_choice.allowed_tools", {"tools": [CLOCK], "tool_choice": {"type": "allowed_tools"}}),
        ("function_call", {"functions": [{"name": "x"}], "function_call": {"name": "y"}}),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(param: str, body: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        read(**body)
    assert (refused.value.status, refused.value.param) == (400, param)
