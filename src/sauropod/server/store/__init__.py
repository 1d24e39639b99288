"""What is durable: responses with their items and events, conversations, and files, in SQLite or Postgres."""

from sauropod.server.store.errors import DuplicateRecord, MissingRecord, StoreError, UnfinishedRecord
from sauropod.server.store.records import (
    ConversationRecord,
    FilePage,
    FileRecord,
    Item,
    LoggedEvent,
    Page,
    ResponseRecord,
)
from sauropod.server.store.store import Store

__all__ = [
    "ConversationRecord",
    "DuplicateRecord",
    "FilePage",
    "FileRecord",
    "Item",
    "LoggedEvent",
    "MissingRecord",
    "Page",
    "ResponseRecord",
    "Store",
    "StoreError",
    "UnfinishedRecord",
]
