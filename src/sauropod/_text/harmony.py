"""Messages in channels, as gpt-oss writes them (github.com/openai/harmony).

    <|channel|>analysis<|message|>thoughts<|end|><|start|>assistant<|channel|>final<|message|>an answer
    <|channel|>commentary to=functions.name <|constrain|>json<|message|>{"arguments": …}

The model puts `to=` before or after the channel, and may say something to the user in `commentary` too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from sauropod._text.found import Found
from sauropod._text.literals import LiteralReader
from sauropod._text.source import Malformed, Reading, Sink, Source, held_back
from sauropod._values.messages import Tool

__all__ = ["ChannelReader"]

ENDS = ("<|end|>", "<|return|>", "<|call|>", "<|start|>")
BEGINS = ("<|channel|>", "<|start|>", "to=")
LONGEST_HEADER = 512
FUNCTIONS = "functions."


@attrs.define
class ChannelReader:
    """Reads an answer that consists of messages in channels."""

    source: Source
    found: Found
    tools: Mapping[str, Tool]
    thinking: bool = False

    def read(self) -> Reading[None]:
        """Read all of it."""
        first = True
        while True:
            self.source.forget()
            blanks = yield from self.source.layout()
            header = yield from self._header()
            if first and not header:
                self.found.text(blanks)
            if not header and not (yield from self.source.peek()):
                return
            first = False
            to, channel = _named(r"to=([^\s<]+)", header), _named(r"<\|channel\|>\s*(\w+)", header)
            if to.startswith(FUNCTIONS) and self.tools:
                yield from self._call(to.removeprefix(FUNCTIONS), header)
                continue
            self.thinking = channel == "analysis"
            yield from self._body(self.found.thought if self.thinking else self.found.text)
            self.thinking = False

    def _header(self) -> Reading[str]:
        """Read what stands before a message; nothing, if it is not there."""
        begun = False
        for begin in BEGINS:
            begun = begun or (yield from self.source.begins(begin))
        if not begun:
            return ""
        start = self.source.at
        try:
            header = yield from self.source.until("<|message|>", most=LONGEST_HEADER)
        except Malformed:
            self.source.at = start
            return ""
        yield from self.source.literal("<|message|>")
        return header

    def _body(self, sink: Sink) -> Reading[None]:
        """Read a message to its end."""
        some = False
        while True:
            text = self.source.rest
            found = re.search("|".join(map(re.escape, ENDS)), text)
            certain = found.start() if found else len(text) if self.source.ended else len(text) - held_back(text, ENDS)
            sink(text[:certain])
            self.source.at += certain
            some = some or certain > 0
            if found:
                self.source.at += 0 if found[0] == "<|start|>" and some else len(found[0])
                return
            if self.source.ended:
                return
            self.source.forget()
            yield

    def _call(self, name: str, header: str) -> Reading[None]:
        start = self.source.at
        try:
            if not name:
                raise Malformed("its name is missing")
            self.found.open(name, "")
            yield from LiteralReader(self.source).mapping(self.found.argue)
            self.found.close()
        except Malformed as fault:
            warning = f"What looks like a call is none: {fault}."
            self.found.drop(warning)
            self.source.at = start
            self.found.text(f"{header}<|message|>", warning)
        yield from self._body(self.found.text)


def _named(pattern: str, header: str) -> str:
    found = re.search(pattern, header)
    return found[1] if found else ""
