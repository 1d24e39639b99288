"""`sauropod doctor`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sauropod import Device, Engine
from sauropod.cli import checks
from sauropod.cli.checks import Check, _library, _satisfies

TOKEN = "hf_secretsecretsecret"


@pytest.fixture
def hidden(tmp_path: Path) -> Callable[[str], str]:
    """A search path on which a module cannot be imported, in no process that begins with it."""

    def hide(module: str) -> str:
        (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
        return str(tmp_path)

    return hide


def found(outcome: Any) -> dict[str, Any]:
    return {each["name"]: each for each in outcome.data["checks"]}


def test_a_sound_installation_is_usable(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HF_ENDPOINT", "https://user:password@hub.example")
    sound = call("doctor", "--json")
    assert sound.code == 0
    assert sound.data["usable"]
    lines = found(sound)
    assert lines["llama-cpp-python"]["status"] == lines["llama_cpp"]["status"] == "ok"
    assert lines["llama_cpp on cpu"]["status"] == lines["worker process"]["status"] == "ok"
    assert lines["token"]["detail"] == "there is one"
    assert lines["hub"]["detail"] == "https://hub.example"
    assert TOKEN not in sound.out
    assert "password" not in sound.out


def test_without_llama_cpp_it_says_how_to_get_it(run: Callable[..., Any], hidden: Callable[[str], str]) -> None:
    broken = run("doctor", PYTHONPATH=hidden("llama_cpp"))
    assert (broken.code, broken.err) == (1, "")
    assert 'pip install "sauropod[llama]"' in broken.out
    problems = [line.split()[1] for line in broken.out.splitlines() if line.startswith("  problem")]
    assert problems[:2] == ["llama-cpp-python", "llama_cpp"]
    assert "worker process" not in " ".join(problems)
    assert "Models cannot be run until the problems are mended." in broken.out


def test_a_library_that_is_not_there_is_missing_with_its_command() -> None:
    assert _library("no-such-thing", ">=1", "llama") == Check(
        "no-such-thing", "missing", "not installed", 'pip install "sauropod[llama]"'
    )
    assert _library("no-such-thing", ">=1,<2", "").fix == 'pip install "no-such-thing>=1,<2"'
    assert _library("no-such-thing", ">=1", "").status == "problem"


def test_a_library_of_the_wrong_version_is_a_problem() -> None:
    check = _library("attrs", ">=9999", "")
    assert check.status == "problem"
    assert check.detail.endswith("but sauropod needs >=9999")


@pytest.mark.parametrize(
    ("version", "bounds", "fits"),
    [
        ("1.10", ">=1.9", True),
        ("1.9", ">=1.10", False),
        ("0.3.36", ">=0.3.36,<0.4", True),
        ("0.4.0", ">=0.3.36,<0.4", False),
        ("0.3.35", ">=0.3.36,<0.4", False),
        ("2.0rc1", ">=2", True),
        ("1", "", True),
    ],
)
def test_versions_are_compared_as_numbers(version: str, bounds: str, fits: bool) -> None:
    assert _satisfies(version, bounds) is fits


def test_what_sauropod_needs_is_read_from_its_own_metadata() -> None:
    names = [name for name, _, _ in checks._requirements()]
    assert {"anyio", "attrs", "numpy", "huggingface-hub", "llama-cpp-python", "jinja2"} <= set(names)


def test_a_backend_of_somebody_else_that_is_broken_keeps_nothing_from_working() -> None:
    [check] = checks._backend("no-such-backend", "somebody-else")
    assert check.status == "missing"
    [check] = checks._backend("no-such-backend", "sauropod")
    assert check.status == "problem"


def test_a_card_that_lies_idle_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "has_nvidia_card", lambda: True)
    monkeypatch.setattr(checks, "devices_of", lambda backend: [Device("cpu")])
    idle = list(checks._backend("llama_cpp", "sauropod"))[-1]
    assert (idle.name, idle.status) == ("llama_cpp on cuda", "missing")
    assert idle.fix.startswith('CMAKE_ARGS="-DGGML_CUDA=ON" pip install ')
    monkeypatch.setattr(checks, "devices_of", lambda backend: [Device("cuda:0"), Device("cpu")])
    assert all(check.status == "ok" for check in checks._backend("llama_cpp", "sauropod"))


def test_a_cache_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda place, mode: False)
    cache = next(iter(checks.models()))
    assert (cache.status, cache.fix) == ("missing", "export HF_HUB_CACHE=/somewhere/writable")


def test_a_file_is_no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "file"))
    cache = next(iter(checks.models()))
    assert (cache.status, cache.detail) == ("missing", f"{tmp_path / 'file'} cannot be written")


def test_each_directory_of_models_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    given = [str(tmp_path), str(tmp_path / "file"), str(tmp_path / "nothing")]
    monkeypatch.setenv("SAUROPOD_MODELS", os.pathsep.join(given))
    told = [(each.status, each.detail) for each in checks.models() if each.name == "SAUROPOD_MODELS"]
    assert told == [("ok", given[0]), *(("missing", f"{each} is no directory") for each in given[1:])]


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("HF_ENDPOINT", "http://[::1", "hub"),
        ("HF_ENDPOINT", "hub.example", "hub"),
        ("SAUROPOD_MODELS", "~nosuch/models", "SAUROPOD_MODELS"),
    ],
)
def test_settings_that_mean_nothing_are_told(
    name: str, value: str, line: str, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    lines = found(call("doctor", "--json"))
    assert lines[line]["status"] != "ok"
    assert name in lines[line]["fix"]
    assert {"model cache", "models", "token", "worker process", "demo model"} <= set(lines)


def test_a_check_that_fails_by_itself_is_a_problem_and_ends_nothing(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> NoReturn:
        raise ZeroDivisionError("oh no")

    for name in ("cpu_name", "_requirements", "has_nvidia_card", "_asked"):
        monkeypatch.setattr(checks, name, lambda *arguments, **options: broken())
    told = call("doctor", "--json")
    assert told.code == 1
    assert {each["name"] for each in told.data["checks"] if each["detail"] == "oh no"} >= {
        "This machine",
        "Libraries",
        "Backends",
        "worker process",
        "demo model",
    }


def test_offline_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert any("offline" in check.detail for check in checks.models())


def test_a_model_that_says_something_else_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "Engine", lambda name, backend: Engine("fake:x", isolation="thread"))
    check = checks._demo()
    assert check.status == "problem"
    assert "says the capital of France is" in check.detail
