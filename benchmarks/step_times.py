"""How long one `llama_decode` takes, by what is in it: for choosing steps, and for finding out what a setting costs.

The first table is of one token for each of so many sequences, the second of one chunk of so many tokens of a
sequence. Each column is a context made with other settings. Nothing here is compared with a goal.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import attrs

from benchmarks.harness.machine import Machine
from benchmarks.harness.native import Model, native
from benchmarks.harness.setup import Setup, parser
from sauropod.abc import Chunk
from sauropod.backends.llama_cpp.batch import Batch

__all__ = ["main"]

SLOTS = 16
ROWS = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16)
CHUNKS = (8, 16, 32, 64, 128, 256, 512)
CONTEXTS: Mapping[str, Mapping[str, Any]] = {
    "unified": {"kv_unified": True},
    "separate": {"kv_unified": False},
    "unified, no flash": {"kv_unified": True, "flash_attn_type": 0},
    "separate, no flash": {"kv_unified": False, "flash_attn_type": 0},
}


@attrs.define(eq=False)
class Probe:
    """A context in which every slot holds `depth` tokens."""

    model: Model
    setup: Setup
    depth: int
    options: Mapping[str, Any]
    _context: Any = attrs.field(init=False)
    _memory: Any = attrs.field(init=False)
    _batch: Batch = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._batch = Batch(self.setup.step_tokens)
        self._context = self.model.context(
            n_ctx=SLOTS * 2048,
            n_seq_max=SLOTS,
            n_batch=self.setup.step_tokens,
            n_ubatch=self.setup.step_tokens,
            n_outputs_max=SLOTS,
            n_threads=self.setup.threads,
            n_threads_batch=self.setup.threads,
            **self.options,
        )
        self._memory = native().llama_get_memory(self._context)
        for slot in range(SLOTS):
            for start in range(0, self.depth, self.setup.step_tokens):
                self._compute([self._chunk(slot, start, min(self.setup.step_tokens, self.depth - start))])

    def milliseconds(self, slots: int, tokens: int) -> float:
        """Of a step of so many tokens for each of so many slots, which is forgotten again."""
        begin = time.perf_counter()
        self._compute([self._chunk(slot, self.depth, tokens) for slot in range(slots)])
        native().llama_get_logits_ith(self._context, -1)
        seconds = time.perf_counter() - begin
        for slot in range(slots):
            native().llama_memory_seq_rm(self._memory, slot, self.depth, -1)
        return 1000 * seconds

    def close(self) -> None:
        native().llama_free(self._context)

    def _chunk(self, slot: int, start: int, tokens: int) -> Chunk:
        return Chunk(slot, start, [(31 * slot + start + place) % 1000 for place in range(tokens)], True)

    def _compute(self, chunks: Sequence[Chunk]) -> None:
        self._batch.fill(chunks)
        if native().llama_decode(self._context, self._batch.native) != 0:
            raise RuntimeError("llama_decode failed")


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--depth", type=int, default=150, help="tokens every slot holds")
    options.add_argument("--only", nargs="*", choices=list(CONTEXTS), default=list(CONTEXTS), help="these settings")
    arguments = options.parse_args()
    setup = Setup.of(arguments)
    print(Machine.read().describe(), f"{setup.model.name} · {setup.describe()}, {arguments.depth} deep", sep="\n")
    print(
        "\nms for one token of each of so many sequences\n", *_table(setup, arguments, [(n, 1) for n in ROWS]), sep="\n"
    )
    chunks = [(1, n) for n in CHUNKS if n <= setup.step_tokens]
    print("\nms for so many tokens of one sequence\n", *_table(setup, arguments, chunks), sep="\n")


def _table(setup: Setup, arguments: argparse.Namespace, shapes: Sequence[tuple[int, int]]) -> list[str]:
    model = Model(setup.model)
    probes = [Probe(model, setup, arguments.depth, CONTEXTS[name]) for name in arguments.only]
    times: dict[tuple[int, tuple[int, int]], list[float]] = {}
    for _ in range(setup.rounds):
        for index, probe in enumerate(probes):
            for shape in shapes:
                probe.milliseconds(*shape)  # makes the graph for this shape
                times.setdefault((index, shape), []).append(probe.milliseconds(*shape))
    lines = [f"| | {' | '.join(arguments.only)} |", "|---" * (1 + len(probes)) + "|"]
    for shape in shapes:
        cells = [f"{median(times[index, shape]):.1f}" for index in range(len(probes))]
        lines.append(f"| {max(shape)} | {' | '.join(cells)} |")
    for probe in probes:
        probe.close()
    model.close()
    return lines


if __name__ == "__main__":
    main()
