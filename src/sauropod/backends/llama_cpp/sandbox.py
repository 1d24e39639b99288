"""Where chat templates run: somebody else's programs, each of them metered.

The environment is the one transformers gives templates (its `apply_chat_template` is the reference): sandboxed, with
`trim_blocks`, `lstrip_blocks`, loop controls, the `generation` tag, `raise_exception`, `strftime_now`, and its own
`tojson`. On top of that every loop, call, filter and operator passes a meter: a template has a few seconds and a few
megabytes, and then it is an error.
"""

from __future__ import annotations

import datetime
import functools
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox
import jinja2.visitor

__all__ = ["Sandbox", "TemplateTooCostly"]

MOST_CHARACTERS = 16_000_000
LARGEST_NUMBER = 1_000_000

_SLOW = frozenset({"pprint", "striptags", "urlize", "wordwrap"})
"""Filters that take seconds for what a text of a megabyte can make them do, and that no chat needs."""

_WIDE = re.compile(r"[%{][^%{}a-zA-Z]*\d{5,}")
"""A field of a format string that is padded to ten thousand characters or more."""


class TemplateTooCostly(Exception):
    """The template asked for more time or memory than a template may have."""


class Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """An environment for one template. One thread renders at a time."""

    intercepted_binops = frozenset({"+", "*", "%", "**"})
    _deadline = 0.0

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # constants would be folded unmetered
            extensions=[_GenerationTag, jinja2.ext.loopcontrols],
        )
        self.filters = {name: self._guarded(each) for name, each in self.filters.items() if name not in _SLOW}
        self.filters["tojson"] = self._guarded(_tojson)
        self.filters["_each"] = self._each
        self.filters["_sized"] = self._sized
        self.globals.update(raise_exception=_raise_exception, strftime_now=_strftime_now)
        del self.globals["lipsum"]

    def run(self, template: jinja2.Template, variables: Mapping[str, Any], seconds: float) -> str:
        """What the template writes. Raises `TemplateTooCostly`, and whatever the template does."""
        self._deadline = time.monotonic() + seconds
        written: list[str] = []
        size = 0
        for piece in template.generate(variables):
            size += len(piece)
            self._refuse_large(size)
            written.append(piece)
        return "".join(written)

    def _parse(self, source: str, name: str | None, filename: str | None) -> jinja2.nodes.Template:
        tree = super()._parse(source, name, filename)
        return _Metering().visit(tree)  # type: ignore[no-any-return]

    def call(self, context: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        owner = getattr(function, "__self__", None)
        self._refuse_bombs((owner, *args, *kwargs.values()))
        return self._sized(super().call(context, function, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        owner = getattr(value, "__self__", None)
        if isinstance(owner, str):
            self._refuse_bombs((owner,))
        return super().wrap_str_format(value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            self._refuse_bombs((left, right))
            if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > LARGEST_NUMBER:
                raise TemplateTooCostly("it computes with numbers too large")
        elif operator == "*":
            sizes = [side if isinstance(side, int) else len(side) for side in (left, right) if _has_size(side)]
            if not isinstance(left, int | float) or not isinstance(right, int | float):
                self._refuse_large(_product(sizes))
        elif operator == "%":
            self._refuse_bombs((left, right))
        return self._sized(super().call_binop(context, operator, left, right))

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)  # keeps the attribute by which jinja2 knows what to pass first
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._refuse_bombs((*args, *kwargs.values()))
            return self._sized(function(*args, **kwargs))

        return guarded

    def _each(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._check_time()
            yield item

    def _sized(self, value: Any) -> Any:
        self._check_time()
        if _has_size(value) and not isinstance(value, int):
            self._refuse_large(len(value))
        return value

    def _refuse_bombs(self, operands: Sequence[Any]) -> None:
        """What a small call with large arguments could blow up: padding, replacing, joining, formatting."""
        self._check_time()
        numbers = [value for value in operands if isinstance(value, int)]
        texts = [value for value in operands if isinstance(value, str)]
        if any(abs(number) > LARGEST_NUMBER for number in numbers):
            raise TemplateTooCostly("it computes with numbers too large")
        if any("%" in text or "{" in text for text in texts) and any(_WIDE.search(text) for text in texts):
            raise TemplateTooCostly("it formats a field too wide")
        self._refuse_large(_product(sorted(len(value) for value in operands if _is_collection(value))[-2:]))

    def _refuse_large(self, size: int) -> None:
        if size > MOST_CHARACTERS:
            raise TemplateTooCostly("it makes a text or list too large")

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise TemplateTooCostly("it ran too long")


class _Metering(jinja2.visitor.NodeTransformer):
    """Passes every loop and every joining of strings through the meter."""

    def visit_For(self, node: jinja2.nodes.For) -> jinja2.nodes.Node:
        self.generic_visit(node)
        node.iter = _through("_each", node.iter)
        return node

    def visit_Concat(self, node: jinja2.nodes.Concat) -> jinja2.nodes.Node:
        self.generic_visit(node)
        return _through("_sized", node)


def _through(name: str, node: Any) -> jinja2.nodes.Filter:
    return jinja2.nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=node.environment)


class _GenerationTag(jinja2.ext.Extension):
    """transformers marks with it what the assistant says, for training; here it means nothing."""

    tags = frozenset({"generation"})  # type: ignore[assignment]

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """transformers' filter: unlike jinja2's it neither escapes for HTML nor sorts."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _strftime_now(format: str) -> str:
    return datetime.datetime.now().strftime(format)


def _is_collection(value: Any) -> bool:
    return isinstance(value, str | bytes | list | tuple | dict)


def _has_size(value: Any) -> bool:
    return isinstance(value, int) or _is_collection(value)


def _product(sizes: Sequence[int]) -> int:
    product = 1
    for size in sizes:
        product *= max(1, abs(size))
    return product
