"""Kills an engine's worker again and again while streams are under way, and counts what becomes of them.

    python tests/kill_workers.py --kills 100 --model fake   exact: what ends well is the text it would have been
    python tests/kill_workers.py --kills 100 --model tiny     llama.cpp on random weights in 32 bits
    python tests/kill_workers.py --kills 100 --model NAME     any other; its kernels' rounding may change a text

Every stream must end: whole, or with a typed error. No worker may be left at the end.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

import anyio

import sauropod
from sauropod import Engine
from sauropod.testing import models
from workers import kill_worker, pid_of


async def keep_asking(engine: Engine, number: int, expected: str, outcomes: Counter[str], stop: anyio.Event) -> None:
    """One client: a stream after another until it is told to stop."""
    while not stop.is_set():
        try:
            with anyio.fail_after(60):
                text = "".join([text async for text in engine.stream(*question(number), **options()).text()])
        except sauropod.BackendCrashed as error:
            outcomes[f"{type(error).__name__}, quarantined: {error.quarantined}"] += 1
        except TimeoutError:
            outcomes["HANGS"] += 1
        else:
            outcomes["the same text" if text == expected else "ANOTHER TEXT"] += 1


def engine_for(model: str, folder: Path) -> Engine:
    if model == "fake":
        return Engine("fake:", options={"slots": 8, "context_length": 1000, "seconds_per_token": 0.0005})
    if model == "tiny":
        return Engine(models.tiny_llama(folder / "tiny.gguf"))
    return Engine(model)


def question(number: int) -> tuple[str]:
    return (f"What is {number} plus {number}? Tell me a story about it.",)


def options() -> sauropod.SamplingOptions:
    return {"temperature": 0, "max_tokens": 150, "ignore_eos": True}


async def run(engine: Engine, kills: int, clients: int, pause: float) -> bool:
    outcomes: Counter[str] = Counter()
    workers: set[int] = set()
    chance = random.Random(0)
    async with engine:
        expected = [(await engine.complete(*question(number), **options())).text for number in range(clients)]
        stop = anyio.Event()
        async with anyio.create_task_group() as group:
            for number in range(clients):
                group.start_soon(keep_asking, engine, number, expected[number], outcomes, stop)
            for done in range(kills):
                await anyio.sleep(chance.uniform(0, 2 * pause))
                with anyio.move_on_after(60) as patience:
                    while not alive(engine):
                        await anyio.sleep(0.01)
                if patience.cancelled_caught:
                    print(f"\nafter {done} kills no worker came back")
                    break
                workers.add(pid_of(engine))
                kill_worker(engine)
                print(f"\r{done + 1} kills", dict(outcomes), end="", flush=True)
            stop.set()
        workers.add(pid_of(engine))
    orphans = [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    print(f"\n{kills} kills of {len(workers)} workers; {len(orphans)} left over")
    for outcome, count in outcomes.most_common():
        print(f"{count:8} {outcome}")
    return not orphans and not outcomes["HANGS"]


def alive(engine: Engine) -> bool:
    try:
        os.kill(pid_of(engine), 0)
    except (AssertionError, ProcessLookupError):
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--model", default="fake")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two kills, on average")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        engine = engine_for(given.model, Path(folder))
        fine = anyio.run(lambda: run(engine, given.kills, given.clients, given.pause))
    print(f"{time.monotonic() - began:.0f} s")
    raise SystemExit(0 if fine else 1)


if __name__ == "__main__":
    main()
