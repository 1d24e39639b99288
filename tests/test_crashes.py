"""Workers die; requests do not notice, or are told why."""

from __future__ import annotations

import contextlib
import enum
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import anyio
import pytest

import sauropod
from sauropod import Engine, Finished, Grammar, TextDelta
from sauropod._runtime.pool import shared_pool
from workers import kill_worker, pid_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="kills processes by signal"),
    pytest.mark.usefixtures("nothing_leaks"),
]


def fake(**options: object) -> Engine:
    return Engine("fake:", options={"context_length": 4000, **options})


@pytest.mark.parametrize("killed_after", [0, 1, 7, 49])
async def test_a_stream_goes_on_in_a_new_worker_where_the_old_one_died(killed_after: int) -> None:
    async with fake() as engine:
        expected = await engine.complete("Hello", seed=1, max_tokens=50, ignore_eos=True, stop=["\x07\x07\x07"])
        stream = engine.stream("Hello", seed=1, max_tokens=50, ignore_eos=True, stop=["\x07\x07\x07"], logprobs=1)
        text = ""
        with anyio.fail_after(30):
            async for event in stream:
                if isinstance(event, TextDelta):
                    text += event.text
                    killed_after -= 1
                    if killed_after == -1:
                        kill_worker(engine)
        assert text == expected.text
        assert list(stream.completion.tokens) == list(expected.tokens)


@pytest.mark.parametrize("killed_after", range(4))
async def test_a_text_of_a_grammar_goes_on_in_a_new_worker(killed_after: int) -> None:
    parts = ["a long beginning, ", "then ", "all the rest of it, ", "or ", "next to nothing"]
    grammar = Grammar.choice(f"{''.join(parts)} {end}" for end in ("xa", "xbb", "yaa", "yb", "y"))
    async with fake() as engine:
        expected = await engine.complete("Hello", seed=1, grammar=grammar)
        stream = engine.stream("Hello", seed=1, grammar=grammar)
        deltas = 0
        with anyio.fail_after(30):
            async for _ in stream:
                deltas += 1
                if deltas == 1 + killed_after:
                    kill_worker(engine)
        assert (stream.completion.text, stream.completion.tokens) == (expected.text, expected.tokens)


async def test_everything_in_flight_goes_on() -> None:
    async with fake(slots=3) as engine:

        async def ask(seed: int) -> None:
            answers[seed] = (await engine.complete("Hello", seed=seed, max_tokens=200, ignore_eos=True)).text

        expected: dict[int, str] = {}
        for seed in range(8):
            expected[seed] = (await engine.complete("Hello", seed=seed, max_tokens=200, ignore_eos=True)).text
        answers: dict[int, str] = {}
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for seed in range(8):
                    group.start_soon(ask, seed)
                stream = engine.stream("Hello", ignore_eos=True)
                await anext(stream)
                kill_worker(engine)
                await stream.aclose()
        assert answers == expected


async def test_a_request_that_kills_its_worker_twice_is_given_up_and_the_others_are_not() -> None:
    async with fake(crash_on="poison") as engine:
        outcomes: dict[str, object] = {}

        async def ask(prompt: str) -> None:
            try:
                outcomes[prompt] = (await engine.complete(prompt, seed=1, max_tokens=300, ignore_eos=True)).text
            except sauropod.BackendCrashed as error:
                outcomes[prompt] = error

        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                for prompt in ["one", "two", "poison", "three", "four", "five"]:
                    group.start_soon(ask, prompt)
        error = outcomes.pop("poison")
        assert isinstance(error, sauropod.BackendCrashed)
        assert error.quarantined
        assert error.signal == "SIGKILL"
        assert "not tried again" in str(error)
        for prompt, text in outcomes.items():
            assert text == (await engine.complete(prompt, seed=1, max_tokens=300, ignore_eos=True)).text


async def test_a_worker_that_died_idle_is_replaced_at_the_next_request() -> None:
    async with fake() as engine:
        expected = (await engine.complete("Hello", seed=1)).text
        pid = pid_of(engine)
        kill_worker(engine)
        with anyio.fail_after(30):
            assert (await engine.complete("Hello", seed=1)).text == expected
            assert (await engine.embed("still there")).shape == (1, 8)
        assert pid_of(engine) != pid


async def test_an_engine_whose_worker_is_dead_closes() -> None:
    async with fake() as other, fake() as engine:
        kill_worker(engine)
        with anyio.fail_after(30):
            await engine.aclose()
        assert (await other.complete("Hello", max_tokens=2, ignore_eos=True)).usage.completion_tokens == 2


async def test_a_model_that_brings_its_worker_down_while_loading_is_an_error() -> None:
    async with fake() as bystander:
        with anyio.fail_after(30), pytest.raises(sauropod.BackendCrashed, match="while loading") as crash:
            await fake(load_crashes=True).open()
        assert not crash.value.quarantined
        assert (await bystander.complete("Hello", max_tokens=2, ignore_eos=True)).usage.completion_tokens == 2


async def test_of_two_models_loaded_together_only_the_one_that_crashes_fails() -> None:
    innocent = fake(load_seconds=0.2)

    async def load() -> None:
        with pytest.raises(sauropod.BackendCrashed, match="while loading"):
            await fake(load_seconds=0.1, load_crashes=True).open()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(load)
            group.start_soon(innocent.open)
        assert await innocent.count_tokens("x") > 0
        await innocent.aclose()


async def test_a_load_right_after_its_worker_died_goes_well() -> None:
    async with fake() as bystander:
        for _ in range(3):
            kill_worker(bystander)
            with anyio.fail_after(30):
                async with fake() as engine:
                    assert await engine.count_tokens("x") > 0
                    assert await bystander.count_tokens("x") > 0


async def test_a_value_that_the_worker_cannot_read_is_refused_and_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Role(enum.StrEnum):
        USER = "user"

    Role.__module__, Role.__qualname__ = "__main__", "Role"  # as in the user's own script
    monkeypatch.setattr(sys.modules["__main__"], "Role", Role, raising=False)
    async with fake() as engine:
        with anyio.fail_after(30):
            with pytest.raises(sauropod.UnsupportedInput, match=r"cannot read the request .*Role"):
                await engine.complete("Hello", template_options={"role": Role.USER})
            assert (await engine.complete("Hello", max_tokens=2, ignore_eos=True)).usage.completion_tokens == 2


async def test_native_output_is_in_the_error() -> None:
    async with fake(crash_on="poison", last_words="assertion failed: x > 0") as engine:
        with pytest.raises(sauropod.BackendCrashed, match="assertion failed: x > 0") as crash:
            await engine.complete("poison")
        assert "assertion failed: x > 0" in crash.value.output


async def test_several_engines_on_one_worker_come_back_after_its_death() -> None:
    async with fake() as one, fake(slots=2) as two:
        expected = [(await engine.complete("x", seed=1)).text for engine in (one, two)]
        kill_worker(one)
        with anyio.fail_after(30):
            assert [(await engine.complete("x", seed=1)).text for engine in (one, two)] == expected


@pytest.mark.parametrize("forked", [False, True], ids=["alone", "with a fork that holds its sockets"])
async def test_a_worker_does_not_outlive_its_parent(forked: bool, tmp_path: Path) -> None:
    script = f"""
        import os, time
        from sauropod.blocking import Engine
        engine = Engine("fake:").open()
        transport = engine._noun._opened.link._transport
        held = os.dup(transport._connection.fileno())  # a fork made by us would close the connection itself
        if {forked} and os.fork() == 0:
            os.close(1)
            time.sleep(60)
            os._exit(0)
        print(transport.process.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    try:
        worker = int(parent.stdout.readline())
        parent.kill()
        with anyio.fail_after(30):
            while _is_running(worker):
                await anyio.sleep(0.01)
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
        parent.stdout.close()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("phase", ["start", "load", "prompt", "answer", "close"])
async def test_a_worker_killed_at_any_phase_is_an_error_or_nothing_at_all(phase: str) -> None:
    options = {"load_seconds": 0.1, "seconds_per_token": 0.002}
    reached = anyio.Event()

    async def kill() -> None:
        await reached.wait()
        for pid in children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def live() -> str:
        engine = fake(**options)
        if phase == "start":
            reached.set()
        try:
            if phase == "load":
                async with anyio.create_task_group() as group:
                    group.start_soon(engine.open)
                    while not any(shared_pool._entries.values()) or not children():
                        await anyio.sleep(0)
                    reached.set()
            else:
                await engine.open()
            stream = engine.stream("A prompt of some length, so that it takes a while.", seed=1, max_tokens=40)
            if phase == "prompt":
                reached.set()
            await anext(stream)
            if phase == "answer":
                reached.set()
            text = "".join([text async for text in stream.text()])
            if phase == "close":
                reached.set()
            return text
        finally:
            await engine.aclose()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(kill)
            try:
                assert await live()
            except* sauropod.BackendCrashed:
                pass
        assert await live()


def children() -> list[int]:
    """The processes this one has started."""
    found: list[int] = []
    for task in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            found += [int(pid) for pid in task.read_text().split()]
    return found


async def test_a_real_model_is_loaded_again_and_goes_on(tiny_model: Path) -> None:
    async with Engine(tiny_model, threads=1) as engine:
        expected = await engine.complete("Hello", temperature=0, max_tokens=40, ignore_eos=True)
        stream = engine.stream("Hello", temperature=0, max_tokens=40, ignore_eos=True)
        for _ in range(5):
            await anext(stream)
        kill_worker(engine)
        with anyio.fail_after(60):
            events = [event async for event in stream]
        assert isinstance(events[-1], Finished)
        assert stream.completion.text == expected.text
