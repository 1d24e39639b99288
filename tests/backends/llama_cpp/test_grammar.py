"""What a real model says under a grammar is of the grammar, whatever its weights."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sauropod import Grammar, InvalidGrammar, SamplingParams
from sauropod._values.sampling import DEFAULT_SAMPLING
from sauropod.abc import Chunk, LanguageModel, LoadOptions, Source
from sauropod.backends.llama_cpp import LlamaCpp
from sauropod.backends.llama_cpp.schema import _CHECKS, _INSIDE, places
from sauropod.errors import BackendError
from sauropod.testing import models
from schemas import some_schema

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
pytest.importorskip("llguidance", reason="llguidance is not installed")

PROMPT = "Write something."
LONGEST = 600


def load(path: Path) -> LanguageModel:
    return LlamaCpp().load(Source(path.stem, (path,)), LoadOptions(device="cpu", slots=2, threads=1))


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Iterator[LanguageModel]:
    loaded = load(tiny_model)
    yield loaded
    loaded.close()


def say(model: LanguageModel, grammar: Grammar, seed: int = 0, **sampling: Any) -> tuple[str | None, int, int]:
    """The text, None if it did not come to its end; how many tokens it has, and in how many steps they came."""
    params = SamplingParams(seed=seed, temperature=1, top_k=0, top_p=1, min_p=0, grammar=grammar, **sampling)
    model.compile(grammar)
    model.truncate(0, 0)
    prompt = list(model.encode(PROMPT, special=True))
    model.open(0, params.over(DEFAULT_SAMPLING), prompt, [])
    said: list[int] = []
    held, pending, steps = 0, prompt, 0
    while len(said) < LONGEST:
        (sampled,) = model.decode([Chunk(0, held, pending, True)])
        if sampled.error is not None:
            raise sampled.error
        steps += 1
        held += len(pending)
        pending = [sampled.token, *sampled.forced][:400]
        said += pending
        if said[-1] in model.eos:
            break
    return _text(model, said) if said[-1] in model.eos else None, len(said), steps


def _text(model: LanguageModel, tokens: Sequence[int]) -> str:
    return b"".join(map(model.piece, tokens)).decode()


def closing(model: LanguageModel) -> dict[int, float]:
    """A bias for what ends strings, lists, objects and texts."""
    marks = {model.encode(mark, special=False)[0]: 6.0 for mark in '"]};>'}
    return marks | dict.fromkeys(model.eos, 30.0)


def valid(schema: Any) -> jsonschema.Draft202012Validator:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(schema, format_checker=checker)


SCHEMAS = 260


def test_every_text_is_valid_under_its_schema(model: LanguageModel) -> None:
    """Prints what came of them: see it with `-s`."""
    tokens = steps = 0
    enforced: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    came_of_it: Counter[str] = Counter()
    for seed in range(SCHEMAS):
        schema = some_schema(seed)
        keywords = {keyword for place in places(json.loads(json.dumps(schema))) for keyword in place.schema}
        try:
            text, length, taken = say(model, Grammar.json_schema(schema), seed, logit_bias=closing(model))
        except InvalidGrammar as error:  # some contradict themselves, or need what cannot be enforced
            refused[str(error).partition(" at ")[0]] += 1
            continue
        tokens, steps = tokens + length, steps + taken
        came_of_it["valid" if text is not None else "still being written"] += 1
        if text is not None:
            valid(schema).validate(json.loads(text))
            enforced.update(keywords)
    print(f"\n{SCHEMAS} schemas: {dict(came_of_it)}, {refused.total()} refused; {tokens / steps:.2f} tokens in a step")
    print("valid texts by keyword:", ", ".join(f"{keyword} {count}" for keyword, count in sorted(enforced.items())))
    print("refused by keyword:", ", ".join(f"{keyword} {count}" for keyword, count in sorted(refused.items())))
    assert came_of_it["valid"] >= 200
    assert steps < 0.75 * tokens
    missing = (_CHECKS.keys() | _INSIDE.keys()) - {"uniqueItems", "additionalItems"} - enforced.keys()
    assert not missing, "no text was written under these"


OPEN: list[Any] = [
    True,
    {},
    {"type": "object"},
    {"type": "array"},
    {"type": "string"},
    {"type": "number"},
    {"type": "integer"},
    {"minLength": 3, "minimum": 5, "required": ["x"]},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a", "z"]},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 3},
    {"type": "object", "patternProperties": {"^a": {"type": "integer"}}, "additionalProperties": {"type": "null"}},
    {"oneOf": [{"type": "string"}, {"type": "number"}]},
    {"type": "string", "format": "email"},
    {"type": "string", "format": "uri"},
    {"type": "string", "format": "hostname"},
    {
        "$ref": "#/$defs/tree",
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {
                    "value": {"type": "integer"},
                    "left": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
                },
                "required": ["value", "left"],
                "additionalProperties": False,
            }
        },
    },
]


@pytest.mark.parametrize("schema", OPEN, ids=lambda schema: json.dumps(schema)[:60])
def test_schemas_that_leave_much_open_are_enforced_too(schema: Any, model: LanguageModel) -> None:
    ended = 0
    for seed in range(12):
        text, _, _ = say(model, Grammar.json_schema(schema), seed, logit_bias=closing(model))
        if text is not None:
            ended += 1
            valid(schema).validate(json.loads(text))
    assert ended >= 4


def test_json_is_laid_out_as_python_does_unless_it_is_asked_for_otherwise(model: LanguageModel) -> None:
    schema = {"const": {"a": [1, 2], "b": {}}}
    assert say(model, Grammar.json_schema(schema))[0] == json.dumps(schema["const"])
    compact = {**schema, "x-guidance": {"item_separator": ",", "key_separator": ":"}}
    assert say(model, Grammar.json_schema(compact))[0] == '{"a":[1,2],"b":{}}'


def test_blanks_that_are_free_are_not_without_end(model: LanguageModel) -> None:
    value = {"a": [1, 2], "b": {}}
    free = {"const": value, "x-guidance": {"whitespace_flexible": True}}
    texts = {say(model, Grammar.json_schema(free), seed, logit_bias=blanks(model))[0] for seed in range(3)}
    assert all(text is not None and json.loads(text) == value for text in texts)
    assert any(text is not None and "\n" in text for text in texts)


def blanks(model: LanguageModel) -> dict[int, float]:
    return dict.fromkeys((model.encode(blank, special=False)[0] for blank in (" ", "\n")), 30.0)


CHOICES = ["yes", "no", "no, never", 'a "quoted" one', "ünï 🦕", "(.*)", "x/y\\z\n\t", " ", "{}"]

GRAMMARS: dict[str, tuple[Grammar, str]] = {
    "regex": (Grammar.regex("[a-c]{3,5}-\\d+;"), "[a-c]{3,5}-\\d+;"),
    "regex with anchors": (Grammar.regex("^(?:ab|c)$"), "ab|c"),
    "regex without lookups": (Grammar.regex("(a+)+$"), "a+"),
    "choice": (Grammar.choice(CHOICES), "|".join(map(re.escape, CHOICES))),
    "lark": (Grammar.lark('start: "<" WORD ("," WORD)* ">"\nWORD: /[a-z]{1,3}/'), "<[a-z]{1,3}(,[a-z]{1,3})*>"),
    "lark with a schema": (Grammar.lark('start: "call " %json {"const": {"a": 1}} "."'), 'call {"a": 1}\\.'),
    "gbnf": (Grammar.gbnf('root ::= item ("-" item){1,2}\nitem ::= [0-9] | "x" # what\n'), "[0-9x](-[0-9x]){1,2}"),
}


@pytest.mark.parametrize("kind", GRAMMARS)
def test_every_kind_of_grammar_is_enforced(kind: str, model: LanguageModel) -> None:
    grammar, expected = GRAMMARS[kind]
    said = (say(model, grammar, seed, logit_bias=closing(model))[0] for seed in range(20))
    texts = [text for text in said if text is not None]
    assert len(texts) >= 15
    assert all(re.fullmatch(expected, text) for text in texts), texts


@pytest.mark.parametrize("tokenizer", ["bpe", "spm", "bytes"])
def test_every_vocabulary_will_do(tokenizer: Any, tmp_path: Path) -> None:
    model = load(models.tiny_llama(tmp_path / "model.gguf", tokenizer=tokenizer))
    try:
        properties = {"é 🦕": {"enum": ["ä", "日本"]}}
        schema = {"properties": properties, "required": ["é 🦕"], "additionalProperties": False, "type": "object"}
        for seed in range(5):
            valid(schema).validate(json.loads(say(model, Grammar.json_schema(schema), seed)[0] or ""))
    finally:
        model.close()


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        (Grammar.regex("("), "unclosed group"),
        (Grammar.regex("(?=a)b"), "look-around"),
        (Grammar.lark("start: missing"), "missing"),
        (Grammar.lark("start: start"), "no text satisfies"),
        (Grammar.lark('start: %json {"not": {}}'), "not at /not"),
        (Grammar.lark("start: %json {"), "no schema"),
        (Grammar.gbnf('root ::= "a'), "GBNF"),
        (Grammar.gbnf("root ::= missing"), "missing"),
        (Grammar.json_schema({"type": "string", "minLength": 3, "maxLength": 2}), "nsatisfiable"),
        (Grammar.json_schema({"properties": {"a": {"oneOf": [{"minimum": 1}, {}]}}}), "oneOf.*at /properties/a"),
        (Grammar.json_schema({"items": {"type": "strin"}}), "strin .*at /items"),
        (Grammar.json_schema({"$ref": "#"}), "no text satisfies"),
    ],
)
def test_what_is_no_grammar_says_why(grammar: Grammar, reason: str, model: LanguageModel) -> None:
    with pytest.raises(InvalidGrammar, match=reason):
        model.compile(grammar)


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "null"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def chained(length: int) -> dict[str, Any]:
    links = {f"d{number}": {"items": {"$ref": f"#/$defs/d{number + 1}"}} for number in range(length)}
    return {"$defs": {**links, f"d{length}": {}}, "$ref": "#/$defs/d0"}


HOSTILE = {
    "deep": lambda: Grammar.json_schema(nested(10_000)),
    "as deep as may be": lambda: Grammar.json_schema(nested(60)),
    "a long chain": lambda: Grammar.json_schema(chained(4_000)),
    "a megabyte of values": lambda: Grammar.json_schema({"enum": [f"value {n}" for n in range(80_000)]}),
    "many values": lambda: Grammar.json_schema({"enum": [f"value {n}" for n in range(15_000)]}),
    "many choices": lambda: Grammar.choice(f"choice {n}" for n in range(15_000)),
    "many properties": lambda: Grammar.json_schema({"properties": {f"p{n}": {"type": "null"} for n in range(8_000)}}),
    "many items": lambda: Grammar.json_schema({"type": "array", "minItems": 10**9}),
    "long strings": lambda: Grammar.json_schema({"type": "string", "minLength": 10**9}),
    "many ways": lambda: Grammar.json_schema(
        {"allOf": [{"anyOf": [{"minimum": n}, {"maximum": n}]} for n in range(25)]}
    ),
    "heavy patterns": lambda: Grammar.json_schema({"allOf": [{"pattern": f"a.{{{n}}}b"} for n in range(20)]}),
    "large multiples": lambda: Grammar.json_schema({"type": "integer", "multipleOf": 1_000_003}),
    "itself": lambda: Grammar.json_schema({"$ref": "#"}),
    "without end": lambda: Grammar.json_schema(
        {
            "items": {"$ref": "#/$defs/a"},
            "$defs": {"a": {"required": ["a"], "properties": {"a": {"$ref": "#/$defs/a"}}}},
        }
    ),
    "backtracking": lambda: Grammar.regex("(a+)+$"),
    "nested groups": lambda: Grammar.regex("(" * 10_000 + "a" + ")" * 10_000),
    "a million repetitions": lambda: Grammar.regex("a{1000000}"),
    "repetitions of repetitions": lambda: Grammar.regex("((a{100}){100}){100}"),
    "many states": lambda: Grammar.regex(".*a.{10000}"),
    "many rules": lambda: Grammar.lark(
        "start: r0\n" + "".join(f'r{n}: r{n + 1} r{n + 1} | "x"\n' for n in range(5000)) + 'r5000: "y"'
    ),
    "many rules of llama.cpp": lambda: Grammar.gbnf(
        "root ::= r0\n" + "".join(f'r{n} ::= r{n + 1} "x"\n' for n in range(5000)) + 'r5000 ::= "y"'
    ),
    "parentheses": lambda: Grammar.gbnf("root ::= " + "(" * 10_000 + '"a"' + ")" * 10_000),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_grammars_are_an_error_or_a_success(kind: str, model: LanguageModel) -> None:
    """And neither the end of the process nor of the day: compiling has a second."""
    with contextlib.suppress(InvalidGrammar, BackendError):
        say(model, HOSTILE[kind]())
    assert say(model, Grammar.choice(["well"]))[0] == "well"


def test_compiled_grammars_are_kept_and_not_without_bound(model: LanguageModel) -> None:
    grammar = Grammar.regex("kept")
    model.compile(grammar)
    kept = model._grammars  # type: ignore[attr-defined]
    first = kept.compile(grammar)
    assert kept.compile(Grammar.regex("kept")) is first
    for number in range(150):
        model.compile(Grammar.regex(f"other {number}"))
    assert kept.compile(grammar) is not first


def test_a_bias_that_forbids_all_that_is_allowed_is_an_error_of_that_text(model: LanguageModel) -> None:
    forbidden = {token: -float("inf") for token in range(model.info.vocabulary_size) if b"a" in model.piece(token)}
    with pytest.raises(BackendError, match="logit_bias"):
        say(model, Grammar.regex("[a]|ab"), logit_bias=forbidden)


def test_masks_computed_beside_the_step_are_the_same(model: LanguageModel) -> None:
    grammars = model._grammars  # type: ignore[attr-defined]
    grammar = Grammar.json_schema(some_schema(3))
    after = say(model, grammar, 3)
    grammars.aside = True
    try:
        assert say(model, grammar, 3) == after
    finally:
        grammars.aside = False


@pytest.mark.parametrize("text", ['start: "a" <|im_end|> "b"', 'start: /[a-c]/ <|im_end|> "b"'])
def test_a_grammar_with_an_end_in_the_middle_is_an_error(text: str, model: LanguageModel) -> None:
    """Or what is said would be half of what it asks for."""
    with pytest.raises(BackendError, match="the token that ends a text"):
        say(model, Grammar.lark(text))


def test_what_llguidance_says_is_told_in_words_of_ours(model: LanguageModel) -> None:
    overlapping = {"oneOf": [{"type": "object"}, {"type": "object", "required": ["a"]}]}
    endless = {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"], "additionalProperties": False}
    for schema, told in ((overlapping, "use anyOf"), (endless, "no text satisfies|requires itself")):
        with pytest.raises(InvalidGrammar, match=told):
            model.compile(Grammar.json_schema(schema))
