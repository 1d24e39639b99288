"""Case: one thing to ask the model, and what makes the answer right."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from . import calls, documented, material, memory, objects, passages, tools
from .accept import Accept
from .calls import Bench
from .exchange import Exchange, messages
from .material import Material
from .messages import Call, Conversation, user
from .tools import Shape, Tool
from .values import Json

OWN = "own tools"
CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


@dataclass(frozen=True)
class Case:
    """A conversation to be answered. Right is what the rule accepts, or exactly these calls or JSON."""

    kind: str
    topic: str
    conversation: Conversation
    accept: Accept = field(default_factory=Accept)
    calls: tuple[Call, ...] | None = None
    json: Json = None

    def right(self, answer: str) -> bool:
        """Whether `answer`, as the model wrote it, is right."""
        if self.calls is not None:
            return parsed(answer) == [(call.name, dict(call.arguments)) for call in self.calls]
        if "<tool_call>" in answer:
            return False
        if self.json is not None:
            return _load(answer) == self.json
        return self.accept(answer)

    @property
    def expected(self) -> str:
        """What a right answer has, for people."""
        if self.calls is not None:
            return "; ".join(
                f"{call.name}{json.dumps(dict(call.arguments), ensure_ascii=False)}" for call in self.calls
            )
        if self.json is not None:
            return json.dumps(self.json, ensure_ascii=False)
        return " + ".join((*self.accept.words, *filter(None, [self.accept.number])))


def parsed(answer: str) -> list[tuple[str, Json]] | None:
    """Names and arguments of the calls in `answer`; nothing where one is malformed."""
    found: list[tuple[str, Json]] = []
    for text in CALL.findall(answer):
        call = _load(text)
        if not isinstance(call, dict) or set(call) != {"name", "arguments"} or not isinstance(call["name"], str):
            return None
        found.append((call["name"], call["arguments"]))
    return found


def _load(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return None
    return value


def documented_cases(every: Material, rng: random.Random) -> Iterator[Case]:
    """Every listed question as it is listed, and in one more of its wordings."""
    for question in every.questions:
        other = rng.choice(question.phrasings[1:] or question.phrasings)
        for text in dict.fromkeys((question.name, other)):
            yield Case("documented", question.topic, Conversation((user(text),)), question.accept)


def held_back_cases(every: Material, rng: random.Random) -> Iterator[Case]:
    """Every listed question in wordings that were never trained; of sums and the like, one each."""
    for question in every.questions:
        held = question.held_back
        chosen = (rng.choice(held),) if question.topic == "arithmetic" else held
        for text in chosen:
            yield Case("held back", question.topic, Conversation((user(text),)), question.accept)


def drawn_cases(unseen: Material, rng: random.Random, count: int) -> Iterator[Case]:
    """Conversations with values, wordings and tools that were never trained: `count` of every topic."""
    moves: Mapping[tuple[str, str], Callable[[Material, random.Random], list[Exchange]]] = {
        ("previous turns", "told and asked for"): memory.remembered,
        ("previous turns", "never told"): memory.untold,
        ("previous turns", "and of Spain?"): documented.follow_ups,
        ("previous turns", "plus two?"): documented.running_sum,
        ("previous turns", "say that again"): memory.again,
        ("previous turns", "what did I ask?"): memory.asked_before,
        ("copying", "repeat after me"): memory.echoed,
        ("copying", "read and find"): passages.read,
        ("copying", "spell a word"): documented.spelled,
        ("unlisted", "says it does not know"): documented.unlisted,
    }
    for (kind, topic), move in moves.items():
        for _ in range(count):
            yield _last(kind, topic, move(unseen, rng), ())
    shapes: Mapping[str, Callable[[Material, random.Random], list[Exchange]]] = {
        "list": objects.array,
        "own items": objects.copied,
        "keys and values": objects.filled,
        "from a sentence": objects.extracted,
        "all of a sentence": objects.turned,
    }
    for topic, move in shapes.items():
        for _ in range(count):
            exchange = move(unseen, rng)[-1]
            wanted = _load(exchange.answer.content)
            yield Case("JSON", topic, Conversation(exchange.said), json=wanted)


def _last(kind: str, topic: str, exchanges: list[Exchange], schemas: Iterable[Mapping[str, Json]]) -> Case:
    *before, last = exchanges
    conversation = Conversation((*messages(before), *last.said), tuple(schemas))
    return Case(kind, topic, conversation, Accept(words=tuple(key.replace("|", " ") for key in last.keys)))


def tool_cases(unseen: Material, rng: random.Random, count: int) -> Iterator[Case]:
    """Calls of the listed tools, of the same under other names and of tools never seen; their results; no call.

    The values are never those of training.
    """
    trained = replace(unseen, measuring=False)
    for offer in (
        Offer(OWN, trained, _listed),
        Offer(f"{OWN}, new wordings", unseen, _listed),
        Offer(f"{OWN}, renamed", trained, _renamed),
        Offer("unseen tools", unseen, _others),
    ):
        yield from _calls(offer, rng, count)


@dataclass(frozen=True)
class Offer:
    """Where the tools of one kind of case come from: `draw` some of `drawn`."""

    kind: str
    drawn: Material
    draw: Callable[[Material, random.Random], list[Tool]]

    def bench(self, rng: random.Random, offered: int) -> Bench:
        """`offered` tools, and one more that is not."""
        every = self.draw(self.drawn, rng)
        some = rng.sample(every, min(offered + 1, len(every)))
        return Bench(tuple(some[:offered]), some[-1])

    def called(self, rng: random.Random, parallel: float, offered: int) -> tuple[list[Exchange], Bench]:
        """A request, its calls and their results, with what was offered."""
        while True:
            bench = self.bench(rng, offered)
            exchanges = calls.called(bench, self.drawn, rng, parallel=parallel)
            if exchanges:
                return exchanges, bench


def _listed(every: Material, rng: random.Random) -> list[Tool]:
    return [tools.listed(shape) for shape in every.own if not shape.like]


def _renamed(every: Material, rng: random.Random) -> list[Tool]:
    alike: dict[str, list[Shape]] = {}
    for shape in every.own:
        alike.setdefault(shape.family, []).append(shape)
    return [tools.choose(rng.choice(shapes), rng) for shapes in alike.values()]


def _others(every: Material, rng: random.Random) -> list[Tool]:
    return [tools.choose(shape, rng) for shape in every.others]


def _calls(offer: Offer, rng: random.Random, count: int) -> Iterator[Case]:
    for topic, parallel, offered in (("one offered", 0.0, 1), ("one of several", 0.0, 3), ("two calls", 1.0, 2)):
        made = 0
        while made < count:
            exchanges, bench = offer.called(rng, parallel, offered)
            wanted = exchanges[0].answer.calls
            if (len(wanted) == 2) == (parallel > 0):
                yield Case(offer.kind, topic, Conversation(exchanges[0].said, bench.schemas), calls=wanted)
                made += 1
    for _ in range(count):
        exchanges, bench = offer.called(rng, 0.15, 2)
        yield _last(offer.kind, "tells the result", exchanges, bench.schemas)
    for _ in range(count):
        bench = offer.bench(rng, rng.choice((1, 2, 3)))
        question = documented.any_question(offer.drawn, rng, without=calls.TOOLED)
        conversation = Conversation((user(question.name),), bench.schemas)
        yield Case(offer.kind, "no tool fits", conversation, question.accept)


def every_case(seed: int = 1, count: int = 60) -> list[Case]:
    """All cases, the same for the same seed."""
    rng = random.Random(seed)
    unseen = material.unseen()
    return [
        *documented_cases(unseen, rng),
        *held_back_cases(unseen, rng),
        *drawn_cases(unseen, rng, count),
        *tool_cases(unseen, rng, count),
    ]
