"""Places: where a configuration and its data are on this platform. The one module here that looks at files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

from sauropod.server.config.errors import ConfigurationError, Fault

__all__ = ["ConfigurationFile", "config_places", "default_database", "expanded", "find", "read_text"]

APP = "sauropod"
FILE = "config.toml"
DATABASE = "sauropod.db"


@attrs.frozen
class ConfigurationFile:
    """A file's text, and that of the `.env` beside it. Either may be missing, and is empty then."""

    path: str
    text: str = ""
    env_path: str = ""
    env_text: str = ""


def config_places(environ: Mapping[str, str], platform: str = sys.platform) -> list[str]:
    """Where a configuration is looked for, first place first."""
    if platform == "win32":
        return _joined(platform, environ.get("APPDATA"), APP, FILE)
    if platform == "darwin":
        return _joined(platform, _home(environ), "Library", "Application Support", APP, FILE)
    home = environ.get("XDG_CONFIG_HOME") or "/".join([*filter(None, [_home(environ)]), ".config"])
    system = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    return [f"{place}/{APP}/{FILE}" for place in (home, *system.split(":")) if place.startswith("/")]


def default_database(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Where the database is, if nobody says; in the directory one is in, if this machine has no place for data."""
    if platform == "win32":
        places = _joined(platform, environ.get("LOCALAPPDATA") or environ.get("APPDATA"), APP, DATABASE)
    elif platform == "darwin":
        places = _joined(platform, _home(environ), "Library", "Application Support", APP, DATABASE)
    else:
        data = environ.get("XDG_DATA_HOME", "")
        home = _home(environ)
        base = data if data.startswith("/") else f"{home.rstrip('/')}/.local/share" if home else ""
        places = _joined(platform, base, APP, DATABASE)
    return places[0] if places else DATABASE


def find(named: str | None, environ: Mapping[str, str]) -> ConfigurationFile | None:
    """The configuration of that name, or the first there is. An empty name is none.

    Raises `ConfigurationError` for one that is named and cannot be read.
    """
    if named == "":
        return None
    if named is not None:
        return _read(expanded(named, environ))
    places = config_places(environ)
    there = next((place for place in places if os.path.isfile(place)), None)
    if there is not None:
        return _read(there)
    return _with_env("", places[0]) if places else None


def read_text(path: str) -> str:
    """A file's text. Raises `ConfigurationError` if there is none."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError([Fault(f"is not text in UTF-8: byte {error.start} is wrong", origin=path)]) from error
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError([Fault(f"cannot be read: {said}", origin=path)]) from error


def expanded(path: str, environ: Mapping[str, str]) -> str:
    """The path with `~` as the home directory."""
    home = _home(environ)
    return f"{home}{path[1:]}" if home and (path == "~" or path.startswith(("~/", "~\\"))) else path


def _read(path: str) -> ConfigurationFile:
    return _with_env(read_text(path), path)


def _with_env(text: str, path: str) -> ConfigurationFile:
    env = str(Path(path).parent / ".env")
    return ConfigurationFile(path if text else "", text, env, read_text(env) if os.path.isfile(env) else "")


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or environ.get("USERPROFILE") or ""


def _joined(platform: str, base: str | None, *parts: str) -> list[str]:
    separator = "\\" if platform == "win32" else "/"
    return [separator.join([base.rstrip(separator), *parts])] if base else []
