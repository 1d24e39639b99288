"""Catalog: the models by name, and which of them is meant."""

from __future__ import annotations

import difflib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

import attrs
from anyio.abc import TaskGroup

from sauropod import Engine, GrammarKind
from sauropod.server.keeping import Kept
from sauropod.server.problems import missing

__all__ = ["DEFAULT", "Catalog", "ModelEntry", "Served"]

DEFAULT = "default"
"""This name always means a model: the one that is marked so, or the first."""


@attrs.frozen
class ModelEntry:
    """A model the server offers: its name, the others it goes by, and how it is made."""

    name: str
    make: Callable[[], Engine]
    aliases: tuple[str, ...] = ()
    keep_alive: float | None = None
    default: bool = False
    preload: bool = False
    """Whether it is to be there from the start."""
    created: int = attrs.field(factory=lambda: int(time.time()))
    about: str = ""
    """Where it comes from, for people."""


@attrs.frozen
class Served:
    """A model in use by a request."""

    entry: ModelEntry
    engine: Engine

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def holds_calls(self) -> bool:
        """Whether a call of a tool that begins is held to what calls look like, so that it becomes one."""
        return GrammarKind.LARK in self.engine.info.grammars


@attrs.define(eq=False)
class Catalog:
    """What there is. Names are told apart by case first, and found without it."""

    entries: Mapping[str, ModelEntry]
    _kept: Mapping[str, Kept[Engine]]

    @classmethod
    def of(cls, entries: Iterable[ModelEntry], tasks: TaskGroup) -> Catalog:
        """`tasks` is where models are opened and let go."""
        named = {entry.name: entry for entry in entries}
        kept = {name: Kept(f"model {name!r}", entry.make, tasks, entry.keep_alive) for name, entry in named.items()}
        return cls(named, kept)

    def entry(self, name: str | None) -> ModelEntry:
        """The model of that name; without one, the default. Raises `Problem` naming those there are."""
        if not name or name == DEFAULT:
            return next((each for each in self.entries.values() if each.default), next(iter(self.entries.values())))
        if name in self.entries:
            return self.entries[name]
        folded = name.casefold()
        for entry in self.entries.values():
            if folded in {each.casefold() for each in (entry.name, *entry.aliases)}:
                return entry
        raise missing(self._unknown(name), "model_not_found", "model")

    @asynccontextmanager
    async def use(self, name: str | None) -> AsyncIterator[Served]:
        """The model, opened. Raises `Problem`, and what opening it raises."""
        entry = self.entry(name)
        async with self._kept[entry.name].use() as engine:
            yield Served(entry, engine)

    def opened(self, name: str) -> Engine | None:
        """The engine of that entry, if it is open."""
        return self._kept[name].open

    async def unload(self, name: str) -> bool:
        """Take that entry's model out of memory, unless a request uses it. Whether it is out."""
        return await self._kept[name].let_go()

    async def close(self) -> None:
        """Let all go."""
        for each in self._kept.values():
            await each.shut()

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.entries, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        return f"There is no model {name!r} here.{meant} There are: {', '.join(self.entries)}, and 'default'."
