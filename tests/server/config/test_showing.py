"""Settings shown."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.server.config.showing import hidden_password, toml_value
from server.config.asking import FILE, settings

TOML = """
port = 9000
database = "postgresql://me:hush@h/b?sslpassword=hush2"
vad_model = ""
stt_model = {type = "voxtral", quantization = "Q8_0", repo = "a/b"}
[models."qwen2.5"]
model = {repo = "a/b"}
system_prompt = "One.\\nTwo \\"quoted\\"."
adapters = {"a.gguf" = 0.5}
keep_alive = "1h"
[voices.x]
type = "orpheus"
[retention]
responses = "forever"
"""

values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(values)
def test_every_value_is_written_as_toml_that_is_the_same(value: Any) -> None:
    assert tomllib.loads(f"value = {toml_value(value)}") == {"value": value}


def test_what_is_shown_is_the_same_configuration() -> None:
    found = settings(TOML.replace(":hush@", "@").replace("?sslpassword=hush2", ""), {"SAUROPOD_VERBOSE": "1"})
    assert settings(found.shown()) == found


@pytest.mark.parametrize("toml", ["stt_model = {}", "[cors]\nallow_headers = []", "[models.a]\naliases = []"])
def test_what_is_empty_stays_empty(toml: str) -> None:
    found = settings(toml)
    assert settings(found.shown()) == found


def test_it_says_where_a_value_was_set() -> None:
    shown = settings(TOML, {"SAUROPOD_VERBOSE": "1"}, ["host=localhost"]).shown().splitlines()
    assert f"port = 9000  # {FILE}" in shown
    assert "verbose = true  # the environment variable SAUROPOD_VERBOSE" in shown
    assert 'host = "localhost"  # --set host' in shown
    assert "allow_public = false" in shown


def test_secrets_are_masked_wherever_they_are_shown() -> None:
    toml = TOML + "[authentication]\nkeys = ['hush3', 'hush4']\n[models.a.options]\napi_key = 'hush5'"
    found = settings(toml)
    shown = found.shown() + "\n".join(found.told())
    assert "hush" not in shown
    assert 'keys = ["***", "***"]' in shown
    assert "Authentication: 2 API keys open it" in found.told()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:p@ss@h:5432/b", "postgresql://me:***@h:5432/b"),
        ("postgresql+asyncpg://:p@h/b", "postgresql+asyncpg://:***@h/b"),
        ("postgresql://me@h/b?password=p&x=1", "postgresql://me@h/b?password=***&x=1"),
        ("sqlite:///a@b.db", "sqlite:///a@b.db"),
        ("/home/a:b@c.db", "/home/a:b@c.db"),
    ],
)
def test_a_password_in_a_url_is_hidden(url: str, shown: str) -> None:
    assert hidden_password(url) == shown


def test_the_log_says_what_may_not_be_meant() -> None:
    toml = 'host = "0.0.0.0"\nallow_public = true\n[cors]\nallow_origins = ["*"]\n[models.a]'
    assert settings(toml).told()[-2:] == [
        'Any web page may use this server: cors.allow_origins has "*", and no API key is asked for.',
        "Everybody who can reach 0.0.0.0 may use this server: no API key is asked for.",
    ]


def test_the_log_of_no_configuration() -> None:
    assert settings().told() == [
        "Configuration: none was read",
        "Database: /home/ada/.local/share/sauropod/sauropod.db",
        "Authentication: no API key is asked for",
        "Models: demo (demo)",
        "Voices: demo",
        "Ears: demo",
    ]
