"""Operations: everything that can be asked, for the OpenAPI document."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from sauropod.server.wire.audio.speech import CreateSpeech, SpeechDelta, SpeechDone
from sauropod.server.wire.chat.objects import ChatChunk, ChatCompletion
from sauropod.server.wire.chat.request import CreateChat
from sauropod.server.wire.completions.objects import TextCompletion
from sauropod.server.wire.completions.request import CreateCompletion
from sauropod.server.wire.conversations import AddItems, CreateConversation, UpdateConversation
from sauropod.server.wire.decoding import encoded
from sauropod.server.wire.embeddings import CreateEmbedding, Embeddings
from sauropod.server.wire.files import PURPOSES
from sauropod.server.wire.models import Model, ModelDeleted, Models
from sauropod.server.wire.openapi import Operation, document_of
from sauropod.server.wire.realtime.secrets import ClientSecret, CreateClientSecret
from sauropod.server.wire.rerank import CreateRerank, Reranked
from sauropod.server.wire.responses.events import Event
from sauropod.server.wire.responses.request import CompactRequest, CountRequest, CreateResponse
from sauropod.server.wire.responses.response import Response
from sauropod.server.wire.tokens import Content, Detokenize, Tokenize, Tokens

__all__ = ["OPERATIONS", "document"]

_PAGE: dict[str, Any] = {
    "after": {"type": "string"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "order": {"type": "string", "enum": ["asc", "desc"], "default": "desc"},
}
_FILES = {
    **_PAGE,
    "limit": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10000},
    "purpose": {"type": "string"},
}
_UPLOAD = {
    "type": "object",
    "required": ["file", "purpose"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "purpose": {"type": "string", "enum": list(PURPOSES)},
    },
}
_AUDIO = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "model": {"type": "string"},
        "language": {"type": "string"},
        "response_format": {"type": "string", "enum": ["json", "text", "srt", "verbose_json", "vtt"]},
        "timestamp_granularities[]": {"type": "array", "items": {"type": "string", "enum": ["word", "segment"]}},
        "include[]": {"type": "array", "items": {"type": "string"}},
        "stream": {"type": "boolean"},
    },
}
_TOLD = {"stream": {"type": "boolean"}, "starting_after": {"type": "integer", "minimum": 0}}


def _one(method: str, path: str, summary: str, tag: str, **more: Any) -> Operation:
    return Operation(method=method, path=path, summary=summary, tag=tag, **more)


_RESPONSE, _CONVERSATION, _ITEM = "/v1/responses/{id}", "/v1/conversations/{id}", "/v1/conversations/{id}/items"

OPERATIONS = (
    _one("POST", "/v1/responses", "Ask a model.", "Responses", body=CreateResponse, answer=Response, event=Event),
    _one("GET", _RESPONSE, "A response that is kept.", "Responses", answer=Response, event=Event, query=_TOLD),
    _one("DELETE", _RESPONSE, "Delete a response.", "Responses"),
    _one("POST", f"{_RESPONSE}/cancel", "Stop a response in the background.", "Responses", answer=Response),
    _one("GET", f"{_RESPONSE}/input_items", "What it was asked with.", "Responses", query=_PAGE),
    _one("POST", "/v1/responses/input_tokens", "Count the tokens of a prompt.", "Responses", body=CountRequest),
    _one("POST", "/v1/responses/compact", "Make a conversation short.", "Responses", body=CompactRequest),
    _one("POST", "/v1/conversations", "Begin a conversation.", "Conversations", body=CreateConversation, optional=True),
    _one("GET", _CONVERSATION, "A conversation.", "Conversations"),
    _one("POST", _CONVERSATION, "Replace its metadata.", "Conversations", body=UpdateConversation),
    _one("DELETE", _CONVERSATION, "Delete a conversation.", "Conversations"),
    _one("POST", _ITEM, "Add items.", "Conversations", body=AddItems),
    _one("GET", _ITEM, "Its items.", "Conversations", query=_PAGE),
    _one("GET", f"{_ITEM}/{{item_id}}", "One of its items.", "Conversations"),
    _one("DELETE", f"{_ITEM}/{{item_id}}", "Delete an item.", "Conversations"),
    _one(
        "POST",
        "/v1/chat/completions",
        "Go on with a conversation.",
        "Chat",
        body=CreateChat,
        answer=ChatCompletion,
        event=ChatChunk,
    ),
    _one(
        "POST",
        "/v1/completions",
        "Go on with a text.",
        "Completions",
        body=CreateCompletion,
        answer=TextCompletion,
        event=TextCompletion,
    ),
    _one("POST", "/v1/embeddings", "Texts as vectors.", "Embeddings", body=CreateEmbedding, answer=Embeddings),
    _one("POST", "/v1/rerank", "Documents by how they fit.", "Embeddings", body=CreateRerank, answer=Reranked),
    _one(
        "POST",
        "/v1/audio/speech",
        "Say a text.",
        "Audio",
        body=CreateSpeech,
        bytes=True,
        event=SpeechDelta | SpeechDone,
    ),
    _one("POST", "/v1/audio/transcriptions", "Write down what is said.", "Audio", body=_AUDIO, form=True),
    _one("POST", "/v1/audio/translations", "The same in English.", "Audio", body=_AUDIO, form=True),
    _one("GET", "/v1/audio/voices", "The voices there are.", "Audio"),
    _one(
        "POST",
        "/v1/realtime/client_secrets",
        "A key for one kind of session, and a short time.",
        "Realtime",
        body=CreateClientSecret,
        answer=ClientSecret,
        optional=True,
    ),
    _one("GET", "/v1/models", "The models there are.", "Models", answer=Models),
    _one("GET", "/v1/models/{name}", "One of them.", "Models", answer=Model),
    _one("DELETE", "/v1/models/{name}", "Unload a model.", "Models", answer=ModelDeleted),
    _one("POST", "/tokenize", "A text as tokens.", "Models", body=Tokenize, answer=Tokens),
    _one("POST", "/detokenize", "Tokens as a text.", "Models", body=Detokenize, answer=Content),
    _one("POST", "/v1/files", "Keep a file.", "Files", body=_UPLOAD, form=True),
    _one("GET", "/v1/files", "The files there are.", "Files", query=_FILES),
    _one("GET", "/v1/files/{id}", "One of them.", "Files"),
    _one("DELETE", "/v1/files/{id}", "Delete a file.", "Files"),
    _one("GET", "/v1/files/{id}/content", "What is in it.", "Files", bytes=True),
    _one("GET", "/health", "Whether it takes requests.", "Health"),
    _one("GET", "/health/live", "Whether it is there.", "Health"),
    _one("GET", "/health/ready", "Whether it takes requests.", "Health"),
)


@cache
def document() -> bytes:
    """The document, as JSON."""
    return encoded(document_of(OPERATIONS, version("sauropod")))
