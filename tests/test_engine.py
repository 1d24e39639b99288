"""`Engine` as its users see it, over the strict fake in a real worker process."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator

import anyio
import numpy as np
import pytest

import sauropod
from sauropod import Engine, Finished, Message, SamplingParams, StopReason, TextDelta, Tool
from workers import link_of, pid_of

pytestmark = pytest.mark.anyio


def fake(**options: object) -> Engine:
    return Engine("fake:", options=options)


@pytest.fixture
async def engine(nothing_leaks: None) -> AsyncIterator[Engine]:
    async with fake() as engine:
        yield engine


async def test_the_deltas_of_a_stream_are_the_text_of_the_completion(engine: Engine) -> None:
    async with engine.stream("Hello", seed=1, max_tokens=30, ignore_eos=True) as stream:
        events = [event async for event in stream]
    assert isinstance(events[-1], Finished)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == stream.completion.text
    assert stream.completion == events[-1].completion


async def test_the_same_seed_gives_the_same_text_and_another_gives_another(engine: Engine) -> None:
    texts = [(await engine.complete("Hello", seed=seed, max_tokens=20)).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


async def test_without_a_seed_every_answer_is_drawn_anew(engine: Engine) -> None:
    assert len({(await engine.complete("Hello", max_tokens=20, ignore_eos=True)).text for _ in range(3)}) == 3


async def test_what_was_read_ahead_is_not_computed_again(engine: Engine) -> None:
    await engine.prefill([Message.system("Be brief."), Message.user("Tell me")])
    messages = [Message.system("Be brief."), Message.user("Tell me a story.")]
    usage = (await engine.complete(messages, temperature=0, max_tokens=2, ignore_eos=True)).usage
    ahead = await engine.count_tokens([Message.system("Be brief."), Message.user("Tell me")])
    assert usage.cached_tokens > ahead // 2


async def test_a_completion_tells_what_it_took(engine: Engine) -> None:
    first = await engine.complete("Hello there", temperature=0, max_tokens=5, ignore_eos=True)
    again = await engine.complete("Hello there", temperature=0, max_tokens=5, ignore_eos=True)
    prompt = await engine.count_tokens("Hello there")
    assert (first.usage.prompt_tokens, first.usage.cached_tokens, first.usage.completion_tokens) == (prompt, 0, 5)
    assert again.usage.cached_tokens == prompt - 1
    assert len(first.tokens) == 5
    assert first.stop_reason is StopReason.MAX_TOKENS
    assert 0 <= first.timings.first_token <= first.timings.total


async def test_several_texts_from_one_prompt_compute_it_once(engine: Engine) -> None:
    prompt = "A prompt that is long enough to be worth waiting for while another computes it."
    completion = await engine.complete(prompt, n=4, seed=5, max_tokens=6, ignore_eos=True)
    assert len({choice.text for choice in completion.choices}) == 4
    assert completion.usage.completion_tokens == 24
    alone = await engine.complete(prompt, seed=5, max_tokens=6, ignore_eos=True)
    assert completion.choices[0].text == alone.text


async def test_log_probabilities_come_with_their_alternatives(engine: Engine) -> None:
    completion = await engine.complete("Hello", logprobs=3, max_tokens=7, ignore_eos=True)
    assert completion.logprobs is not None
    assert [logprob.token for logprob in completion.logprobs] == list(completion.tokens)
    assert all(len(logprob.alternatives) == 3 for logprob in completion.logprobs)
    assert (await engine.complete("Hello", max_tokens=3)).logprobs is None


async def test_a_stop_string_ends_the_text_before_itself(engine: Engine) -> None:
    whole = (await engine.complete("Hello", seed=1, max_tokens=60, ignore_eos=True)).text
    stop = whole[5:8]
    completion = await engine.complete("Hello", seed=1, max_tokens=60, ignore_eos=True, stop=stop)
    assert completion.text == whole[: whole.index(stop)]
    assert (completion.stop_reason, completion.choices[0].stop) == (StopReason.STOP, stop)


async def test_the_tokens_of_a_stop_string_are_told_and_its_text_is_not(engine: Engine) -> None:
    whole = (await engine.complete("Hello", seed=1, max_tokens=60, ignore_eos=True)).text
    stop = whole[5:8]
    async with engine.stream("Hello", seed=1, max_tokens=60, ignore_eos=True, stop=stop, logprobs=0) as stream:
        deltas = [event async for event in stream if isinstance(event, TextDelta)]
    (choice,) = stream.completion.choices
    assert choice.logprobs is not None
    assert b"".join(token.piece for token in choice.logprobs).decode(errors="replace").startswith(choice.text + stop)
    assert [token.token for token in choice.logprobs] == list(choice.tokens)
    assert [token for delta in deltas for token in delta.logprobs] == list(choice.logprobs)


async def test_a_stop_token_ends_the_text_and_is_no_part_of_it(engine: Engine) -> None:
    whole = await engine.complete("Hello", seed=1, max_tokens=20, ignore_eos=True)
    token = whole.tokens[7]
    completion = await engine.complete("Hello", seed=1, max_tokens=20, ignore_eos=True, stop_tokens=[token])
    assert list(completion.tokens) == list(whole.tokens)[: list(whole.tokens).index(token)]
    assert completion.choices[0].stop == token


async def test_conversations_tools_texts_and_tokens_are_prompts(engine: Engine) -> None:
    rendered = "system: Be kind.\nuser: Hi\nassistant:"
    messages = [Message.system("Be kind."), Message.user("Hi")]
    counts = [
        await engine.count_tokens(messages),
        await engine.count_tokens(rendered, raw=True),
        await engine.count_tokens([257, *rendered.encode()]),
    ]
    assert counts == [len(rendered) + 1] * 3
    assert await engine.count_tokens(messages, tools=[Tool("clock")]) == counts[0] + len("tool: clock\n")


async def test_a_text_becomes_tokens_and_tokens_a_text(engine: Engine) -> None:
    assert await engine.tokenize("Hé") == [257, *"Hé".encode()]
    assert await engine.tokenize("Hé", special=False) == [*"Hé".encode()]
    assert await engine.detokenize(await engine.tokenize("Hé 🦕")) == "Hé 🦕"
    assert await engine.detokenize([]) == ""
    assert await engine.detokenize([0xE2]) == "\ufffd"
    with pytest.raises(sauropod.UnsupportedInput, match="99999"):
        await engine.detokenize([99999])
    with pytest.raises(sauropod.UnsupportedInput, match="int"):
        await engine.tokenize(5)  # type: ignore[arg-type]


async def test_what_is_embedded_is_counted_as_it_is_computed(engine: Engine) -> None:
    assert await engine.count_embedded(["Hello", "you"]) == len("Hello") + len("you") + 2
    assert await engine.count_embedded([]) == 0


async def test_embeddings_are_of_length_one_unless_asked_otherwise(engine: Engine) -> None:
    vectors = await engine.embed(["one", "two", "one"])
    assert vectors.shape == (3, 8)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(vectors[0], vectors[2])
    raw = await engine.embed("one", normalize=False)
    np.testing.assert_allclose(raw[0] / np.linalg.norm(raw[0]), vectors[0], rtol=1e-6)
    assert (await engine.embed([])).shape == (0, 8)


@pytest.mark.parametrize(
    "texts", [b"abc", 5, [5], [b"abc"], [("a", "b", "c")], [("a", 5)], "", ["a", ""], {"a": 5.0}.items()]
)
async def test_what_is_no_text_is_not_embedded(texts: object, engine: Engine) -> None:
    with pytest.raises(sauropod.UnsupportedInput):
        await engine.embed(texts)  # type: ignore[arg-type]


async def test_requests_run_side_by_side(engine: Engine) -> None:
    texts: dict[int, str] = {}

    async def ask(seed: int) -> None:
        texts[seed] = (await engine.complete(f"Question {seed}", seed=seed, max_tokens=30)).text

    async with anyio.create_task_group() as group:
        for seed in range(20):
            group.start_soon(ask, seed)
    for seed in range(20):
        assert (await engine.complete(f"Question {seed}", seed=seed, max_tokens=30)).text == texts[seed]


async def test_a_stream_tells_what_it_has_used_while_it_is_written(engine: Engine) -> None:
    async with engine.stream("Go on", temperature=0, ignore_eos=True, max_tokens=20) as stream:
        assert (stream.usage.prompt_tokens, stream.usage.completion_tokens) == (0, 0)
        counts = []
        async for event in stream:
            if isinstance(event, TextDelta):
                assert stream.usage.prompt_tokens == await engine.count_tokens("Go on")
                counts.append(stream.usage.completion_tokens)
        assert counts == sorted(counts)
        assert 0 < counts[0] < counts[-1]
        assert stream.usage == stream.completion.usage
    stopped = engine.stream("Go on", temperature=0, ignore_eos=True, max_tokens=200)
    async with stopped:
        await anext(stopped)
    assert 0 < stopped.usage.completion_tokens < 200


@pytest.mark.parametrize("how", ["leave", "forget", "cancel"])
async def test_a_stream_abandoned_at_any_token_frees_its_slot(how: str, nothing_leaks: None) -> None:
    async with Engine("fake:", options={"slots": 1, "context_length": 4000}, max_waiting=1) as engine:
        for count in range(12):
            stream = engine.stream("Hello", ignore_eos=True, seed=count)
            with anyio.CancelScope() as scope:
                for _ in range(count):
                    await anext(stream)
                if how == "cancel":
                    scope.cancel()
                    await anext(stream)
            if how == "leave":
                await stream.aclose()
            del stream
            gc.collect()
        with anyio.fail_after(20):
            assert (await engine.complete("Hello", seed=1, max_tokens=5, ignore_eos=True)).usage.completion_tokens == 5
        assert not link_of(engine)._exchanges


async def test_a_cancelled_prompt_stops_in_the_middle_of_its_step(nothing_leaks: None) -> None:
    options = {"slots": 1, "seconds_per_token": 10.0, "step_tokens": 64}
    async with Engine("fake:", options=options) as engine:
        with anyio.move_on_after(0.2):
            await engine.complete("A prompt of which each step would take ten minutes.")
        with anyio.fail_after(20):
            assert await engine.count_tokens("x") > 0
            while link_of(engine)._exchanges:
                await anyio.sleep(0)
            vectors = await engine.embed("the model is free again")  # would wait for the step otherwise
            assert vectors.shape == (1, 8)


async def test_a_full_queue_refuses_and_the_others_go_on(nothing_leaks: None) -> None:
    async with Engine("fake:", options={"slots": 1, "context_length": 100_000}, max_waiting=2) as engine:
        texts: list[str] = []

        async def ask() -> None:
            texts.append((await engine.complete("Hello", seed=1, max_tokens=50, ignore_eos=True)).text)

        async with anyio.create_task_group() as group, engine.stream("Hello", ignore_eos=True) as endless:
            await anext(endless)
            group.start_soon(ask)
            group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(sauropod.QueueFull, match="2") as refused:
                await engine.complete("Hello")
            assert (refused.value.waiting, refused.value.limit) == (2, 2)
            await endless.aclose()
        assert len(texts) == 2
        assert len(set(texts)) == 1


async def test_a_prompt_too_long_is_refused_with_the_counts(engine: Engine) -> None:
    with pytest.raises(sauropod.PromptTooLong, match="301") as refused:
        await engine.complete("x" * 300, raw=True)
    assert (refused.value.tokens, refused.value.limit) == (301, 256)
    assert (await engine.complete("Hello", max_tokens=2, ignore_eos=True)).usage.completion_tokens == 2


@pytest.mark.parametrize(
    ("prompt", "options", "error"),
    [
        ("", {"raw": True, "logit_bias": {99999: 1.0}}, sauropod.InvalidSampling),
        ("x", {"temperature": float("nan")}, sauropod.InvalidSampling),
        ("x", {"temperature": -1}, sauropod.InvalidSampling),
        ("x", {"top_p": 1.5}, sauropod.InvalidSampling),
        ("x", {"top_k": 1.5}, sauropod.InvalidSampling),
        ("x", {"max_tokens": 0}, sauropod.InvalidSampling),
        ("x", {"stop": [""]}, sauropod.InvalidSampling),
        ("x", {"stop": ["x" * 100] * 1000}, sauropod.InvalidSampling),
        ("x", {"priority": "urgent"}, sauropod.UnsupportedInput),
        ("x", {"raw": True, "tools": [Tool("clock")]}, sauropod.UnsupportedInput),
        ([], {}, sauropod.UnsupportedInput),
        ([{"role": "user"}], {}, sauropod.UnsupportedInput),
        ([1, 2, 10_000], {}, sauropod.UnsupportedInput),
        (3.5, {}, sauropod.UnsupportedInput),
        (b"What is the capital of France?", {}, sauropod.UnsupportedInput),
        ([5, 6, 7], {"tools": [Tool("clock")]}, sauropod.UnsupportedInput),
        ([5, 6, 7], {"template_options": {"thinking": False}}, sauropod.UnsupportedInput),
        ("x", {"raw": True, "template_options": {"thinking": False}}, sauropod.UnsupportedInput),
        ("x", {"priority": None}, sauropod.UnsupportedInput),
        ("x", {"priority": 5}, sauropod.UnsupportedInput),
        ("x", {"tools": 5}, sauropod.UnsupportedInput),
        ("x", {"tools": [{"name": "clock"}]}, sauropod.UnsupportedInput),
        ("x", {"template_options": "abc"}, sauropod.UnsupportedInput),
        ("x", {"template_options": {1: 2}}, sauropod.UnsupportedInput),
        ("x", {"sampling": {"temperature": 1}}, sauropod.UnsupportedInput),
    ],
)
async def test_bad_input_is_refused_by_name_and_disturbs_nothing(
    prompt: object, options: dict[str, object], error: type[Exception], engine: Engine
) -> None:
    with pytest.raises(error) as refused:
        await engine.complete(prompt, **options)  # type: ignore[call-overload]
    assert isinstance(refused.value, ValueError)
    assert (await engine.complete("Hello", max_tokens=2, ignore_eos=True)).usage.completion_tokens == 2


async def test_a_thousand_stop_strings_are_fine(engine: Engine) -> None:
    stop = [f"stop number {number}" for number in range(1000)]
    assert (await engine.complete("Hello", max_tokens=5, ignore_eos=True, stop=stop)).usage.completion_tokens == 5


async def test_an_engine_is_used_while_it_is_open(nothing_leaks: None) -> None:
    engine = fake()
    with pytest.raises(sauropod.ClosedError, match="async with"):
        _ = engine.info
    async with engine:
        assert engine.info.backend == "fake"
        with pytest.raises(sauropod.ClosedError, match="once"):
            await engine.open()
    with pytest.raises(sauropod.ClosedError, match="closed"):
        await engine.complete("Hello")


async def test_closing_ends_what_is_in_flight(nothing_leaks: None) -> None:
    engine = await Engine("fake:", options={"context_length": 100_000}).open()
    async with anyio.create_task_group() as group:
        stream = engine.stream("Hello", ignore_eos=True)
        await anext(stream)

        async def read_on() -> None:
            with pytest.raises(sauropod.ClosedError):
                async for _ in stream:
                    pass

        group.start_soon(read_on)
        await engine.aclose()


async def test_engines_on_one_device_share_a_worker(nothing_leaks: None) -> None:
    async with fake() as one, fake() as other, Engine("fake:", worker="mine") as third:
        assert pid_of(one) == pid_of(other) != pid_of(third)
        assert (await one.complete("x", seed=1)).text == (await other.complete("x", seed=1)).text
    async with fake() as again:
        assert (await again.complete("x", max_tokens=1, ignore_eos=True)).usage.completion_tokens == 1


async def test_an_engine_that_leaves_does_not_disturb_the_one_that_stays(nothing_leaks: None) -> None:
    async with fake() as staying:
        expected = (await staying.complete("x", seed=1, max_tokens=100, ignore_eos=True)).text
        async with fake() as leaving:
            stream = staying.stream("x", seed=1, max_tokens=100, ignore_eos=True)
            first = await anext(stream)
            await leaving.complete("x", max_tokens=1)
        assert isinstance(first, TextDelta)
        assert first.text + "".join([text async for text in stream.text()]) == expected


async def test_a_worker_can_be_a_thread(nothing_leaks: None) -> None:
    async with Engine("fake:", isolation="thread") as engine, fake() as isolated:
        assert (await engine.complete("x", seed=1)).text == (await isolated.complete("x", seed=1)).text


async def test_one_engine_serves_event_loops_in_several_threads(engine: Engine) -> None:
    texts = []

    def ask() -> None:
        texts.append(anyio.run(lambda: engine.complete("Hello", seed=1, max_tokens=10)).text)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await anyio.to_thread.run_sync(thread.join)
    assert texts == [(await engine.complete("Hello", seed=1, max_tokens=10)).text] * 4


async def test_the_engines_own_sampling_is_under_the_requests(nothing_leaks: None) -> None:
    async with Engine("fake:", sampling=SamplingParams(max_tokens=3, ignore_eos=True)) as engine:
        assert (await engine.complete("x")).usage.completion_tokens == 3
        assert (await engine.complete("x", max_tokens=2)).usage.completion_tokens == 2
        assert (await engine.complete("x", sampling=SamplingParams(max_tokens=4))).usage.completion_tokens == 4


async def test_what_a_request_says_holds_though_it_is_what_is_usual(nothing_leaks: None) -> None:
    own = SamplingParams(n=2, logprobs=1, stop=("e",), max_tokens=3, ignore_eos=True)
    async with Engine("fake:", sampling=own) as engine:
        completion = await engine.complete("x", n=1, logprobs=None, stop=())
        assert len(completion.choices) == 1
        assert completion.logprobs is None
        assert completion.usage.completion_tokens == 3


async def test_a_device_by_any_of_its_names_is_one_worker(nothing_leaks: None) -> None:
    async with Engine("fake:", device="cpu") as one, Engine("fake:", device=" CPU") as other:
        assert pid_of(one) == pid_of(other)


async def test_a_device_that_is_not_there_is_an_error(nothing_leaks: None) -> None:
    with pytest.raises(sauropod.DeviceUnavailable, match="cuda"):
        await Engine("fake:", device="cuda").open()


async def test_an_unknown_backend_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(sauropod.BackendNotFound, match="llama_cpp"):
        await Engine("x", backend="llama_cp").open()


async def test_a_load_that_is_cancelled_leaves_nothing_behind(nothing_leaks: None) -> None:
    with anyio.move_on_after(0.01):
        await fake().open()
    async with fake() as engine:
        assert (await engine.complete("x", max_tokens=1, ignore_eos=True)).usage.completion_tokens == 1
