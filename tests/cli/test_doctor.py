"""`sauropod doctor`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    assert (cache.status, cache.fix) == ("missing", "export HF_HOME=/somewhere/writable")


def test_offline_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert any("offline" in check.detail for check in checks.models())


def test_a_model_that_says_something_else_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "Engine", lambda name, backend: Engine("fake:x", isolation="thread"))
    check = checks._demo()
    assert check.status == "problem"
    assert "says the capital of France is" in check.detail
