"""How fast sauropod is beside its peers: one short script for each kind of work.

    python -m benchmarks.run                 all of them, and a table of goals
    python -m benchmarks.clients --help      one of them

Run them from the root of the repository, on a machine that does nothing else. `docs/benchmarks.md` says what each
measures, and against what.
"""
