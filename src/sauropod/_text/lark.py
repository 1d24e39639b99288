"""Writing grammars in Lark, rule by rule, for what holds marks that may be tokens of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from sauropod._values.syntax import Layout

__all__ = ["ANY_TEXT", "Lark", "Marks", "escaped_pattern"]

Marks: TypeAlias = Callable[[str], Sequence[tuple[str, int | None]]]
"""Splits a text into marks that are tokens of the model, each with its number, and text between them."""


_LAYOUTS: Mapping[Layout, Mapping[str, Any]] = {
    Layout.COMPACT: {"item_separator": ",", "key_separator": ":"},
    Layout.FREE: {"whitespace_flexible": True},
}
"""What llguidance is told of how to lay out JSON."""


ANY_TEXT = "(?s:.*)"


def escaped_pattern(text: str) -> str:
    """A regular expression for this text only."""
    return "".join(c if c.isalnum() or ord(c) > 127 else f"\\u{{{ord(c):x}}}" for c in text)


@attrs.define
class Lark:
    """A grammar that is being written. Rules get numbers for names; what they hold alike is one rule."""

    marks: Marks
    _rules: dict[str, str] = attrs.field(factory=dict)
    """By what they hold, their names."""
    _lines: list[str] = attrs.field(factory=list)

    def rule(self, body: str, options: str = "", name: str = "") -> str:
        """A rule with this body; its name."""
        known = f"{options} {body}"
        if known not in self._rules or name:
            self._rules[known] = name or f"r{len(self._rules)}"
            self._lines.append(f"{self._rules[known]}{options}: {body}")
        return self._rules[known]

    def terminal(self, body: str) -> str:
        """A terminal with this body; its name."""
        if body not in self._rules:
            self._rules[body] = f"T{len(self._rules)}"
            self._lines.append(f"{self._rules[body]}: {body}")
        return self._rules[body]

    def literal(self, text: str) -> str:
        """This text, whatever tokens its marks are; empty for no text."""
        parts = [json.dumps(part) if token is None else f"<[{token}]>" for part, token in self.marks(text) if part]
        return " ".join(parts)

    def plain(self, text: str) -> str:
        """This text, in which nothing is a mark; empty for no text."""
        return json.dumps(text) if text else ""

    def token(self, text: str) -> int | None:
        """The token with which a text begins, if that is a mark of the model."""
        return next((token for _, token in self.marks(text)), None)

    def schema(self, schema: Mapping[str, Any], layout: Layout = Layout.SPACED) -> str:
        """A JSON text that is valid under a schema."""
        laid_out = {**schema, "x-guidance": _LAYOUTS[layout]} if layout in _LAYOUTS else schema
        return self.rule(f"%json {json.dumps(laid_out, ensure_ascii=False)}")

    def free(self, pattern: str = ANY_TEXT, without: Sequence[str] = ()) -> str:
        """A text that a pattern matches, and in which none of these stands."""
        return self.terminal(_free(pattern, without))

    def upto(self, mark: str, pattern: str = ANY_TEXT, without: Sequence[str] = ()) -> str:
        """The same, up to the first `mark`, with it. What it is followed by is told at once."""
        if not without:
            return self.rule(f"/{pattern}{escaped_pattern(mark)}/", "[lazy]")
        return self.rule(f"({_free(pattern, without)}) /{escaped_pattern(mark)}/", "[lazy]")

    def until(self, mark: str, pattern: str = ANY_TEXT, without: Sequence[str] = ()) -> str:
        """A text that a pattern matches, up to the first `mark`, and that: if it is a token, it is not spelled."""
        first, token = next(iter(self.marks(mark)))
        rest = self.literal(mark[len(first) :])
        if token is not None:
            return f"{self.free(pattern, [*without, first])} <[{token}]> {rest}"
        return f"{self.upto(first, pattern, without)} {rest}"

    def text(self) -> str:
        """The grammar, which begins at `start`."""
        return "\n".join(self._lines)


def _free(pattern: str, without: Sequence[str]) -> str:
    """The body of a terminal."""
    if not without:
        return f"/{pattern}/"
    return f"/{pattern}/ & ~/{ANY_TEXT}({'|'.join(map(escaped_pattern, dict.fromkeys(without)))}){ANY_TEXT}/"
