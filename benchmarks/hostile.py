"""Schemas and patterns that are meant to hurt: how long each takes until its error, and what others notice of it.

Eight streams run all the time. The gap between their pieces, of which 5 % were longer, is measured while nothing
hostile is asked and while it is. What a schema's error says is printed too. There is no peer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
import attrs

from benchmarks.harness.program import run
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.samples import Samples, percentile
from benchmarks.harness.setup import Setup
from sauropod import Engine, Grammar, SauropodError, TextDelta

__all__ = ["HOSTILE", "measure"]

STREAMS = 8
WORDS = 40
LONGEST = 32
"""Tokens of an answer, where a hostile grammar turns out to be one that can be enforced."""


def _nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def _shared(depth: int) -> dict[str, Any]:
    """Each definition has the next twice, which is 2^depth schemas written out."""
    refers = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(depth)}
    return {"$defs": {**refers, f"d{depth}": {"type": "string"}}, "$ref": "#/$defs/d0"}


TREE: dict[str, Any] = {
    "type": "object",
    "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["children"],
}

HOSTILE: Mapping[str, Callable[[], Grammar]] = {
    "nested 10,000 deep": lambda: Grammar.json_schema(_nested(10_000)),
    "nested 60 deep": lambda: Grammar.json_schema(_nested(30)),
    "(a+)+$": lambda: Grammar.regex("(a+)+$"),
    "(a+)+$ in a schema": lambda: Grammar.json_schema({"type": "string", "pattern": "^(a+)+$"}),
    "(a{1,1000}){1,1000}": lambda: Grammar.regex("(a{1,1000}){1,1000}"),
    "nested repeats in a schema": lambda: Grammar.json_schema({"type": "string", "pattern": "^((a{9}){9}){9,99}$"}),
    "many states": lambda: Grammar.regex("(.*[a-q][^u-z]{13}){3}x"),
    "enum of 1 MB": lambda: Grammar.json_schema({"enum": [f"value number {n:06}" for n in range(50_000)]}),
    "enum of 250 KB": lambda: Grammar.json_schema({"enum": [f"value number {n:06}" for n in range(10_500)]}),
    "1 MB of choices": lambda: Grammar.choice([f"value number {n:06}" for n in range(50_000)]),
    "refers to itself": lambda: Grammar.json_schema({"$ref": "#"}),
    "a tree of itself": lambda: Grammar.json_schema(TREE),
    "a circle of references": lambda: Grammar.json_schema(
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
    ),
    "2^40 references": lambda: Grammar.json_schema(_shared(40)),
    "minItems 10^9": lambda: Grammar.json_schema({"type": "array", "items": {"type": "integer"}, "minItems": 10**9}),
    "maxLength 10^9": lambda: Grammar.json_schema({"type": "string", "minLength": 10**8, "maxLength": 10**9}),
    "4,000 optional properties": lambda: Grammar.json_schema(
        {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(4000)}}
    ),
    "anyOf of 5,000 patterns": lambda: Grammar.json_schema(
        {"anyOf": [{"type": "string", "pattern": f"^[a-z]{{{n % 50}}}x{n}$"} for n in range(5000)]}
    ),
    "bounds of 300 digits": lambda: Grammar.json_schema({"type": "integer", "minimum": 10**300, "maximum": 10**301}),
    "a grammar that begins with itself": lambda: Grammar.lark('start: start start start | "a" |'),
    "GBNF of 5,000 rules": lambda: Grammar.gbnf(
        "root ::= r0\n" + "\n".join(f'r{n} ::= "a" r{n + 1} | "b" r{n + 1}' for n in range(5000)) + '\nr5000 ::= "c"'
    ),
}


@attrs.define
class Listeners:
    """Streams that never end, and when their pieces came."""

    engine: Engine
    setup: Setup
    gaps: list[float] = attrs.field(factory=list)

    async def listen(self, number: int) -> None:
        prompt = Prompts(("hostile", number)).text(self.setup.words(WORDS))
        while True:
            last = None
            async for event in self.engine.stream(prompt, ignore_eos=True, max_tokens=400):
                if isinstance(event, TextDelta):
                    now = time.perf_counter()
                    self.gaps += [now - last] if last is not None else []
                    last = now

    def take(self) -> list[float]:
        """The gaps since the last time."""
        gaps, self.gaps = self.gaps, []
        return gaps


async def measure(setup: Setup) -> Sequence[Row]:
    """How long the worst took, and the gaps beside them all."""
    options = {"threads": setup.threads, "slots": STREAMS + 1, "context_length": 2048}
    async with Engine(setup.model, device="cpu", **options) as engine:  # type: ignore[arg-type]
        await engine.complete("Hi", grammar=Grammar.choice(["a"]))  # the tokenizer of grammars is made once
        async with anyio.create_task_group() as group:
            listeners = Listeners(engine, setup)
            for number in range(STREAMS):
                group.start_soon(listeners.listen, number)
            await anyio.sleep(setup.words(100) / 100 * 5)
            listeners.take()
            await anyio.sleep(setup.words(100) / 100 * 10)
            before = percentile(listeners.take() or [0.0], 0.95)
            times, gaps = [], []
            for name, make in HOSTILE.items():
                seconds, said = await _suffer(engine, make)
                own = listeners.take()
                times.append(seconds)
                gaps += own
                late = f"{percentile(own, 0.95) * 1000:6.0f} ms" if own else "    –"
                print(f"  {name:36} {seconds * 1000:7.0f} ms   others' gap p95 {late}   {said}", flush=True)
            group.cancel_scope.cancel()
    work = f"{len(times)} hostile grammars beside {STREAMS} streams"
    return [
        Row(work, "the slowest", "s", Samples([max(times)]), goal=Goal(at_most=1.0, relative=False)),
        Row(work, "others' next piece, p95", "ms", Samples([1000 * percentile(gaps or [0.0], 0.95)])),
        Row(work, "the same with nothing hostile", "ms", Samples([1000 * before])),
    ]


async def _suffer(engine: Engine, make: Callable[[], Grammar]) -> tuple[float, str]:
    """Seconds until the error, or until the first piece of an answer, which is read to its end; and what it was."""
    began = time.perf_counter()
    first = None
    try:
        async with engine.stream("Hi", grammar=make(), max_tokens=LONGEST) as stream:
            async for event in stream:
                if first is None and isinstance(event, TextDelta):
                    first = time.perf_counter() - began
        return first or time.perf_counter() - began, f"is enforced: {stream.completion.text[:40]!r}"
    except SauropodError as error:
        return first or time.perf_counter() - began, f"{type(error).__name__}: {str(error)[:110]}"


if __name__ == "__main__":
    run(__doc__, measure)
