"""Serve OpenAI's API with models on this machine.

Without a configuration it serves the demo model, to this machine only. What can be set, in a file, in the environment
or by options, is in docs/configuration.md; --show-config prints what is in force.
"""

from __future__ import annotations

import argparse
import importlib.util

import attrs

from sauropod.cli.failures import OK, UsageError
from sauropod.cli.terminal import print_text
from sauropod.errors import BackendNotFound

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "[options]"
EXAMPLES = """\
  sauropod serve
  sauropod serve --config-file sauropod.toml
  sauropod serve --port 9000 --set models.qwen.model=hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M
  sauropod serve --show-config
"""
NEEDED = ("starlette", "uvicorn", "httptools", "websockets", "sqlalchemy", "aiosqlite", "alembic", "multipart")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from sauropod.server.config import add_flags

    add_flags(parser)
    parser.add_argument("--show-config", action="store_true", help="print what is in force, and do not serve")


def run(options: argparse.Namespace) -> int:
    from sauropod.server.config import ConfigurationError, settings_of

    try:
        settings = settings_of(options)
    except ConfigurationError as error:
        raise UsageError(str(error)) from error
    if options.show_config:
        print_text(settings.shown())
        return OK
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise BackendNotFound(
            f'The server needs the package {missing[0]!r}. Install it with: pip install "sauropod[server]"'
        )
    from sauropod.server.listening import serve

    serve(attrs.evolve(settings, verbose=settings.verbose or options.verbose > 0))
    return OK
