"""The nouns without async: from threads, inside a running loop, and interrupted."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from anyio.from_thread import BlockingPortal

import sauropod
from sauropod import AudioFrame, ClosedError
from sauropod.blocking import Engine, TextStream, Transcriber, Voice, VoiceDetector
from sauropod.testing import speech_of


def test_it_answers_streams_embeds_and_counts() -> None:
    with Engine("fake:") as engine:
        assert engine.info.backend == "fake"
        completion = engine.complete("Hello", seed=1, max_tokens=20, ignore_eos=True)
        with engine.stream("Hello", seed=1, max_tokens=20, ignore_eos=True) as stream:
            assert "".join(stream.text()) == completion.text
            assert stream.completion.choices == completion.choices
        assert engine.embed(["a", "b"]).shape == (2, 8)
        assert engine.count_tokens("Hello") > 5


def test_a_stream_left_early_stops_the_model() -> None:
    with Engine("fake:", options={"slots": 1, "context_length": 100_000}, max_waiting=1) as engine:
        for _ in range(5):
            with engine.stream("Hello", ignore_eos=True) as stream:
                next(iter(stream))
        assert engine.complete("Hello", max_tokens=3, ignore_eos=True).usage.completion_tokens == 3


def test_errors_are_the_same_as_with_async() -> None:
    with Engine("fake:") as engine:
        with pytest.raises(sauropod.InvalidSampling):
            engine.complete("Hello", temperature=-1)
        with pytest.raises(sauropod.PromptTooLong):
            engine.complete("x" * 1000)
    with pytest.raises(sauropod.ClosedError):
        engine.complete("Hello")
    with pytest.raises(sauropod.DeviceUnavailable):
        Engine("fake:", device="cuda").open()
    with pytest.raises(sauropod.ClosedError):
        Engine("fake:").complete("Hello")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sauropod")]


def test_many_threads_share_one_engine() -> None:
    texts: list[str] = []
    with Engine("fake:", slots=4) as engine:

        def ask() -> None:
            texts.append(engine.complete("Hello", seed=1, max_tokens=50, ignore_eos=True).text)

        threads = [threading.Thread(target=ask) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(texts) == 10
    assert len(set(texts)) == 1


def test_it_works_inside_a_running_event_loop() -> None:
    async def cell() -> str:
        with Engine("fake:") as engine:
            return engine.complete("Hello", seed=1, max_tokens=5).text

    assert asyncio.run(cell()) == asyncio.run(cell())


def woken(stream: TextStream, close: Callable[[], None]) -> int:
    """How many errors a thread that reads the stream gets from `close`."""
    failed: list[BaseException] = []

    def read() -> None:
        try:
            for _ in stream:
                pass
        except sauropod.ClosedError as error:
            failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    close()
    thread.join(20)
    return len(failed)


def test_closing_wakes_other_threads() -> None:
    engine = Engine("fake:", options={"context_length": 1_000_000}).open()
    stream: TextStream = engine.stream("Hello", ignore_eos=True)
    next(stream)
    assert woken(stream, engine.close) == 1


def test_a_stream_closed_from_another_thread_wakes_its_reader() -> None:
    with Engine("fake:", options={"context_length": 1_000_000}) as engine:
        stream = engine.stream("Hello", ignore_eos=True)
        next(stream)
        assert woken(stream, stream.close) == 1


def test_a_stream_may_be_closed_after_its_engine() -> None:
    with Engine("fake:") as engine:
        stream = engine.stream("Hello")
        next(stream)
    stream.close()
    with pytest.raises(sauropod.ClosedError):
        next(stream)


def test_an_open_engine_can_be_entered_and_is_not_opened_twice() -> None:
    with Engine("fake:").open() as engine:
        with pytest.raises(sauropod.ClosedError, match="once"):
            engine.open()
        assert engine.count_tokens("x") > 0
    engine.close()
    with pytest.raises(sauropod.ClosedError):
        engine.open()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("sauropod")]


def test_any_number_of_threads_may_close() -> None:
    engine = Engine("fake:").open()
    barrier, errors = threading.Barrier(8), []

    def close() -> None:
        barrier.wait(20)
        try:
            engine.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert errors == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_is_told_that_its_engine_is_the_originals_and_may_open_its_own() -> None:
    program = """
        import os
        import sauropod
        from sauropod.blocking import Engine
        with Engine("fake:") as engine:
            stream = engine.stream("Hello", seed=1, ignore_eos=True, max_tokens=200)
            next(stream)
            if (child := os.fork()) == 0:
                for call in (lambda: engine.complete("Hello"), lambda: next(stream)):
                    try:
                        call()
                    except sauropod.ClosedError as error:
                        print(error, flush=True)
                stream.close()
                engine.close()
                with Engine("fake:") as own:
                    print(own.complete("Hello", max_tokens=3, ignore_eos=True).usage.completion_tokens, flush=True)
                raise SystemExit
            os.waitpid(child, 0)
            for _ in stream:
                pass
            print(stream.completion.text == engine.complete("Hello", seed=1, ignore_eos=True, max_tokens=200).text)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    *told, child, parent = done.stdout.splitlines()
    assert len(told) == 2
    assert all("fork" in line for line in told)
    assert (child, parent) == ("3", "True")


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_stops_the_model_and_leaves_the_engine_in_order() -> None:
    program = """
        import sauropod
        from sauropod.blocking import Engine
        with Engine("fake:", options={"slots": 1, "context_length": 1_000_000}, max_waiting=1) as engine:
            try:
                print("ready", flush=True)
                engine.complete("Hello", ignore_eos=True)
            except KeyboardInterrupt:
                print("stopped", engine.complete("Hello", max_tokens=3, ignore_eos=True).usage.completion_tokens)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stdout is not None
    with child:
        try:
            assert child.stdout.readline() == "ready\n"
            os.kill(child.pid, signal.SIGINT)
            assert child.communicate(timeout=20)[0] == "stopped 3\n"
        finally:
            child.kill()
    assert child.returncode == 0


def test_an_interrupt_while_a_call_is_handed_over_stops_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine("fake:", options={"slots": 1, "context_length": 1_000_000}, max_waiting=1) as engine:
        hand_over = BlockingPortal.start_task_soon

        def interrupted(portal: BlockingPortal, *arguments: Any) -> None:
            monkeypatch.undo()
            hand_over(portal, *arguments)
            raise KeyboardInterrupt

        monkeypatch.setattr(BlockingPortal, "start_task_soon", interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.complete("Hello", ignore_eos=True)
        completion = engine.complete("Hello", max_tokens=3, ignore_eos=True)  # waits for the only slot
        assert completion.usage.completion_tokens == 3


def test_a_run_without_async_is_the_same() -> None:
    def weather(city: str) -> str:
        """Tell the weather in a city."""
        return f"It is 21 degrees in {city}."

    call = '<tool_call>{"name": "weather", "arguments": {"city": "Oslo"}}</tool_call>'
    says = {"weather?": call, "It is 21": "It is mild."}
    with Engine("fake:", options={"says": says, "context_length": 10_000}, isolation="thread") as engine:
        assert engine.run("weather?", tools=[weather]).result.text == "It is mild."
        events: list[sauropod.RunEvent] = list(engine.run("weather?", tools=[weather]))
        assert isinstance(events[-1], sauropod.RunFinished)
        with engine.run("weather?", tools=[weather]) as run:
            first = next(run)
        assert isinstance(first, sauropod.ToolCallOpened | sauropod.ToolCallClosed | sauropod.RoundFinished)
        with pytest.raises(sauropod.ClosedError):
            _ = run.result
        with pytest.raises(sauropod.UnsupportedInput):
            engine.run("weather?", tools=[weather], max_rounds=0)
        with pytest.raises(sauropod.PromptTooLong):
            _ = engine.run("x" * 20_000, tools=[weather]).result


def test_a_run_that_nobody_holds_any_more_stops() -> None:
    calls: list[float] = []

    def repeat() -> str:
        """Do it again."""
        calls.append(time.monotonic())
        time.sleep(0.02)
        return "again?"

    says = {"again?": '<tool_call>{"name": "repeat", "arguments": {}}</tool_call>'}
    with Engine("fake:", options={"says": says, "context_length": 100_000}, isolation="thread") as engine:
        for event in engine.run("again?", tools=[repeat], max_rounds=1000):
            if isinstance(event, sauropod.ToolFinished):
                break
        del event
        gc.collect()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and (not calls or time.monotonic() - calls[-1] < 0.5):
            time.sleep(0.05)
        assert time.monotonic() < deadline, "it goes on"
        assert len(calls) < 1000
        assert engine.complete("hello", max_tokens=5, ignore_eos=True).usage.completion_tokens == 5


# -- ears and mouths ---------------------------------------------------------------------------------------------------


def test_what_a_voice_says_a_transcriber_hears() -> None:
    with (
        Voice("fake:synthesizer", isolation="thread") as voice,
        Transcriber("fake:recognizer", vad="fake:voice_detector", isolation="thread") as transcriber,
    ):
        speech = voice.say("Good morning to all of you.")
        assert transcriber.transcribe((speech.samples, speech.rate)).text == "Good morning to all of you."
        frames = [AudioFrame(speech.samples, speech.rate)]
        with transcriber.stream(frames) as events:
            finals = [event.text for event in events if isinstance(event, sauropod.FinalTranscript)]
    assert finals == ["Good morning to all of you."]


def test_an_engine_is_spoken_as_it_writes() -> None:
    said = {"says": {"Hello": "This is the first sentence of it. And here is one more."}}
    with (
        Engine("fake:", options=said) as engine,
        Voice("fake:synthesizer", isolation="thread") as voice,
        engine.stream("Hello") as stream,
        voice.stream(stream) as frames,
    ):
        texts = [frame.text.strip() for frame in frames]
    assert texts == ["This is the first sentence of it.", "And here is one more."]


def test_a_stream_of_speech_may_be_left_at_any_time() -> None:
    with Voice("fake:synthesizer", isolation="thread") as voice:
        with voice.stream(["One sentence and another. "] * 100) as frames:
            next(frames)
        with pytest.raises(ClosedError):
            next(frames)
        with pytest.raises(ClosedError, match="within a `with` block"):
            next(voice.stream("x"))
        with pytest.raises(OSError, match="the speaker broke"), voice.stream("One sentence and another."):
            raise OSError("the speaker broke")


def test_a_voice_that_is_closed_ends_its_streams() -> None:
    voice = Voice("fake:synthesizer", isolation="thread").open()
    with voice.stream(["One sentence and another. "] * 100) as frames:
        next(frames)
        voice.close()
        with pytest.raises(ClosedError):
            list(frames)


def test_speech_is_found_in_a_file_and_in_a_stream() -> None:
    samples = np.concatenate(
        [np.zeros(16_000, np.float32), speech_of("Is anybody there?"), np.zeros(16_000, np.float32)]
    )
    with VoiceDetector("fake:voice_detector", isolation="thread") as detector:
        (span,) = detector.detect((samples, 16_000))
        stream = detector.stream()
        probabilities = [*stream.feed(samples[:20_001]), *stream.feed(samples[20_001:]), *stream.finish()]
    assert span.start == pytest.approx(0.7)
    assert span.end == pytest.approx(1 + 17 * 0.02 + 0.1)
    assert probabilities == [0.0] * 50 + [1.0] * 17 + [0.0] * 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_copy_leaves_a_stream_without_waiting_for_what_it_does_not_have() -> None:
    program = """
        import os
        from sauropod.blocking import Voice
        with Voice("fake:synthesizer", isolation="thread") as voice:
            with voice.stream(["One sentence and another. "] * 9) as frames:
                next(frames)
                child = os.fork()
            if child == 0:
                os._exit(7)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout == "7\n"
