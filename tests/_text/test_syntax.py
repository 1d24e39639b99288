"""How calls and thoughts are written, read off chat templates.

The templates in `tests/templates` write conversations in the form of the family they are named after.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="templates are rendered by Jinja: pip install 'sauropod[llama]'")

from round_trip import CASES, Family
from sauropod._text.exceptions import GENERIC
from sauropod._text.syntax import derive
from sauropod._values.syntax import CallSyntax, Layout, ReasoningSyntax, Slot, Syntax, SyntaxOrigin, Values

TEMPLATES = {path.stem: path for path in sorted((Path(__file__).parent.parent / "templates").glob("*.jinja"))}

families: dict[str, Family] = {}


def family(name: str) -> Family:
    if name not in families:
        families[name] = Family.of(TEMPLATES[name].read_text(encoding="utf-8"))
    return families[name]


def calls_of(name: str) -> CallSyntax:
    calls = family(name).syntax.calls
    assert calls is not None
    return calls


def reasoning_of(name: str) -> ReasoningSyntax:
    reasoning = family(name).syntax.reasoning
    assert reasoning is not None
    return reasoning


KNOWN_DIFFERENCES = {
    ("gpt-oss", "a call after text"),  # its template writes what is said beside a call as thoughts
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_template_writes_of_an_answer_is_read_as_that_answer(name: str) -> None:
    trips = list(family(name).trips(random.Random(name)))
    assert len(trips) >= len(CASES) - 1
    assert [str(trip) for trip in trips if not trip.same and (name, trip.case) not in KNOWN_DIFFERENCES] == []
    assert any(trip.found.calls for trip in trips)


@pytest.mark.parametrize(
    "name", ["qwen3", "qwen3.5", "deepseek-r1", "glm-4.5", "kimi-k2-thinking", "minimax-m2", "smollm3", "gpt-oss"]
)
def test_thoughts_come_back_too(name: str) -> None:
    found = {trip.case: trip.found for trip in family(name).trips(random.Random(name))}
    assert found["thoughts"].reasoning == "Let me\n\nthink <b>."
    assert found["thoughts"].text == "The answer\n\nis 4."


# -- forms -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["qwen2.5", "qwen3", "qwq", "hermes"])
def test_json_in_tags(name: str) -> None:
    calls = calls_of(name)
    assert (calls.open, calls.close, calls.between.strip()) == ("", "", "")
    assert [part if isinstance(part, Slot) else part.strip() for part in calls.call] == [
        "<tool_call>",
        Slot.OBJECT,
        "</tool_call>",
    ]
    assert (calls.name_path, calls.arguments_path, calls.parallel) == (("name",), ("arguments",), True)


@pytest.mark.parametrize("name", ["qwen3-coder", "qwen3.5", "nemotron-3"])
def test_marks_around_every_argument(name: str) -> None:
    calls = calls_of(name)
    assert calls.arguments.values is Values.RAW
    assert [part if isinstance(part, Slot) else part.strip() for part in calls.arguments.each] == [
        "<parameter=",
        Slot.KEY,
        ">",
        Slot.VALUE,
        "</parameter>",
    ]
    assert Slot.NAME in calls.call


def test_a_bare_object_with_parameters_and_one_call_at_a_time() -> None:
    calls = calls_of("llama-3.1")
    assert (calls.head, calls.arguments_path, calls.parallel) == ("", ("parameters",), False)


@pytest.mark.parametrize("name", ["llama-3.2-pythonic", "gemma-3-pythonic", "lfm2.5"])
def test_calls_as_python_writes_them(name: str) -> None:
    calls = calls_of(name)
    assert calls.arguments.values is Values.LITERAL
    assert calls.call == (Slot.NAME, "(", Slot.ARGUMENTS, ")")
    assert calls.open.endswith("[")


def test_a_list_of_objects_with_ids() -> None:
    calls = calls_of("mistral-v3")
    assert calls.open.replace(" ", "") == "[TOOL_CALLS]["
    assert calls.id_path == ("id",)


def test_a_name_then_arguments_then_the_next_mark() -> None:
    assert calls_of("mistral-v13").call == ("[TOOL_CALLS]", Slot.NAME, "[ARGS]", Slot.ARGUMENTS)
    assert Slot.ID in calls_of("mistral-v11").call


def test_texts_between_marks_of_their_own_and_keys_without_quotes() -> None:
    arguments = calls_of("gemma-4").arguments
    assert (arguments.values, arguments.bare_keys) == (Values.LITERAL, True)
    assert len(arguments.quote) > 1


def test_a_type_for_every_value() -> None:
    arguments = calls_of("minimax-m2").arguments if calls_of("minimax-m2").arguments.types else None
    arguments = arguments or calls_of("deepseek-v3.2").arguments
    assert Slot.TYPE in arguments.each
    assert arguments.types["string"] != arguments.types["number"]


def test_objects_over_several_lines_are_held_to_those_lines() -> None:
    calls = calls_of("command-r")
    assert calls.arguments.layout is Layout.FREE
    assert any(isinstance(part, str) and "\n" in part for part in calls.frame)
    assert (calls.name_path, calls.arguments_path) == (("tool_name",), ("parameters",))


def test_an_id_that_holds_the_name() -> None:
    assert calls_of("kimi-k2.6").id_form == "functions.{name}:{index}"


def test_calls_are_told_of_where_the_template_leaves_them_out() -> None:
    assert calls_of("phi-4-mini").origin is SyntaxOrigin.PROMPT
    assert calls_of("granite-3").origin is SyntaxOrigin.PROMPT


def test_a_template_that_knows_no_tools_gets_the_usual_form_and_says_so() -> None:
    calls = calls_of("plain")
    assert calls.origin is SyntaxOrigin.GENERIC
    assert calls.call == GENERIC.call


def test_channels() -> None:
    syntax = family("gpt-oss").syntax
    assert syntax.harmony
    assert reasoning_of("gpt-oss").efforts.keys() >= {"low", "medium", "high"}


# -- thoughts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "open", "close"),
    [
        ("qwen3", "<think>", "</think>"),
        ("ministral", "[THINK]", "[/THINK]"),
        ("command-r7b", "<|START_THINKING|>", "<|END_THINKING|>"),
        ("seed-oss", "<seed:think>", "</seed:think>"),
    ],
)
def test_marks_around_thoughts(name: str, open: str, close: str) -> None:
    assert (reasoning_of(name).open, reasoning_of(name).close) == (open, close)


def test_a_prompt_that_opens_thoughts_says_so() -> None:
    assert any("<think>" in prefill for prefill in family("qwen3-thinking").syntax.prefills)
    assert any("<think>" in prefill for prefill in family("deepseek-r1").syntax.prefills)


def test_a_switch_that_turns_thinking_off_is_an_effort() -> None:
    assert reasoning_of("qwen3").efforts["none"] == {"enable_thinking": False}
    assert reasoning_of("kimi-k2.6").efforts["none"] == {"thinking": False}


@pytest.mark.parametrize("name", ["qwen2.5", "llama-3.1", "mistral-v3", "hermes", "phi-4-mini", "firefunction"])
def test_who_does_not_think_has_no_marks_for_it(name: str) -> None:
    assert family(name).syntax.reasoning is None


# -- what is no template -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "always the same", "{{ broken"])
def test_what_makes_no_sense_gets_the_usual_form(text: str) -> None:
    assert derive(lambda messages, tools, options: text) == Syntax(calls=GENERIC)


def test_a_renderer_that_fails_gets_the_usual_form() -> None:
    def render(*_: object) -> str:
        raise RuntimeError("no")

    assert derive(render).calls == GENERIC
