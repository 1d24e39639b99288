"""What the demo model is trained on: drawn afresh, and never what it is measured with."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from typing import Any

import pytest
from examples.train.text import conversations, material, tools, words
from examples.train.text.material import Material
from examples.train.text.messages import Conversation
from examples.train.text.phrasing import vary
from examples.train.text.questions import normal
from examples.train.text.wordings import document, wordings

TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


@pytest.fixture(scope="module")
def trained() -> Material:
    return material.trained()


@pytest.fixture(scope="module")
def drawn(trained: Material) -> list[Conversation]:
    return list(islice(conversations.stream(trained, random.Random(3)), 3000))


def said(drawn: list[Conversation]) -> Iterator[str]:
    return (message.content for each in drawn for message in each.messages if message.role == "user")


def test_the_same_seed_draws_the_same_conversations(trained: Material) -> None:
    one, other = (list(islice(conversations.stream(trained, random.Random(5)), 50)) for _ in range(2))
    assert one == other


def test_no_held_back_wording_is_ever_said(trained: Material, drawn: list[Conversation]) -> None:
    held = {tuple(text.split()) for text in trained.secret}
    lengths = {len(each) for each in held if len(each) >= 4}
    for text in said(drawn):
        spoken = normal(text).split()
        runs = {tuple(spoken[at : at + length]) for length in lengths for at in range(len(spoken) - length + 1)}
        assert not held & {tuple(spoken), *runs}, text


def test_held_back_wordings_of_turns_and_tools_are_not_trained_ones() -> None:
    for table in document("dialogue").values():
        if "asked" in table:
            each = wordings(table)
            assert not {*map(normal, each.trained)} & {*map(normal, each.held_back)}
    for shape in tools.load("own"):
        assert shape.held_back
        assert not {*map(normal, shape.asked)} & {*map(normal, shape.held_back)}


def test_unseen_words_and_tools_are_not_trained() -> None:
    seen, unseen = words.trained().lists, words.unseen().lists
    changed = [name for name in seen if seen[name] != unseen[name]]
    assert len(changed) >= 5
    for name in changed:
        assert not set(seen[name]) & set(unseen[name]), name
    names = {name for lot in ("own", "trained") for shape in tools.load(lot) for name in shape.names}
    assert not names & {name for shape in tools.load("unseen") for name in shape.names}


def test_no_unseen_tool_is_offered_in_training(drawn: list[Conversation]) -> None:
    unseen = {name for shape in tools.load("unseen") for name in shape.names}
    assert not unseen & {name for each in drawn for name in definitions(each)}


def definitions(conversation: Conversation) -> dict[str, Mapping[str, Any]]:
    functions: list[Any] = [tool["function"] for tool in conversation.tools]
    return {function["name"]: function["parameters"] for function in functions}


def test_every_call_fits_the_definition_of_its_tool(drawn: list[Conversation]) -> None:
    seen = 0
    for each in drawn:
        offered = definitions(each)
        for message in each.messages:
            for call in message.calls:
                parameters = offered[call.name]
                assert set(parameters.get("required", ())) <= set(call.arguments) <= set(parameters["properties"])
                for name, value in call.arguments.items():
                    schema = parameters["properties"][name]
                    assert isinstance(value, TYPES[schema["type"]]), (name, value)
                    assert value in schema.get("enum", [value])
                seen += 1
    assert seen > 500


def test_tools_are_called_only_where_they_are_offered(drawn: list[Conversation]) -> None:
    assert all(each.tools for each in drawn if any(message.calls for message in each.messages))


def test_two_calls_in_one_answer_occur(drawn: list[Conversation]) -> None:
    assert any(len(message.calls) == 2 for each in drawn for message in each.messages)


def test_user_and_assistant_take_turns(drawn: list[Conversation]) -> None:
    for each in drawn:
        roles = [message.role for message in each.messages if message.role != "system"]
        assert roles[0] == "user"
        assert roles[-1] == "assistant"
        for one, other in pairwise(roles):
            assert (one == "assistant") != (other == "assistant") or one == other == "tool"


def test_what_is_remembered_was_told(trained: Material) -> None:
    from examples.train.text import memory

    rng = random.Random(1)
    for _ in range(200):
        exchanges = memory.remembered(trained, rng)
        said_before = " ".join(message.content for each in exchanges for message in each.said).lower()
        assert all(key.lower() in said_before for each in exchanges for key in each.keys)


def test_slots_survive_every_variation() -> None:
    rng = random.Random(2)
    for _ in range(500):
        assert "{colour}" in vary("What is the colour {colour} in my favourite list?", rng, shout=False)
