"""Where chat templates run: somebody else's programs, each of them metered.

The environment is the one transformers gives templates (its `apply_chat_template` is the reference): sandboxed, with
`trim_blocks`, `lstrip_blocks`, loop controls, the `generation` tag, `raise_exception`, `strftime_now`, and its own
`tojson`. On top of that it is bounded, by three rules that hold together:

- Whatever makes a value passes the meter: every call, filter, test, operator, literal, turn of a loop and piece of
  output. The meter counts time and bytes; past a few seconds or `MOST` bytes, running is an error.
- No value is larger than `LARGEST`, written out. So nothing that is linear in its operands takes long, also in C,
  where no meter can look.
- What can make more than its operands hold (repeating, padding, replacing, joining, formatting) is reckoned up before
  it is done, and the few things that no chat needs are not there.
"""

from __future__ import annotations

import copy
import datetime
import functools
import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jinja2
import jinja2.ext
import jinja2.filters
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox
import jinja2.utils

from sauropod.backends.llama_cpp.metering import Metering

__all__ = ["Sandbox", "TemplateTooCostly"]

LARGEST = 16_000_000
"""Bytes of one value, as Python holds it. A list that holds another twice counts it twice, as writing it would."""

MOST = 256_000_000
"""Bytes of all that one run makes, also of what it let go of."""

EACH = 400
"""Bytes that a value is reckoned to take besides: what is small must not be free."""

MOST_BITS = 100_000
"""Of an integer."""

WIDEST = 1_000_000
"""The largest number that a filter, or a method of a text, may be told: a width, a count."""

LONGEST_SEARCH = 2_000_000_000
"""Characters of a text times characters of what is looked for in it: some searches compare them all."""

_SLOW = frozenset({"pprint", "striptags", "urlize", "wordwrap"})
"""Filters that take seconds for what a text of a megabyte can make them do, and that no chat needs."""

_HIDDEN = frozenset(
    {
        *("decode", "encode", "expandtabs", "from_bytes", "fromkeys"),
        *("maketrans", "striptags", "to_bytes", "translate", "unescape"),
    }
)
"""Methods that no chat needs, and that make much of little or take long."""

_QUEUEING = frozenset({"append", "pop"})
"""Methods that change a list, which some templates keep the ids of calls in."""

_ITERATING = frozenset({"batch", "groupby", "list", "map", "max", "min", "reject", "select", "slice", "sort", "unique"})
"""Filters that take a text apart if they are given one."""

_WIDE = re.compile(r"\d{4}|%[^%a-zA-Z]*\*|\{[^{}]+\{")
"""A field of a format string that is a thousand characters wide, or as wide as an argument says."""

_COLLECTIONS: tuple[type[Any], ...] = (
    list,
    tuple,
    set,
    frozenset,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)


class TemplateTooCostly(Exception):
    """The template asked for more time or memory than a template may have."""


class Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """An environment for one template. One thread renders at a time."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    _deadline = -math.inf  # before the first run, so that nothing is computed while a template is compiled
    _made = 0

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # constants would be folded unmetered
            extensions=[_GenerationTag, jinja2.ext.loopcontrols],
        )
        self._measured: dict[int, tuple[Any, int]] = {}
        own: dict[str, Callable[..., Any]] = {
            "center": self._center,
            "format": self._format,
            "indent": self._indent,
            "join": self._join,
            "replace": self._replace,
            "sum": self._sum,
            "tojson": self._tojson,
            "trim": self._trim,
        }
        known: dict[str, Callable[..., Any]] = {**self.filters, **own}
        self.filters = {name: self._guarded(name, each) for name, each in known.items() if name not in _SLOW}
        self.filters |= {"_each": self._each, "_paid": self._paid, "_sized": self._sized}
        self.filters |= {"_timed": self._timed, "_written": self._written}
        tests: dict[str, Any] = {**self.tests}
        self.tests = {name: self._guarded(name, each) for name, each in tests.items()}
        self.globals.update(
            dict=self._dict,
            namespace=self._namespace,
            raise_exception=_raise_exception,
            strftime_now=self._strftime_now,
        )
        del self.globals["lipsum"]

    def run(self, template: jinja2.Template, variables: Mapping[str, Any], seconds: float) -> str:
        """What the template writes. Raises `TemplateTooCostly`, and whatever the template does."""
        self._deadline, self._made = time.monotonic() + seconds, 0
        try:
            for value in variables.values():
                self._measure(value)
            variables = copy.deepcopy(dict(variables))  # what is the caller's stays as it is
            written: list[str] = []
            size = 0
            for piece in template.generate(variables):
                size += len(piece)
                self._refuse_large(size)
                written.append(piece)
            return "".join(written)
        finally:
            self._measured.clear()

    # -- where jinja2 asks -----------------------------------------------------------------------------------------

    def _parse(self, source: str, name: str | None, filename: str | None) -> jinja2.nodes.Template:
        tree = super()._parse(source, name, filename)
        return Metering().visit(tree)  # type: ignore[no-any-return]

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, list) and attr in _QUEUEING:
            return True
        return attr not in _HIDDEN and super().is_safe_attribute(obj, attr, value)

    def call(self, context: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        self._spend()
        owner = getattr(function, "__self__", None)
        if isinstance(owner, str | bytes):
            args = self._admitted(function.__name__, owner, args, kwargs)
        result = self._sized(super().call(context, function, *args, **kwargs))
        if isinstance(owner, list):
            self._measured.clear()  # sizes of what holds it are not true any more
            self._measure(owner)
        return result

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        formatting = super().wrap_str_format(value)
        if formatting is None:
            return None

        def guarded(*args: Any, **kwargs: Any) -> str:
            self._refuse_wide(value.__self__, [args, kwargs])
            return formatting(*args, **kwargs)

        return guarded

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        self._spend()
        if operator == "*":
            self._refuse_product(left, right)
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            _refuse_long(left.bit_length() * right)
        elif operator == "%" and isinstance(left, str | bytes):
            self._refuse_wide(left, right)
        return self._sized(super().call_binop(context, operator, left, right))

    def _guarded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        first = 0 if jinja2.utils._PassArg.from_obj(function) is None else 1  # where the value is among the arguments

        @functools.wraps(function)  # keeps the attribute by which jinja2 knows what to pass first
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._spend()
            if name != "format":  # which looks at its widths itself
                self._refuse_numbers(*args[first + 1 :], *kwargs.values())
            if name in _ITERATING and isinstance(args[first], str):
                args = (*args[:first], self._each(args[first]), *args[first + 1 :])
            return self._sized(function(*args, **kwargs))

        return guarded

    # -- the meter -------------------------------------------------------------------------------------------------

    def _spend(self, size: int = 0) -> None:
        """Every step that makes something comes here."""
        self._made += size + EACH
        if self._made > MOST:
            raise TemplateTooCostly("it makes too much text")
        if time.monotonic() > self._deadline:
            raise TemplateTooCostly("it ran too long")

    def _measure(self, value: Any) -> int:
        """The bytes of a value, written out. Raises if they are more than a value may have.

        What is large is remembered, and kept, until the run ends or a list is changed.
        """
        total, waiting = 0, [value]
        while waiting:
            item = waiting.pop()
            known = self._measured.get(id(item))
            total += sys.getsizeof(item, 0) if known is None else known[1]
            self._refuse_large(total)
            if known is not None:
                continue
            if isinstance(item, dict):
                waiting.extend(item)
                waiting.extend(item.values())
            elif isinstance(item, _COLLECTIONS):
                waiting.extend(item)
        if total > 4096:
            self._measured[id(value)] = value, total
        return total

    def _sized(self, value: Any) -> Any:
        """A value that was made."""
        self._spend(sys.getsizeof(value, 0))
        if isinstance(value, int):
            _refuse_long(value.bit_length())
        elif isinstance(value, Iterator):
            return self._each(value)
        self._measure(value)
        return value

    def _each(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._spend()
            yield item

    def _timed(self, value: Any) -> Any:
        self._spend()
        return value

    def _paid(self, size: int) -> str:
        """Stands before constant text that is written."""
        self._spend(size)
        return ""

    def _written(self, value: Any) -> str:
        """A value as text, which will be joined to other text."""
        self._measure(value)
        text = value if isinstance(value, str) else str(value)
        self._spend(sys.getsizeof(text))
        return text

    # -- refusing --------------------------------------------------------------------------------------------------

    def _admitted(
        self, method: str, owner: str | bytes, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        """The arguments for a method of a text, if it may be called with them."""
        self._refuse_numbers(*args, *kwargs.values())
        sought = max((len(value) for value in args if isinstance(value, str | bytes)), default=0)
        if len(owner) * sought > LONGEST_SEARCH:
            raise TemplateTooCostly("it searches too much text")
        if method == "replace" and len(args) > 1:
            self._refuse_large(owner.count(args[0]) * len(args[1]))
        if method == "join" and args:
            items = list(self._each(args[0]))
            self._refuse_large(self._measure(items) + len(items) * len(owner))
            return (items,)
        return args

    def _refuse_product(self, left: Any, right: Any) -> None:
        if isinstance(left, int) and isinstance(right, int):
            _refuse_long(left.bit_length() + right.bit_length())
        for repeated, times in ((left, right), (right, left)):
            if isinstance(times, int) and isinstance(repeated, str | bytes | list | tuple):
                self._refuse_large((self._measure(repeated) - sys.getsizeof(repeated[:0])) * times)

    def _refuse_wide(self, format: str | bytes, arguments: Any) -> None:
        """What a format string could blow up: a field can be wide, and say the same again and again."""
        text = format if isinstance(format, str) else format.decode("latin-1")
        if _WIDE.search(text):
            raise TemplateTooCostly("it formats a field too wide")
        if (text.count("%") + text.count("{")) * (1000 + self._measure(arguments)) > MOST:
            raise TemplateTooCostly("it formats too much text")

    def _refuse_numbers(self, *arguments: Any) -> None:
        if any(isinstance(value, int) and abs(value) > WIDEST for value in arguments):
            raise TemplateTooCostly("it asks for something too wide")

    def _refuse_large(self, size: int) -> None:
        if size > LARGEST:
            raise TemplateTooCostly("it makes a text or list too large")

    # -- filters and functions that can make much of little --------------------------------------------------------

    def _center(self, value: Any, width: int = 80) -> str:
        return str(value).center(width)

    def _format(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        self._refuse_wide(str(value), kwargs or args)
        return str(value) % (kwargs or args)

    def _indent(self, value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
        lines = len(str(value).splitlines()) + 1
        self._refuse_large(lines * (width if isinstance(width, int) else len(width)))
        return jinja2.filters.do_indent(str(value), width, first, blank)

    def _join(self, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
        items = [self._written(item) for item in self._read(value, attribute)]
        self._refuse_large(len(items) * len(d))
        return str(d).join(items)

    def _read(self, value: Iterable[Any], attribute: str | int | None) -> Iterator[Any]:
        items = self._each(value)
        return items if attribute is None else map(jinja2.filters.make_attrgetter(self, attribute), items)

    def _replace(self, value: Any, old: str, new: str, count: int | None = None) -> str:
        text, old, new = str(value), str(old), str(new)
        self._admitted("replace", text, (old, new), {})
        return text.replace(old, new, -1 if count is None else count)

    def _sum(self, value: Iterable[Any], attribute: str | int | None = None, start: float = 0) -> Any:
        return sum(self._read(value, attribute), start + 0)  # a number: lists would be copied for each that is added

    def _tojson(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        """transformers' filter: unlike jinja2's it neither escapes for HTML nor sorts."""
        value = list(value) if isinstance(value, Iterator) else value  # what `map` and `select` give
        self._measure(value)
        encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        if indent is None and separators is None:
            return encoder.encode(value)
        self._measure([indent, separators])
        return "".join(self._written(piece) for piece in encoder.iterencode(value))

    def _trim(self, value: Any, chars: str | None = None) -> str:
        self._admitted("strip", str(value), (chars,), {})
        return str(value).strip(chars)

    def _dict(self, pairs: Any = (), /, **more: Any) -> dict[Any, Any]:
        pairs = list(self._each(pairs.items() if isinstance(pairs, dict) else pairs))
        if len(pairs) > 10_000:  # numbers can be chosen so that each collides with all others
            raise TemplateTooCostly("it makes a dict too large")
        return dict(pairs, **more)

    def _namespace(self, *args: Any, **kwargs: Any) -> _Namespace:
        return _Namespace(self._dict(*args, **kwargs))

    def _strftime_now(self, format: str) -> str:
        self._refuse_wide(format, ())
        return datetime.datetime.now().strftime(format)


class _Namespace(jinja2.utils.Namespace):
    """What can be changed has no size that would stay true, so writing it writes nothing of what is in it."""

    def __repr__(self) -> str:
        return "<namespace>"


class _GenerationTag(jinja2.ext.Extension):
    """transformers marks with it what the assistant says, for training; here it means nothing."""

    tags = frozenset({"generation"})  # type: ignore[assignment]

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _refuse_long(bits: int) -> None:
    if bits > MOST_BITS:
        raise TemplateTooCostly("it computes with numbers too large")
