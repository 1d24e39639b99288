"""Text, thoughts and calls, told apart while they come."""

from __future__ import annotations

import codecs
import itertools
import time
from collections.abc import Callable, Iterable, Sequence

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from answers import PYTHONIC, SYNTAXES, THINK, TOOLS, WEATHER, XML, Heard, heard, pieces
from sauropod import ReasoningDelta, StreamEvent, TextDelta, Tool, ToolCall, ToolCallDelta, ToolCallOpened
from sauropod._text.output import OutputParser
from sauropod._text.writing import written
from sauropod._values.syntax import CallSyntax, Slot, Syntax

every_syntax = pytest.mark.parametrize("name", SYNTAXES)


def parsed(
    syntax: Syntax,
    parts: Iterable[str],
    tools: Sequence[Tool] = TOOLS,
    *,
    prefill: str = "",
    whole: bool = False,
    cut: bool = False,
) -> list[StreamEvent]:
    parser = OutputParser(syntax, tools, numbered(), prefill=prefill, whole=whole)
    events = [event for part in parts for event in parser.feed(part)]
    return [*events, *parser.finish(cut=cut)]


def numbered() -> Callable[[], str]:
    numbers = itertools.count()
    return lambda: f"id-{next(numbers)}"


# -- what holds for any text -------------------------------------------------------------------------------------------

BITS = (
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "[TOOL_CALLS]",
    "[ARGS]",
    "<function=get_weather>",
    "<parameter=city>",
    "</parameter>",
    "</function>",
    "<arg_key>city</arg_key>",
    "<arg_value>",
    "</arg_value>",
    "<|channel|>analysis<|message|>",
    "<|channel|>final<|message|>",
    "<|channel|>commentary to=functions.get_time<|message|>",
    "<|end|>",
    "<|start|>assistant",
    "<|calls|>",
    "<|call|>",
    "<|args|>",
    "<|says|>",
    "<|/says|>",
    '{"name": "get_weather", "arguments": {"city": "Oslo"}}',
    '{"name": "get_time", "parameters": {}}',
    "get_weather",
    '(city="Oslo", days=3)',
    '{"city": ',
    '"Oslo',
    "functions.get_time:0",
    "[",
    "]",
    ", ",
    "{",
    "}",
    '"',
    "\\",
    "\n",
    " ",
    "é",
    "🦕",
    "Well",
    "a < b",
)

texts = st.lists(st.sampled_from(BITS) | st.text(max_size=4), max_size=12).map("".join)
bit_prefixes = st.sampled_from(BITS).flatmap(lambda bit: st.integers(1, len(bit)).map(lambda end: bit[:end]))
broken_texts = st.lists(st.sampled_from(BITS) | bit_prefixes, max_size=10).map("".join)
cuts = st.lists(st.integers(0, 200), max_size=12)


@every_syntax
@settings(max_examples=150, deadline=None)
@given(text=texts | broken_texts, cuts=cuts)
def test_where_a_text_is_cut_makes_no_difference(name: str, text: str, cuts: Sequence[int]) -> None:
    syntax = SYNTAXES[name]
    whole = heard(parsed(syntax, [text]))
    assert heard(parsed(syntax, text)) == whole
    assert heard(parsed(syntax, pieces(text, cuts))) == whole


@every_syntax
@settings(max_examples=50, deadline=None)
@given(text=broken_texts, cuts=cuts)
def test_nor_does_it_in_the_middle_of_a_character(name: str, text: str, cuts: Sequence[int]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    data = text.encode()
    places = sorted({place for place in cuts if place < len(data)})
    parts = [decoder.decode(data[a:b]) for a, b in itertools.pairwise([0, *places, len(data)])]
    assert heard(parsed(SYNTAXES[name], parts)) == heard(parsed(SYNTAXES[name], [text]))


@every_syntax
@settings(max_examples=100, deadline=None)
@given(text=st.text(st.sampled_from("<|>[]{}=/\"'\n abceé_tnoTHC"), max_size=60), cuts=cuts)
def test_what_has_no_whole_mark_in_it_is_text_to_the_last_character(name: str, text: str, cuts: Sequence[int]) -> None:
    found = heard(parsed(SYNTAXES[name], pieces(text, cuts)))
    assert (found.reasoning, found.calls) == ("", [])
    assert found.text == text


@every_syntax
@given(text=texts, cuts=cuts)
@settings(max_examples=50, deadline=None)
def test_without_tools_nothing_is_a_call(name: str, text: str, cuts: Sequence[int]) -> None:
    assert heard(parsed(SYNTAXES[name], pieces(text, cuts), tools=())).calls == []


@every_syntax
def test_a_text_that_is_cut_off_in_the_middle_of_a_call_is_text_to_its_last_character(name: str) -> None:
    call = ToolCall("get_weather", {"city": "Oslo", "tags": ["a", "b"], "days": 15})
    text = written_in(name, [call])
    outcomes = []
    for end in range(1, len(text) + 1):
        found = heard(parsed(SYNTAXES[name], text[:end], cut=True))
        if found.calls:  # all of it is there, and no more than marks are missing
            assert found.plain_calls == [(call.name, call.arguments)]
            assert not text[end:].strip("]})>\n </|_abcdefghijklmnopqrstuvwxyz")
        else:
            assert "".join(found.text.split()) == "".join(text[:end].split())
        outcomes.append(bool(found.calls))
    assert outcomes == sorted(outcomes)
    assert outcomes[-1]


# -- round trips -------------------------------------------------------------------------------------------------------

words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp", "Zs"]), max_size=20)
plain = st.text(st.sampled_from("abc xyz,.:é🦕-'()0"), max_size=20).map(str.strip)
calls_of_tools = st.lists(
    st.one_of(
        st.fixed_dictionaries({"zone": plain}).map(lambda arguments: ToolCall("get_time", arguments)),
        st.fixed_dictionaries(
            {"city": plain},
            optional={"days": st.integers(-5, 10**6), "dry": st.booleans(), "tags": st.lists(plain, max_size=3)},
        ).map(lambda arguments: ToolCall("get_weather", arguments)),
    ),
    min_size=1,
    max_size=3,
)


def written_in(name: str, calls: Sequence[ToolCall]) -> str:
    syntax = SYNTAXES[name].calls
    assert syntax is not None
    if syntax.id_form:
        calls = [attrs.evolve(call, id=f"functions.{call.name}:{n}") for n, call in enumerate(calls)]
    return written(syntax, calls if syntax.parallel else calls[:1])


@every_syntax
@settings(max_examples=100, deadline=None)
@given(calls=calls_of_tools, said=st.sampled_from(["", "I will look it up."]), cuts=cuts)
def test_what_is_written_is_read_again(name: str, calls: Sequence[ToolCall], said: str, cuts: Sequence[int]) -> None:
    syntax = SYNTAXES[name]
    assert syntax.calls is not None
    calls = calls if syntax.calls.parallel else calls[:1]
    if name in ("json by itself", "as Python calls"):
        said = ""  # their calls begin like any text, so they are not looked for after one
    if said and syntax.harmony:
        said = f"<|channel|>commentary<|message|>{said}<|end|><|start|>assistant"
    elif said and syntax.content_open:
        said = f"{syntax.content_open}{said}{syntax.content_close}"
    found = heard(parsed(syntax, pieces(said + written_in(name, calls), cuts)))
    assert found.plain_calls == [(call.name, call.arguments) for call in calls]
    assert found.warnings == []
    assert found.text == ("I will look it up." if said else "")


# -- marks -------------------------------------------------------------------------------------------------------------

HERMES = SYNTAXES["json in tags"]


def test_half_a_mark_is_not_shown_before_it_is_known_to_be_none() -> None:
    parser = OutputParser(HERMES, TOOLS, numbered())
    assert parser.feed("so <tool") == [TextDelta("so")]
    assert parser.feed("_box>") == [TextDelta(" <tool_box>")]
    assert parser.feed(" and <tool_call") == [TextDelta(" and")]
    assert parser.finish() == [TextDelta(" <tool_call")]


def test_thoughts_are_told_from_the_answer_and_blanks_between_them_belong_to_neither() -> None:
    found = heard(parsed(HERMES, "<think>\nHm, 2 + 2.\n</think>\n\nIt is 4.\n"))
    assert (found.reasoning, found.text) == ("Hm, 2 + 2.", "It is 4.\n")


def test_thoughts_that_the_prompt_has_begun_end_all_the_same() -> None:
    parser = OutputParser(HERMES, TOOLS, numbered(), prefill="<think>\n")
    assert parser.thinking
    events = [*parser.feed("Hm.\n</think>\n\n4"), *parser.finish()]
    assert events == [ReasoningDelta("Hm."), TextDelta("4")]
    assert not parser.thinking


def test_a_prompt_that_has_thought_already_is_answered_without() -> None:
    assert heard(parsed(HERMES, "4", prefill="<think>\n\n</think>\n\n")) == Heard("4")


def test_thoughts_without_an_end_are_thoughts() -> None:
    assert heard(parsed(HERMES, "<think>Hm, let me")) == Heard("", "Hm, let me")


def test_a_mark_that_ends_thoughts_is_no_text_without_any() -> None:
    assert heard(parsed(HERMES, "</think>\n\nYes.")).text == "Yes."


def test_text_that_only_looks_like_a_call_is_text_with_a_warning() -> None:
    text = 'Write <tool_call>{"size": oops}</tool_call> so.'
    found = heard(parsed(HERMES, text))
    assert (found.text, found.calls) == (text, [])
    assert "'oops' is no value" in found.warnings[0]


def test_a_call_that_breaks_in_the_middle_is_taken_back_and_is_text() -> None:
    text = '<tool_call>{"name": "get_time", "arguments": {"zone": nope}}</tool_call>'
    events = parsed(HERMES, text)
    found = heard(events)
    assert any(isinstance(event, ToolCallOpened) for event in events)
    assert (found.text, found.calls) == (text, [])


def test_a_call_after_one_that_was_none_is_a_call() -> None:
    broken, whole = "<tool_call>oops</tool_call>", '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'
    found = heard(parsed(HERMES, f"{broken}\n{whole}"))
    assert found.text.strip() == broken
    assert found.plain_calls == [("get_time", {})]


def test_a_last_mark_may_be_missing() -> None:
    """Some models end their turn instead of it."""
    found = heard(parsed(HERMES, '<tool_call>\n{"name": "get_time", "arguments": {"zone": "CET"}}'))
    assert found.plain_calls == [("get_time", {"zone": "CET"})]


def test_models_confuse_arguments_and_parameters() -> None:
    found = heard(parsed(HERMES, '<tool_call>{"name": "get_time", "parameters": {"zone": "CET"}}</tool_call>'))
    assert found.plain_calls == [("get_time", {"zone": "CET"})]


def test_arguments_before_the_name_and_as_a_text_are_arguments() -> None:
    text = r'<tool_call>{"arguments": "{\"zone\": \"CET\"}", "name": "get_time"}</tool_call>'
    assert heard(parsed(HERMES, text)).plain_calls == [("get_time", {"zone": "CET"})]


def test_a_tool_nobody_knows_is_a_call_where_marks_say_so() -> None:
    assert heard(parsed(HERMES, '<tool_call>{"name": "new", "arguments": {}}</tool_call>')).plain_calls == [("new", {})]


def test_json_that_names_no_tool_is_an_answer_where_calls_have_no_marks() -> None:
    bare = SYNTAXES["json by itself"]
    text = '{"name": "Ada", "parameters": {"born": 1815}}'
    assert heard(parsed(bare, text)) == Heard(text)
    assert heard(parsed(SYNTAXES["as Python calls"], "[see(above)]")) == Heard("[see(above)]")


def test_arguments_come_as_they_are_written() -> None:
    parser = OutputParser(HERMES, TOOLS, numbered())
    parser.feed('<tool_call>\n{"name": "get_weather", "arguments": ')
    assert parser.feed('{"city": "Os')[-1] == ToolCallDelta(0, '{"city":"Os')
    assert parser.feed('lo", "days": 1') == [ToolCallDelta(0, 'lo","days":')]


# -- values ------------------------------------------------------------------------------------------------------------


def one_argument(key: str, value: str, tools: Sequence[Tool] = TOOLS) -> object:
    text = f"<tool_call>\n<function=get_weather>\n<parameter={key}>\n{value}\n</parameter>\n</function>\n</tool_call>"
    (call,) = heard(parsed(Syntax(calls=XML), text, tools)).calls
    return call.arguments[key]


def test_a_raw_value_is_what_the_tools_schema_says() -> None:
    assert one_argument("city", "90210") == "90210"
    assert one_argument("city", "true") == "true"
    assert one_argument("days", "3") == 3
    assert one_argument("dry", "true") is True
    assert one_argument("dry", "True") is True
    assert one_argument("tags", '["a", "b"]') == ["a", "b"]
    assert one_argument("tags", "['a', 'b']") == ["a", "b"]
    assert one_argument("days", "three") == "three"


def test_a_raw_value_of_no_known_kind_is_json_if_it_is_any() -> None:
    assert one_argument("more", "3") == 3
    assert one_argument("more", "three") == "three"


def test_a_raw_text_keeps_its_lines_and_its_marks() -> None:
    assert one_argument("city", "<b>two</b>\n\n  lines\n") == "<b>two</b>\n\n  lines\n"


def test_a_text_may_be_in_cdata_where_it_holds_the_closing_mark() -> None:
    assert one_argument("city", "<![CDATA[a </parameter> b]]>") == "a </parameter> b"


@example('it\'s "quoted" \\ and\nmore')
@given(words)
@settings(deadline=None)
def test_a_literal_is_read_as_python_writes_it(word: str) -> None:
    text = f"[get_weather(city={word!r}, dry=True, tags=[{word!r}, None], days=-3)]"
    (call,) = heard(parsed(Syntax(calls=PYTHONIC), text)).calls
    assert call.arguments == {"city": word, "dry": True, "tags": [word, None], "days": -3}


def test_an_id_that_is_all_a_template_shows_of_a_name_names_the_tool() -> None:
    found = heard(parsed(SYNTAXES["ids and sections"], written_in("ids and sections", [ToolCall("get_time")])))
    assert found.calls == [ToolCall("get_time", {}, "functions.get_time:0")]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (' to=functions.get_time<|channel|>commentary json<|message|>{"zone": "CET"}', [("get_time", {"zone": "CET"})]),
        ("<|channel|>commentary to=functions.get_time <|constrain|>json<|message|>{}<|call|>", [("get_time", {})]),
        ("<|channel|>final<|message|>Hello<|return|>", []),
    ],
)
def test_harmony_calls_are_written_in_two_ways(text: str, calls: list[object]) -> None:
    assert heard(parsed(SYNTAXES["harmony"], text)).plain_calls == calls


def test_harmony_has_thoughts_and_things_said_beside_calls() -> None:
    text = (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>Let me see."
        "<|end|><|start|>assistant<|channel|>commentary to=functions.get_time <|constrain|>json<|message|>{}"
    )
    found = heard(parsed(SYNTAXES["harmony"], text))
    assert (found.reasoning, found.text, found.plain_calls) == ("Hm.", "Let me see.", [("get_time", {})])


def test_what_is_nested_without_end_is_malformed_and_not_a_crash() -> None:
    deep = f'<tool_call>{{"name": "get_time", "arguments": {"[" * 5000}'
    found = heard(parsed(HERMES, [deep]))
    assert found.text == deep
    assert found.warnings


@pytest.mark.parametrize(
    "repeated",
    ["abcdefgh ", "<tool_call>", '<tool_call>{"a b ', "<tool_call>{", "<think>", "<tool_c", '{"name": "get_time", '],
)
@pytest.mark.parametrize("name", ["json in tags", "marks around arguments", "json by itself", "harmony"])
def test_reading_takes_time_in_proportion_to_the_text(name: str, repeated: str) -> None:
    """What never ends is not read again and again from its beginning."""

    def seconds(count: int) -> float:
        began = time.process_time()
        parsed(SYNTAXES[name], [repeated] * count)
        return time.process_time() - began

    seconds(10)
    # Five times as much; by the square it would be 25 times. Once of three times will do: others use this machine too.
    assert any(seconds(4000) < 20 * max(seconds(800), 0.005) for _ in range(3))


def test_in_an_open_call_it_gives_out_what_comes_piece_by_piece() -> None:
    parser = OutputParser(HERMES, [WEATHER], numbered())
    parser.feed('<tool_call>{"name": "get_weather", "arguments": {"city": "x')
    for _ in range(1000):
        assert parser.feed("abcdefgh ") == [ToolCallDelta(0, "abcdefgh ")]


def test_a_call_without_its_last_mark_is_closed_by_the_next() -> None:
    syntax = Syntax(calls=CallSyntax(call=("<c>", Slot.NAME, ">", Slot.ARGUMENTS, "</c>")), reasoning=THINK)
    text = '<c>get_time>{}<c>get_time>{"zone": "x"}</c>'
    found = heard(parsed(syntax, text))
    assert found.plain_calls == [("get_time", {"zone": "x"})]
    assert found.text == "<c>get_time>{}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("json in tags", f'<tool_call>{{"name": "get_weather", "arguments": {{"days": {"9" * 5000}}}}}</tool_call>'),
        ("json in tags", '<tool_call>{"name": "get_weather", "arguments": {"days": 1e999}}</tool_call>'),
        ("json in tags", f'<tool_call>{{"name": "get_time", "arguments": "{"[" * 200_000}"}}</tool_call>'),
        ("json in tags", '<tool_call>{"name": "", "arguments": {}}</tool_call>'),
        ("harmony", "<|channel|>commentary to=functions. <|constrain|>json<|message|>{}<|call|>"),
        ("json in a list", "[TOOL_CALLS] [x " * 2000),
    ],
)
def test_whatever_is_wrong_with_a_call_is_a_warning_and_no_exception(name: str, text: str) -> None:
    found = heard(parsed(SYNTAXES[name], [text]))
    assert found.calls == []
    assert found.warnings


def test_marks_are_what_they_are_without_blanks_in_them() -> None:
    text = "< think >no</ think >"
    assert heard(parsed(HERMES, text)) == Heard(text)
    spaced = '<tool_call>{"name": "get_time", "arguments": {}} </tool_call>'
    assert heard(parsed(HERMES, spaced)).plain_calls == [("get_time", {})]


def test_a_text_that_is_held_to_something_has_no_calls_in_it() -> None:
    call = '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'
    answer = f'{{"say": {call!r}}}'
    assert heard(parsed(HERMES, answer, whole=True)) == Heard(answer)
    assert heard(parsed(HERMES, call, whole=True)).plain_calls == [("get_time", {})]


# -- values with parts -------------------------------------------------------------------------------------------------

PARTS = Tool(
    "send",
    "Sends something.",
    {
        "type": "object",
        "properties": {
            "to": {"$ref": "#/$defs/Place"},
            "lines": {"type": "array", "items": {"type": "string"}},
            "maybe": {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}]},
        },
        "$defs": {"Place": {"type": "object", "properties": {"zip": {"type": "string"}, "box": {"type": "integer"}}}},
    },
)


def test_parts_of_a_value_are_of_the_kind_the_schema_says() -> None:
    arguments = {
        "to": {"zip": "90210", "box": 7},
        "lines": ["true", "12", "x"],
        "maybe": {"zip": "01234"},
    }
    text = written_in("marks around parts", [ToolCall("send", arguments)])
    (call,) = heard(parsed(SYNTAXES["marks around parts"], text, [PARTS])).calls
    assert call.arguments == arguments


def test_arguments_are_looked_up_behind_a_reference() -> None:
    root = {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"zip": {"type": "string"}}}}}
    text = "<tool_call>\n<function=f>\n<parameter=zip>\n90210\n</parameter>\n</function>\n</tool_call>"
    (call,) = heard(parsed(Syntax(calls=XML), text, [Tool("f", "", root)])).calls
    assert call.arguments == {"zip": "90210"}
