"""List the models on this machine, by the names that load them."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sauropod.cli.figures import plural
from sauropod.cli.options import add_json
from sauropod.cli.terminal import clean, note, print_json, print_text, table

if TYPE_CHECKING:
    from sauropod._sources import InstalledModel

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "[options]"
EXAMPLES = """\
  sauropod ls
  sauropod ls --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from sauropod._sources import installed
    from sauropod._sources.local_models import model_directories
    from sauropod._sources.sizes import in_words

    models = installed()
    for directory in model_directories():
        if not directory.is_dir():
            note(f"{directory}, which SAUROPOD_MODELS lists, is no directory.")
    if options.json:
        print_json([_data(model) for model in models])
    elif models:
        heads = ("model", "quantisation", "size", "last used")
        now = datetime.now(UTC)
        rows = [
            (clean(model.name), model.quantization or "-", in_words(model.bytes), ago(now - model.last_used))
            for model in models
        ]
        print_text(table(heads, rows, right=[2]))
    else:
        note("There is no model on this machine yet. To fetch one:\n  sauropod pull Qwen/Qwen3-0.6B-GGUF")
    return 0


def ago(since: timedelta) -> str:
    """How long ago, in the largest unit: `"3 days ago"`."""
    seconds = since.total_seconds()
    for unit, size in (("year", 31_557_600), ("month", 2_629_800), ("week", 604_800), ("day", 86_400)):
        if seconds >= size:
            return f"{plural(int(seconds // size), unit)} ago"
    return f"{plural(int(seconds // 3600), 'hour')} ago" if seconds >= 3600 else "within the hour"


def _data(model: InstalledModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "files": [str(file) for file in model.files],
        "bytes": model.bytes,
        "quantization": model.quantization,
        "architecture": model.architecture,
        "last_used": model.last_used.isoformat(),
    }
