"""The examples, run as their users run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sauropod._sources.local_models import demo_path

pytest.importorskip("llama_cpp", reason="the demo model runs in llama.cpp: pip install 'sauropod[llama]'")
pytestmark = pytest.mark.skipif(not demo_path().is_file(), reason="the demo model is not there")

EXAMPLES = Path(__file__).parents[2] / "examples"


def printed(name: str, *arguments: str, stdin: str = "") -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True, timeout=120).stdout


def test_a_model_calls_functions_until_it_can_answer() -> None:
    lines = printed("tools.py").splitlines()
    assert lines[:2] == ["→ get_weather {'city': 'Paris'}", '← {"temperature":18,"sky":"sun"}']
    assert "18" in lines[2]
    assert lines[3].startswith("(2 rounds, ")


@pytest.mark.parametrize(
    ("typed", "told"),
    [("y\n", "← The timer runs for 10 minutes."), ("n\n", "the user does not want it"), ("", "nobody is there")],
)
def test_what_changes_something_is_asked_for_first(typed: str, told: str) -> None:
    shown = printed("tools.py", "demo", "Set a timer for 10 minutes.", stdin=typed)
    assert "May it call set_timer(minutes=10)? [Y/n]" in shown
    assert told in shown


def test_text_becomes_instances() -> None:
    assert printed("extract.py").splitlines() == [
        "Ada is 36 years old. → Person(name='Ada', age=36)",
        "Tom is 7 years old. → Person(name='Tom', age=7)",
    ]
