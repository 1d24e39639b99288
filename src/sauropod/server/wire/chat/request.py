"""CreateChat: the body of `POST /v1/chat/completions`."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from sauropod.server.problems import invalid
from sauropod.server.wire.chat.sampling import Sampled
from sauropod.server.wire.decoding import decoded

__all__ = ["CreateChat", "read_chat"]


class CreateChat(Sampled, kw_only=True):
    """What it does not name is not looked at. `chat_template_kwargs` is this server's own.

    `store`, `metadata`, `prediction`, `verbosity` and the keys of caches are accepted; nothing is stored.
    """

    messages: list[dict[str, Any]]
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[Any] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    functions: list[Any] | None = None
    function_call: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None
    store: bool | None = None
    prediction: dict[str, Any] | None = None
    verbosity: str | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None

    def check(self) -> None:
        """Raises `Problem` for what cannot be done here, and what contradicts itself."""
        if not self.messages:
            raise invalid("'messages' is empty. Give at least one message.", "messages", "invalid_value")
        if self.audio is not None or set(self.modalities or ()) - {"text"}:
            raise invalid(
                "The models here answer in text. Leave out 'audio', and of 'modalities' all but 'text'; "
                "/v1/audio/speech reads a text aloud.",
                "audio" if self.audio is not None else "modalities",
                "unsupported_parameter",
            )
        if self.web_search_options is not None:
            raise invalid(
                "Nothing is searched here. Leave out 'web_search_options', or give a tool of your own.",
                "web_search_options",
                "unsupported_parameter",
            )
        if self.top_logprobs is not None and not self.logprobs:
            raise invalid("'top_logprobs' goes with 'logprobs'. Set it to true.", "top_logprobs", "invalid_value")


def read_chat(body: bytes) -> CreateChat:
    """Raises `Problem`."""
    asked = decoded(CreateChat, body)
    asked.check()
    return asked
