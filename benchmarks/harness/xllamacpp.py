"""xllamacpp's server as a program: `python -m benchmarks.harness.xllamacpp MODEL PORT THREADS SLOTS CELLS BATCH`."""

from __future__ import annotations

import sys
import threading
from importlib import import_module

__all__ = ["main"]


def main(model: str, *numbers: str) -> None:
    """Serve until the process is ended."""
    xllamacpp = import_module("xllamacpp")
    port, threads, slots, cells, batch = map(int, numbers)
    params = xllamacpp.CommonParams()
    params.model.path, params.port, params.hostnames = model, port, ["127.0.0.1"]
    params.n_parallel, params.n_ctx, params.n_batch, params.n_ubatch = slots, cells, batch, min(batch, 512)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
