"""What is opened once and closed once: a model, found, placed in a worker, and given back."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeAlias, TypeVar, get_args

import anyio
import anyio.to_thread
import attrs

from sauropod._handles import Loaded, SpeechHandle, devices_of
from sauropod._mailbox import in_daemon_thread
from sauropod._runtime.pool import Isolation, shared_pool
from sauropod._runtime.registry import backend_for_file, installed_backends, load_backend
from sauropod._values.info import Device
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.scheduling import SchedulerOptions
from sauropod._values.speech import SpeechKind
from sauropod.abc import Backend, ChatBackend
from sauropod.errors import BackendNotFound, ClosedError, UnsupportedInput, UnsupportedModel

if TYPE_CHECKING:
    from sauropod._sources import ProgressCallback

__all__ = ["ModelName", "Openable", "Place", "check_kinds", "checked_language", "opened"]

ModelName: TypeAlias = str | os.PathLike[str] | Mapping[str, str]
"""A model as users write it; `docs/models.md` lists the forms."""


def check_kinds(**given: tuple[Any, Any]) -> None:
    """Raise `UnsupportedInput` for an argument, given with its type, that is neither of that type nor None."""
    for name, (value, kind) in given.items():
        if value is not None and not isinstance(value, kind):
            raise UnsupportedInput(f"{name} is a {kind.__name__}, or None; got {type(value).__name__}.")


def checked_language(language: str | None) -> str | None:
    """Raises `UnsupportedInput` for what is no tag of a language."""
    if language is not None and (not isinstance(language, str) or not language.strip()):
        raise UnsupportedInput(f"language is a tag such as 'en-gb', or None; got {language!r}.")
    return None if language is None else language.strip().lower()


class Closable(Protocol):
    async def aclose(self) -> None: ...


Opened = TypeVar("Opened", bound=Closable)
LoadedModel = TypeVar("LoadedModel", bound=Loaded[Any])


class Openable(ABC, Generic[Opened]):
    """The life of a noun: made, opened, closed."""

    _noun: ClassVar[str]
    """How errors call it."""

    def __init__(self) -> None:
        self._opened: Opened | None = None
        self._opening = self._closed = False

    async def open(self) -> Self:
        """Load the model. `async with` does this; by itself it is for notebooks and frameworks, with `aclose`."""
        if self._opening or self._opened is not None or self._closed:
            raise ClosedError(f"{self._article} is opened once. Make a new one.")
        self._opening = True
        try:
            handle = await self._load()
        finally:
            self._opening = False
        if self._closed:
            await handle.aclose()
            raise ClosedError(f"The {self._noun} was closed while it was being opened. Make a new one.")
        self._opened = handle
        return self

    async def aclose(self) -> None:
        """Unload the model and give its memory back. Requests still in flight fail with `ClosedError`.

        All of that is under way at once, and cancelling only stops the waiting for it. What is being opened is closed
        when it has been.
        """
        handle, self._opened, self._closed = self._opened, None, True
        if handle is not None:
            await handle.aclose()

    async def __aenter__(self) -> Self:
        return self if self._opened is not None else await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def _handle(self) -> Opened:
        if self._opened is None:
            hint = "it has been closed" if self._closed else f"use it in `async with`, or await {self._noun}.open()"
            raise ClosedError(f"The {self._noun} is not open: {hint}.")
        return self._opened

    @property
    def _article(self) -> str:
        return f"{'An' if self._noun[0] in 'aeiou' else 'A'} {self._noun}"

    @abstractmethod
    async def _load(self) -> Opened:
        """Make ready what is opened."""


def opened(noun: Openable[Opened]) -> Opened:
    """What a noun holds on to. Raises `ClosedError` if it is not open."""
    return noun._handle


@attrs.frozen(kw_only=True)
class Place:
    """Which model is wanted, and where it is to be."""

    source: ModelName
    backend: str
    device: str
    worker: str | None
    isolation: Isolation
    progress: ProgressCallback | None

    @classmethod
    def of(
        cls,
        source: ModelName,
        *,
        ending: str,
        backend: str | None = None,
        device: str = "auto",
        worker: str | None = None,
        isolation: Isolation = "process",
        progress: ProgressCallback | None = None,
    ) -> Place:
        """`ending` is what files of such models end in: it tells the backend, if nothing else does."""
        if isolation not in get_args(Isolation):
            raise UnsupportedInput(f"isolation is one of {' and '.join(get_args(Isolation))}; got {isolation!r}.")
        if not isinstance(device, str):
            raise UnsupportedInput(f"device is a text such as 'cuda:0'; got {device!r}.")
        if worker is not None and (not isinstance(worker, str) or not worker):
            raise UnsupportedInput(f"worker is a name, or None; got {worker!r}.")
        source, backend = _split_source(source, backend, ending)
        device = device.strip().lower()
        return cls(source=source, backend=backend, device=device, worker=worker, isolation=isolation, progress=progress)

    async def connection(self) -> Backend | ChatBackend:
        """The backend, imported."""
        return await anyio.to_thread.run_sync(load_backend, self.backend)

    async def native(self) -> Backend:
        """The backend, where only one that runs in a worker will do."""
        backend = await self.connection()
        if not isinstance(backend, Backend):
            raise BackendNotFound(f"The backend {self.backend!r} reaches chat models, and neither hears nor speaks.")
        return backend

    async def load(
        self,
        kind: type[LoadedModel],
        find: Callable[[Sequence[Device]], Source],
        options: LoadOptions,
        scheduling: SchedulerOptions,
    ) -> LoadedModel:
        """Find the model, in a thread, and load it in its worker. `find` is told the devices there are."""
        worker = self.worker or await self._device_worker()
        devices = await self._devices(worker)
        source = await in_daemon_thread(lambda: find(devices))
        return await kind.load(shared_pool, worker, self.isolation, self.backend, source, options, scheduling)

    async def load_speech(self, kind: SpeechKind, demo: str, options: LoadOptions) -> SpeechHandle:
        """The same for a model that hears or speaks. `demo` is the directory of assets that `"demo"` means.

        Raises `UnsupportedModel` for a model of another kind.
        """
        backend = await self.native()

        def find(devices: Sequence[Device]) -> Source:
            from sauropod._sources import find_files

            if not backend.suffixes:
                return Source(str(self.source))
            return find_files(self.source, backend.select, demo=demo, progress=self.progress)

        handle = await self.load(SpeechHandle, find, options, SchedulerOptions())
        if handle.info.kind == kind:
            return handle
        await handle.aclose()
        found, wanted = (each.replace("_", " ") for each in (handle.info.kind, kind))
        raise UnsupportedModel(f"{handle.info.name} is a {found}, and a {wanted} is needed here. Name another model.")

    async def _device_worker(self) -> str:
        """The worker for the device this model will be on: every model there shares it."""
        wanted = self.device.split(",")[0].strip()
        if wanted == "cpu":
            return wanted
        names = [device.name for device in await self._devices("cpu")]
        if wanted == "auto":
            return names[0]
        return next((name for name in names if name == wanted or name.startswith(f"{wanted}:")), wanted)

    async def _devices(self, worker: str) -> Sequence[Device]:
        if self.backend not in shared_pool.devices:
            shared_pool.devices[self.backend] = await devices_of(shared_pool, worker, self.isolation, self.backend)
        return shared_pool.devices[self.backend]


def _split_source(source: ModelName, backend: str | None, ending: str) -> tuple[ModelName, str]:
    """What names the model, and the backend that is to load it."""
    if backend is not None:
        return source, backend
    if isinstance(source, str):
        name, colon, rest = source.partition(":")
        if colon and name in installed_backends():
            return rest, name
    return source, backend_for_file(f"model{ending}")
