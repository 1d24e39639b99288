"""`engine.run`: the model calls tools, is told what they gave, and answers."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

import sauropod
from sauropod import (
    ClosedError,
    Engine,
    Message,
    RunFinished,
    RunTimeout,
    Tool,
    ToolCall,
    ToolFinished,
    ToolStarted,
    UnsupportedInput,
    tool,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_leaks")]


def calling(*calls: tuple[str, dict[str, Any]]) -> str:
    written = [json.dumps({"name": name, "arguments": arguments}) for name, arguments in calls]
    return "".join(f"<tool_call>{each}</tool_call>" for each in written)


def engine_that_says(says: dict[str, str]) -> Engine:
    """It answers what is said last among these; results of tools come after what the user said."""
    return Engine("fake:", options={"says": says, "context_length": 100_000}, isolation="thread")


@pytest.fixture
async def engine(nothing_leaks: None) -> AsyncIterator[Engine]:
    says = {
        "weather?": calling(("weather", {"city": "Oslo"})),
        "both?": calling(("weather", {"city": "Oslo"}), ("weather", {"city": "Paris"})),
        "wrong?": calling(("weather", {"town": "Oslo"})),
        "missing?": calling(("nothing", {})),
        "again?": calling(("repeat", {})),
        "wait?": calling(("wait", {})),
        "secret?": calling(("secret", {})),
        "described?": calling(("described", {"x": 1}), ("weather", {"city": "Oslo"})),
        "fail?": calling(("fail", {})),
        "person?": '{"name": "Ada", "born": 1815}',
        "It is 21": "It is mild.",
        "Error": "Sorry.",
        "not allowed": "As you like.",
    }
    async with engine_that_says(says) as engine:
        yield engine


async def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is 21 degrees in {city}."


async def test_a_run_is_awaited_for_its_answer(engine: Engine) -> None:
    result = await engine.run("weather?", tools=[weather])
    assert (result.text, result.value, result.stop) == ("It is mild.", "It is mild.", "answer")
    assert [message.role for message in result.messages] == ["user", "assistant", "tool", "assistant"]
    (call,) = result.messages[1].tool_calls
    assert (call.name, call.arguments) == ("weather", {"city": "Oslo"})
    assert result.messages[2] == Message.tool("It is 21 degrees in Oslo.", call=call)
    assert len(result.completions) == 2
    assert result.usage.completion_tokens == sum(each.usage.completion_tokens for each in result.completions)


async def test_every_step_is_an_event(engine: Engine) -> None:
    async with engine.run("weather?", tools=[weather]) as run:
        events = [event async for event in run]
    names = [type(event).__name__ for event in events if not isinstance(event, sauropod.ToolCallDelta)]
    assert names == [
        "ToolCallOpened",
        "ToolCallClosed",
        "RoundFinished",
        "ToolStarted",
        "ToolFinished",
        *["TextDelta"] * (names.count("TextDelta")),
        "RoundFinished",
        "RunFinished",
    ]
    assert events[-1] == RunFinished(run.result)
    finished = next(event for event in events if isinstance(event, ToolFinished))
    assert (finished.content, finished.error, finished.round) == ("It is 21 degrees in Oslo.", None, 0)


@pytest.mark.parametrize("threaded", [False, True])
async def test_calls_of_one_round_run_at_the_same_time_and_are_told_in_their_order(
    threaded: bool, engine: Engine
) -> None:
    async def meeting(city: str) -> str:
        met.append(city)
        while len(met) < 2:
            await anyio.sleep(0.001)
        await anyio.sleep(0.05 if city == "Oslo" else 0)
        return f"It is 21 in {city}"

    def meeting_in_threads(city: str) -> str:
        barrier.wait(20)
        time.sleep(0.05 if city == "Oslo" else 0)
        return f"It is 21 in {city}"

    met: list[str] = []
    barrier = threading.Barrier(2)
    function = meeting_in_threads if threaded else meeting
    with anyio.fail_after(20):
        result = await engine.run("both?", tools=[tool(name="weather")(function)])
    assert [message.content for message in result.messages[2:4]] == ["It is 21 in Oslo", "It is 21 in Paris"]


async def test_what_a_tool_raises_is_told_to_the_model_and_to_whoever_listens(engine: Engine) -> None:
    def fail() -> None:
        raise RuntimeError("it rains in")

    async with engine.run("fail?", tools=[fail]) as run:
        events = [event async for event in run]
    finished = next(event for event in events if isinstance(event, ToolFinished))
    assert finished.content == "Error: RuntimeError: it rains in"
    assert isinstance(finished.error, RuntimeError)
    assert run.result.text == "Sorry."


@pytest.mark.parametrize(("question", "told"), [("wrong?", "town"), ("missing?", "there is no tool 'nothing'")])
async def test_a_call_that_cannot_be_made_is_told_to_the_model(question: str, told: str, engine: Engine) -> None:
    result = await engine.run(question, tools=[weather])
    assert result.messages[2].content.startswith("Error: ")
    assert told in result.messages[2].content
    assert result.text == "Sorry."


async def test_in_the_last_round_the_model_has_to_answer(engine: Engine) -> None:
    asked = 0

    def repeat() -> str:
        nonlocal asked
        asked += 1
        return "again?"

    result = await engine.run("again?", tools=[repeat], max_rounds=3)
    assert result.stop == "rounds"
    assert asked == 2
    assert result.pending == ()
    assert not result.completions[-1].tool_calls
    assert result.text


async def test_a_tool_that_is_only_described_ends_the_run_with_its_call(engine: Engine) -> None:
    ran = False

    def weather(city: str) -> str:
        nonlocal ran
        ran = True
        return city

    result = await engine.run("described?", tools=[Tool("described"), weather])
    assert result.stop == "pending"
    assert [call.name for call in result.pending] == ["described", "weather"]
    assert not ran
    told = [Message.tool("It is 21", call=call) for call in result.pending]
    again = await engine.run([*result.messages, *told], tools=[Tool("described"), weather])
    assert again.text == "It is mild."


@pytest.mark.parametrize(
    ("approve", "told"),
    [
        (lambda call: False, "the user does not want it"),
        (lambda call: "not in winter", "not in winter"),
        (lambda call: call.arguments["city"] == "Oslo", ""),
    ],
)
async def test_who_approves_decides_what_is_executed(
    approve: Callable[[ToolCall], bool | str], told: str, engine: Engine
) -> None:
    async def waiting(call: ToolCall) -> bool | str:
        await anyio.sleep(0)
        return approve(call)

    for way in (approve, waiting):
        async with engine.run("weather?", tools=[weather], approve=way) as run:
            events = [event async for event in run]
        assert any(isinstance(event, ToolStarted) for event in events) == (not told)
        content = run.result.messages[2].content
        assert content == (f"This call was not allowed: {told}" if told else "It is 21 degrees in Oslo.")


async def test_a_tool_that_takes_too_long_is_told_of_and_the_run_goes_on(engine: Engine) -> None:
    cancelled = False

    async def wait() -> None:
        nonlocal cancelled
        try:
            await anyio.sleep(60)
        finally:
            cancelled = True

    result = await engine.run("wait?", tools=[wait], tool_timeout=0.05)
    assert cancelled
    assert result.messages[2].content == "Error: TimeoutError: it took longer than 0.05 s"
    assert result.text == "Sorry."


async def test_a_timeout_of_the_tools_own_is_told_as_such(engine: Engine) -> None:
    async def wait() -> None:
        raise TimeoutError("the station is slow")

    result = await engine.run("wait?", tools=[wait], tool_timeout=None)
    assert result.messages[2].content == "Error: TimeoutError: the station is slow"


async def test_a_run_that_takes_too_long_ends_with_what_there_is(engine: Engine) -> None:
    cancelled = False

    async def wait() -> None:
        nonlocal cancelled
        try:
            await anyio.sleep(60)
        finally:
            cancelled = True

    with anyio.fail_after(20), pytest.raises(RunTimeout, match=r"longer than 0\.1 s") as raised:
        await engine.run("wait?", tools=[wait], timeout=0.1)
    assert cancelled
    assert [message.role for message in raised.value.messages] == ["user", "assistant"]


async def test_leaving_a_run_cancels_its_tools_and_the_model(engine: Engine) -> None:
    cancelled = False

    async def wait() -> None:
        nonlocal cancelled
        try:
            await anyio.sleep(60)
        finally:
            cancelled = True

    with anyio.fail_after(20):
        async with engine.run("wait?", tools=[wait]) as run:
            async for event in run:
                if isinstance(event, ToolStarted):
                    break
        assert cancelled
    with pytest.raises(ClosedError):
        _ = run.result
    assert (await engine.complete("person?")).text.startswith("{")


async def test_cancelling_whoever_awaits_a_run_cancels_it(engine: Engine) -> None:
    cancelled = False

    async def wait() -> None:
        nonlocal cancelled
        try:
            await anyio.sleep(60)
        finally:
            cancelled = True

    with anyio.fail_after(20):
        with anyio.move_on_after(0.2) as scope:
            await engine.run("wait?", tools=[wait])
        assert scope.cancelled_caught
    assert cancelled


async def test_errors_of_the_model_come_out_of_the_run_as_they_are(engine: Engine) -> None:
    with pytest.raises(sauropod.PromptTooLong):
        await engine.run("x" * 200_000, tools=[weather])
    async with engine.run("x" * 200_000, tools=[weather]) as run:
        with pytest.raises(sauropod.PromptTooLong):
            await anext(run)


async def test_an_error_of_whoever_listens_is_theirs(engine: Engine) -> None:
    async def listen() -> None:
        async with engine.run("weather?", tools=[weather]) as run:
            async for _ in run:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await listen()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_rounds": 0}, "max_rounds"),
        ({"max_rounds": 1.5}, "max_rounds"),
        ({"timeout": 0}, "timeout"),
        ({"tool_timeout": "soon"}, "tool_timeout"),
        ({"approve": True}, "approve"),
        ({"tools": [5]}, "tool"),
        ({"tools": [weather, weather]}, "Two tools"),
        ({"tool_choice": "weathr"}, "tool_choice"),
        ({"tool_choice": sauropod.ToolChoice.only("weathr")}, "weathr"),
    ],
)
async def test_limits_that_make_no_sense_are_refused_at_once(
    options: dict[str, Any], told: str, engine: Engine
) -> None:
    with pytest.raises(UnsupportedInput, match=told):
        engine.run("weather?", **{"tools": [weather], **options})


async def test_an_option_nobody_knows_is_a_type_error(engine: Engine) -> None:
    with pytest.raises(TypeError, match="max_round"):
        engine.run("weather?", tools=[weather], max_round=3)  # type: ignore[call-overload]


async def test_a_text_that_is_only_continued_cannot_be_run(engine: Engine) -> None:
    with pytest.raises(UnsupportedInput, match="conversation"):
        engine.run([1, 2, 3], tools=[weather])


async def test_a_run_is_used_once_and_inside_its_block(engine: Engine) -> None:
    run = engine.run("weather?", tools=[weather])
    with pytest.raises(ClosedError, match="async with"):
        aiter(run)
    await run
    with pytest.raises(ClosedError, match="once"):
        await run


async def test_a_run_that_is_never_begun_costs_nothing(engine: Engine) -> None:
    engine.run("weather?", tools=[weather])
    gc.collect()


async def test_runs_go_on_beside_each_other(engine: Engine) -> None:
    results: list[str] = []

    async def ask() -> None:
        results.append((await engine.run("weather?", tools=[weather])).text)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(ask)
    assert results == ["It is mild."] * 20


async def test_tools_see_the_task_they_belong_to(engine: Engine) -> None:
    """What a tool does with its caller's context variables and the engine itself works: it may ask the model."""

    async def weather(city: str) -> str:
        return (await engine.complete(f"It is 21 in {city}")).text

    result = await engine.run("weather?", tools=[weather])
    assert result.messages[2].content == "It is mild."


async def test_what_was_not_allowed_is_not_executed(engine: Engine) -> None:
    async def secret() -> str:
        """Tell a secret."""
        told.append("told")
        return "the secret"

    told: list[str] = []
    choice = sauropod.ToolChoice("auto", ["weather"])
    result = await engine.run("secret?", tools=[weather, secret], tool_choice=choice)
    assert told == []
    assert "there is no tool 'secret'; there are weather" in result.messages[2].content


@pytest.mark.parametrize("answer", ["", None, 1, object(), [True]])
async def test_only_true_allows_a_call(answer: Any, engine: Engine) -> None:
    result = await engine.run("weather?", tools=[weather], approve=lambda call: answer)
    assert "not allowed: the user does not want it" in result.messages[2].content


async def test_a_required_call_is_made_once_and_then_the_model_may_answer() -> None:
    asked: list[Any] = []
    async with engine_that_says({"weather?": calling(("weather", {"city": "Oslo"})), "It is 21": "Mild."}) as engine:
        stream = engine.stream

        def listening(*args: Any, **options: Any) -> Any:
            asked.append(options["tool_choice"])
            return stream(*args, **{**options, "tool_choice": "auto"})  # which a fake cannot be held to

        engine.stream = listening  # type: ignore[method-assign]
        run = engine.run("weather?", tools=[weather], tool_choice=sauropod.ToolChoice.only("weather"))
        assert (await run).text == "Mild."
    assert [(choice.mode, list(choice.names)) for choice in asked] == [("required", ["weather"]), ("auto", ["weather"])]


@pytest.mark.parametrize("tokens", [30, 55])
async def test_an_answer_that_was_cut_off_ends_the_run_and_executes_nothing(tokens: int, engine: Engine) -> None:
    async def never(city: str) -> str:
        raise AssertionError("executed")

    run = engine.run("both?", tools=[tool(name="weather")(never)], max_tokens=tokens)
    result = await run
    assert result.stop == "truncated"
    assert result.completions[0].stop_reason == "max_tokens"
    assert run.messages == result.messages


async def test_closing_a_run_from_another_task_is_its_end_and_nothing_else(engine: Engine) -> None:
    async def wait() -> None:
        started.set()
        await anyio.sleep_forever()

    async def stop() -> None:
        await started.wait()
        await run.aclose()

    started, after = anyio.Event(), False
    async with anyio.create_task_group() as group:
        async with engine.run("wait?", tools=[wait]) as run:
            group.start_soon(stop)
            events = [event async for event in run]
        after = True
    assert after
    assert isinstance(events[-1], ToolStarted)
    with pytest.raises(ClosedError, match="has not come to its end"):
        _ = run.result


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


async def test_whatever_a_tool_does_the_model_is_told(engine: Engine) -> None:
    async def mute() -> str:
        raise Mute

    async def half() -> str:
        return "a\ud800b"

    for function, told in ((mute, "Error: Mute: (which cannot say what is wrong)"), (half, "a?b")):
        result = await engine.run("again?", tools=[tool(name="repeat")(function)], max_rounds=2)
        assert result.messages[2].content == told


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_tool_whose_own_task_was_cancelled_is_an_error_like_any_other(engine: Engine) -> None:
    async def waits_in_vain() -> None:
        task = asyncio.create_task(asyncio.sleep(10))
        task.cancel()
        await task

    result = await engine.run("again?", tools=[tool(name="repeat")(waits_in_vain)], max_rounds=2)
    assert result.messages[2].content == "Error: it was cancelled"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n": 2}, "n is 2"),
        ({"tool_choice": None}, "tool_choice is 'auto'"),
        ({"tool_choice": []}, "tool_choice is 'auto'"),
        ({"tools": None}, "a list of functions"),
        ({"tools": weather}, "a list of functions"),
    ],
)
async def test_what_makes_no_sense_is_refused_at_once(options: dict[str, Any], told: str, engine: Engine) -> None:
    with pytest.raises(UnsupportedInput, match=told):
        engine.run("weather?", **{"tools": [weather], **options})
