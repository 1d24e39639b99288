"""Loading: file, environment and flags, one over the other."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence

from sauropod.server.config.environment import API_KEY, CONFIG_FILE, assignments_in, env_file
from sauropod.server.config.errors import ConfigurationError, Fault, Path
from sauropod.server.config.layers import Assignment, Given, Layer
from sauropod.server.config.places import ConfigurationFile, default_database, expanded, find, read_text
from sauropod.server.config.reading import read
from sauropod.server.config.settings import Settings

__all__ = ["load", "resolve"]

KEYS: Path = ("authentication", "keys")
KEYS_FILE: Path = ("authentication", "keys_file")
TYPE: Path = ("authentication", "type")
DATABASE: Path = ("database",)
RECORD: Path = ("realtime", "record")


def load(
    config_file: str | os.PathLike[str] | None, flags: Sequence[Assignment], environ: Mapping[str, str]
) -> Settings:
    """The settings of this process. See `Settings.load`."""
    named = os.fspath(config_file) if config_file is not None else environ.get(CONFIG_FILE)
    return resolve(find(named, environ), environ, flags, read_text)


def resolve(
    file: ConfigurationFile | None,
    environ: Mapping[str, str],
    flags: Sequence[Assignment] = (),
    read_file: Callable[[str], str] = read_text,
) -> Settings:
    """What all of them come to. Only `read_file`, for the file of keys, looks at anything that is not given."""
    written, told = Layer(Settings), Layer(Settings)
    if file is not None:
        written.add(_parsed(file), file.path)
    told.known = list(written.values)
    beside = {name: value for name, value in _beside(file).items() if name not in environ}
    told.assign([*assignments_in(environ), *assignments_in(beside, file.env_path if file else "")])
    asked = Layer(Settings, known=[*written.values, *told.values])
    asked.assign(flags)

    values = {DATABASE: Given(default_database(environ), ""), **written.values, **told.values, **asked.values}
    faults = [*written.faults, *told.faults, *asked.faults]
    for path in {DATABASE, KEYS_FILE, RECORD} & values.keys():
        if isinstance(values[path].value, str):
            values[path] = Given(expanded(values[path].value, environ), values[path].origin)
    _add_keys(values, {**beside, **environ}.get(API_KEY), faults, read_file)
    origins = {path: given.origin for path, given in values.items() if given.origin}
    return read(Settings, values, faults, origins=origins)


def _beside(file: ConfigurationFile | None) -> Mapping[str, str]:
    return {} if file is None else env_file(file.env_text, file.env_path)


def _parsed(file: ConfigurationFile) -> Mapping[str, object]:
    try:
        return tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Fault(f"is not TOML: {error}", origin=file.path)]) from error


def _add_keys(
    values: dict[Path, Given], api_key: str | None, faults: list[Fault], read_file: Callable[[str], str]
) -> None:
    """Bring together the keys that are written, those in a file, and the one in the environment."""
    given = values.get(KEYS, Given([], ""))
    found: list[object] = []
    origin = given.origin
    if api_key:
        found, origin = [api_key], origin or f"the environment variable {API_KEY}"
    if KEYS_FILE in values and isinstance(values[KEYS_FILE].value, str):
        origin = origin or values[KEYS_FILE].origin
        try:
            found += _keys_in(read_file(values[KEYS_FILE].value))
        except ConfigurationError as error:
            faults += error.faults
            return
    if found and isinstance(given.value, list):
        values[KEYS] = Given([*dict.fromkeys([*given.value, *found])], origin)
    if KEYS in values or KEYS_FILE in values:  # an empty list or file is no consent to having no key
        values.setdefault(TYPE, Given("api_key", origin))


def _keys_in(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
