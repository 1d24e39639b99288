"""Interruptions: from the first sound of the user's speech over a reply to the last audio that is sent of it.

Four sessions at once, in real time, over the demo's voice, ears and detector; a fake writes the long answers. A second
kind of trial is a cough: the reply has to go on, and nothing may be lost of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import anyio
import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.program import run
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.samples import Samples, percentile
from benchmarks.harness.setup import Setup
from benchmarks.harness.talking import Talker, trimmed
from sauropod import (
    Engine,
    ReplyAudio,
    ReplyFinished,
    SaidItem,
    Session,
    Transcriber,
    UserSaid,
    Voice,
)

__all__ = ["measure"]

TRIALS, COUGHS, AT_ONCE = 100, 24, 4
ANSWER = (
    "Once there was a dinosaur, and it was very large. It ate leaves all day long. In the evening it went to the "
    "river. There it met a bird, and the bird was very small. They talked until the sun was gone."
)
QUESTION, INTERRUPTION = "Tell me a story.", "What is the capital of France?"


@attrs.define
class Seen:
    """What the trials showed."""

    onset_to_last: list[float] = attrs.field(factory=list)
    """Seconds."""
    wrong: int = 0
    """Transcripts after an interruption that are no beginning of the answer, or longer than what was sent of it."""
    coughs: int = 0
    went_on: int = 0


async def measure(setup: Setup) -> Sequence[Row]:
    """How long it speaks on, and whether coughs are told from speech."""
    seen = Seen()
    trials, coughs = (max(1, round(each * setup.scale)) for each in (TRIALS, COUGHS))
    at_once = min(AT_ONCE, trials, coughs)
    async with (
        Engine(
            "fake:", isolation="thread", options={"says": {"story": ANSWER, "": ANSWER}, "context_length": 8192}
        ) as engine,
        Voice("demo") as voice,
        Transcriber("demo") as ears,
    ):
        sounds = [trimmed(await voice.say(text, voice="demo_male")) for text in (QUESTION, INTERRUPTION)]
        async with anyio.create_task_group() as tasks:
            for number in range(at_once):
                tasks.start_soon(_talk, engine, voice, ears, sounds, seen, trials // at_once, coughs // at_once, number)
    work = f"{len(seen.onset_to_last)} interruptions"
    ms = [1e3 * each for each in seen.onset_to_last]
    return [
        Row(work, "speech to last audio, p50", "ms", Samples([percentile(ms, 0.5)])),
        Row(
            work,
            "speech to last audio, p95",
            "ms",
            Samples([percentile(ms, 0.95)]),
            goal=Goal(at_most=300, relative=False),
        ),
        Row(work, "transcripts that were not heard", "", Samples([seen.wrong]), goal=Goal(at_most=0, relative=False)),
        Row(f"{seen.coughs} coughs", "replies that went on", "", Samples([seen.went_on])),
    ]


async def _talk(
    engine: Engine,
    voice: Voice,
    ears: Transcriber,
    sounds: Sequence[NDArray[np.float32]],
    seen: Seen,
    trials: int,
    coughs: int,
    number: int,
) -> None:
    random = Random(number)
    kinds = ["speech"] * trials + ["cough"] * coughs
    random.shuffle(kinds)
    for kind in kinds:
        async with Session(engine, voice=voice, transcriber=ears, voice_name="demo_female") as session:
            talker = Talker(session, voice.info.sample_rate)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(talker.speak)
                tasks.start_soon(talker.listen)
                talker.say(sounds[0])
                await talker.until(ReplyAudio)
                await anyio.sleep(random.uniform(0.3, 3.0))
                await (_interrupt if kind == "speech" else _cough)(talker, sounds[1], seen, random)
                tasks.cancel_scope.cancel()


async def _interrupt(talker: Talker, speech: NDArray[np.float32], seen: Seen, random: Random) -> None:
    talker.say(speech)
    with anyio.fail_after(20):
        await talker.until(ReplyFinished)
        await talker.until(UserSaid)
    seen.onset_to_last.append(max(0.0, talker.last_audio - talker.onset))
    answer = next(item for item in talker.session.items if isinstance(item, SaidItem) and item.role == "assistant")
    seen.wrong += not ANSWER.startswith(answer.text or "") or answer.text == ANSWER


async def _cough(talker: Talker, _: NDArray[np.float32], seen: Seen, random: Random) -> None:
    noise = np.random.default_rng(random.getrandbits(32)).normal(0, 0.2, round(0.18 * talker.rate))
    talker.say((noise * np.hanning(len(noise))).astype(np.float32))
    with anyio.fail_after(40):
        await talker.until(ReplyFinished)
    seen.coughs += 1
    replies = [event.reply for event in talker.events if isinstance(event, ReplyFinished)]
    seen.went_on += replies[-1].status == "completed"


if __name__ == "__main__":
    run(__doc__, measure)
