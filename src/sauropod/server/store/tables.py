"""The tables, as the newest migration leaves them. docs/storage.md draws them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

__all__ = [
    "conversation_items",
    "conversations",
    "file_chunks",
    "files",
    "metadata",
    "response_events",
    "response_items",
    "responses",
    "servers",
]


class Name(TypeDecorator[str]):
    """A text that clients choose. Postgres keeps no NUL in one, so what has one is not found, and is no error."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else value.replace("\0", "\ufffd")


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _child_of(table: str) -> ForeignKey:
    return ForeignKey(f"{table}.id", ondelete="CASCADE")


servers = Table(
    "servers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
)
"""Those that have the database open, or did when they were killed."""

responses = Table(
    "responses",
    metadata,
    Column("id", Name, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("completed_at", BigInteger),
    Column("status", Text, nullable=False),
    Column("model", Name, nullable=False),
    Column("previous_response_id", Name),
    Column("conversation_id", Name),
    Column("background", Boolean, nullable=False),
    Column("expires_at", BigInteger),
    Column("owner", Text, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    Index("ix_responses_created_at_id", "created_at", "id"),
    Index("ix_responses_expires_at", "expires_at"),
    Index("ix_responses_status", "status"),
)

response_items = Table(
    "response_items",
    metadata,
    Column("response_id", Name, _child_of("responses"), primary_key=True),
    Column("output", Boolean, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("id", Name, nullable=False, index=True),
    Column("payload", LargeBinary, nullable=False),
)

response_events = Table(
    "response_events",
    metadata,
    Column("response_id", Name, _child_of("responses"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Name, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
)

conversation_items = Table(
    "conversation_items",
    metadata,
    Column("conversation_id", Name, _child_of("conversations"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("id", Name, nullable=False, index=True),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("conversation_id", "id"),
)

files = Table(
    "files",
    metadata,
    Column("id", Name, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("filename", Name, nullable=False),
    Column("purpose", Name, nullable=False),
    Column("expires_at", BigInteger),
    Column("whole", Boolean, nullable=False),
    Index("ix_files_created_at_id", "created_at", "id"),
)

file_chunks = Table(
    "file_chunks",
    metadata,
    Column("file_id", Name, _child_of("files"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
)
