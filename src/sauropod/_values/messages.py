"""What a conversation is made of: messages, tools and the calls of tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from sauropod._values.audio import AudioFrame
from sauropod._values.checks import is_text, kind, listed
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import os

__all__ = [
    "PLACE",
    "Message",
    "Prompt",
    "Role",
    "Sound",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolMode",
    "as_messages",
    "as_tokens",
]

Sound: TypeAlias = "str | os.PathLike[str] | bytes | AudioFrame"
"""Audio in a message: a file, the bytes of one, or samples."""

PLACE = "\ufffc"
"""Stands in a text where something does that is no text: Unicode's object replacement character."""

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


_NAME = re.compile(r"[\w.:/-]{1,128}")


def _named(_: object, __: object, name: Any) -> None:
    if not is_text(name) or not name:
        raise UnsupportedInput(f"A tool's name is text; got {name!r}.")


def _callable(_: object, __: object, name: Any) -> None:
    if not is_text(name) or not _NAME.fullmatch(name):
        raise UnsupportedInput(
            f"A tool's name is up to 128 letters, digits and _ - . : / without blanks, so that every model can write "
            f"it; got {name!r}."
        )


@attrs.frozen
class ToolCall:
    """A call the model asked for: the tool's name, its arguments, and the id its result refers to."""

    name: str = attrs.field(validator=_named)
    arguments: Mapping[str, Any] = attrs.field(factory=dict)
    id: str | None = None

    @arguments.validator
    def _mapped(self, _: object, arguments: object) -> None:
        if not isinstance(arguments, Mapping):
            raise UnsupportedInput(
                f"The arguments of a call are a dict; got {type(arguments).__name__}. JSON is read by json.loads()."
            )


@attrs.frozen
class Tool:
    """A function the model may call. `parameters` is the JSON Schema of its arguments, an object schema.

    A model whose text can be held to a grammar is held to the schema; what of it cannot be enforced is
    `InvalidGrammar`. With `strict` off it may give any arguments.
    """

    name: str = attrs.field(validator=_callable)
    description: str = attrs.field(default="", validator=kind(UnsupportedInput, str))
    parameters: Mapping[str, Any] = attrs.field(factory=lambda: {"type": "object", "properties": {}})
    strict: bool = attrs.field(default=True, kw_only=True, validator=kind(UnsupportedInput, bool))

    @parameters.validator
    def _is_schema(self, _: object, parameters: object) -> None:
        try:
            written = json.dumps(parameters, allow_nan=False) if isinstance(parameters, Mapping) else ""
        except (TypeError, ValueError, RecursionError):
            written = ""
        if not written:
            raise UnsupportedInput(
                f"The parameters of the tool {self.name!r} are a JSON schema, as a dict of what JSON has. "
                "tool(function) makes one from a function's annotations."
            )
        if isinstance(parameters, Mapping) and parameters.get("type", "object") != "object":
            raise UnsupportedInput(
                f"The parameters of the tool {self.name!r} are the schema of an object, with a property for each; "
                f"got one of the type {parameters['type']!r}."
            )


ToolMode: TypeAlias = Literal["auto", "none", "required"]

_MODES = frozenset({"auto", "none", "required"})


def _names(names: Iterable[str | Tool] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    given = (names,) if isinstance(names, str | Tool) else tuple(names)
    return listed(
        [each.name if isinstance(each, Tool) else each for each in given],
        UnsupportedInput,
        "names",
        "names of tools",
        lambda name: isinstance(name, str) and bool(name),
    )


@attrs.frozen
class ToolChoice:
    """Which tools the model may call, and whether it has to.

    `"auto"` lets it answer or call, `"required"` makes it call, `"none"` offers it no tools. With `names` only these
    may be called, though all that were given are described to it.
    """

    mode: ToolMode = attrs.field(default="auto")
    names: Sequence[str] | None = attrs.field(default=None, converter=_names)

    @mode.validator
    def _known(self, _: object, mode: str) -> None:
        if not isinstance(mode, str) or mode not in _MODES:
            raise UnsupportedInput(
                f"tool_choice is 'auto', 'none', 'required', a Tool, or a ToolChoice; got {mode!r}. "
                "ToolChoice.only('name') asks for one tool by its name."
            )

    @classmethod
    def only(cls, tool: str | Tool) -> ToolChoice:
        """This tool has to be called."""
        return cls("required", (tool,))

    @property
    def optional(self) -> ToolChoice:
        """The same, but that nothing has to be called."""
        return attrs.evolve(self, mode="auto") if self.mode == "required" else self

    def allows(self, tool: Tool) -> bool:
        """Whether the model may call it."""
        return self.mode != "none" and (self.names is None or tool.name in self.names)


def _calls(calls: Iterable[ToolCall] | None) -> tuple[ToolCall, ...]:
    return listed(calls, UnsupportedInput, "tool_calls", "ToolCall", lambda call: isinstance(call, ToolCall))


def _role(role: Role) -> Role:
    return _plain(role)  # type: ignore[return-value]


def _plain(text: str) -> str:
    """A user's own kind of text, such as a StrEnum, as text: a worker does not know the user's classes."""
    return str.__str__(text) if isinstance(text, str) else text


def _sounds(audio: Sound | Sequence[Sound] | None) -> tuple[Sound, ...]:
    given = audio if isinstance(audio, list | tuple) else () if audio is None else (audio,)
    sounds = tuple(bytes(each) if isinstance(each, bytearray | memoryview) else each for each in given)
    for sound in sounds:
        if not isinstance(sound, bytes | AudioFrame) and not _is_path(sound):
            raise UnsupportedInput(
                "A message's audio is a path, the bytes of a file, or an AudioFrame(samples, rate), or a list of "
                f"them; got {type(sound).__name__}."
            )
    return sounds


def _is_path(sound: object) -> bool:
    return isinstance(sound, str) or hasattr(sound, "__fspath__")


def _briefly(audio: Sequence[Sound]) -> str:
    return f"({', '.join(repr(each) if _is_path(each) else type(each).__name__ for each in audio)})"


@attrs.frozen
class Message:
    """One party's say in a conversation.

    `content` is text. A user's message may carry `audio`, for a model that hears (`info.hears`): it comes before the
    text, or where the text has object replacement characters (U+FFFC), one for each. An assistant's message may carry
    `tool_calls`, and the `reasoning` that led to it. A tool's message is the result of the call named by
    `tool_call_id`, of the tool called `name`. Messages with samples are equal if they have the very same `AudioFrame`.
    """

    role: Role = attrs.field(converter=_role)
    content: str = attrs.field(default="", converter=_plain)
    tool_calls: Sequence[ToolCall] = attrs.field(default=(), kw_only=True, converter=_calls)
    tool_call_id: str | None = attrs.field(default=None, kw_only=True)
    name: str | None = attrs.field(default=None, kw_only=True)
    reasoning: str | None = attrs.field(default=None, kw_only=True)
    audio: Sequence[Sound] = attrs.field(default=(), kw_only=True, converter=_sounds, repr=_briefly)

    @role.validator
    def _known_role(self, _: object, role: str) -> None:
        if role not in _ROLES:
            raise UnsupportedInput(f"A message's role is one of {', '.join(sorted(_ROLES))}; got {role!r}.")

    @content.validator
    def _text(self, _: object, content: object) -> None:
        if not isinstance(content, str):
            raise UnsupportedInput(
                f"A message's content is text; got {type(content).__name__}. Audio goes into audio=…; images are not "
                "supported by this version."
            )

    @audio.validator
    def _heard(self, _: object, audio: Sequence[Sound]) -> None:
        if not audio:
            return
        if self.role != "user":
            raise UnsupportedInput(f"Only a user's message can carry audio; this is of the role {self.role!r}.")
        places = self.content.count(PLACE)
        if places not in (0, len(audio)):
            raise UnsupportedInput(
                f"The text has {places} places for audio (U+FFFC), and there are {len(audio)} pieces of it. Give one "
                "for each, or none."
            )

    @classmethod
    def system(cls, content: str) -> Message:
        return cls("system", content)

    @classmethod
    def user(cls, content: str = "", *, audio: Sound | Sequence[Sound] | None = None) -> Message:
        return cls("user", content, audio=audio)

    @classmethod
    def assistant(cls, content: str = "", *, tool_calls: Sequence[ToolCall] = ()) -> Message:
        return cls("assistant", content, tool_calls=tool_calls)

    @classmethod
    def tool(cls, content: str, *, call: ToolCall) -> Message:
        """The result of `call`, as text (JSON, if the tool returned more than a sentence)."""
        return cls("tool", content, tool_call_id=call.id, name=call.name)


Prompt: TypeAlias = str | Message | Sequence[Message] | Sequence[int]
"""What a request is made of. A string is what the user says; a list of token ids is continued as it is."""


def as_tokens(prompt: Prompt) -> tuple[int, ...] | None:
    """The token ids of a prompt that is made of them; None for any other. Raises `UnsupportedInput` for bytes."""
    if isinstance(prompt, bytes | bytearray | memoryview):  # sequences of integers, and not meant as such
        raise UnsupportedInput("A prompt is text, messages or token ids; got bytes. Decode them: prompt.decode().")
    if isinstance(prompt, str | Message) or not isinstance(prompt, Sequence) or not prompt:
        return None
    tokens = [item for item in prompt if isinstance(item, int) and not isinstance(item, bool)]
    return tuple(tokens) if len(tokens) == len(prompt) else None


def as_messages(prompt: Prompt) -> tuple[Message, ...]:
    """The conversation a prompt stands for.

    Raises `UnsupportedInput` for anything that is neither text nor messages, and for an empty list.
    """
    if isinstance(prompt, str):
        return (Message("user", prompt),)
    if isinstance(prompt, Message):
        return (prompt,)
    if not isinstance(prompt, Sequence):
        raise UnsupportedInput(f"A prompt is text or a list of Message; got {type(prompt).__name__}.")
    messages: list[Message] = []
    for item in prompt:
        if not isinstance(item, Message):
            raise UnsupportedInput(
                f"A prompt's list holds Message objects; got {type(item).__name__}. Message.user('…') makes one."
            )
        messages.append(item)
    if not messages:
        raise UnsupportedInput("The prompt has no messages. Give at least one, such as Message.user('Hello').")
    return tuple(messages)
