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
from sauropod._text.answer_grammar import answer_grammar
from sauropod._text.output import OutputParser
from sauropod._values.syntax import Syntax, Values
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


def drawn(grammar: Grammar | None, tokenizer: Any, model: LlamaModel, seed: int) -> str | None:
    """Any text that the grammar allows; None if it did not come to its end."""
    matcher, lots = matcher_for(grammar, tokenizer), random.Random(seed)
    said: list[int] = []
    while len(said) < LONGEST and not matcher.is_stopped():
        forced = matcher.compute_ff_tokens()
        token = forced[0] if forced else lots.choice(allowed(matcher, tokenizer, model, ending=len(said) > 120))
        assert matcher.consume_token(token)
        if token not in model.eos:
            said.append(token)
    text = b"".join(map(model.piece, said)).decode(errors="replace")
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


@pytest.mark.parametrize("name", SYNTAXES)
def test_prose_is_free_and_a_call_in_it_is_held(name: str, model: LlamaModel, tokenizer: Any) -> None:
    syntax = SYNTAXES[name]
    grammar = answer_grammar(syntax, without_marks, tools=TOOLS)
    for seed in range(3):
        text = drawn(grammar, tokenizer, model, seed)
        if text is not None:
            require_valid(parsed(syntax, text, TOOLS), TOOLS)


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
