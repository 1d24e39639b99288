"""How a model writes what is more than text: its thoughts and its calls of tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, StrEnum
from typing import Any, TypeAlias

import attrs

__all__ = [
    "ArgumentSyntax",
    "CallSyntax",
    "Layout",
    "Part",
    "ReasoningSyntax",
    "Slot",
    "Syntax",
    "SyntaxOrigin",
    "Values",
]


class Slot(Enum):
    """A place between the marks, where something that differs from call to call stands."""

    NAME = "name"
    ID = "id"
    INDEX = "index"
    """A number that counts the calls of a message."""
    OBJECT = "object"
    """The whole call as a JSON object."""
    ARGUMENTS = "arguments"
    KEY = "key"
    TYPE = "type"
    """A word for the kind of value that follows."""
    VALUE = "value"


Part: TypeAlias = str | Slot
"""Text that is always the same, or a place."""


class Values(StrEnum):
    """How the value of an argument is written, where arguments are written one by one."""

    JSON = "json"
    RAW = "raw"
    """A text as it is, anything else as JSON."""
    LITERAL = "literal"
    """As a programming language writes it, each text between quotes."""
    TAGS = "tags"
    """A text as it is, and what has parts as more arguments inside."""


class SyntaxOrigin(StrEnum):
    """How it is known."""

    TEMPLATE = "template"
    """Read off what the chat template writes."""
    PROMPT = "prompt"
    """Read off what the chat template tells the model to write. Earlier calls are written into the conversation by
    sauropod, because the template leaves them out."""
    GENERIC = "generic"
    """The model's chat template knows no tools. It is told of them in the system message."""


class Layout(StrEnum):
    """Where blanks are in JSON."""

    SPACED = "spaced"
    """After every comma and colon, as Python writes it."""
    COMPACT = "compact"
    """Nowhere."""
    FREE = "free"
    """Anywhere, as in what is written over several lines."""


@attrs.frozen(kw_only=True)
class ArgumentSyntax:
    """How the arguments of a call are written: as one JSON object, or each by itself."""

    layout: Layout = Layout.SPACED
    """Of what is written as JSON."""

    each: Sequence[Part] = ()
    """One argument: marks around its key and its value. Empty for a JSON object."""
    between: str = ""
    values: Values = Values.JSON
    quote: str = '"'
    """What is around a text, where values are literals."""
    bare_keys: bool = False
    """Whether the keys of objects inside have no quotes, where values are literals."""
    types: Mapping[str, str] = attrs.field(factory=dict)
    """The word for each kind of value where there is one: `string`, `number`, `boolean`, `null`, `array`, `object`."""
    item: str = ""
    """The key of an item in a list, where values have tags."""
    ordered: bool = False
    """Whether they are in the order of the alphabet, whatever order they were given in."""


@attrs.frozen(kw_only=True)
class CallSyntax:
    """How calls of tools are written: `open`, calls with `between` between them, `close`."""

    open: str = ""
    call: Sequence[Part]
    """One call."""
    between: str = ""
    close: str = ""
    arguments: ArgumentSyntax = attrs.field(factory=ArgumentSyntax)
    name_path: Sequence[str] = ("name",)
    """Where the name is in a call that is a JSON object; empty if it is the object's only key."""
    arguments_path: Sequence[str] = ("arguments",)
    id_path: Sequence[str] = ()
    """Where the id is; empty if there is none."""
    keys: Sequence[str] = ("name", "arguments")
    """The keys of that object, in their order."""
    frame: Sequence[Part] = ()
    """How that object is written: text, and places for the name, the arguments and the id. Empty if as Python writes
    JSON."""
    constants: Mapping[str, Any] = attrs.field(factory=dict)
    """What else is always in it."""
    first_index: int = 0
    """The index of a message's first call, if calls are counted."""
    id_form: str = ""
    """The id of a call as the template expects it later, with `{name}` and `{index}`; empty if any will do."""
    parallel: bool = True
    """Whether a message may have several calls."""
    results: bool = True
    """Whether the template has a place for what a tool gives back."""
    origin: SyntaxOrigin = SyntaxOrigin.TEMPLATE

    @property
    def head(self) -> str:
        """What stands before the first place of a message's first call."""
        return self.open + (self.call[0] if not isinstance(self.call[0], Slot) else "")

    @property
    def is_object(self) -> bool:
        return Slot.OBJECT in self.call


@attrs.frozen(kw_only=True)
class ReasoningSyntax:
    """How a model's thoughts are told from its answer. Blanks around the marks are layout."""

    open: str
    """Empty if the model thinks without a mark."""
    close: str
    ending: str = attrs.field()
    """What the template writes between thoughts and what follows: `close`, with its blanks."""
    efforts: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """How hard the model may be told to think, and the variables of the chat template that say so."""
    origin: SyntaxOrigin = SyntaxOrigin.TEMPLATE

    @ending.default
    def _usual(self) -> str:
        return f"\n{self.close}\n\n"


@attrs.frozen(kw_only=True)
class Syntax:
    """How a model writes what is more than text, as far as its chat template shows."""

    reasoning: ReasoningSyntax | None = None
    calls: CallSyntax | None = None
    content_open: str = ""
    content_close: str = ""
    """Marks around an answer, which are no part of it."""
    prefills: Sequence[str] = ()
    """How a prompt may end after the model's turn has begun: what the model finds written already."""
    harmony: bool = False
    """Messages in channels, as gpt-oss writes them."""
