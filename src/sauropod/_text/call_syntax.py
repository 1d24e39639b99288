"""How calls are written, read off what a template makes of one call and of two.

    HEAD  name, key, value, …  BETWEEN  name, key, value, …  TAIL

What HEAD and BETWEEN both end with begins every call; what BETWEEN and TAIL both begin with ends every call; the rest
of them belongs to the message. The arguments of a call are taken apart in the same way, one level further down.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from sauropod._text.atoms import atoms, common_prefix, common_suffix, is_mark, joined, without
from sauropod._text.probes import FIRST, SECOND, Probe
from sauropod._text.turn import Turn
from sauropod._values.syntax import ArgumentSyntax, CallSyntax, Layout, Part, Slot, Values

__all__ = ["derive_calls"]

KINDS: Mapping[str, Any] = {
    "string": "zqword",
    "number": 815105,
    "boolean": True,
    "null": None,
    "array": ["zqdeep", "zqdeeper"],
    "object": {"zqinner": "zqdeep"},
}
"""A value of each kind there is in JSON."""


def derive_calls(turn: Turn) -> CallSyntax | None:
    """How the model of this template writes calls; None if the template does not show it."""
    first, second, id_form = FIRST, SECOND, ""
    one = turn.body(turn.probes.calls(first))
    if one is not None and first.name not in one and first.id in one:
        id_form = "functions.{name}:{index}"  # the name is only in the id, which has to be like that
        first, second = _with_id(first, id_form, 0), _with_id(second, id_form, 1)
        one = turn.body(turn.probes.calls(first))
    if one is None or first.name not in one:
        return None
    both = turn.body(turn.probes.calls(first, second))
    if both is not None and first.name in both and second.name in both:
        shown = _Shown.of(both, first, second)
    else:
        shown = _Shown.of(one, first)
    calls = None if shown is None else shown.syntax(turn, first)
    return None if calls is None else attrs.evolve(calls, id_form=id_form)


def _with_id(probe: Probe, form: str, index: int) -> Probe:
    return attrs.evolve(probe, id=form.format(name=probe.name, index=index))


@attrs.frozen
class _Shown:
    """A text with calls in it, in atoms."""

    head: Sequence[Part]
    calls: Sequence[Sequence[Part]]
    """Each from its first place to its last value."""
    between: Sequence[Part]
    tail: Sequence[Part]
    objects: Sequence[str]
    """The calls as they are written, if they are JSON objects."""
    layout: Layout
    """Of JSON."""

    @classmethod
    def of(cls, text: str, *probes: Probe) -> _Shown | None:
        """None if the calls do not look like each other."""
        places: dict[str, Slot] = {}
        objects: list[str] = []
        for probe in probes:
            others = [other.name for other in probes if other is not probe]
            if (written := _json(text, partial(_is_call, probe=probe, others=others))) is not None:
                objects.append(written)
                places[written] = Slot.OBJECT
                continue
            places |= {probe.name: Slot.NAME, probe.id: Slot.ID}
            if (written := _json(text, probe.arguments.__eq__)) is not None:
                places[written] = Slot.ARGUMENTS
            else:
                places |= dict.fromkeys(probe.keys, Slot.KEY) | {str(value): Slot.VALUE for value in probe.values}
        parts = atoms(text, places)
        found = [place for place, part in enumerate(parts) if isinstance(part, Slot)]
        each, odd = divmod(len(found), len(probes))
        if odd or not each:
            return None
        begins = found[::each]
        ends = [_last(parts, begin, end) for begin, end in zip(begins, (*begins[1:], len(parts)), strict=True)]
        return cls(
            head=parts[: begins[0]],
            calls=[parts[begin:end] for begin, end in zip(begins, ends, strict=True)],
            between=parts[ends[0] : begins[1]] if len(probes) > 1 else (),
            tail=parts[ends[-1] :],
            objects=objects if len(objects) == len(probes) else (),
            layout=_layout(text, probes[0].arguments),
        )

    def syntax(self, turn: Turn, probe: Probe) -> CallSyntax | None:
        if self.objects:
            paths = _paths([json.loads(each) for each in self.objects], probe)
            frame = _frame(self.objects[0], probe, paths.get("id_path", ()))
            arguments = ArgumentSyntax(layout=self.layout)
            return self._framed(turn, self.calls[0], frame=frame, arguments=arguments, **paths)
        call, first_index = _counted(self.calls)
        if Slot.ARGUMENTS in call:
            arguments = ArgumentSyntax(layout=self.layout)
            return self._framed(turn, call, first_index=first_index, arguments=arguments)
        if [part for part in call if part is Slot.VALUE] == [Slot.VALUE] * 2:
            return self._with_arguments_apart(turn, call, probe, first_index)
        return None

    def _framed(self, turn: Turn, call: Sequence[Part], **known: Any) -> CallSyntax:
        """The call with what is around it, and what is around all calls."""
        tail = turn.without_end(self.tail)
        if len(self.calls) == 1:
            return CallSyntax(call=joined([*self.head, *call, *tail]), parallel=False, **known)
        begin = common_suffix(self.head, self.between)
        end = common_prefix(tail, without(self.between, suffix=begin))
        return CallSyntax(
            open=_text(without(self.head, suffix=begin)),
            call=joined([*begin, *call, *end]),
            between=_text(without(self.between, prefix=end, suffix=begin)),
            close=_text(without(tail, prefix=end)),
            **known,
        )

    def _with_arguments_apart(
        self, turn: Turn, call: Sequence[Part], probe: Probe, first_index: int
    ) -> CallSyntax | None:
        """The arguments are written one by one."""
        values = [place for place, part in enumerate(call) if part is Slot.VALUE]
        keys = [max(place for place in range(value) if call[place] is Slot.KEY) for value in values]
        names = [place for place in range(keys[0]) if call[place] is Slot.NAME]
        if not names:
            return None
        lead, middle, link = call[names[-1] + 1 : keys[0]], call[keys[0] + 1 : values[0]], call[values[0] + 1 : keys[1]]
        opening = _from_mark(common_suffix(lead, link))
        closing = common_prefix(without(link, suffix=opening), self.tail)
        inside = attrs.evolve(
            self, tail=without(self.tail, prefix=closing), between=without(self.between, prefix=closing)
        )
        arguments = ArgumentSyntax(
            each=joined([*opening, Slot.KEY, *middle, Slot.VALUE, *closing]),
            between=_text(without(link, prefix=closing, suffix=opening)),
            values=Values.RAW,
        )
        if _text(middle).strip("\"'") == "=" and not is_mark(_text([*lead, *link])):
            comma = ", " if ", " in _text(link) else ","
            return self._pythonic(turn, call[: names[-1] + 1], first_index, comma)
        again = "".join("\0" if part is Slot.KEY else str(part) for part in link)
        return inside._framed(
            turn,
            [*call[: names[-1] + 1], *without(lead, suffix=opening), Slot.ARGUMENTS],
            first_index=first_index,
            arguments=_with_values(turn, arguments, probe, _text(middle), again),
        )

    def _pythonic(self, turn: Turn, call: Sequence[Part], first_index: int, comma: str) -> CallSyntax:
        """As Python calls a function. Some templates have its quotes wrong, but models write them right."""

        def from_end(parts: Sequence[Part]) -> list[Part]:
            return list(parts[parts.index(")") :]) if ")" in parts else list(parts)

        inside = attrs.evolve(self, tail=from_end(self.tail), between=from_end(self.between))
        arguments = ArgumentSyntax(
            each=(Slot.KEY, "=", Slot.VALUE), between=comma, values=Values.LITERAL, quote=_quote(turn) or '"'
        )
        return inside._framed(turn, [*call, "(", Slot.ARGUMENTS], first_index=first_index, arguments=arguments)


def _quote(turn: Turn) -> str:
    """The quotes around a text in a call that looks like Python."""
    text = turn.body(turn.probes.calls(FIRST.saying(KINDS["string"]))) or ""
    before = text[: text.find(KINDS["string"])][-1:]
    return before if before in ("'", '"') else ""


def _last(parts: Sequence[Part], begin: int, end: int) -> int:
    """Where a call that begins here ends, of which the next begins there: after its last value."""
    ending = {Slot.VALUE, Slot.ARGUMENTS, Slot.OBJECT}
    places = [place for place in range(begin, end) if parts[place] in ending]
    places = places or [place for place in range(begin, end) if isinstance(parts[place], Slot)]
    return places[-1] + 1


def _text(parts: Sequence[Part]) -> str:
    return "".join(part for part in parts if not isinstance(part, Slot))


def _from_mark(parts: Sequence[Part]) -> list[Part]:
    """Without what only ends a mark before it."""
    begin = next((place for place, part in enumerate(parts) if part not in (">", '"', "'")), 0)
    return list(parts[begin:])


def _counted(calls: Sequence[Sequence[Part]]) -> tuple[list[Part], int]:
    """A call in which the number that counts calls is a place, and that number for the first."""
    first, last = list(calls[0]), list(calls[-1])
    if len(first) == len(last) and first != last:
        for place, (one, other) in enumerate(zip(first, last, strict=True)):
            digits = not isinstance(one, Slot) and not isinstance(other, Slot) and one.isdigit() and other.isdigit()
            if digits and int(str(other)) == int(str(one)) + 1:
                first[place] = Slot.INDEX
                return first, int(str(one))
    return first, 0


# -- JSON --------------------------------------------------------------------------------------------------------------


def _json(text: str, fits: Callable[[Any], bool]) -> str | None:
    """The first JSON object in a text that fits, as it is written there."""
    decoder = json.JSONDecoder()
    for found in re.finditer(r"\{", text):
        try:
            value, end = decoder.raw_decode(text, found.start())
        except ValueError:
            continue
        if fits(value):
            return text[found.start() : end]
    return None


def _is_call(value: Any, probe: Probe, others: Sequence[str]) -> bool:
    named = _path_to(value, probe.name) is not None or (isinstance(value, dict) and list(value) == [probe.name])
    return named and _path_to(value, probe.arguments) is not None and not any(each in str(value) for each in others)


def _path_to(value: Any, wanted: Any) -> tuple[str, ...] | None:
    """The keys that lead to something in nested objects."""
    if value == wanted:
        return ()
    for key, inner in value.items() if isinstance(value, dict) else ():
        path = _path_to(inner, wanted)
        if path is not None:
            return (key, *path)
    return None


def _paths(calls: Sequence[Mapping[str, Any]], probe: Probe) -> dict[str, Any]:
    """Where everything is in a call, seen from the first of several."""
    call, last = calls[0], calls[-1]
    name, arguments, id = (_path_to(call, wanted) for wanted in (probe.name, probe.arguments, probe.id))
    if name is None or arguments is None:
        return {"name_path": (), "arguments_path": (), "keys": ()}
    if id is None:  # some count calls, and refer to them by these numbers
        id = next(((key,) for key, value in call.items() if isinstance(value, str) and value == "0" != last[key]), ())
    constants = dict(_constants(call, {name, arguments, id or name}))
    paths = {"name_path": name, "arguments_path": arguments, "id_path": id}
    return {**paths, "keys": tuple(call), "constants": constants}


def _frame(written: str, probe: Probe, id_path: Sequence[str]) -> tuple[Part, ...]:
    """A call as it is written, with places for what differs; empty if that cannot be told."""
    arguments = _json(written, probe.arguments.__eq__)
    if arguments is None or written.count(probe.name) != 1:
        return ()
    places = {arguments: Slot.ARGUMENTS, probe.name: Slot.NAME}
    if id_path:
        found = re.search(rf'"{re.escape(id_path[-1])}"\s*:\s*"([^"]*)"', written)
        if found is None:
            return ()
        before, after = written[: found.start(1)], written[found.end(1) :]
        return joined([*atoms(before, places), Slot.ID, *atoms(after, places)])
    return joined(atoms(written, places))


def _layout(text: str, value: Any) -> Layout:
    """How a JSON value is laid out that stands in a text."""
    if (written := _json(text, value.__eq__)) is None or written == json.dumps(value):
        return Layout.SPACED
    return Layout.COMPACT if written == json.dumps(value, separators=(",", ":")) else Layout.FREE


def _constants(call: Mapping[str, Any], known: set[Any]) -> Iterator[tuple[str, Any]]:
    for key, value in call.items():
        inner = {path[1:] for path in known if path[0] == key}
        if not inner:
            yield key, value
        elif () not in inner and isinstance(value, dict):
            yield key, dict(_constants(value, inner))


# -- values ------------------------------------------------------------------------------------------------------------


def _with_values(turn: Turn, arguments: ArgumentSyntax, probe: Probe, middle: str, link: str) -> ArgumentSyntax:
    """How values of each kind are written. `middle` is before the number whose place is known, and `link` after it."""
    backwards = attrs.evolve(probe, keys=probe.keys[::-1], values=probe.values[::-1])
    shown = turn.body(turn.probes.calls(backwards)) or ""
    arguments = attrs.evolve(arguments, ordered=0 <= shown.find(probe.keys[0]) < shown.find(probe.keys[1]))
    marks = atoms(middle)
    words: dict[str, Part] = {}
    values: dict[str, str] = {}
    place = len(marks)
    for kind, value in KINDS.items():
        text = turn.body(turn.probes.calls(probe.saying(value)))
        if text is None or not all(key in text for key in probe.keys):
            continue
        written = atoms(text.partition(probe.keys[0])[2].partition(probe.keys[1])[0])
        same = len(common_prefix(marks, written))
        place = min(place, same)
        words[kind] = written[same] if same < len(marks) else ""
        values[kind] = _text(written[len(marks) :]).removesuffix(link.replace("\0", probe.keys[0]))
    if place < len(marks):
        each = [*marks[:place], Slot.TYPE, *marks[place + 1 :]]
        key = arguments.each.index(Slot.KEY)
        after = arguments.each[arguments.each.index(Slot.VALUE) :]
        types = {kind: str(word or marks[place]) for kind, word in words.items()}
        arguments = attrs.evolve(arguments, each=joined([*arguments.each[: key + 1], *each, *after]), types=types)
    quote, _, rest = values.get("string", "").partition(KINDS["string"])
    if quote and rest:
        inner = values.get("object", "")
        bare = "zqinner" in inner and inner[inner.find("zqinner") - 1] in "{ "
        return attrs.evolve(arguments, values=Values.LITERAL, quote=quote, bare_keys=bare)
    before, _, after = values.get("array", "").partition("zqdeep")
    if is_mark(before) and is_mark(after):
        return attrs.evolve(arguments, values=Values.TAGS, item=_words(before)[-1])
    return arguments


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text) or [""]
