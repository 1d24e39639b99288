"""Several clients asking at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

import anyio
import attrs

from benchmarks.harness.samples import percentile
from benchmarks.harness.side import Ask, Reading, Side

__all__ = ["Load", "run_load"]


@attrs.frozen
class Load:
    """What all the clients saw, and how long the whole of it took."""

    readings: Sequence[Reading]
    seconds: float

    @property
    def speed(self) -> float:
        """Tokens written in a second, by all together."""
        return sum(reading.tokens for reading in self.readings) / self.seconds

    @property
    def first(self) -> float:
        """Time to first token, the median."""
        return median(reading.first for reading in self.readings)

    @property
    def late_first(self) -> float:
        """Time to first token, of which 5 % took longer."""
        return percentile((reading.first for reading in self.readings), 0.95)

    @property
    def late_gap(self) -> float:
        """The wait for the next piece of text, of which 5 % were longer."""
        return percentile((gap for reading in self.readings for gap in reading.gaps), 0.95)

    @property
    def prompt_tokens(self) -> int:
        return sum(reading.prompt_tokens for reading in self.readings)

    @property
    def computed(self) -> int:
        """Prompt tokens that had to be computed."""
        return sum(reading.prompt_tokens - reading.cached_tokens for reading in self.readings)


async def run_load(side: Side, asks: Sequence[Sequence[Ask]]) -> Load:
    """A client for each list of requests; each sends the next when it has the answer to the last."""
    readings: list[Reading] = []

    async def client(mine: Sequence[Ask]) -> None:
        for ask in mine:
            readings.append(await side.ask(ask))

    begin = time.perf_counter()
    async with anyio.create_task_group() as group:
        for mine in asks:
            group.start_soon(client, mine)
    return Load(readings, time.perf_counter() - begin)
