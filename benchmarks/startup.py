"""How long `import sauropod` takes, and a worker process until it answers, without a model.

Every figure is of a new Python, with bytecode as an installation has it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

from benchmarks.harness.program import run
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.samples import Samples
from benchmarks.harness.setup import Setup

__all__ = ["measure"]

IMPORT = """
import time
begin = time.perf_counter()
import sauropod
print(time.perf_counter() - begin)
"""

WORKER = """
import sys, time
import anyio
from sauropod._handles import ask
from sauropod._runtime.pool import WorkerPool
from sauropod._runtime.protocol import Devices

async def answer(backend):
    pool = WorkerPool()
    begin = time.perf_counter()
    await ask(pool.acquire("cpu", "process"), Devices(pool.number(), backend))
    print(time.perf_counter() - begin)
    pool.close()

anyio.run(answer, sys.argv[1])
"""


async def measure(setup: Setup) -> Sequence[Row]:
    """Milliseconds."""
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        return [
            _row("import sauropod", 100, setup, environment, IMPORT),
            _row("a worker answers", 400, setup, environment, WORKER, "fake"),
            _row("a worker answers, llama.cpp loaded", 400, setup, environment, WORKER, "llama_cpp"),
        ]


def _row(work: str, most: float, setup: Setup, environment: Mapping[str, str], *program: str) -> Row:
    _seconds(environment, *program)  # writes the bytecode
    rounds = [_seconds(environment, *program) for _ in range(setup.rounds)]
    return Row(
        work, "new process", "ms", Samples(1000 * each for each in rounds), goal=Goal(at_most=most, relative=False)
    )


def _seconds(environment: Mapping[str, str], *program: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", *program], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    run(__doc__, measure)
