"""From the last sound of a question to the first of its answer, without the silence that ends the question.

Beside it, in the same round, the sum of its parts: the question recognised, the answer's first phrase written, and that
phrase spoken, one after the other. With the demo's models, in real time; the session listens as it would to anyone.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import anyio
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.program import run
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.samples import Samples
from benchmarks.harness.setup import Setup
from benchmarks.harness.talking import Talker, trimmed
from sauropod import Engine, Message, ReplyFinished, Session, TextDelta, Transcriber, Voice
from sauropod._text.phrases import Phrases

__all__ = ["measure"]

QUESTIONS = (
    "What is the capital of France?",
    "What is the capital of Spain?",
    "Who are you?",
    "What is seven plus five?",
    "How are you today?",
)

WAYS = {
    "without speculation or reading along": ({"speculate": False, "prefill": False}, 1.25),
    "with both": ({"speculate": True, "prefill": True}, 0.6),
}


async def measure(setup: Setup) -> Sequence[Row]:
    """For both ways: seconds beyond the silence, beside the sum of the parts."""
    rows = list[Row]()
    async with Engine("demo") as engine, Voice("demo") as voice, Transcriber("demo") as ears:
        bare = await Transcriber("demo", vad=None).open()
        asked = QUESTIONS[: max(1, round(len(QUESTIONS) * setup.scale))]
        sounds = [trimmed(await voice.say(text, voice="demo_male")) for text in asked]
        await _parts(engine, voice, bare, sounds[0])  # to warm up
        for way, (options, goal) in WAYS.items():
            waits, sums, ends = list[float](), list[float](), list[float]()
            for _ in range(setup.rounds):
                found = [await _wait(engine, voice, ears, sound, options) for sound in sounds]
                waits.append(median(wait for wait, _ in found))
                ends.append(median(end for _, end in found))
                sums.append(median([await _parts(engine, voice, bare, sound) for sound in sounds]))
            ms = [[1e3 * each for each in side] for side in (waits, sums)]
            row = Row.of(way, "beyond the silence", "ms", ms, Goal(at_most=goal))
            rows.append(row)
            rows.append(Row(way, "until the end was certain", "ms", Samples([1e3 * each for each in ends])))
        await bare.aclose()
    return [_with_peer(row) for row in rows]


def _with_peer(row: Row) -> Row:
    import attrs

    return row if row.peer is None else attrs.evolve(row, peer_name="the sum of its parts")


async def _wait(
    engine: Engine, voice: Voice, ears: Transcriber, sound: NDArray[np.float32], options: dict[str, Any]
) -> tuple[float, float]:
    """Seconds from when the end was certain to the first audio, and from the last sound to when it was."""
    async with Session(engine, voice=voice, transcriber=ears, voice_name="demo_female", **options) as session:
        talker = Talker(session, voice.info.sample_rate)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(talker.speak)
            tasks.start_soon(talker.listen)
            await anyio.sleep(0.4)
            talker.say(sound)
            with anyio.fail_after(20):
                await talker.until(ReplyFinished)
            tasks.cancel_scope.cancel()
    timings = next(event.reply.timings for event in talker.events if isinstance(event, ReplyFinished))
    assert timings.first_audio is not None
    assert timings.endpoint is not None
    return max(0.0, timings.first_audio - timings.endpoint), timings.endpoint


async def _parts(engine: Engine, voice: Voice, ears: Transcriber, sound: NDArray[np.float32]) -> float:
    """Seconds to hear the question, write the first phrase of the answer, and speak that."""
    began = anyio.current_time()
    heard = await ears.transcribe((sound, voice.info.sample_rate), priority="live")
    phrases, first = Phrases(), ""
    async with engine.stream([Message.user(heard.text)], priority="live") as stream:
        async for event in stream:
            if isinstance(event, TextDelta) and (cuts := phrases.feed(event.text)):
                first = cuts[0].text
                break
    first = first or "".join(cut.text for cut in phrases.finish())
    await voice.say(first, voice="demo_female", priority="live")
    return anyio.current_time() - began


if __name__ == "__main__":
    run(__doc__, measure)
