"""Flags of `sauropod serve`: one for each key at the top, and `--set` for every key there is."""

from __future__ import annotations

import argparse
import os
import re

from sauropod.server.config.errors import ConfigurationError, Fault
from sauropod.server.config.keys import Key, keys_of
from sauropod.server.config.kinds import Kind
from sauropod.server.config.layers import Assignment
from sauropod.server.config.loading import load
from sauropod.server.config.settings import Settings

__all__ = ["add_flags", "assignment", "settings_of"]

HIDDEN = ("verbose", "trace_output")
"""Keys that the command line has another flag for, or none."""

_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+))\s*(\.|=|$)""")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags from which `settings_of` makes settings."""
    group = parser.add_argument_group("configuration", "Flags count before the environment, and that before the file.")
    group.add_argument("--config-file", metavar="PATH", help="the configuration to read; an empty name reads none")
    for name, key in _top_keys().items():
        flag, about = f"--{name.replace('_', '-')}", _plain(key.about)
        if isinstance(key.kind, Kind) and key.kind.name == "true or false":
            group.add_argument(flag, dest=f"config.{name}", nargs="?", const="true", metavar="BOOL", help=about)
        else:
            group.add_argument(flag, dest=f"config.{name}", metavar=name.rpartition("_")[2].upper(), help=about)
    group.add_argument(
        "--set",
        dest="config_set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="any key, such as models.llama.temperature=0.2; repeatable",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that these flags, the environment and the file come to. Raises `ConfigurationError`."""
    given = []
    if getattr(options, "verbose", 0):
        given.append(Assignment(("verbose",), "true", "--verbose"))
    for name in _top_keys():
        value = getattr(options, f"config.{name}", None)
        if value is not None:
            given.append(Assignment((name,), value, f"--{name.replace('_', '-')}"))
    given += [assignment(each) for each in options.config_set]
    return load(options.config_file, given, os.environ)


def assignment(text: str) -> Assignment:
    """`models."qwen2.5".temperature=0.2`. Raises `ConfigurationError` for what is none."""
    path, at = [], 0
    while match := _PART.match(text, at):
        path.append(next(part for part in match.groups()[:3] if part is not None))
        at = match.end()
        if match[4] == "=":
            return Assignment(tuple(path), text[at:], f"--set {text[: at - 1].strip()}")
        if match[4] != ".":
            break
    raise ConfigurationError(
        [Fault(f"{text!r} is not of the form KEY=VALUE, such as models.llama.temperature=0.2", origin="--set")]
    )


def _top_keys() -> dict[str, Key]:
    return {name: key for name, key in keys_of(Settings).items() if isinstance(key.kind, Kind) and name not in HIDDEN}


def _plain(about: str) -> str:
    """Without what Markdown needs, and as argparse takes it."""
    return re.sub(r"\[(.+?)\]\(.+?\)", r"\1", about).replace("`", "").replace("%", "%%")
