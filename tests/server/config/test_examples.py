"""The configurations in examples/ and in the docs, and the tables of keys."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from sauropod._sources import parse_reference
from sauropod._sources.references import HubModel
from sauropod.server.config import Settings
from server.config.asking import settings
from server.config.tables import PAGE, renewed

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "configs").glob("*.toml"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def names(found: Settings) -> list[object]:
    """Every model that is named."""
    listed: list[object] = [model.source for model in found.models.values()]
    listed += [model.multimodal_projector for model in found.models.values()]
    listed += [voice.source for voice in found.voices.values()]
    listed += [None if found.stt_model is None else found.stt_model.source, found.vad_model]
    listed = [name.removeprefix("voxtral:") if isinstance(name, str) else name for name in listed]
    return [name for name in listed if name not in (None, "auto", "demo")]


def test_the_examples_are_those_of_the_predecessor() -> None:
    assert [path.stem for path in EXAMPLES] == ["gemma", "gpt-oss", "memory-efficient", "smolvlm", "voxtral"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_names_models_that_can_be_fetched(path: Path) -> None:
    found = Settings.load(path, environ={"HOME": "/home/ada"})
    references = [parse_reference(name) for name in names(found)]  # type: ignore[arg-type]
    assert references
    assert all(isinstance(reference, HubModel) for reference in references)
    for name in found.models:
        found.engine(name)


@pytest.mark.parametrize("block", blocks("toml"))
def test_toml_in_the_docs_is_a_configuration(block: str) -> None:
    assert settings(block).origins


def test_commands_in_the_docs_are_understood() -> None:
    lines = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    variables = dict(words[1].split("=", 1) for words in lines if words[0] == "export")
    assert settings(environ=variables).models["gemma"].keep_alive == 600
    for words in lines:
        sets = [value for flag, value in pairwise(words) if flag == "--set"]
        assert words[0] == "export" or settings(flags=sets)
    assert len(lines) > 6


def test_the_docs_have_every_key_as_the_code_has_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page, "run: python tests/server/config/tables.py"
