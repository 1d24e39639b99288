"""Sixteen conversations at once, in real time: late audio, how long answers take, and whether memory grows.

Each asks a question of the demo's models every few seconds and listens to the answer. A frame is late if a player
without any buffer would have had to wait for it. For ten minutes; `--scale 0.1` makes it one.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import anyio
import attrs
import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.harness.program import run
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.samples import Samples, percentile
from benchmarks.harness.setup import Setup
from benchmarks.harness.talking import Talker, trimmed
from benchmarks.voice_to_voice import QUESTIONS
from sauropod import Engine, ReplyFinished, Session, Transcriber, Voice

__all__ = ["measure"]

SESSIONS, SECONDS = 16, 600.0
EVERY = 8.0
"""Seconds from one question to the next, about."""
PERIOD = 2.0
"""Seconds between two looks at the memory."""
MIB = 1024 * 1024
KEPT = 64 * MIB
"""Host memory for conversations without a slot: little, so that it is full before memory is looked at."""


@attrs.define
class Seen:
    """What was seen of all of them."""

    frames: int = 0
    late: int = 0
    lateness: list[float] = attrs.field(factory=list)
    waits: list[float] = attrs.field(factory=list)
    """Seconds from the certain end of a question to the first audio of its answer."""
    questions: int = 0
    answers: int = 0
    failed: int = 0
    memory: list[tuple[float, float]] = attrs.field(factory=list)
    """When, and how many bytes, of all processes."""


async def measure(setup: Setup) -> Sequence[Row]:
    """One long round."""
    seen, seconds = Seen(), SECONDS * setup.scale
    async with (
        Engine("demo", slots=SESSIONS, snapshot_bytes=KEPT) as engine,
        Voice("demo") as voice,
        Transcriber("demo") as ears,
    ):
        sounds = [trimmed(await voice.say(text, voice="demo_male")) for text in QUESTIONS]
        with anyio.move_on_after(max(seconds, 2 * EVERY)):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_watch, seen)
                for number in range(SESSIONS):
                    tasks.start_soon(_converse, engine, voice, ears, sounds, seen, number)
    work = f"{SESSIONS} sessions, {seconds:.0f} s"
    waits, lateness = [1e3 * each for each in seen.waits], [1e3 * each for each in seen.lateness]
    return [
        Row(work, "questions", "", Samples([seen.questions])),
        Row(work, "answers", "", Samples([seen.answers])),
        Row(work, "failed", "", Samples([seen.failed]), goal=Goal(at_most=0, relative=False)),
        Row(work, "certain end to first audio, p50", "ms", Samples([percentile(waits, 0.5)])),
        Row(work, "certain end to first audio, p95", "ms", Samples([percentile(waits, 0.95)])),
        Row(work, "frames of audio", "", Samples([seen.frames])),
        Row(work, "late frames", "%", Samples([100 * seen.late / max(1, seen.frames)])),
        Row(work, "lateness, p99", "ms", Samples([percentile(lateness, 0.99)])),
        Row(work, "memory grows", "MiB/min", Samples([_slope(seen.memory)])),
    ]


async def _converse(
    engine: Engine,
    voice: Voice,
    ears: Transcriber,
    sounds: Sequence[NDArray[np.float32]],
    seen: Seen,
    number: int,
) -> None:
    random = Random(number)
    while True:
        async with Session(engine, voice=voice, transcriber=ears, voice_name="demo_female") as session:
            talker = Talker(session, voice.info.sample_rate)
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(talker.speak)
                    tasks.start_soon(talker.listen)
                    for _ in range(6):  # then somebody else comes
                        await anyio.sleep(random.uniform(0.5, 1.5) * EVERY)
                        seen.questions += 1
                        talker.say(random.choice(sounds))
                    await anyio.sleep(EVERY)
                    tasks.cancel_scope.cancel()
            finally:
                _count(talker, seen)


def _count(talker: Talker, seen: Seen) -> None:
    seen.frames += talker.frames
    seen.late += talker.late
    seen.lateness += talker.lateness
    for event in talker.events:
        if isinstance(event, ReplyFinished):
            seen.answers += 1
            seen.failed += event.reply.status == "failed"
            timings = event.reply.timings
            if timings.first_audio is not None and timings.endpoint is not None:
                seen.waits.append(max(0.0, timings.first_audio - timings.endpoint))


async def _watch(seen: Seen) -> None:
    own = psutil.Process()
    while True:
        processes = [own, *own.children(recursive=True)]
        seen.memory.append((anyio.current_time(), sum(each.memory_info().rss for each in processes)))
        await anyio.sleep(PERIOD)


def _slope(memory: Sequence[tuple[float, float]]) -> float:
    """MiB a minute, in the second half: in the first, caches fill."""
    half = memory[len(memory) // 2 :]
    if len(half) < 3:
        return 0.0
    times, sizes = np.array([at for at, _ in half]), np.array([size for _, size in half])
    return float(np.polyfit(times - times[0], sizes, 1)[0] * 60 / MIB)


if __name__ == "__main__":
    run(__doc__, measure)
