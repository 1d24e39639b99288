"""Items become the messages a model is given, and options those of the engine."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sauropod import GrammarKind, Message, ToolCall, ToolChoice
from sauropod.server.problems import Problem
from sauropod.server.wire.responses.inputs import read_input
from sauropod.server.wire.responses.prompts import SUMMARY, concealed, messages_of, options_of, revealed
from sauropod.server.wire.responses.request import CreateResponse, Text
from sauropod.server.wire.responses.tools import Toolbox, choice_of

FIND = {"type": "function", "name": "find", "parameters": {"type": "object", "properties": {}}}
SHELL = {"type": "custom", "name": "shell", "description": "Runs commands."}


def messages(items: Any, instructions: str | None = None, tools: Any = ()) -> list[Message]:
    counter = itertools.count()
    return messages_of(read_input(items, lambda kind: f"{kind}_{next(counter)}"), instructions, Toolbox.of(list(tools)))


def test_instructions_come_first() -> None:
    assert messages("Hello", "Be brief.") == [Message("system", "Be brief."), Message("user", "Hello")]


def test_thoughts_words_and_calls_in_a_row_are_one_message() -> None:
    found = messages(
        [
            {"role": "user", "content": "Find it."},
            {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
            {"role": "assistant", "content": "I look."},
            {"type": "function_call", "call_id": "c1", "name": "find", "arguments": '{"a": 1}'},
            {"type": "custom_tool_call", "call_id": "c2", "name": "shell", "input": "ls"},
            {"type": "function_call_output", "call_id": "c1", "output": "nothing"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "a.txt"}]},
        ],
        tools=[FIND, SHELL],
    )
    calls = (ToolCall("find", {"a": 1}, "c1"), ToolCall("shell", {"input": "ls"}, "c2"))
    assert found == [
        Message("user", "Find it."),
        Message("assistant", "I look.", tool_calls=calls, reasoning="Hm."),
        Message("tool", "nothing", tool_call_id="c1", name="find"),
        Message("tool", "a.txt", tool_call_id="c2", name="shell"),
    ]


def test_a_result_without_its_call_is_refused() -> None:
    with pytest.raises(Problem, match="No tool call found for function call output with call_id c9"):
        messages([{"type": "function_call_output", "call_id": "c9", "output": "x"}])


def test_hidden_thoughts_are_read_back() -> None:
    hidden = {"type": "reasoning", "summary": [], "encrypted_content": concealed("Hm.")}
    assert messages([hidden, {"role": "assistant", "content": "Yes."}])[0].reasoning == "Hm."


def test_a_compaction_is_told_as_what_was_before() -> None:
    found = messages([{"type": "compaction", "encrypted_content": concealed("They met.")}])
    assert found == [Message("developer", f"{SUMMARY}\nThey met.")]


def test_a_compaction_of_somebody_else_is_refused() -> None:
    with pytest.raises(Problem, match="was not made by this server"):
        messages([{"type": "compaction", "encrypted_content": "gAAAA"}])


@pytest.mark.parametrize("text", ["", "Hm.", "ü\n\x00"])
def test_what_is_concealed_is_revealed(text: str) -> None:
    assert revealed(concealed(text)) == text


def test_tools_of_a_namespace_keep_their_names_unless_two_have_the_same() -> None:
    space = {"type": "namespace", "name": "crm", "tools": [FIND, {**FIND, "name": "add"}]}
    assert list(Toolbox.of([space]).offered) == ["find", "add"]
    both = Toolbox.of([FIND, space])
    assert list(both.offered) == ["find", "crm__find", "add"]
    assert both.known("find", "crm") == "crm__find"


def test_tools_that_nobody_knows_are_left_out_and_named() -> None:
    box = Toolbox.of([{"type": "web_search"}, FIND])
    assert (list(box.offered), box.skipped) == (["find"], ["web_search"])


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(Problem, match="Two tools have the name 'find'"):
        Toolbox.of([FIND, FIND])


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (None, ToolChoice()),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "find"}, ToolChoice("required", ("find",))),
        ({"type": "custom", "name": "shell"}, ToolChoice("required", ("shell",))),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "find"}]},
            ToolChoice("auto", ("find",)),
        ),
    ],
)
def test_choices_are_read(choice: Any, found: ToolChoice) -> None:
    assert choice_of(choice, Toolbox.of([FIND, SHELL])) == found


@pytest.mark.parametrize(
    "choice",
    [
        "maybe",
        {"type": "function", "name": "other"},
        {"type": "web_search"},
        {"type": "allowed_tools", "mode": "auto", "tools": []},
        {"type": "allowed_tools", "mode": "auto", "tools": "find"},
    ],
)
def test_choices_that_are_none_are_refused(choice: Any) -> None:
    with pytest.raises(Problem) as caught:
        choice_of(choice, Toolbox.of([FIND]))
    assert caught.value.status == 400


def test_options_are_those_of_the_engine() -> None:
    asked = CreateResponse(
        input="x",
        temperature=0.5,
        max_output_tokens=9,
        truncation="auto",
        top_logprobs=2,
        tools=[FIND],
        tool_choice="required",
        parallel_tool_calls=False,
        stop=["."],
        seed=3,
    )
    found = options_of(asked, Toolbox.of(asked.tools))
    assert found.pop("tools") == Toolbox.of([FIND]).tools
    assert found == {
        "temperature": 0.5,
        "max_tokens": 9,
        "overflow": "truncate",
        "logprobs": 2,
        "tool_choice": ToolChoice("required"),
        "parallel_tool_calls": False,
        "stop": ["."],
        "seed": 3,
    }


def test_a_schema_becomes_a_grammar() -> None:
    form = {"type": "json_schema", "name": "x", "schema": {"type": "object"}}
    found = options_of(CreateResponse(input="x", text=Text(format=form)), Toolbox())
    assert found["grammar"].kind is GrammarKind.JSON_SCHEMA


@pytest.mark.parametrize("form", [{"type": "json_schema"}, {"type": "xml"}, {"type": "json_schema", "schema": 3}])
def test_formats_that_are_none_are_refused(form: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        options_of(CreateResponse(input="x", text=Text(format=form)), Toolbox())
    assert (caught.value.param or "").startswith("text.format")
