"""CreateResponse: the body of `POST /v1/responses`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from sauropod.server.problems import invalid
from sauropod.server.wire.decoding import decoded

__all__ = ["CompactRequest", "Conversation", "CountRequest", "CreateResponse", "Text", "read_create"]

Metadata: TypeAlias = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
"""Up to 16 pairs, of up to 64 and 512 characters."""

Input: TypeAlias = str | list[dict[str, Any]]


class Conversation(Struct):
    """A conversation by its id."""

    id: str


class Reasoning(Struct):
    """How to think. `summary` is accepted; thoughts are told in full."""

    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


class Text(Struct):
    """What the text must be. `verbosity` is accepted."""

    format: dict[str, Any] | None = None
    verbosity: str | None = None


class StreamOptions(Struct):
    """Accepted: nothing is obfuscated here."""

    include_obfuscation: bool | None = None


class Prompted(Struct, kw_only=True):
    """What makes the prompt of a response."""

    model: str | None = None
    input: Input | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | Conversation | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: Text | None = None
    truncation: Literal["auto", "disabled"] | None = None
    chat_template_kwargs: dict[str, Any] | None = None

    @property
    def conversation_id(self) -> str | None:
        return self.conversation.id if isinstance(self.conversation, Conversation) else self.conversation

    def check(self) -> None:
        """Raises `Problem` for what contradicts itself."""
        if self.conversation_id and self.previous_response_id:
            raise invalid(
                "'previous_response_id' and 'conversation' both say what came before. Leave one of them out.",
                "previous_response_id",
                "mutually_exclusive_parameters",
            )


class CountRequest(Prompted, kw_only=True):
    """The body of `POST /v1/responses/input_tokens`."""


class CompactRequest(Struct, kw_only=True):
    """The body of `POST /v1/responses/compact`."""

    model: str
    input: Input | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None


class CreateResponse(Prompted, kw_only=True):
    """The body of `POST /v1/responses`. What it does not name is not looked at.

    `top_k` to `stop` are this server's own, as are `chat_template_kwargs`.
    """

    stream: bool | None = None
    stream_options: StreamOptions | None = None
    store: bool | None = None
    background: bool | None = None
    include: list[str] | None = None
    metadata: Metadata | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tool_calls: Annotated[int, Meta(ge=0)] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    user: str | None = None
    prompt: dict[str, Any] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    repeat_penalty: Annotated[float, Meta(gt=0)] | None = None
    seed: Annotated[int, Meta(ge=0, lt=2**32)] | None = None
    stop: str | list[str] | None = None

    @property
    def stored(self) -> bool:
        return self.store is not False

    def wants(self, what: str) -> bool:
        """Whether `include` names it."""
        return what in (self.include or ())

    def check(self) -> None:
        super().check()
        if self.background and not self.stored:
            raise invalid(
                "A response in the background is fetched later, so it has to be stored. Leave out 'store', or set it.",
                "store",
            )
        if self.conversation_id and not self.stored:
            raise invalid(
                "A conversation keeps what is said in it, and 'store' is false. Send the items as 'input' instead.",
                "store",
            )
        if self.prompt is not None:
            raise invalid(
                "Prompts by id are kept by OpenAI. Send 'instructions' and 'input'.", "prompt", "unsupported_parameter"
            )
        if self.input is None and self.prompt is None and not (self.previous_response_id or self.conversation_id):
            raise invalid(
                "Missing required parameter: 'input'. It is a text, or a list of items.",
                "input",
                "missing_required_parameter",
            )


def read_create(body: bytes) -> CreateResponse:
    """Raises `Problem`."""
    asked = decoded(CreateResponse, body)
    asked.check()
    return asked
