"""Bringing one file of a hub into the cache: whole, checked against its checksum, and from where it broke off."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import attrs

from sauropod._sources import refusals
from sauropod._sources.hub import Hub, Listing, RemoteFile
from sauropod._sources.hub_cache import CachedRepo, writing
from sauropod.errors import LoadError, ModelNotFound

__all__ = ["Download"]

PLAIN_LIMIT = 50_000_000_000
"""The hub gives larger files only through its own protocol, Xet, which huggingface_hub speaks."""

LOCK_PATIENCE = 2.0
CHUNK = 1 << 20


@attrs.frozen
class Download:
    """A file to be had, with its size and oid known. What has arrived when it stops is kept for the next time."""

    hub: Hub
    listing: Listing
    file: RemoteFile
    plain_limit: int = PLAIN_LIMIT

    @property
    def repo(self) -> CachedRepo:
        return CachedRepo(self.hub.cache, self.listing.repo)

    @property
    def size(self) -> int:
        return self.file.size or 0

    @property
    def oid(self) -> str:
        return self.file.oid or ""

    @property
    def is_done(self) -> bool:
        return self._is_whole(self._place)

    @property
    def is_stored(self) -> bool:
        """The content is here, if perhaps not in its place yet."""
        return self.is_done or self._is_whole(self.repo.blob(self.oid))

    @property
    def missing(self) -> int:
        """How many bytes are still to be fetched."""
        if self.is_stored:
            return 0
        kept = _size(self.repo.partial(self.oid))
        return self.size - kept if kept <= self.size else self.size

    def run(self, report: Callable[[int], None]) -> Path:
        """Fetch the file, unless it is here, and give its place in the cache.

        `report` is told of bytes as they arrive, and may raise to stop. Raises `ModelNotFound` when the hub does not
        give the file, `LoadError` when it cannot be kept or arrives damaged.
        """
        if self.is_done:
            return self._place
        if self.size > self.plain_limit:
            self._remove_damaged()
            return self._by_huggingface_hub(report)
        with self._locked(report):
            self._remove_damaged()
            if not self.is_stored:
                self._fill(report)
            return self.repo.link(self.listing.commit, self.file.path, self.oid)

    @property
    def _place(self) -> Path:
        return self.repo.folder / "snapshots" / self.listing.commit / self.file.path

    def _is_whole(self, path: Path) -> bool:
        return path.is_file() and _size(path) == self.size

    def _remove_damaged(self) -> None:
        """Delete what is here in the file's place and has another size: some program left half of it."""
        with writing(self.hub.cache):
            for path in (self._place, self.repo.blob(self.oid)):
                if path.is_file() and not self._is_whole(path):
                    path.unlink()

    # -- by ourselves --------------------------------------------------------------------------------------------------

    def _fill(self, report: Callable[[int], None]) -> None:
        """Fetch the blob. What an earlier attempt left may be damaged, so it gets a second chance from nothing."""
        partial = self.repo.partial(self.oid)
        resumed = 0 < _size(partial) <= self.size
        if not self._append(partial, resumed, report) and not (resumed and self._append(partial, False, report)):
            raise LoadError(
                f"{self.listing.repo}/{self.file.path} arrived damaged: its checksum is not the one that "
                f"{self.hub.endpoint} lists. Try again; if it stays so, something between here and there changes it."
            )
        with writing(self.hub.cache):
            os.replace(partial, self.repo.blob(self.oid))

    def _append(self, partial: Path, resume: bool, report: Callable[[int], None]) -> bool:
        """Fetch what is missing after `partial`, or all. False, and nothing is left, if the checksum is wrong."""
        checksum = _checksum(self.oid, self.size)
        with writing(self.hub.cache):
            out: IO[bytes] = open(partial, "r+b" if resume else "w+b")  # noqa: SIM115
        with out:
            done = 0
            while resume and (kept := out.read(CHUNK)):
                checksum.update(kept)
                done += len(kept)
            told = done
            for chunk in self.hub.chunks(self.listing, self.file, done, self.size):
                with writing(self.hub.cache):
                    out.write(chunk)
                checksum.update(chunk)
                done += len(chunk)
                if done - told >= CHUNK or done == self.size:
                    report(done - told)
                    told = done
            with writing(self.hub.cache):
                out.flush()
        if checksum.hexdigest() == self.oid:
            return True
        report(-self.size)
        partial.unlink(missing_ok=True)
        return False

    @contextlib.contextmanager
    def _locked(self, report: Callable[[int], None]) -> Iterator[None]:
        """The blob to ourselves. While another process fetches it, `report` is called so that it can stop the wait."""
        from huggingface_hub import utils

        lazy: Any = utils
        with contextlib.ExitStack() as held:
            while not self._took_lock(held, lazy.WeakFileLock):
                report(0)
            yield

    def _took_lock(self, held: contextlib.ExitStack, lock: Any) -> bool:
        path = self.repo.lock(self.oid)
        with writing(self.hub.cache):
            for each in (path, self.repo.blob(self.oid), self._place):
                each.parent.mkdir(parents=True, exist_ok=True)
            try:
                held.enter_context(lock(path, timeout=LOCK_PATIENCE))
            except TimeoutError:
                return False
        return True

    # -- by huggingface_hub --------------------------------------------------------------------------------------------

    def _by_huggingface_hub(self, report: Callable[[int], None]) -> Path:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError

        about = refusals.Request(self.listing.repo, self.listing.revision, self.hub.endpoint, self.file.path)
        try:
            path = hf_hub_download(
                self.listing.repo,
                self.file.path,
                revision=self.listing.commit,
                cache_dir=self.hub.cache,
                endpoint=self.hub.endpoint,
                token=self.hub.token() or False,
            )
        except HfHubHTTPError as error:
            answer = error.response
            raise refusals.refusal(about, answer.status_code, answer.headers, bool(self.hub.token())) from error
        except (OSError, ValueError) as error:
            raise ModelNotFound(f"{about} could not be fetched by huggingface_hub: {error}") from error
        report(self.size)
        return Path(path)


class _GitBlob:
    """The SHA-1 by which git knows a file of `size` bytes."""

    def __init__(self, size: int) -> None:
        self._sha1 = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        self._sha1.update(data)

    def hexdigest(self) -> str:
        return self._sha1.hexdigest()


def _checksum(oid: str, size: int) -> Any:
    return hashlib.sha256() if len(oid) == 64 else _GitBlob(size)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
