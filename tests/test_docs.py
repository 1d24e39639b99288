"""The examples in README and docs run, on the demo model, as printed."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from collections.abc import Awaitable
from pathlib import Path
from types import CodeType

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

pytestmark = pytest.mark.anyio


def examples() -> list[tuple[str, str]]:
    """Every block of Python in the docs, with where it stands."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.finditer(r"^(`{3,})python\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE):
            line = text[: block.start()].count("\n") + 2
            found.append((f"{page.name}:{line}", block[2]))
    return found


def compiled(name: str, source: str) -> CodeType:
    """A block that may await at the top, as notebooks let it."""
    code: CodeType = compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return code


@pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed")
@pytest.mark.parametrize(("name", "source"), examples(), ids=lambda value: value if ":" in value[:40] else "")
async def test_an_example_runs_as_printed(
    name: str, source: str, nothing_leaks: None, capsys: pytest.CaptureFixture[str]
) -> None:
    result = eval(compiled(name, source), {"__name__": "__main__"})
    if inspect.iscoroutine(result):
        assert isinstance(result, Awaitable)
        await result


def test_there_are_examples() -> None:
    assert len(examples()) > 10
