"""What goes wrong with the store."""

from __future__ import annotations

from sauropod.errors import SauropodError

__all__ = ["DuplicateRecord", "MissingRecord", "StoreError", "UnfinishedRecord"]


class StoreError(SauropodError):
    """The database cannot be opened, read or written. Nothing of what was asked for was done."""


class MissingRecord(StoreError):
    """Something that is needed is not there. `id` says what."""

    def __init__(self, id: str) -> None:
        super().__init__(f"There is no {id!r}. It was never stored, was deleted, or has failed.")
        self.id = id


class UnfinishedRecord(StoreError):
    """Something that is needed whole is still being made."""

    def __init__(self, id: str) -> None:
        super().__init__(f"{id!r} is still being written. Go on from it when it has ended.")
        self.id = id


class DuplicateRecord(StoreError):
    """Something of that id is there already."""

    def __init__(self, id: str) -> None:
        super().__init__(f"There is an item {id!r} already. Leave its id out to give it a new one.")
        self.id = id
