"""Names of models in a configuration."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sauropod._sources import parse_reference
from sauropod.server.config.naming import SOURCE, source_text


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"repo": "org/repo"}, "hf:org/repo"),
        ({"repo": "org/repo", "quantization": "Q4_K_M"}, "hf:org/repo:Q4_K_M"),
        ({"repo": "org/repo", "file": "sub/model.gguf"}, "hf:org/repo/sub/model.gguf"),
        ({"repo": "org/repo", "revision": "a/b", "quantization": "Q8_0"}, "hf:org/repo@a%2Fb:Q8_0"),
        ({"repo": "hf:org/repo", "revision": "v1"}, "hf:org/repo@v1"),
        ({"path": "./models"}, "./models"),
    ],
)
def test_a_table_and_its_text_name_the_same(table: Mapping[str, str], text: str) -> None:
    assert source_text(SOURCE.check(table)) == text
    assert parse_reference(table) == parse_reference(text)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "not empty"),
        ("  ", "not empty"),
        ("a\nb", "one line"),
        (5, "^$"),
        ([], "^$"),
        ({}, "either a repo or a path"),
        ({"repo": "a/b", "path": "c"}, "either a repo or a path"),
        ({"repo": "a/b", "quantisation": "Q8_0"}, "'quantisation' is not one of repo, quantization"),
        ({"repo": "a/b", "file": "c.gguf", "quantization": "Q8_0"}, "two answers"),
        ({"path": "c", "revision": "v1"}, "only be a quantization"),
        ({"repo": 5}, "a name is a text"),
    ],
)
def test_what_names_no_model_is_refused_with_the_reason(value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        SOURCE.check(value)


def test_a_table_is_read_out_of_a_text() -> None:
    assert SOURCE.parse('{repo = "a/b"}') == SOURCE.parse('{"repo": "a/b"}') == {"repo": "a/b"}
    assert SOURCE.parse("hf:a/b:Q8_0") == "hf:a/b:Q8_0"
