"""File, environment and flags, one over the other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sauropod.errors import SauropodError
from sauropod.server.config import ConfigurationError, Settings
from sauropod.server.config.keys import Table, Tables, keys_of
from server.config.asking import FILE, faults, settings


def test_nothing_at_all_is_the_demo_for_this_machine_alone() -> None:
    found = settings()
    assert (found.host, found.port, found.verbose) == ("127.0.0.1", 8080, False)
    assert [(name, model.source) for name, model in found.models.items()] == [("demo", "demo")]
    assert [(name, voice.source) for name, voice in found.voices.items()] == [("demo", "demo")]
    assert found.stt_model is not None
    assert (found.stt_model.source, found.vad_model) == ("demo", "auto")
    assert found.database == "/home/ada/.local/share/sauropod/sauropod.db"
    assert found == Settings(database=found.database)


def test_a_flag_counts_more_than_the_environment_and_that_more_than_the_file() -> None:
    toml, environ, env = "port = 1", {"SAUROPOD_PORT": "3"}, "SAUROPOD_PORT=2"
    assert settings(toml).port == 1
    assert settings(toml, env=env).port == 2
    assert settings(toml, environ, env=env).port == 3
    assert settings(toml, environ, ["port=4"], env=env).port == 4


def test_layers_are_laid_over_each_other_key_by_key() -> None:
    toml = '[models.llama]\nmodel = "org/llama"\ntemperature = 0.5\ntop_k = 5\n[models.other]\nmodel = "org/other"'
    found = settings(toml, {"SAUROPOD_MODELS__LLAMA__TEMPERATURE": "0.2"}, ["models.llama.top_p=0.9"])
    llama = found.models["llama"]
    assert (llama.source, llama.temperature, llama.top_k, llama.top_p) == ("org/llama", 0.2, 5, 0.9)
    assert list(found.models) == ["llama", "other"]


def test_a_models_name_is_replaced_as_a_whole() -> None:
    toml = '[models.a]\nmodel = {repo = "org/a", quantization = "Q8_0"}'
    assert settings(toml, {"SAUROPOD_MODELS__A__MODEL__PATH": "./b"}).models["a"].source == {"path": "./b"}
    assert settings(toml, flags=["models.a=org/c"]).models["a"].source == "org/c"


def test_parts_of_a_models_name_come_together_within_a_layer() -> None:
    environ = {"SAUROPOD_MODELS__A__MODEL__REPO": "org/a", "SAUROPOD_MODELS__A__MODEL__QUANTIZATION": "Q8_0"}
    assert settings(environ=environ).models["a"].source == {"repo": "org/a", "quantization": "Q8_0"}


def test_a_variable_finds_the_table_of_which_it_cannot_write_the_name() -> None:
    toml = '[models.gpt-oss]\nmodel = "org/a"\n[models."Qwen2.5"]\nmodel = "org/b"'
    environ = {"SAUROPOD_MODELS__GPT_OSS__SLOTS": "2", "SAUROPOD_MODELS__QWEN2_5__SLOTS": "3"}
    found = settings(toml, environ).models
    assert {name: model.slots for name, model in found.items()} == {"gpt-oss": 2, "Qwen2.5": 3}


def test_a_table_without_a_model_is_the_model_of_its_own_name() -> None:
    assert settings("[models.llama]").models["llama"].source == "llama"
    assert settings("[models]\nsmall = 'org/repo'").models["small"].source == "org/repo"


def test_the_predecessors_name_of_the_database_is_understood() -> None:
    assert settings("database_path = '~/a.db'").database == "/home/ada/a.db"
    assert settings(environ={"SAUROPOD_DATABASE_PATH": "postgresql://h/b"}).database == "postgresql://h/b"


def test_both_names_of_one_key_in_one_file_are_one_too_many() -> None:
    assert faults("database = 'a'\ndatabase_path = 'b'") == [
        f"{FILE}: database is given twice, here and by another name. Leave one of them out."
    ]


def test_all_faults_are_told_at_once_each_with_its_key_and_place() -> None:
    toml = (
        "prot = 1\n[models.llama]\ntemprature = 1\nslots = 0\n[limits]\nbody_bytes = 'much'\n[cors]\nallow_origins = 5"
    )
    found = faults(toml, {"SAUROPOD_PORT": "x", "SAUROPOD_HOSTT": "y"}, ["models.llama.top_p=2"])
    size = 'a number of bytes, or a size such as "32 MiB"'
    origins = 'a list, each of it "*" or an origin such as "https://app.example"'
    assert found == [
        f"{FILE}: prot is not a key. Did you mean port?",
        f"{FILE}: models.llama.temprature is not a key. Did you mean models.llama.temperature?",
        "the environment variable SAUROPOD_HOSTT: hostt is not a key. Did you mean host?",
        "the environment variable SAUROPOD_PORT: port must be a whole number from 0 to 65535; got 'x'.",
        "--set models.llama.top_p: models.llama.top_p must be a number from 0 to 1; got 2.0.",
        f"{FILE}: models.llama.slots must be a whole number of at least 1; got 0.",
        f"{FILE}: cors.allow_origins must be {origins}; got 5.",
        f"{FILE}: limits.body_bytes must be {size}; got 'much'.",
    ]


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("temperature = 1", "temperature is not a key. There is models.NAME.temperature."),
        ("[model.llama]", "model is not a key. Did you mean models?"),
        ("[xyz]\na = 1", "xyz is not a key. There are verbose, database, database_path, host"),
        ("models = 5", "models must be a table; got int."),
        ("[models]\na = 5", "models.a.model must be a model's name such as"),
        ("[limits.body_bytes]\na = 1", "limits.body_bytes must be a number of bytes"),
        ("stt_model = {type = 'voxtrall'}", 'stt_model.type must be "parakeet" or "voxtral"; got \'voxtrall\'.'),
        ("stt_model = {typ = 'voxtral'}", "stt_model.typ is not a key. Did you mean type?"),
        ("a = 1\nport = x", "is not TOML: Invalid value (at line 2, column 8)."),
        ("[authentication]\ntype = 'database'", "users and keys in a database come later. For now write keys into"),
        ("trace_output = 'trace.json'", "trace_output must be left out: traces come later"),
        ("database = 'mysql://h/b'", "mysql is neither sqlite nor postgresql"),
        ("[models.default]", "models has the name 'default'"),
    ],
)
def test_a_fault_says_what_to_do(toml: str, said: str) -> None:
    (found,) = faults(toml)
    assert found.startswith(f"{FILE}: ")
    assert said in found


def test_no_trace_output_is_no_fault() -> None:
    assert settings("trace_output = ''").trace_output == ""


# -- keys that open -------------------------------------------------------------------------------------------------


def test_all_keys_that_are_given_open() -> None:
    toml = "[authentication]\nkeys = ['a', 'b']\nkeys_file = '~/keys'"
    files = {"/home/ada/keys": "# of friends\nc\n\n  a  \n"}
    found = settings(toml, {"SAUROPOD_API_KEY": "d"}, files=files)
    assert found.authentication.type == "api_key"
    assert set(found.authentication.keys) == {"a", "b", "c", "d"}


def test_a_key_in_the_environment_is_enough() -> None:
    assert settings(environ={"SAUROPOD_API_KEY": "d"}).authentication.keys == ("d",)
    assert settings(env="SAUROPOD_API_KEY=d").authentication.keys == ("d",)
    assert settings(environ={"SAUROPOD_API_KEY": ""}).authentication.type == "none"


@pytest.mark.parametrize("table", ["keys = []", "keys_file = 'keys'", "type = 'api_key'"])
def test_without_any_key_asking_for_one_is_refused(table: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no key"):
        settings(f"[authentication]\n{table}", files={"keys": "# none\n"})


def test_keys_that_would_not_be_asked_for_are_refused() -> None:
    (found,) = faults("[authentication]\ntype = 'none'", {"SAUROPOD_API_KEY": "d"})
    assert 'authentication.type is "none", and yet there are keys' in found


@pytest.mark.parametrize("keys", ["'secret'", "['secret', 5]", "['secret word']", "[['secret']]"])
def test_no_error_shows_a_key(keys: str) -> None:
    (found,) = faults(f"[authentication]\nkeys = {keys}")
    assert "authentication.keys must be a list" in found
    assert "secret" not in found


def test_others_are_not_served_without_a_key_unless_that_is_asked_for() -> None:
    (found,) = faults("host = '0.0.0.0'")
    assert found.startswith(f"{FILE}: host is '0.0.0.0', which others can reach, and no API key is asked for.")
    assert "set allow_public = true" in found
    assert settings("host = '0.0.0.0'", {"SAUROPOD_API_KEY": "d"}).host == "0.0.0.0"
    assert settings("host = '0.0.0.0'\nallow_public = true").allow_public


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_no_key(host: str) -> None:
    assert settings(flags=[f"host={host}"]).host == host


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.0.5", "models.example", "localhost.example", "::ffff:1.2.3.4"]
)
def test_every_other_host_does(host: str) -> None:
    assert len(faults(flags=[f"host={host}"])) == 1


# -- every key ------------------------------------------------------------------------------------------------------

VALUES = {
    "model": ("org/repo", "org/repo"),
    "true or false": ("true", True),
    "whole number": ("7", 7),
    "number": ("0.75", 0.75),
    "time": ("10m", 600.0),
    "size": ("64 KiB", 65536),
    "text": ("word", "word"),
    "list of texts": ("a://b,c://d", ("a://b", "c://d")),
    "list of numbers": ("1,2", (1.0, 2.0)),
    "table": ('{"a" = 1}', {"a": 1}),
}
UNUSUAL = {"root_path": ("/v", "/v"), "type": ("kokoro", "kokoro"), "isolation": ("thread", "thread")}
REFUSED = {("authentication", "type"), ("trace_output",), ("stt_model",), ("authentication", "keys_file"), ("host",)}


def every_key(part: type = Settings, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, key in keys_of(part).items():
        if isinstance(key.kind, Table):
            found += every_key(key.kind.part, (*path, name))
        elif isinstance(key.kind, Tables):
            found += every_key(key.kind.part, (*path, name, "llama"))
        else:
            found.append((*path, name))
    return [path for path in found if path not in REFUSED]


def value_of(found: object, path: tuple[str, ...]) -> object:
    for name in path:
        found = found[name] if isinstance(found, dict) else getattr(found, name)
    return found


@pytest.mark.parametrize("path", every_key(), ids=".".join)
def test_every_key_can_be_set_by_a_variable_and_by_a_flag(path: tuple[str, ...]) -> None:
    part: type = Settings
    for name in path[:-1]:
        kind = keys_of(part)[name].kind if name != "llama" else None
        part = kind.part if isinstance(kind, Table | Tables) else part
    kind = keys_of(part)[path[-1]].kind
    text, value = (
        UNUSUAL.get(path[-1]) or VALUES[getattr(kind, "name", "").replace("list of API keys", "list of texts")]
    )
    by_variable = settings(environ={f"SAUROPOD_{'__'.join(path).upper()}": text})
    by_flag = settings(flags=[f"{'.'.join(path)}={text}"])
    assert value_of(by_variable, path) == value_of(by_flag, path) == value


# -- files ----------------------------------------------------------------------------------------------------------


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    missing = str(tmp_path / "config.toml")
    for named, environ in ((missing, {}), (None, {"SAUROPOD_CONFIG_FILE": missing})):
        with pytest.raises(SauropodError) as caught:
            Settings.load(named, environ=environ)
        assert str(caught.value) == f"{missing}: cannot be read: No such file or directory."


def test_the_one_that_is_not_named_is_looked_for(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path), "APPDATA": str(tmp_path)}
    before = Settings.load(environ=environ)
    place = tmp_path / "sauropod"
    place.mkdir()
    (place / ".env").write_text("SAUROPOD_VERBOSE=yes\nHF_TOKEN=1\n")
    with_env = Settings.load(environ=environ)
    (place / "config.toml").write_text("\ufeffport = 9000\n", encoding="utf-8")
    after = Settings.load(environ=environ)
    assert [before.port, with_env.verbose, after.verbose, after.port] == [8080, True, True, 9000]


@pytest.mark.skipif(os.name == "nt", reason="the names of places are those of POSIX")
def test_an_empty_name_reads_no_file(tmp_path: Path) -> None:
    (tmp_path / "sauropod").mkdir()
    (tmp_path / "sauropod" / "config.toml").write_text("port = 9000")
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert Settings.load(environ=environ).port == 9000
    assert Settings.load("", environ=environ).port == 8080
    assert Settings.load(environ={**environ, "SAUROPOD_CONFIG_FILE": ""}).port == 8080


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"port = 1 # caf\xe9")
    with pytest.raises(ConfigurationError, match="is not text in UTF-8: byte 14 is wrong"):
        Settings.load(path, environ={})


def test_a_file_of_keys_that_is_missing_is_told_with_the_other_faults(tmp_path: Path) -> None:
    missing = str(tmp_path / "keys")
    with pytest.raises(ConfigurationError) as caught:
        Settings.load("", set=[f"authentication.keys_file={missing}", "port=x"], environ={})
    assert [str(fault) for fault in caught.value.faults] == [
        f"{missing}: cannot be read: No such file or directory.",
        "--set port: port must be a whole number from 0 to 65535; got 'x'.",
    ]
