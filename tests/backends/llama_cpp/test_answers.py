"""Whole answers under a grammar: thoughts, text and calls, in the form of every family's template.

A text is drawn at random among all that the grammar allows, by the tokenizer of a real model. Whatever it is, its calls
have to be of the tools that were offered, and valid under their schemas.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
pytest.importorskip("llguidance", reason="llguidance is not installed")
pytest.importorskip("jinja2", reason="jinja2 is not installed")

from answers import SYNTAXES, Heard, heard
from round_trip import TOOLS as TRIP_TOOLS
from round_trip import Family
from sauropod import Grammar, InvalidGrammar, Tool, ToolChoice
from sauropod._runtime.preparing import Preparer
from sauropod._text.answer_grammar import answer_grammar
from sauropod._text.beginnings import beginnings
from sauropod._text.exceptions import HARMONY
from sauropod._text.output import OutputParser
from sauropod._typed.validity import fault_under
from sauropod._values.syntax import CallSyntax, ReasoningSyntax, Slot, Syntax, Values
from sauropod.abc import LoadOptions, Source
from sauropod.backends.llama_cpp import LlamaCpp
from sauropod.backends.llama_cpp.grammar_source import native_grammar
from sauropod.backends.llama_cpp.guidance import fault, guidance, make_tokenizer, new_matcher
from sauropod.backends.llama_cpp.model import LlamaModel

TEMPLATES = {path.stem: path for path in sorted((Path(__file__).parents[2] / "templates").glob("*.jinja"))}
LONGEST = 400

ORDER = Tool(
    "order",
    "Orders something.",
    {
        "type": "object",
        "properties": {
            "what": {"enum": ["tea", "green tea", "it's"]},
            "count": {"type": "integer", "minimum": 1, "maximum": 99},
            "hot": {"type": "boolean"},
            "note": {"type": "string", "maxLength": 6},
            "code": {"type": "string", "pattern": "^[a-z]{2}-[0-9]$"},
            "day": {"type": "string", "format": "date"},
            "with": {"type": "array", "items": {"enum": ["milk", "sugar"]}, "maxItems": 3},
            "to": {
                "type": "object",
                "properties": {"street": {"enum": ["A", "B"]}, "number": {"type": "integer", "minimum": 0}},
                "required": ["street"],
                "additionalProperties": False,
            },
            "maybe": {"anyOf": [{"type": "null"}, {"enum": [1, 2]}]},
        },
        "required": ["what", "count"],
        "additionalProperties": False,
    },
)
PLAIN = Tool("plain", "Does something.", {"type": "object", "properties": {}, "additionalProperties": False})
TOOLS = (ORDER, PLAIN)

families: dict[str, Family] = {}


def family(name: str) -> Family:
    if name not in families:
        families[name] = Family.of(TEMPLATES[name].read_text(encoding="utf-8"))
    return families[name]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Iterator[LlamaModel]:
    loaded = LlamaCpp().load(Source("tiny", (tiny_model,)), LoadOptions(device="cpu", threads=1))
    assert isinstance(loaded, LlamaModel)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def tokenizer(model: LlamaModel) -> Any:
    return make_tokenizer(model._vocabulary)


def without_marks(text: str) -> list[tuple[str, int | None]]:
    """No mark of these templates is a token of the tiny model."""
    return [(text, None)] if text else []


def matcher_for(grammar: Grammar | None, tokenizer: Any) -> Any:
    assert grammar is not None
    matcher = new_matcher(native_grammar(grammar), tokenizer)
    assert not matcher.is_error(), f"{fault(matcher)} in {grammar.text}"
    return matcher


def drawn(grammar: Grammar | None, tokenizer: Any, model: LlamaModel, seed: int, begin: str = "") -> str | None:
    """Any text that the grammar allows, with this beginning; None if it did not come to its end."""
    matcher, lots = matcher_for(grammar, tokenizer), random.Random(seed)
    said = list(model.encode(begin, special=False)) if begin else []
    assert matcher.try_consume_tokens(said) == len(said)
    while len(said) < LONGEST and not matcher.is_stopped():
        forced = matcher.compute_ff_tokens()
        token = forced[0] if forced else lots.choice(allowed(matcher, tokenizer, model, ending=len(said) > 120))
        assert matcher.consume_token(token)
        if token not in model.eos:
            said.append(token)
    text = b"".join(model.piece(token) or model.mark(token).encode() for token in said).decode(errors="replace")
    return text if matcher.is_stopped() else None


def allowed(matcher: Any, tokenizer: Any, model: LlamaModel, ending: bool) -> list[int]:
    """The tokens that may come; at the end of one's patience, those that bring it to an end."""
    mask = matcher.compute_bitmask()
    tokens = [token for token in range(tokenizer.vocab_size) if mask[token // 8] >> token % 8 & 1]
    ends = [token for token in tokens if token in model.eos]
    if ending and ends:
        return ends
    closing = [token for token in tokens if model.piece(token)[:1] in (b'"', b"]", b"}", b")", b"<", b"'", b"\n")]
    return closing if ending and closing else tokens


def parsed(syntax: Syntax, text: str, tools: Sequence[Tool], prefill: str = "") -> Heard:
    numbers = itertools.count()
    parser = OutputParser(syntax, tools, lambda: f"id{next(numbers)}", prefill=prefill)
    return heard([*parser.feed(text), *parser.finish()])


def require_valid(found: Heard, tools: Sequence[Tool]) -> None:
    schemas: Mapping[str, Any] = {tool.name: tool.parameters for tool in tools}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    for call in found.calls:
        assert call.name in schemas
        jsonschema.Draft202012Validator(schemas[call.name], format_checker=checker).validate(dict(call.arguments))


# -- what has to be called ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_call_that_is_required_is_made_and_valid(name: str, model: LlamaModel, tokenizer: Any) -> None:
    syntax = family(name).syntax
    thought = f"{syntax.reasoning.open}{syntax.reasoning.ending}" if syntax.reasoning else ""  # which might have no end
    ended = 0
    for seed, parallel in itertools.product(range(4), (True, False)):
        grammar = answer_grammar(
            syntax, without_marks, tools=TOOLS, choice=ToolChoice("required"), parallel=parallel, prefill=thought
        )
        text = drawn(grammar, tokenizer, model, seed)
        if text is None:
            continue
        found = parsed(syntax, text, TOOLS, thought)
        assert found.calls, text
        assert parallel or len(found.calls) == 1, text
        assert not found.warnings, text
        assert not found.text.strip(), text
        require_valid(found, TOOLS)
        ended += 1
    assert ended


@pytest.mark.parametrize("name", SYNTAXES)
def test_only_what_is_named_is_called(name: str, model: LlamaModel, tokenizer: Any) -> None:
    for choice in (ToolChoice.only("plain"), ToolChoice("required", ["plain"])):
        grammar = answer_grammar(SYNTAXES[name], without_marks, tools=TOOLS, choice=choice, parallel=False)
        found = parsed(SYNTAXES[name], drawn(grammar, tokenizer, model, 0) or "", TOOLS)
        assert found.plain_calls == [("plain", {})]


# -- what may be called ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_template_writes_of_an_answer_is_allowed(name: str, tokenizer: Any, model: LlamaModel) -> None:
    for trip in family(name).trips(random.Random(name)):
        alone = trip.expected.calls and not trip.expected.text
        for choice in (ToolChoice(), ToolChoice("required")) if alone else (ToolChoice(),):
            grammar = answer_grammar(
                family(name).syntax, without_marks, tools=TRIP_TOOLS, choice=choice, prefill=trip.prefill
            )
            matcher = matcher_for(grammar, tokenizer)
            body = trip.body.rstrip() if trip.expected.calls else trip.body
            tokens = model.encode(body, special=False)
            taken = matcher.try_consume_tokens(list(tokens))
            rest = b"".join(map(model.piece, tokens[taken:])).decode(errors="replace")
            assert rest == "", f"{trip.case}, {choice.mode}: of {body!r}"
            assert matcher.is_accepting(), f"{trip.case}, {choice.mode}: after {body!r}"


CALLED: Mapping[str, str] = {
    "json in tags": '<tool_call>\n{"name": "order", "arguments": {"what": "nothing", "count": 5}}\n</tool_call>',
    "json in a list": '[TOOL_CALLS] [{"name": "order", "arguments": {"what": "nothing", "count": 5}}]',
    "json after a name": '[TOOL_CALLS]order[ARGS]{"what": "nothing", "count": 5}',
    "json by itself": '{"name": "order", "parameters": {"what": "nothing", "count": 5}}',
    "ids and sections": '<|calls|><|call|>functions.order:0<|args|>{"what": "nothing"}<|/call|><|/calls|>',
    "marks around arguments": "<tool_call>\n<function=order>\n<parameter=what>\nnothing\n</parameter>\n</function>\n",
    "marks around keys and values": "<tool_call>order\n<arg_key>what</arg_key>\n<arg_value>nothing</arg_value>\n",
    "marks around parts": "<call name=order><arg what>nothing</arg what></call>",
    "as Python calls": '[order(what="nothing", count=5)]',
    "harmony": '<|channel|>commentary to=functions.order <|constrain|>json<|message|>{"what": "nothing"}<|call|>',
    "an answer between marks": '<|act|>[{"name": "order", "arguments": {"what": "nothing", "count": 5}}]<|/act|>',
}
"""A call that is not valid."""


@pytest.mark.parametrize("name", SYNTAXES)
def test_prose_is_free_and_a_call_in_it_is_held(name: str, model: LlamaModel, tokenizer: Any) -> None:
    syntax, broken = SYNTAXES[name], CALLED[name]
    grammar = answer_grammar(syntax, without_marks, tools=TOOLS)
    open, close = syntax.content_open, syntax.content_close
    said = f"{open}Well, for example:{close or ' '}"
    for text in (f"{said}{broken}", f"{said}\n{broken} and more", f"{open}x{broken}{close}"):
        tokens = list(model.encode(text, special=False))
        taken = matcher_for(grammar, tokenizer).try_consume_tokens(tokens)
        so_far = b"".join(map(model.piece, tokens[:taken])).decode()
        assert "nothing" not in so_far, "a call in a text is not held"
    assert matcher_for(grammar, tokenizer).try_consume_tokens(list(model.encode(said.rstrip(), special=False)))


@pytest.mark.parametrize("name", SYNTAXES)
def test_whatever_an_answer_is_its_calls_are_valid(name: str, model: LlamaModel, tokenizer: Any) -> None:
    syntax = SYNTAXES[name]
    grammar = answer_grammar(syntax, without_marks, tools=TOOLS)
    calls = 0
    for seed in range(6):
        text = drawn(grammar, tokenizer, model, seed, begin=BEGUN.get(name, ""))
        if text is not None:
            found = parsed(syntax, text, TOOLS)
            require_valid(found, TOOLS)
            calls += len(found.calls)
    assert calls, "no call was drawn"


BEGUN: Mapping[str, str] = {
    name: f"{syntax.content_open}Well{syntax.content_close or ', '}{beginning}"
    for name, syntax in SYNTAXES.items()
    if syntax.calls and not syntax.harmony
    for beginning in beginnings(syntax.calls, ["order"])
} | {"harmony": HARMONY.calls.head if HARMONY.calls else ""}
"""Texts in the middle of which a call has begun."""


# -- marks that are tokens ---------------------------------------------------------------------------------------------


def of_one(key: str, schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {key: schema}, "required": [key], "additionalProperties": False}


MARK = "<|im_start|>"
"""A control token of the tiny model, which may be spelled in other tokens too."""

MARKED = Syntax(
    calls=CallSyntax(call=(f"{MARK}call ", Slot.OBJECT, "")),
    reasoning=ReasoningSyntax(open="<think>", close=f"{MARK}done"),
)


@pytest.fixture(scope="module")
def preparer(model: LlamaModel) -> Preparer:
    return Preparer(model)


def accepted(grammar: Grammar | None, tokenizer: Any, tokens: Sequence[int]) -> bool:
    return bool(matcher_for(grammar, tokenizer).try_consume_tokens(list(tokens)) == len(tokens))


def test_a_mark_that_is_a_token_is_not_spelled_in_prose(model: LlamaModel, tokenizer: Any, preparer: Preparer) -> None:
    grammar = answer_grammar(MARKED, preparer.split, tools=[PLAIN])
    call = f'{MARK}call {{"name": "plain", "arguments": {{}}}}'
    assert accepted(grammar, tokenizer, model.encode(f"Well. {call}", special=True))
    assert not accepted(grammar, tokenizer, model.encode(f"Well. {MARK}", special=False))
    wrong = model.encode(f'Well. {MARK}call {{"name": "other"', special=True)
    assert not accepted(grammar, tokenizer, wrong)


def test_thoughts_do_not_spell_the_token_that_ends_them(model: LlamaModel, tokenizer: Any, preparer: Preparer) -> None:
    grammar = answer_grammar(MARKED, preparer.split, grammar=Grammar.regex("[0-9]+"), prefill="<think>\n")
    assert accepted(
        grammar, tokenizer, [*model.encode("Hm. ", special=True), *model.encode(f"{MARK}done42", special=True)]
    )
    assert not accepted(grammar, tokenizer, model.encode(f"no number\n{MARK}done", special=False))


@pytest.mark.parametrize("name", SYNTAXES)
def test_what_the_user_names_is_text_whatever_it_looks_like(
    name: str, model: LlamaModel, tokenizer: Any, preparer: Preparer
) -> None:
    value = f"x{MARK}y"
    tool = Tool("odd", "", of_one("a", {"enum": [value]}))
    choice = ToolChoice("required")
    grammar = answer_grammar(SYNTAXES[name], preparer.split, tools=[tool], choice=choice, parallel=False)
    text = drawn(grammar, tokenizer, model, 0)
    (call,) = parsed(SYNTAXES[name], text or "", [tool]).calls
    assert call.arguments == {"a": value}


# -- names and values that are hard to write ---------------------------------------------------------------------------

HARD_SCHEMAS: Mapping[str, Any] = {
    "text beside numbers": {"enum": [5, "6", "true", None]},
    "text or a small number": {"anyOf": [{"type": "string"}, {"type": "integer", "maximum": 3}]},
    "one item at most": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 1},
    "no items": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 0},
    "slashes": {"type": "string", "pattern": "^a\\\\/b$"},
    "a path": {"type": "string", "pattern": "^/[a-z]{1,4}/$"},
    "looks like a schema": {"enum": ["%json {x", "// no comment", "/x/"]},
    "not empty": {"type": "string", "minLength": 1, "maxLength": 3},
    "several types": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
    "types beside anyOf": {"type": "string", "anyOf": [{"const": "x"}, {"const": 5}]},
    "types beside enum": {"type": "string", "enum": ["x", 5, None]},
    "emoji": {"enum": ["🦕", "é"]},
    "email": {"type": "string", "format": "email"},
    "uri": {"type": "string", "format": "uri"},
    "hostname": {"type": "string", "format": "hostname"},
    "ipv6": {"type": "string", "format": "ipv6"},
    "duration": {"type": "string", "format": "duration"},
    "date-time": {"type": "string", "format": "date-time"},
}


@pytest.mark.parametrize("kind", HARD_SCHEMAS)
@pytest.mark.parametrize("name", SYNTAXES)
def test_values_that_are_hard_to_write_are_valid_or_refused(
    name: str, kind: str, model: LlamaModel, tokenizer: Any
) -> None:
    tool = Tool("hard", "", of_one("a", HARD_SCHEMAS[kind]))
    choice, ended = ToolChoice("required"), 0
    for seed in range(5):
        grammar = answer_grammar(SYNTAXES[name], without_marks, tools=[tool], choice=choice, parallel=False)
        text = drawn(grammar, tokenizer, model, seed)
        if text is None:
            continue
        found = parsed(SYNTAXES[name], text, [tool])
        assert len(found.calls) == 1, text
        fault = fault_under(dict(found.calls[0].arguments), json.dumps(tool.parameters))
        assert not fault, f"{fault}: {text!r}"
        ended += 1
    assert ended or kind in ("email", "text or a small number")  # which may be too long for such a test


@pytest.mark.parametrize("key", ["$top", "a.b", "class", "a-b", "é", "_", "a b", "</parameter>", "a>b", "", "=", "🦕"])
@pytest.mark.parametrize("name", SYNTAXES)
def test_keys_are_read_as_they_are_or_refused(name: str, key: str, model: LlamaModel, tokenizer: Any) -> None:
    tool = Tool("keyed", "", of_one(key, {"enum": ["v"]}))
    try:
        grammar = answer_grammar(
            SYNTAXES[name], without_marks, tools=[tool], choice=ToolChoice("required"), parallel=False
        )
    except InvalidGrammar as refused:
        assert "has a name that cannot be told" in str(refused)  # noqa: PT017
        assert not key.isidentifier()
        return
    text = drawn(grammar, tokenizer, model, 0)
    assert parsed(SYNTAXES[name], text or "", [tool]).plain_calls == [("keyed", {key: "v"})]


def test_a_name_that_is_none_is_not_allowed_where_calls_have_marks(model: LlamaModel, tokenizer: Any) -> None:
    syntax = SYNTAXES["json in tags"]
    matcher = matcher_for(answer_grammar(syntax, without_marks, tools=TOOLS), tokenizer)
    text = 'Well <tool_call>\n{"name": "nothing"'
    tokens = list(model.encode(text, special=False))
    taken = matcher.try_consume_tokens(tokens)
    said = b"".join(map(model.piece, tokens[:taken])).decode()
    assert said.startswith('Well <tool_call>\n{"name": "')
    assert "nothing" not in said


def test_thoughts_are_free_before_a_call_that_is_required(model: LlamaModel, tokenizer: Any) -> None:
    syntax = SYNTAXES["json in tags"]
    grammar = answer_grammar(syntax, without_marks, tools=TOOLS, choice=ToolChoice("required"))
    matcher = matcher_for(grammar, tokenizer)
    call = '<tool_call>\n{"name": "plain", "arguments": {}}\n</tool_call>'
    text = f"<think>\nI might <tool_call> or {{not}}.\n</think>\n\n{call}"
    tokens = list(model.encode(text, special=False))
    assert matcher.try_consume_tokens(tokens) == len(tokens)
    assert matcher.is_accepting()


@pytest.mark.parametrize("grammar", [Grammar.choice(["yes"]), Grammar.json_schema({"type": "integer"})])
def test_who_has_to_call_does_not_answer_instead(grammar: Grammar, model: LlamaModel, tokenizer: Any) -> None:
    syntax, choice = SYNTAXES["json in tags"], ToolChoice("required")
    held = answer_grammar(syntax, without_marks, tools=[PLAIN], choice=choice, grammar=grammar)
    for text in ("yes", "42"):
        assert not accepted(held, tokenizer, model.encode(text, special=False))
    assert accepted(held, tokenizer, model.encode('<tool_call>\n{"name": "plain"', special=False))


def test_a_grammar_with_parts_is_an_answer_like_any_other(model: LlamaModel, tokenizer: Any) -> None:
    answer = Grammar.lark(
        'start: "n" @number @answer', {"number": Grammar.regex("[0-9]"), "answer": Grammar.regex("!")}
    )
    for tools in ((), TOOLS):
        held = answer_grammar(SYNTAXES["json in tags"], without_marks, tools=tools, grammar=answer)
        assert accepted(held, tokenizer, model.encode("n7!", special=False))
        assert not accepted(held, tokenizer, model.encode("nx", special=False))


def test_an_answer_under_a_schema_may_call_or_answer(model: LlamaModel, tokenizer: Any) -> None:
    syntax = SYNTAXES["json in tags"]
    answer = Grammar.json_schema({"enum": [1, 2]})
    grammar = answer_grammar(syntax, without_marks, tools=TOOLS, grammar=answer)
    texts = {drawn(grammar, tokenizer, model, seed) for seed in range(12)}
    for text in texts - {None}:
        found = parsed(syntax, text or "", TOOLS)
        assert found.calls or json.loads(found.text) in (1, 2)
        require_valid(found, TOOLS)
    assert any(text and "<tool_call>" in text for text in texts)


def test_without_tools_only_thoughts_come_before_what_an_answer_has_to_be(model: LlamaModel, tokenizer: Any) -> None:
    syntax, answer = SYNTAXES["json in tags"], Grammar.choice(["yes", "no"])
    grammar = answer_grammar(syntax, without_marks, grammar=answer, prefill="<think>\n")
    matcher = matcher_for(grammar, tokenizer)
    tokens = list(model.encode("Hm, yes? no?\n</think>\n\nyes", special=False))
    assert matcher.try_consume_tokens(tokens) == len(tokens)
    assert matcher.is_accepting()
    assert answer_grammar(Syntax(), without_marks, grammar=answer) == answer
    assert answer_grammar(syntax, without_marks) is None
    assert answer_grammar(syntax, without_marks, tools=TOOLS, choice=ToolChoice("none")) is None


# -- what cannot be held -----------------------------------------------------------------------------------------------

RAW = [name for name, syntax in SYNTAXES.items() if syntax.calls and syntax.calls.arguments.values is Values.RAW]


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "a", "minLength": 3}}}, "a"),
        ({"type": "object", "properties": {"a": {"not": {"type": "string"}}}}, "not"),
        ({"type": "object", "properties": {"a": {"type": "string", "format": "color"}}}, "format"),
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "a^b"}}}, "pattern"),
        ({"type": "object", "properties": {}, "required": ["b"]}, "required"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}}, "$ref"),
        (
            {
                "type": "object",
                "$defs": {"N": {"type": "string", "minLength": 1}},
                "properties": {"a": {"$ref": "#/$defs/N", "minLength": 3}},
            },
            "$ref",
        ),
        ({"type": "object", "properties": {"a": {"enum": ["a", "bb"], "minLength": 2}}}, "minLength"),
        ({"type": "object", "properties": {"a": {"type": "string", "enum": [5]}}}, "a"),
        ({"type": "object", "minProperties": 2, "properties": {"a": {"type": "string"}}}, "minProperties"),
    ],
)
def test_a_keyword_that_cannot_be_held_in_a_syntax_is_refused_by_name(
    name: str, schema: dict[str, Any], keyword: str
) -> None:
    tool = Tool("bad", "", schema)
    with pytest.raises(InvalidGrammar) as refused:
        answer_grammar(SYNTAXES[name], without_marks, tools=[tool])
    assert keyword in str(refused.value)
    assert "'bad'" in str(refused.value)
    assert "strict=False" in str(refused.value)


@pytest.mark.parametrize("name", SYNTAXES)
def test_a_tool_that_is_not_strict_is_called_with_anything(name: str, model: LlamaModel, tokenizer: Any) -> None:
    tool = Tool("bad", "", {"type": "object", "properties": {"a": {"not": {}}}}, strict=False)
    grammar = answer_grammar(SYNTAXES[name], without_marks, tools=[tool], choice=ToolChoice("required"), parallel=False)
    matcher_for(grammar, tokenizer)


def numbered_tools(count: int) -> list[Tool]:
    return [Tool(f"tool_{number}", "", ORDER.parameters) for number in range(count)]


@pytest.mark.parametrize("make", [lambda: numbered_tools(60)])
def test_many_tools_are_a_grammar_like_any_other(make: Callable[[], list[Tool]], tokenizer: Any) -> None:
    for name in ("json in tags", "marks around arguments"):
        matcher_for(answer_grammar(SYNTAXES[name], without_marks, tools=make()), tokenizer)
    assert guidance() is not None
