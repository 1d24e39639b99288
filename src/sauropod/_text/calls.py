"""Calls of tools, read in the syntax of the model that writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sauropod._text.atoms import first_mark
from sauropod._text.found import Found, parsed
from sauropod._text.kinds import Known, decoded
from sauropod._text.literals import LiteralReader, escaped
from sauropod._text.source import Malformed, Reading, Sink, Source
from sauropod._values.messages import Tool
from sauropod._values.syntax import CallSyntax, Part, Slot, Values

__all__ = ["CallReader"]

LONGEST_NAME = 256

CDATA = "<![CDATA["
"""What XML has around a text with marks in it."""

ARGUMENT_KEYS = ("arguments", "parameters")
"""Models that were trained on one write the other at times."""


@attrs.define
class CallReader:
    """Reads one call after another from a source."""

    source: Source
    syntax: CallSyntax
    tools: Mapping[str, Tool]
    found: Found
    only_known: bool = False
    """Whether only tools that are known make a call of it: for calls that begin like any text."""
    _name: str = ""
    _id: str = ""
    _index: str = ""
    _open: bool = False
    _early: list[str] = attrs.field(factory=list)
    """Arguments that came before the name."""

    def read(self) -> Reading[None]:
        """Read a call. Raises `Malformed` if it is none."""
        self._name = self._id = self._index = ""
        self._open, self._early = False, []
        parts = self.syntax.call
        for place, part in enumerate(parts):
            after = parts[place + 1 :]
            match part:
                case Slot.OBJECT:
                    yield from self._object(())
                    self._finish_object()
                case Slot.NAME:
                    self._take_name((yield from self._word(after)))
                case Slot.ID:
                    self._take_id((yield from self._word(after)))
                case Slot.INDEX:
                    self._index = yield from self._word(after)
                case Slot.ARGUMENTS:
                    yield from self._arguments(after)
                case str() if self._open and not after and not (self.source.cut and self.syntax.arguments.each):
                    yield from self.source.ending(part)
                case str():
                    yield from self.source.literal(part)

    # -- names and ids ---------------------------------------------------------------------------------------------

    def _word(self, after: Sequence[Part]) -> Reading[str]:
        """Something without blanks, up to what may come after it."""
        stops = self._stops(after)
        begin = self.source.at
        while (character := (yield from self.source.peek())) and not character.isspace() and character not in stops:
            self.source.at += 1
            if self.source.at - begin > LONGEST_NAME:
                raise Malformed("its name is too long")
        if self.source.at == begin:
            raise Malformed("its name is missing")
        return self.source.text[begin : self.source.at]

    def _stops(self, after: Sequence[Part]) -> str:
        """The characters with which that which follows may begin."""
        if not after:
            return ""
        part = after[0]
        if not isinstance(part, Slot):
            return part.strip()[:1] or self._stops(after[1:])
        if part is Slot.ARGUMENTS and self.syntax.arguments.each:
            return self._stops(self.syntax.arguments.each) + self._stops(after[1:])
        return "{" if part is Slot.ARGUMENTS else ""

    def _take_name(self, name: str) -> None:
        if self._name and name != self._name:
            raise Malformed(f"it has two names, {self._name!r} and {name!r}")
        if self.only_known and name not in self.tools:
            raise Malformed(f"there is no tool {name!r}")
        self._name = name

    def _take_id(self, id: str) -> None:
        self._id = id
        if self.syntax.id_form and Slot.NAME not in self.syntax.call:
            form = (
                re.escape(self.syntax.id_form)
                .replace(r"\{name\}", "(?P<name>.+)")
                .replace(r"\{index\}", r"(?P<index>\d+)")
            )
            found = re.fullmatch(form, id)
            self._index = found["index"] if found else ""
            self._take_name(found["name"] if found else id)

    def _open_call(self) -> None:
        if self._open:
            return
        if not self._name:
            raise Malformed("its name is missing")
        self._open = True
        form = self.syntax.id_form
        self.found.open(self._name, form.format(name=self._name, index=self._index) if form else self._id)

    def _argue(self, text: str) -> None:
        self._open_call()
        self.found.argue(text)

    # -- a call that is a JSON object ------------------------------------------------------------------------------

    def _object(self, path: tuple[str, ...]) -> Reading[None]:
        """Read an object, and take from it what is at the paths that are known."""
        reader = LiteralReader(self.source)
        yield from self.source.literal("{")
        first = True
        while (character := (yield from self.source.blanks())) != "}":
            if not first:
                if character != ",":
                    raise Malformed("a comma or } was expected")
                self.source.at += 1
            key = yield from reader.key()
            yield from self._field(reader, (*path, key))
            first = False
        self.source.at += 1

    def _field(self, reader: LiteralReader, path: tuple[str, ...]) -> Reading[None]:
        syntax = self.syntax
        if not syntax.name_path and len(path) == 1:
            self._take_name(path[0])
            yield from self._object_arguments(reader)
        elif path == syntax.name_path:
            self._take_name((yield from reader.text()))
            for text in self._early:
                self._argue(text)
        elif path == syntax.arguments_path or (path[:-1] == syntax.arguments_path[:-1] and path[-1] in ARGUMENT_KEYS):
            yield from self._object_arguments(reader)
        elif path == syntax.id_path:
            parts: list[str] = []
            yield from reader.value(parts.append)
            value = parsed("".join(parts))
            self._id = value if isinstance(value, str) else str(value or "")
        elif any(known[: len(path)] == path for known in (syntax.name_path, syntax.arguments_path, syntax.id_path)):
            yield from self._object(path)
        else:
            yield from reader.value(lambda text: None)

    def _object_arguments(self, reader: LiteralReader) -> Reading[None]:
        """Arguments are an object; some write it as text, or leave it out."""
        character = yield from self.source.blanks()
        tell: Sink = self._argue if self._name else self._early.append
        if character == "{":
            yield from reader.mapping(tell)
            return
        parts: list[str] = []
        yield from reader.value(parts.append)
        value = parsed("".join(parts))
        tell(_object_in(value) if isinstance(value, str) else _as_object(value))

    def _finish_object(self) -> None:
        if not self._open:
            self._argue("{}")

    # -- arguments -------------------------------------------------------------------------------------------------

    def _arguments(self, after: Sequence[Part]) -> Reading[None]:
        syntax = self.syntax.arguments
        if not syntax.each:
            self._open_call()
            yield from LiteralReader(self.source).mapping(self._argue)
            return
        self._argue("{")
        seen: set[str] = set()
        while not (yield from self._is_over(after, bool(seen))):
            if seen and syntax.between.strip():
                yield from self.source.literal(syntax.between)
            yield from self._argument(seen)
        self._argue("}")

    def _is_over(self, after: Sequence[Part], some: bool) -> Reading[bool]:
        """Whether what comes is what stands after the arguments, or nothing where the model has stopped by itself."""
        syntax = self.syntax.arguments
        if not (yield from self.source.blanks()):
            if (some or not after) and not self.source.cut:
                return True
            raise Malformed("the text ends in the middle of it")
        lead = syntax.each[0]
        if not isinstance(lead, Slot) and lead.strip():
            return not (yield from self._begins_argument(lead))
        return (yield from self.source.peek()) in self._stops(after)

    def _begins_argument(self, lead: str) -> Reading[bool]:
        """Whether an argument begins, where what ends something may begin like one: `<key>` and `</call>`."""
        if not (yield from self.source.begins(lead)):
            return False
        return lead.rstrip().endswith("/") or not (yield from self.source.begins(f"{lead.rstrip()}/"))

    def _argument(self, seen: set[str]) -> Reading[None]:
        """Read a key and its value."""
        parts = self.syntax.arguments.each
        key, known = "", Known.of(self.tools.get(self._name))
        kinds = known.kinds
        for place, part in enumerate(parts):
            after = parts[place + 1 :]
            match part:
                case Slot.KEY if key:
                    yield from self.source.literal(key)
                case Slot.KEY:
                    key = yield from self._key(after)
                    if not key or key in seen:
                        raise Malformed(f"the argument {key!r} is there twice" if key else "an argument has no name")
                    known = known.under(key)
                    kinds = known.kinds
                case Slot.TYPE:
                    kinds = self._kinds_by_word((yield from self.source.until(_lead(after), most=LONGEST_NAME)), kinds)
                case Slot.VALUE:
                    self._argue(f'{"," if seen else ""}"{escaped(key)}":')
                    yield from self._value(known, kinds, key, after)
                case str():
                    yield from self.source.literal(part)
        seen.add(key)

    def _key(self, after: Sequence[Part]) -> Reading[str]:
        if self.syntax.arguments.values is not Values.LITERAL:
            return (yield from self.source.until(_lead(after), most=LONGEST_NAME)).strip()
        key = yield from self._word(after)
        known = Known.of(self.tools.get(self._name)).under(key)
        if not known.schema and not key.replace("_", "a").replace("-", "a").isalnum():
            raise Malformed(f"{key!r} is no name of an argument")
        return key

    def _kinds_by_word(self, word: str, kinds: frozenset[str]) -> frozenset[str]:
        said = {kind for kind, name in self.syntax.arguments.types.items() if name == word.strip()}
        return frozenset(said & kinds or said or kinds)

    def _value(self, known: Known, kinds: frozenset[str], key: str, after: Sequence[Part]) -> Reading[None]:
        """Read a value up to what comes after it."""
        syntax = self.syntax.arguments
        if syntax.values in (Values.LITERAL, Values.JSON):
            yield from self._literal(LiteralReader(self.source, syntax.quote, self._stops(after)), kinds)
            return
        closing = "".join(key if part is Slot.KEY else str(part) for part in after)
        stop = closing.strip() if Slot.KEY in after else first_mark(closing.strip())
        blank = closing[: len(closing) - len(closing.lstrip())]
        if syntax.values is Values.TAGS and (yield from self._has_parts()):
            self._argue(json.dumps((yield from self._parts(known)), ensure_ascii=False))
        elif (yield from self.source.begins(CDATA)):
            yield from self.source.literal(CDATA)
            text = yield from self.source.until("]]>")
            yield from self.source.literal("]]>")
            self._argue(json.dumps(decoded(text, kinds, known), ensure_ascii=False))
        elif kinds == {"string"}:
            self._argue('"')
            held = _Held(blank, lambda text: self._argue(escaped(text)))
            yield from self.source.until(stop, held)
            held.drop()
            self._argue('"')
        else:
            text = (yield from self.source.until(stop)).removesuffix(blank)
            self._argue(json.dumps(self._decoded(text, kinds, known), ensure_ascii=False))

    def _decoded(self, text: str, kinds: frozenset[str], known: Known) -> Any:
        """A value without quotes. What may have parts and has none is empty."""
        if not text and self.syntax.arguments.values is Values.TAGS and "string" not in kinds:
            return [] if "array" in kinds else {} if "object" in kinds else text
        return decoded(text, kinds, known)

    def _literal(self, reader: LiteralReader, kinds: frozenset[str]) -> Reading[None]:
        if "string" in kinds:
            yield from reader.value(self._argue)
            return
        parts: list[str] = []
        yield from reader.value(parts.append)
        value = parsed("".join(parts))
        if isinstance(value, str):  # in quotes, though it should be none
            value = decoded(value, kinds)
        self._argue(json.dumps(value, ensure_ascii=False))

    # -- values that are arguments inside ----------------------------------------------------------------------------

    def _has_parts(self) -> Reading[bool]:
        lead = self.syntax.arguments.each[0]
        return not isinstance(lead, Slot) and (yield from self._begins_argument(lead))

    def _parts(self, known: Known, depth: int = 0) -> Reading[Any]:
        """What has parts: a list if they are items, else an object."""
        if depth > 64:
            raise Malformed("its arguments are nested too deep")
        lead, _, middle, _, *after = self.syntax.arguments.each
        pairs: list[tuple[str, Any]] = []
        while (yield from self._has_parts()):
            yield from self.source.literal(str(lead))
            key = yield from self.source.until(_lead([middle]), most=LONGEST_NAME)
            yield from self.source.literal(str(middle))
            closing = "".join(key if part is Slot.KEY else str(part) for part in after)
            inside = known.item() if key == self.syntax.arguments.item else known.under(key)
            if (yield from self._has_parts()):
                value = yield from self._parts(inside, depth + 1)
            else:
                value = self._decoded((yield from self.source.until(closing.strip())), inside.kinds, inside)
            yield from self.source.literal(closing)
            pairs.append((key, value))
        if all(key == self.syntax.arguments.item for key, _ in pairs):
            return [value for _, value in pairs]
        return dict(pairs)


@attrs.define
class _Held:
    """Holds back the blanks that belong to the mark after a text."""

    blank: str
    sink: Sink
    _text: str = ""

    def __call__(self, text: str) -> None:
        self._text += text
        certain = len(self._text) - len(self.blank)
        if certain > 0:
            self.sink(self._text[:certain])
            self._text = self._text[certain:]

    def drop(self) -> None:
        """The mark has come."""
        if rest := self._text.removesuffix(self.blank):
            self.sink(rest)


def _lead(after: Sequence[Part]) -> str:
    """What the text that comes next begins with."""
    part = after[0]
    assert not isinstance(part, Slot), "two places side by side"
    return first_mark(part.strip())


def _object_in(text: str) -> str:
    return _as_object(parsed(text) if text.strip() else None)


def _as_object(value: Any) -> str:
    if value is None:
        return "{}"
    if not isinstance(value, dict):
        raise Malformed("its arguments are no object")
    return json.dumps(value, ensure_ascii=False)
