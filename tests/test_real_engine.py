"""`Engine` over llama.cpp: what only a real model can show."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Literal

import anyio
import jsonschema
import numpy as np
import pytest

import sauropod
from sauropod import Engine, Grammar, InvalidGrammar, Message, StopReason, TextDelta
from sauropod.testing import models

pytestmark = pytest.mark.anyio

STORY = "Once upon a time there was a small dinosaur who wanted to see the sea, and nobody would tell it the way. " * 3


@pytest.fixture
async def engine(tiny_model: Path, nothing_leaks: None) -> AsyncIterator[Engine]:
    async with Engine(tiny_model, context_length=1024, slots=4) as engine:
        yield engine


async def test_a_seed_gives_the_same_text_whatever_the_cache_holds(engine: Engine) -> None:
    async def ask() -> list[str]:
        """One after the other: texts that are written side by side share steps, which round by how many there are."""
        options: Any = {"temperature": 1, "top_k": 0, "max_tokens": 40, "ignore_eos": True}
        return [(await engine.complete(STORY, seed=seed, **options)).text for seed in (7, 8, 9)]

    first = await ask()
    for other in range(4):
        await engine.complete(f"{STORY[:150]} {other}", max_tokens=10)
        assert await ask() == first
    assert len(set(first)) == 3


async def test_the_next_turn_finds_the_last_one_computed(engine: Engine) -> None:
    conversation = [Message.user(STORY)]
    before = 0
    for turn in range(5):
        answer = await engine.complete(conversation, temperature=0, max_tokens=20, ignore_eos=True)
        assert answer.usage.cached_tokens >= before - 1  # nonsense may be cut into other tokens when it is read again
        before = answer.usage.prompt_tokens
        conversation += [Message.assistant(answer.text), Message.user(f"And then? {turn}")]


async def test_a_system_prompt_is_shared_by_requests_that_come_together(engine: Engine) -> None:
    cached: list[int] = []

    async def ask(number: int) -> None:
        prompt = [Message.system(STORY), Message.user(f"{number}?")]
        cached.append((await engine.complete(prompt, max_tokens=5, ignore_eos=True)).usage.cached_tokens)

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(ask, number)
    shared = await engine.count_tokens(STORY, raw=True)
    assert min(cached) == 0
    assert sorted(cached)[1] >= shared


@pytest.mark.parametrize("tokenizer", ["bpe", "bytes", "spm"])
async def test_text_is_that_of_its_tokens_however_they_cut_characters(
    tokenizer: Literal["bpe", "bytes", "spm"], tmp_path: Path, nothing_leaks: None
) -> None:
    path = models.tiny_llama(tmp_path / "m.gguf", tokenizer=tokenizer)
    async with Engine(path, context_length=400) as engine:
        stream = engine.stream(
            "é🦕", raw=True, temperature=2, top_k=0, seed=1, logprobs=0, max_tokens=200, ignore_eos=True
        )
        deltas = [event async for event in stream if isinstance(event, TextDelta)]
        completion = stream.completion
        assert completion.logprobs is not None
        data = b"".join(token.piece for token in completion.logprobs)
        assert completion.text == data.decode(errors="replace")
        assert "".join(delta.text for delta in deltas) == completion.text
        assert [token for delta in deltas for token in delta.logprobs] == list(completion.logprobs)


async def test_a_stop_string_is_found_across_tokens(engine: Engine) -> None:
    greedy = sauropod.SamplingParams(temperature=0, max_tokens=60, ignore_eos=True)
    whole = await engine.complete("Hello", sampling=greedy)
    stop = whole.text[21:27]
    completion = await engine.complete("Hello", sampling=greedy, stop=[stop])
    assert completion.text == whole.text[: whole.text.index(stop)]
    assert completion.stop_reason is StopReason.STOP


async def test_an_answer_ends_where_the_context_does(tiny_model: Path, nothing_leaks: None) -> None:
    async with Engine(tiny_model, context_length=100, slots=1) as engine:
        completion = await engine.complete("Hello", ignore_eos=True)
        assert completion.stop_reason is StopReason.CONTEXT_LENGTH
        assert completion.usage.total_tokens == 100


async def test_a_million_tokens_are_refused_at_once(engine: Engine) -> None:
    with anyio.fail_after(30), pytest.raises(sauropod.PromptTooLong) as refused:
        await engine.complete("word " * 1_000_000)
    assert refused.value.tokens > 1024
    assert (await engine.complete("Hello", max_tokens=2, ignore_eos=True)).usage.completion_tokens == 2


async def test_more_conversations_than_slots_take_turns_in_host_memory(engine: Engine) -> None:
    prompts = [f"{number}. {STORY}" for number in range(9)]
    first = [await engine.complete(prompt, temperature=0, max_tokens=5, ignore_eos=True) for prompt in prompts]
    again = [await engine.complete(prompt, temperature=0, max_tokens=5, ignore_eos=True) for prompt in prompts]
    assert [answer.usage.cached_tokens for answer in first] == [
        answer.usage.cached_tokens for answer in first if answer.usage.cached_tokens < 20
    ]
    assert all(answer.usage.cached_tokens == answer.usage.prompt_tokens - 1 for answer in again)
    assert [answer.text for answer in again] == [answer.text for answer in first]


async def test_a_full_cache_makes_requests_wait_and_not_fail(tiny_model: Path, nothing_leaks: None) -> None:
    async with Engine(tiny_model, context_length=512, cache_length=512, slots=4) as engine:
        lengths: list[int] = []

        async def ask(number: int) -> None:
            completion = await engine.complete(f"{number} {STORY}", max_tokens=120, ignore_eos=True, temperature=0)
            lengths.append(completion.usage.completion_tokens)

        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                for number in range(6):
                    group.start_soon(ask, number)
        assert lengths == [120] * 6


async def test_a_long_prompt_that_is_cancelled_frees_the_model(tiny_model: Path, nothing_leaks: None) -> None:
    async with Engine(tiny_model, context_length=2048, slots=1, step_tokens=2048) as engine:
        prompt = [number % 200 for number in range(2000)]
        for _ in range(5):
            with anyio.move_on_after(0.002):
                await engine.complete(prompt, max_tokens=1)
            with anyio.fail_after(20):
                completion = await engine.complete("Hello", temperature=0, max_tokens=5, ignore_eos=True)
            assert completion.usage.completion_tokens == 5


@pytest.mark.parametrize("build", [models.tiny_hybrid, models.tiny_recurrent, models.tiny_windowed])
async def test_models_that_cannot_drop_a_tail_serve_conversations_too(
    build: object, tmp_path: Path, nothing_leaks: None
) -> None:
    path: Path = build(tmp_path / "m.gguf", context_length=2048)  # type: ignore[operator]
    async with Engine(path, slots=3, context_length=1024) as engine:
        greedy = sauropod.SamplingParams(temperature=0, max_tokens=10, ignore_eos=True)
        prompts = [[Message.system(STORY), Message.user(f"{number}?")] for number in range(5)]
        alone = [(await engine.complete(prompt, sampling=greedy, seed=1)).text for prompt in prompts]
        answers: dict[int, sauropod.Completion] = {}

        async def ask(number: int) -> None:
            answers[number] = await engine.complete(prompts[number], sampling=greedy)

        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(ask, number)
        assert sum(answers[number].text == alone[number] for number in range(5)) >= 4  # a near tie may fall otherwise
        again = await engine.complete(prompts[0], sampling=greedy)
        assert again.usage.cached_tokens > again.usage.prompt_tokens // 2


async def test_vectors_of_texts_asked_for_together_are_those_of_each(engine: Engine) -> None:
    texts = [f"{number} {STORY[: 20 + number]}" for number in range(20)]
    together = await engine.embed(texts)
    alone = np.concatenate([await engine.embed(text) for text in texts])
    assert ((together * alone).sum(1) > 0.999).all()


async def test_a_text_too_long_to_embed_is_refused(engine: Engine) -> None:
    with pytest.raises(sauropod.PromptTooLong):
        await engine.embed(["short", STORY * 20])


async def test_a_model_without_a_template_continues_text(tmp_path: Path, nothing_leaks: None) -> None:
    async with Engine(models.tiny_llama(tmp_path / "m.gguf", chat_template=False)) as engine:
        assert not engine.info.chat
        assert (await engine.complete("Hello", max_tokens=3, ignore_eos=True)).usage.prompt_tokens < 6
        with pytest.raises(sauropod.UnsupportedInput, match="chat_template"):
            await engine.complete([Message.user("Hello")])


async def test_an_embedding_model_writes_no_text(tmp_path: Path, nothing_leaks: None) -> None:
    async with Engine(models.tiny_embedding(tmp_path / "m.gguf")) as engine:
        assert (await engine.embed(["one", "two"])).shape == (2, engine.info.embedding_length)
        with pytest.raises(sauropod.UnsupportedInput, match="embed"):
            await engine.complete("Hello")


async def test_an_adapter_goes_with_the_model(tmp_path: Path, nothing_leaks: None) -> None:
    path = models.tiny_llama(tmp_path / "m.gguf")
    adapter = str(models.tiny_lora(tmp_path / "lora.gguf", path))
    options: sauropod.SamplingOptions = {"temperature": 0, "max_tokens": 20, "ignore_eos": True}
    texts = []
    for adapters in ({}, {adapter: 1.0}):
        async with Engine(path, adapters=adapters) as engine:
            texts.append((await engine.complete("Hello", **options)).text)
    assert texts[0] != texts[1]


PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "height": {"type": "integer", "minimum": 40, "maximum": 220},
        "favourite colour": {"enum": ["red", "green", "blue"]},
    },
    "required": ["name", "height", "favourite colour"],
    "additionalProperties": False,
}


async def test_texts_held_to_grammars_are_written_beside_others(engine: Engine) -> None:
    def is_person(text: str) -> bool:
        jsonschema.validate(json.loads(text), PERSON)
        return True

    async def ask(grammar: Grammar | None, fits: Callable[[str], object]) -> None:
        completion = await engine.complete(STORY, grammar=grammar, temperature=1, max_tokens=60)
        assert fits(completion.text)
        assert completion.stop_reason is (StopReason.EOS if grammar is not None else StopReason.MAX_TOKENS)
        assert completion.usage.completion_tokens == len(completion.tokens)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask, Grammar.json_schema(PERSON), is_person)
            group.start_soon(ask, Grammar.regex("[ab]{3}c"), re.compile("[ab]{3}c").fullmatch)
            group.start_soon(ask, None, str)


async def test_a_text_of_a_grammar_streams_in_order(engine: Engine) -> None:
    stream = engine.stream(STORY, grammar=Grammar.json_schema(PERSON), seed=3, n=2)
    texts = ["", ""]
    async for event in stream:
        if isinstance(event, TextDelta):
            texts[event.index] += event.text
    assert texts == [choice.text for choice in stream.completion.choices]
    assert texts[0] != texts[1]


async def test_json_that_was_cut_off_says_so(engine: Engine) -> None:
    completion = await engine.complete(STORY, grammar=Grammar.json_schema(PERSON), max_tokens=5)
    assert (completion.stop_reason, len(completion.tokens)) == (StopReason.MAX_TOKENS, 5)
    assert completion.text.startswith('{"name":')


async def test_what_is_forced_is_the_same_with_log_probabilities_and_has_them(engine: Engine) -> None:
    grammar = Grammar.json_schema(PERSON)
    plain = await engine.complete(STORY, grammar=grammar, seed=5)
    told = await engine.complete(STORY, grammar=grammar, seed=5, logprobs=1)
    assert told.tokens == plain.tokens
    assert told.logprobs is not None
    assert [each.token for each in told.logprobs] == list(told.tokens)


@pytest.mark.parametrize(
    "grammar",
    [
        Grammar.json_schema({"not": {}}),
        Grammar.regex("("),
        Grammar.json_schema({"type": "string", "pattern": "a.{3}b|(" * 50}),
    ],
)
async def test_what_is_no_grammar_is_refused_before_the_first_token(grammar: Grammar, engine: Engine) -> None:
    stream = engine.stream(STORY, grammar=grammar)
    with pytest.raises(InvalidGrammar):
        await anext(stream)
    assert (await engine.complete(STORY, max_tokens=3)).usage.completion_tokens == 3


async def test_a_grammar_that_takes_long_to_compile_holds_nobody_up(engine: Engine) -> None:
    heavy = Grammar.json_schema({"type": "string", "allOf": [{"pattern": f"a.{{{n}}}b"} for n in range(20)]})
    ended: list[str] = []

    async def refused() -> None:
        with pytest.raises(InvalidGrammar, match="not ready after"):
            await engine.complete(STORY, grammar=heavy)
        ended.append("refused")

    async with anyio.create_task_group() as group:
        other = engine.stream(STORY, max_tokens=200, ignore_eos=True)
        await anext(other)
        group.start_soon(refused)
        async for _ in other:
            pass
        ended.append("written")
    assert ended == ["written", "refused"]
