"""Settings from texts, without looking at any file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from sauropod.server.config import ConfigurationError, Settings
from sauropod.server.config.flags import assignment
from sauropod.server.config.loading import resolve
from sauropod.server.config.places import ConfigurationFile

__all__ = ["FILE", "faults", "settings"]

FILE = "/etc/config.toml"


def settings(
    toml: str = "",
    environ: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    *,
    env: str = "",
    files: Mapping[str, str] | None = None,
) -> Settings:
    """What these come to. `env` is the text of the file `.env`, `files` are the others that there are."""
    file = ConfigurationFile(FILE, toml, "/etc/.env", env)
    home = {"HOME": "/home/ada"}
    return resolve(
        file, {**home, **(environ or {})}, [assignment(each) for each in flags], dict(files or {}).__getitem__
    )


def faults(
    toml: str = "", environ: Mapping[str, str] | None = None, flags: Sequence[str] = (), *, env: str = ""
) -> list[str]:
    """What is said to be wrong with these."""
    with pytest.raises(ConfigurationError) as caught:
        settings(toml, environ, flags, env=env)
    assert isinstance(caught.value, ValueError)
    return [str(fault) for fault in caught.value.faults]
