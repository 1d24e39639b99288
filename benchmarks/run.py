"""All benchmarks, and how each figure stands to its goal. On two cores it takes about an hour and a half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks import (
    barge_in,
    cancel,
    clients,
    conversation,
    crowd,
    gateway,
    hostile,
    prefix,
    raw_loop,
    scheduler,
    schema,
    sessions,
    shared_prompt,
    speech,
    startup,
    together,
    voice_to_voice,
)
from benchmarks.harness.program import Benchmark, run
from benchmarks.harness.report import Row
from benchmarks.harness.setup import Setup

__all__ = ["BENCHMARKS", "measure"]

BENCHMARKS: Mapping[str, Benchmark] = {
    "startup": startup.measure,
    "scheduler": scheduler.measure,
    "raw_loop": raw_loop.measure,
    "clients": clients.measure,
    "shared_prompt": shared_prompt.measure,
    "prefix": prefix.measure,
    "conversation": conversation.measure,
    "cancel": cancel.measure,
    "schema": schema.measure,
    "hostile": hostile.measure,
    "gateway": gateway.measure,
    "crowd": crowd.measure,
    "speech": speech.measure,
    "together": together.measure,
    "voice_to_voice": voice_to_voice.measure,
    "barge_in": barge_in.measure,
    "sessions": sessions.measure,
}


async def measure(setup: Setup) -> Sequence[Row]:
    """The rows of all of them."""
    rows: list[Row] = []
    for name, benchmark in BENCHMARKS.items():
        print(f"{name} …", flush=True)
        rows += await benchmark(setup)
    return rows


if __name__ == "__main__":
    run(__doc__, measure)
