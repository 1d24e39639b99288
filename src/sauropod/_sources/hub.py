"""A hub of models: what is in a repository, and bytes of its files.

Speaks the Hugging Face Hub's HTTP interface through huggingface_hub's own client, so that proxies, certificates and a
client factory set there hold here too. Nothing of huggingface_hub is imported before a request is made.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import attrs

from sauropod._log import log
from sauropod._sources import refusals
from sauropod._sources.settings import named_directory
from sauropod.errors import LoadError

__all__ = ["Hub", "Listing", "RemoteFile", "library"]


TRUE = ("1", "ON", "YES", "TRUE")
LISTING_LIMIT = 1 << 25
OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")


@attrs.frozen
class RemoteFile:
    """A file of a repository at one commit.

    `oid` is what the file is stored under and checked by: its SHA-256 if it is large, else the SHA-1 git has for it.
    Both are unknown (None) on mirrors that list names only.
    """

    path: str
    size: int | None = None
    oid: str | None = None


@attrs.frozen
class Listing:
    """All files of a repository at `commit`, which `revision` meant when it was asked."""

    repo: str
    revision: str
    commit: str
    files: Sequence[RemoteFile]


def stored_token() -> str | None:
    """The token to show to the hub: `HF_TOKEN`, or the one `hf auth login` stored."""
    if _is_true(os.environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN")):
        return None
    token: str | None = library().get_token()
    return token


def library() -> Any:
    """huggingface_hub, which reads settings when it is first imported. Raises `LoadError` if one of them is wrong."""
    try:
        import huggingface_hub
        from huggingface_hub import constants, utils  # noqa: F401
    except (ImportError, ValueError) as error:
        raise refusals.misconfigured(error) from error
    return huggingface_hub


@attrs.frozen(kw_only=True)
class Hub:
    """A hub and the local cache of what was fetched from it.

    `pauses` are the seconds waited before each new attempt when a connection fails or the hub is busy; a request is
    given up when it fails once more than that without one byte in between.
    """

    endpoint: str = "https://huggingface.co"
    cache: Path
    offline: bool = False
    token: Callable[[], str | None] = stored_token
    timeout: float = 20.0
    pauses: Sequence[float] = (0.5, 1.0, 2.0, 4.0, 8.0)
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Hub:
        """As `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME`, `HF_HUB_OFFLINE` and `HF_HUB_DOWNLOAD_TIMEOUT` say just now."""
        timeout = environment.get("HF_HUB_DOWNLOAD_TIMEOUT", "")
        return cls(
            endpoint=environment.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co",
            cache=_cache_directory(environment),
            offline=_is_true(environment.get("HF_HUB_OFFLINE") or environment.get("TRANSFORMERS_OFFLINE")),
            timeout=float(timeout) if refusals.is_number(timeout) and int(timeout) else 20.0,
        )

    @property
    def host(self) -> str:
        """The endpoint's host and port: links to it are as good as links to huggingface.co. Empty if it has none."""
        try:
            return urlsplit(self.endpoint).netloc.rpartition("@")[2].lower()
        except ValueError:
            return ""

    def list(self, repo: str, revision: str = "main") -> Listing:
        """What is in a repository. One request. Raises `ModelNotFound`."""
        url = f"{self.endpoint}/api/models/{repo}/revision/{quote(revision, safe='')}?blobs=true"
        body = bytearray()
        about = refusals.Request(repo, revision, self.endpoint)
        for chunk in self._attempts(lambda: self._body(url, {}, about), about, self.pauses[:2]):
            body += chunk
            if len(body) > LISTING_LIMIT:
                raise refusals.no_hub(about, "its answer has no end")
        return _listing(bytes(body), about)

    def read(self, listing: Listing, file: RemoteFile, start: int, length: int) -> bytes:
        """Bytes of a file, fewer where it ends. Raises `ModelNotFound`."""
        return b"".join(self.chunks(listing, file, start, start + length))

    def chunks(self, listing: Listing, file: RemoteFile, start: int, stop: int) -> Iterator[bytes]:
        """The bytes of a file from `start` to before `stop`, over as many connections as it takes.

        Raises `ModelNotFound` when the hub refuses, or cannot be reached any more.
        """
        about = refusals.Request(listing.repo, listing.revision, self.endpoint, file.path)
        url = f"{self.endpoint}/{listing.repo}/resolve/{listing.commit}/{quote(file.path)}"
        stop = stop if file.size is None else min(stop, file.size)
        done = start

        def rest() -> Iterator[bytes]:
            nonlocal done
            for chunk in self._body(url, {"Range": f"bytes={done}-{stop - 1}"}, about, done, stop):
                done += len(chunk)
                yield chunk
            if done < stop and file.size is not None:
                raise ConnectionError(f"the connection ended {stop - done:,} bytes early")

        if start < stop:
            yield from self._attempts(rest, about, self.pauses)

    def describe(self, listing: Listing, file: RemoteFile) -> RemoteFile:
        """The file with its size and oid, asked of the hub where the listing lacks them."""
        if file.size is not None and file.oid is not None:
            return file
        about = refusals.Request(listing.repo, listing.revision, self.endpoint, file.path)
        url = f"{self.endpoint}/{listing.repo}/resolve/{listing.commit}/{quote(file.path)}"
        with self._open(url, {"Range": "bytes=0-0"}, about) as response:
            answers = [each.headers for each in (*response.history, response)]
        size = _first(answers, "x-linked-size") or _first(answers, "content-range").rpartition("/")[2]
        oid = (_first(answers, "x-linked-etag") or _first(answers, "etag")).removeprefix("W/").strip('"')
        if not refusals.is_number(size) or not OID.fullmatch(oid):
            raise refusals.no_hub(about, "it does not say how long the file is, or what its checksum is")
        return attrs.evolve(file, size=int(size), oid=oid)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _attempts(
        self, attempt: Callable[[], Iterator[bytes]], about: refusals.Request, pauses: Sequence[float]
    ) -> Iterator[bytes]:
        """What `attempt` gives, made again after a failure that may pass, as long as it moves at all."""
        failures = 0
        while True:
            try:
                for chunk in attempt():
                    failures = 0
                    yield chunk
                return
            except LoadError:
                raise
            except (*_transport_errors(), refusals.Busy) as error:
                if failures >= len(pauses):
                    raise refusals.unreachable(about, error) from error
                wait = max(pauses[failures], getattr(error, "retry_after", 0.0))
                log(__name__).info("%s: %s; next attempt in %.1f s", about, error, wait)
                self.sleep(wait)
                failures += 1

    def _body(
        self, url: str, headers: dict[str, str], about: refusals.Request, start: int = 0, stop: int | None = None
    ) -> Iterator[bytes]:
        """One request's answer, without what comes before `start` where a server sends the whole, nor after `stop`."""
        with self._open(url, headers, about) as response:
            partial = response.status_code == 206
            position = _range_start(response.headers, start, about) if partial else 0
            # Pieces of no set size: what half fills one would be lost when the connection drops.
            for chunk in response.iter_bytes():
                wanted = chunk[max(start - position, 0) : None if stop is None else max(stop - position, 0)]
                position += len(chunk)
                if wanted:
                    yield wanted
                if stop is not None and position >= stop:
                    return

    @contextlib.contextmanager
    def _open(self, url: str, headers: dict[str, str], about: refusals.Request) -> Iterator[Any]:
        if self.offline:
            raise refusals.offline(about)
        if not re.match(r"https?://[^/]", self.endpoint):
            raise refusals.no_hub(about, "HF_ENDPOINT must begin with https:// or http://")
        hub = library()
        if hub.constants.HF_HUB_OFFLINE:  # as the environment was when it was imported: it refuses since then
            raise refusals.offline(about)
        token = self.token()
        sent = {"Accept-Encoding": "identity", "User-Agent": "sauropod", **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        options = {"headers": sent, "timeout": self.timeout, "follow_redirects": True}
        with contextlib.ExitStack() as opened:
            try:
                response = opened.enter_context(hub.get_session().stream("GET", url, **options))
            except ConnectionError:
                raise
            except (hub.utils.httpx.InvalidURL, ImportError, ValueError, OSError) as error:
                raise refusals.misconfigured(error) from error
            if response.status_code >= 400:
                elsewhere = response.url.netloc.decode().lower() != self.host
                raise refusals.refusal(about, response.status_code, response.headers, bool(token), elsewhere)
            yield response


# -- answers -----------------------------------------------------------------------------------------------------------


def _listing(body: bytes, about: refusals.Request) -> Listing:
    try:
        answer = json.loads(body)
        commit, siblings = answer["sha"], answer["siblings"]
        found = [each for sibling in siblings if (each := _remote_file(sibling)) is not None]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise refusals.no_hub(about, "its answer is no list of files") from error
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
        raise refusals.no_hub(about, "its answer names no commit")
    return Listing(about.repo, about.revision, commit, tuple(found))


def _remote_file(sibling: Mapping[str, Any]) -> RemoteFile | None:
    """A file as listed; None for one that could not be stored under its own name below the cache."""
    path = sibling["rfilename"]
    if not isinstance(path, str) or not _is_safe(path):
        return None
    large = sibling.get("lfs") or {}
    size, oid = large.get("size", sibling.get("size")), large.get("sha256") or sibling.get("blobId")
    return RemoteFile(
        path,
        size if isinstance(size, int) and 0 <= size < 1 << 62 else None,
        oid if isinstance(oid, str) and OID.fullmatch(oid) else None,
    )


def _is_safe(path: str) -> bool:
    parts = path.split("/")
    return (
        0 < len(path) <= 1024
        and not any(part in ("", ".", "..") or len(part) > 255 for part in parts)
        and not re.search(r'[\x00-\x1f\x7f\\:*?"<>|]', path)
    )


def _first(answers: Sequence[Mapping[str, str]], name: str) -> str:
    return next((headers[name] for headers in answers if name in headers), "")


def _range_start(headers: Mapping[str, str], asked: int, about: refusals.Request) -> int:
    match = re.match(r"bytes (\d+)-", headers.get("content-range", ""))
    if match is None or int(match[1]) > asked:
        raise refusals.no_hub(about, "it answers a request for a part of a file with something else")
    return int(match[1])


def _transport_errors() -> tuple[type[Exception], type[Exception]]:
    """What huggingface_hub's client raises when a connection fails. The client is httpx or httpx2, by its version."""
    return library().utils.httpx.HTTPError, ConnectionError


# -- environment -------------------------------------------------------------------------------------------------------


def _cache_directory(environment: Mapping[str, str]) -> Path:
    for variable, below in (
        ("HF_HUB_CACHE", ""),
        ("HUGGINGFACE_HUB_CACHE", ""),
        ("HF_HOME", "hub"),
        ("XDG_CACHE_HOME", "huggingface/hub"),
    ):
        if environment.get(variable):
            return named_directory(os.path.join(environment[variable], below), variable)
    return named_directory("~/.cache/huggingface/hub", "HF_HOME")


def _is_true(value: str | None) -> bool:
    return value is not None and value.upper() in TRUE
