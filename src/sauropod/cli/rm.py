"""Remove models that were fetched, or that are in the directories of SAUROPOD_MODELS.

`org/repo` stands for all that was fetched of a repository's models, `org/repo:Q8_0` for one. Nothing is asked. Files
given by their path are not removed; use the system's own command for that.
"""

from __future__ import annotations

import argparse

from sauropod.cli.failures import exit_code, report
from sauropod.cli.terminal import print_text
from sauropod.errors import LoadError

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "MODEL [MODEL ...]"
EXAMPLES = """\
  sauropod rm org/repo:Q8_0
  sauropod rm org/repo other/repo
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", metavar="MODEL", nargs="+", help="as `sauropod ls` names it")


def run(options: argparse.Namespace) -> int:
    """Each is tried, whatever becomes of the others. The exit code is that of the first that failed."""
    codes = [_remove(name, options.traceback) for name in options.models]
    return next(filter(None, codes), 0)


def _remove(name: str, with_traceback: bool) -> int:
    from sauropod._sources import remove
    from sauropod._sources.sizes import in_words

    try:
        removed = remove(name)
    except (LoadError, OSError) as error:
        report(error, with_traceback)
        return exit_code(error)
    print_text(f"Removed {name}: {in_words(removed.bytes)} are free now.\n")
    for file in dict.fromkeys(path.name for path in removed.files):
        print_text(f"  {file}\n")
    return 0
