"""Where things are on each platform."""

from __future__ import annotations

import pytest

from sauropod.server.config.places import config_places, default_database, expanded

HOME = {"HOME": "/home/ada"}
WINDOWS = {"APPDATA": r"C:\Users\ada\Roaming", "LOCALAPPDATA": r"C:\Users\ada\Local"}


@pytest.mark.parametrize(
    ("platform", "environ", "places"),
    [
        ("linux", HOME, ["/home/ada/.config/sauropod/config.toml", "/etc/xdg/sauropod/config.toml"]),
        (
            "linux",
            {**HOME, "XDG_CONFIG_HOME": "/c", "XDG_CONFIG_DIRS": "/d:/e"},
            [f"/{each}/sauropod/config.toml" for each in "cde"],
        ),
        ("linux", {}, ["/etc/xdg/sauropod/config.toml"]),
        ("darwin", HOME, ["/home/ada/Library/Application Support/sauropod/config.toml"]),
        ("win32", WINDOWS, [r"C:\Users\ada\Roaming\sauropod\config.toml"]),
        ("win32", {}, []),
    ],
)
def test_where_a_configuration_is_looked_for(platform: str, environ: dict[str, str], places: list[str]) -> None:
    assert config_places(environ, platform) == places


@pytest.mark.parametrize(
    ("platform", "environ", "place"),
    [
        ("linux", HOME, "/home/ada/.local/share/sauropod/sauropod.db"),
        ("linux", {**HOME, "XDG_DATA_HOME": "/d"}, "/d/sauropod/sauropod.db"),
        ("linux", {**HOME, "XDG_DATA_HOME": "relative"}, "/home/ada/.local/share/sauropod/sauropod.db"),
        ("linux", {}, "sauropod.db"),
        ("darwin", HOME, "/home/ada/Library/Application Support/sauropod/sauropod.db"),
        ("win32", WINDOWS, r"C:\Users\ada\Local\sauropod\sauropod.db"),
        ("win32", {}, "sauropod.db"),
    ],
)
def test_where_the_database_is(platform: str, environ: dict[str, str], place: str) -> None:
    assert default_database(environ, platform) == place


@pytest.mark.parametrize(
    ("path", "found"), [("~/a", "/home/ada/a"), ("~", "/home/ada"), ("~bob/a", "~bob/a"), ("a/~", "a/~"), ("", "")]
)
def test_the_home_directory_in_a_path(path: str, found: str) -> None:
    assert expanded(path, HOME) == found
    assert expanded(path, {}) == path
