"""Regular expressions: of JavaScript, which schemas are written in, and of Rust, which they are enforced in."""

from __future__ import annotations

import re

import pytest

from sauropod._values.patterns import FORMATS, strange_syntax


@pytest.mark.parametrize("pattern", ["\\Aa", "a\\z", "[[a]]", "[a--b]", "[~~]", "a++", "a{2}+", "(?P<n>a)", "(?x)a"])
def test_syntax_of_rust_is_found_in_patterns(pattern: str) -> None:
    assert strange_syntax(pattern)


@pytest.mark.parametrize("pattern", ["\\[[^\\]]", "[]a]", "(?:a)+b", "(?<n>a)", "[a-z&-]", "\\(?a", "a+?", "[+*]+"])
def test_patterns_of_every_day_are_let_through(pattern: str) -> None:
    assert not strange_syntax(pattern)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_a_pattern_that_can_be_read(name: str) -> None:
    assert re.compile(FORMATS[name])
