"""The command `sauropod`. It stands beside the package, so that Ctrl-C while that is imported ends it quietly too."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """As `sauropod.cli.main`."""
    try:
        from sauropod.cli import main as command
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    return command()
