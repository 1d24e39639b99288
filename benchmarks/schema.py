"""Answers held to a JSON schema: 1 and 8 clients, each with prompts of its own, streaming.

The schema is what programs ask for: a record with names, numbers, choices and a list. A side writes as many tokens as
its text takes, so records in a second are shown beside tokens. Every answer is checked by `jsonschema`, which neither
side uses. Tokens in a step tell how much is written without asking the model, because it can only go on so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import jsonschema

from benchmarks.harness.load import Load, run_load
from benchmarks.harness.program import run
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.rounds import interleave, sides
from benchmarks.harness.samples import Samples
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Ask, Side
from sauropod import Grammar, Message, SamplingParams
from sauropod.abc import Chunk, LanguageModel, LoadOptions, Source
from sauropod.backends.llama_cpp import LlamaCpp

__all__ = ["SCHEMA", "measure"]

SERVING = Serving(slots=8, context=2048)
WORDS = 100
LONGEST = 400
"""Tokens. The schema bounds everything, so that any model comes to an end."""

REQUESTS: Mapping[int, int] = {1: 5, 8: 2}
"""How many requests each client sends in a round, for so many clients."""

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 24},
        "kind": {"enum": ["sauropod", "theropod", "ornithischian"]},
        "length_in_metres": {"type": "integer", "minimum": 1, "maximum": 40},
        "walks_on_two_legs": {"type": "boolean"},
        "food": {"type": "array", "items": {"enum": ["leaves", "ferns", "meat", "fish"]}, "minItems": 2, "maxItems": 2},
        "found": {
            "type": "object",
            "properties": {
                "year": {"type": "integer", "minimum": 1800, "maximum": 2026},
                "country": {"type": "string", "maxLength": 16},
            },
            "required": ["year", "country"],
            "additionalProperties": False,
        },
        "remarks": {"type": "string", "maxLength": 40},
    },
    "required": ["name", "kind", "length_in_metres", "walks_on_two_legs", "food", "found", "remarks"],
    "additionalProperties": False,
}


async def measure(setup: Setup, requests: Mapping[int, int] = REQUESTS) -> Sequence[Row]:
    """Rows for each number of clients, and how many tokens come in a step."""
    rows: list[Row] = []
    async with sides(setup, attrs.evolve(SERVING, slots=max(SERVING.slots, *requests))) as both:
        for side in both:  # both compile the schema once
            await side.ask(_asked(setup, Prompts("first"), 1, 1)[0][0])
        for clients, each in requests.items():
            rows += _rows(clients, await _loads(setup, both, clients, each))
    return [*rows, _steps(setup)]


async def _loads(setup: Setup, both: Sequence[Side], clients: int, each: int) -> Sequence[Sequence[Load]]:
    async def load(side: Side, number: int) -> Load:
        return await run_load(side, _asked(setup, Prompts((clients, number)), clients, each))

    return await interleave(setup, both, load)


def _asked(setup: Setup, prompts: Prompts, clients: int, each: int) -> list[list[Ask]]:
    plain = prompts.for_clients(clients, each, setup.words(WORDS), LONGEST)
    return [[attrs.evolve(ask, schema=SCHEMA) for ask in asked] for asked in plain]


def _rows(clients: int, loads: Sequence[Sequence[Load]]) -> list[Row]:
    work = f"{clients} client{'' if clients == 1 else 's'}, JSON schema"
    goal, all_of_them = Goal(at_least=2.0 if clients == 1 else 2.5), Goal(at_least=100, relative=False)
    return [
        Row.of(work, "speed", "tok/s", [[load.speed for load in side] for side in loads], goal),
        Row.of(work, "records", "1/s", [[len(load.readings) / load.seconds for load in side] for side in loads]),
        Row.of(work, "valid", "%", [[_valid(load) for load in side] for side in loads], all_of_them),
        Row.of(work, "first token, median", "s", [[load.first for load in side] for side in loads]),
    ]


def _valid(load: Load) -> float:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return 100 * sum(_is_valid(validator, reading.text) for reading in load.readings) / len(load.readings)


def _is_valid(validator: jsonschema.Draft202012Validator, text: str) -> bool:
    try:
        return bool(validator.is_valid(json.loads(text)))
    except ValueError:
        return False


# -- steps -------------------------------------------------------------------------------------------------------------


def _steps(setup: Setup) -> Row:
    """How many tokens a record has for each step of the model that writes it."""
    options = LoadOptions(device="cpu", threads=setup.threads, slots=1, context_length=SERVING.context)
    model = LlamaCpp().load(Source("model", (setup.model,)), options)
    try:
        grammar = Grammar.json_schema(SCHEMA)
        model.compile(grammar)
        shares = [_tokens_in_a_step(model, grammar, setup, number) for number in range(setup.rounds)]
    finally:
        model.close()
    return Row("JSON schema, one text", "tokens in a step", "", Samples(shares))


def _tokens_in_a_step(model: LanguageModel, grammar: Grammar, setup: Setup, number: int) -> float:
    text = model.render([Message.user(Prompts(number).text(setup.words(WORDS)))])
    prompt = list(model.encode(text, special=True))
    sampling = SamplingParams(temperature=0, grammar=grammar)
    model.truncate(0, 0)
    model.open(0, sampling.over(model.info.sampling), prompt, [])
    held, pending, said, steps = 0, prompt, 0, 0
    while said < LONGEST:
        (sampled,) = model.decode([Chunk(0, held, pending, True)])
        held, pending = held + len(pending), [sampled.token, *sampled.forced]
        said, steps = said + len(pending), steps + 1
        if pending[-1] in model.eos:
            break
    return said / steps


if __name__ == "__main__":
    run(__doc__, measure)
