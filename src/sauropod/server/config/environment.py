"""The environment as a layer: `SAUROPOD_PORT`, `SAUROPOD_MODELS__LLAMA__TEMPERATURE`; also from a file `.env`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sauropod.server.config.errors import ConfigurationError, Fault
from sauropod.server.config.layers import Assignment

__all__ = ["API_KEY", "CONFIG_FILE", "assignments_in", "env_file"]

PREFIX = "SAUROPOD_"
CONFIG_FILE = "SAUROPOD_CONFIG_FILE"
API_KEY = "SAUROPOD_API_KEY"

OTHERS = frozenset({CONFIG_FILE, API_KEY, "SAUROPOD_MODELS", "SAUROPOD_TRACEBACK", "SAUROPOD_LLAMA_SERVER"})
"""Variables that are no keys."""

_KUBERNETES = re.compile(r"SAUROPOD_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PORT|PROTO|ADDR))?)?)")
"""What Kubernetes tells every container about a service that is called `sauropod`."""

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


def assignments_in(environ: Mapping[str, str], file: str = "") -> list[Assignment]:
    """What these variables say of keys. `file` is where they were written, if it was a file."""
    found = []
    for name, value in environ.items():
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in OTHERS and not _is_of_kubernetes(upper, value):
            path = tuple(upper.removeprefix(PREFIX).lower().split("__"))
            found.append(Assignment(path, value, f"{name} in {file}" if file else f"the environment variable {name}"))
    return found


def env_file(text: str, path: str) -> dict[str, str]:
    """The variables in a file of lines `NAME=value`. Raises `ConfigurationError` for lines that are none."""
    found, faults = {}, []
    for count, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        value = None if match is None else _value(match[2])
        if match is None or value is None:
            faults.append(Fault(f"line {count} is not of the form NAME=value", origin=path))
        else:
            found[match[1]] = value
    if faults:
        raise ConfigurationError(faults)
    return found


def _value(text: str) -> str | None:
    """Without its quotes and the comment after it; None if a quote is not closed."""
    if text[:1] == "'":
        match = re.fullmatch(r"'([^']*)'\s*(?:#.*)?", text)
        return match and match[1]
    if text[:1] == '"':
        match = re.fullmatch(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?', text)
        return match and re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), match[1])
    return re.split(r"(?:^|\s)#", text)[0].strip()


def _is_of_kubernetes(name: str, value: str) -> bool:
    if name == "SAUROPOD_PORT":
        return value.startswith(("tcp://", "udp://", "sctp://"))
    return _KUBERNETES.fullmatch(name) is not None
