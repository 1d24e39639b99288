"""Values as models write them, turned into JSON while they come.

JSON itself, and what models write when they mean it: Python's quotes and names, keys without quotes, quotes that are
marks. What is given out is the beginning of a JSON text at any time.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

import attrs

from sauropod._text.source import Malformed, Reading, Sink, Source

__all__ = ["LiteralReader", "escaped"]

MOST_DEPTH = 64
MOST_DIGITS = 400
"""Of a number, more than any that JSON's readers take."""

_FOLLOWING = ",:)]}"
"""What may follow a text in quotes."""

_NAMES = {"true": "true", "True": "true", "false": "false", "False": "false"}
_NAMES |= dict.fromkeys(("null", "None", "undefined"), "null")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_DIGITS = {"x": 2, "u": 4, "U": 8}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def escaped(text: str) -> str:
    """A text as it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


@attrs.define
class LiteralReader:
    """Reads one value after another from a source."""

    source: Source
    quote: str = '"'
    """A mark that is used as quotes, besides the usual ones."""
    after: str = ""
    """With what that which follows the value may begin."""

    def value(self, sink: Sink, depth: int = 0) -> Reading[None]:
        """Read a value, and give it out as JSON. Raises `Malformed`."""
        if depth > MOST_DEPTH:
            raise Malformed(f"its arguments are nested more than {MOST_DEPTH} deep")
        character = yield from self.source.blanks()
        if character == "{":
            yield from self.mapping(sink, depth)
        elif character and character in "[(":
            yield from self._list(sink, "]" if character == "[" else ")", depth)
        elif (quote := (yield from self._opening())) is not None:
            sink('"')
            yield from self._rest_of_text(quote, lambda text: sink(escaped(text)))
            sink('"')
        else:
            sink((yield from self._word()))

    def mapping(self, sink: Sink, depth: int = 0) -> Reading[None]:
        """Read an object."""
        yield from self.source.literal("{")
        sink("{")
        first = True
        while (yield from self.source.blanks()) != "}":
            if not first:
                yield from self._comma("}")
                if (yield from self.source.blanks()) == "}":
                    break
                sink(",")
            sink(f'"{escaped((yield from self.key()))}":')
            yield from self.value(sink, depth + 1)
            first = False
        yield from self.source.take()
        sink("}")

    def text(self) -> Reading[str]:
        """Read a text in quotes."""
        yield from self.source.blanks()
        quote = yield from self._opening()
        if quote is None:
            raise Malformed("a text in quotes was expected")
        parts: list[str] = []
        yield from self._rest_of_text(quote, parts.append)
        return "".join(parts)

    def key(self) -> Reading[str]:
        """Read a key, with or without quotes, and the colon after it."""
        yield from self.source.blanks()
        if (quote := (yield from self._opening())) is not None:
            parts: list[str] = []
            yield from self._rest_of_text(quote, parts.append)
            key = "".join(parts)
        else:
            key = yield from self._run(lambda character: character.isalnum() or character in "_-.$")
        if not key and quote is None:
            raise Malformed("a key was expected")
        yield from self.source.literal(":")
        return key

    def _list(self, sink: Sink, end: str, depth: int) -> Reading[None]:
        yield from self.source.take()
        sink("[")
        first = True
        while (yield from self.source.blanks()) != end:
            if not first:
                yield from self._comma(end)
                if (yield from self.source.blanks()) == end:
                    break
                sink(",")
            yield from self.value(sink, depth + 1)
            first = False
        yield from self.source.take()
        sink("]")

    def _comma(self, end: str) -> Reading[None]:
        if (yield from self.source.blanks()) != ",":
            raise Malformed(f"a comma or {end} was expected")
        yield from self.source.take()

    def _opening(self) -> Reading[str | None]:
        """Read the quotes that begin a text, if they come now."""
        for quote in dict.fromkeys((self.quote, '"', "'")):
            if (yield from self.source.begins(quote)):
                yield from self.source.literal(quote)
                return quote
        return None

    def _rest_of_text(self, quote: str, sink: Sink) -> Reading[None]:
        """Read a text up to its closing quotes: those after which something follows that may follow a text.

        So quotes that should have been escaped are part of it. Models forget that, and so do templates.
        """
        if len(quote) > 1:
            yield from self.source.until(quote, sink)
            yield from self.source.literal(quote)
            return
        while True:
            character = yield from self.source.take()
            if character == quote and (yield from self._may_end_here()):
                return
            sink((yield from self._escape()) if character == "\\" else character)

    def _may_end_here(self) -> Reading[bool]:
        begin = self.source.at
        following = yield from self.source.blanks()
        self.source.at = begin
        return not following or following in _FOLLOWING + self.after

    def _escape(self) -> Reading[str]:
        character = yield from self.source.take()
        if character in _DIGITS:
            return (yield from self._code(_DIGITS[character]))
        if character in "\"'\\/":
            return character
        return _ESCAPES.get(character, f"\\{character}")

    def _code(self, digits: int) -> Reading[str]:
        """A character by its number; two halves of one are put together, and a half alone is replaced."""
        code = yield from self._hexadecimal(digits)
        if not 0xD800 <= code < 0xE000:
            return chr(code)
        if code < 0xDC00 and (yield from self.source.peek()) == "\\":
            self.source.at += 1
            if (yield from self.source.peek()) == "u":
                self.source.at += 1
                low = yield from self._hexadecimal(4)
                if 0xDC00 <= low < 0xE000:
                    return chr(0x10000 + (code - 0xD800 << 10) + low - 0xDC00)
                return "\ufffd" * 2 if 0xD800 <= low < 0xDC00 else f"\ufffd{chr(low)}"
            return "\ufffd" + (yield from self._escape())
        return "\ufffd"

    def _hexadecimal(self, digits: int) -> Reading[int]:
        code = ""
        for _ in range(digits):
            code += yield from self.source.take()
        try:
            return ord(chr(int(code, 16)))
        except (ValueError, OverflowError):
            raise Malformed(f"{code!r} is the number of no character") from None

    def _word(self) -> Reading[str]:
        """A number, or one of the few names there are."""
        word = yield from self._run(lambda character: character.isalnum() or character in "_+-.")
        if word in _NAMES:
            return _NAMES[word]
        if _NUMBER.fullmatch(word):
            if len(word) > MOST_DIGITS or math.isinf(float(word)):
                raise Malformed(f"{word[:40]}… is too large a number")
            return word
        raise Malformed(f"{word[:40]!r} is no value" if word else "a value was expected")

    def _run(self, fits: Callable[[str], bool]) -> Reading[str]:
        begin = self.source.at
        while (character := (yield from self.source.peek())) and fits(character):
            self.source.at += 1
        return self.source.text[begin : self.source.at]
