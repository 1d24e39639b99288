"""The examples of the API's pages run as printed, against `sauropod serve`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("llama_cpp")

PAGES = sorted((Path(__file__).parent.parent.parent / "docs" / "api").glob("*.md"))
PRINTED = "http://127.0.0.1:8080"


def examples(page: Path) -> Iterator[tuple[str, str]]:
    """Every block of Python, with where it stands."""
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield f"{page.name}:{text[: block.start()].count(chr(10)) + 2}", block[1]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the demo model, without a configuration, as its own process."""
    home = tmp_path_factory.mktemp("home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SAUROPOD_")}
    environment |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    command = [sys.executable, "-m", "sauropod", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            for line in server.stderr:
                if ready := re.search(r"Ready .*?(http://127\.0\.0\.1:\d+)", line):
                    yield ready[1]
                    break
            else:
                pytest.fail("The server did not start.")
        finally:
            server.terminate()
            server.stderr.read()
    assert server.returncode == 0
    assert (home / "sauropod" / "sauropod.db").exists()


@pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")  # how the official client connects
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_of_the_api_runs_as_printed(
    url: str, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known: dict[str, object] = {"__name__": "__main__"}
    blocks = list(examples(page))
    assert blocks
    for name, source in blocks:
        exec(compile(source.replace(PRINTED, url), name, "exec", dont_inherit=True), known)
