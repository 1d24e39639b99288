"""A model hub on this machine, for tests: the part of the Hugging Face Hub's HTTP interface that downloads use.

It lists repositories, redirects to another host for contents as the real one does to its content servers, honours
ranges, refuses with the real one's codes, and fails on demand. Every request is kept, with the bytes it was sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import attrs

LARGE = 1000
"""Files of at least this many bytes are kept like the real hub keeps large ones: elsewhere, known by their SHA-256."""


@attrs.define
class Repo:
    """A repository: its files by revision. `main` is the first."""

    files: dict[str, bytes]
    revisions: dict[str, dict[str, bytes]] = attrs.Factory(dict)
    gated: bool = False
    private: bool = False
    bare_listing: bool = False
    """List names only, as some mirrors do."""

    def commit(self, revision: str) -> str | None:
        every = {"main": self.files, **self.revisions}
        by_commit = {_commit(name, files): name for name, files in every.items()}
        if revision in by_commit:
            return revision
        return _commit(revision, every[revision]) if revision in every else None

    def at(self, commit: str) -> dict[str, bytes]:
        every = {"main": self.files, **self.revisions}
        return next(files for name, files in every.items() if _commit(name, files) == commit)


@attrs.define
class Fault:
    """What goes wrong with the next `times` requests whose path has `where` in it, after the first `skip` of them."""

    where: str
    times: int = 1
    skip: int = 0
    status: int = 0
    drop_after: int | None = None
    stall: bool = False
    ignore_range: bool = False
    body: bytes | None = None
    headers: Mapping[str, str] = attrs.Factory(dict)


@attrs.frozen
class Seen:
    """One request."""

    method: str
    host: str
    path: str
    range: str
    token: str


@attrs.define
class HubServer:
    """The hub. `requests` are those seen so far, `sent` how many bytes of files went out."""

    repos: dict[str, Repo] = attrs.Factory(dict)
    faults: list[Fault] = attrs.Factory(list)
    requests: list[Seen] = attrs.Factory(list)
    sent: int = 0
    token: str = "hf_right"
    closing: threading.Event = attrs.Factory(threading.Event)
    _server: ThreadingHTTPServer = attrs.field(init=False)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_hub": self}))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def contents_url(self) -> str:
        """Another host, as far as a client can tell."""
        return f"http://localhost:{self.port}"

    def fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.where in path and fault.times > 0:
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_hub: HubServer
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().finish()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub, path = self.server_hub, unquote(urlsplit(self.path).path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        seen = Seen(self.command, self.headers.get("Host", ""), path, self.headers.get("Range", ""), token)
        hub.requests.append(seen)
        fault = hub.fault(path)
        if fault is not None and fault.stall:
            hub.closing.wait(20)
            return
        if fault is not None and (fault.status or fault.body is not None):
            self._answer(fault.status or 200, fault.headers, fault.body or b"")
            return
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            self._list(match[1], match[2] or "main")
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(match[1], match[2], match[3], fault)
        elif match := re.fullmatch(r"/contents/(\w+)", path):
            self._contents(match[1], fault)
        else:
            self._refuse(404, "", "not here")

    # -- the hub -------------------------------------------------------------------------------------------------------

    def _repo(self, name: str, revision: str) -> tuple[Repo, str] | None:
        """The repository and the commit meant, unless that was refused."""
        hub = self.server_hub
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token != hub.token:
            self._refuse(401, "", "Invalid credentials in Authorization header")
            return None
        repo = hub.repos.get(name)
        if repo is None or (repo.private and not token):
            self._refuse(404 if token else 401, "RepoNotFound", "Repository not found")
            return None
        commit = repo.commit(revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return None
        return repo, commit

    def _list(self, name: str, revision: str) -> None:
        found = self._repo(name, revision)
        if found is None:
            return
        repo, commit = found
        detailed = "blobs" in parse_qs(urlsplit(self.path).query) and not repo.bare_listing
        siblings = [_sibling(path, content, detailed) for path, content in repo.at(commit).items()]
        answer = {"id": name, "sha": commit, "gated": "auto" if repo.gated else False, "siblings": siblings}
        self._answer(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def _resolve(self, name: str, revision: str, path: str, fault: Fault | None) -> None:
        found = self._repo(name, revision)
        if found is None:
            return
        repo, commit = found
        if repo.gated:
            self._refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo", "Access is restricted")
            return
        content = repo.at(commit).get(path)
        if content is None:
            self._refuse(404, "EntryNotFound", "Entry not found")
            return
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if len(content) < LARGE:
            self._bytes(content, {**headers, "ETag": f'"{git_sha1(content)}"'}, fault)
            return
        sha = hashlib.sha256(content).hexdigest()
        linked = {"X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{sha}"', "ETag": f'"{commit}"'}
        self._answer(302, {**headers, **linked, "Location": f"{self.server_hub.contents_url}/contents/{sha}"}, b"")

    def _refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
        self._answer(status, headers, json.dumps({"error": message}).encode())

    # -- contents ------------------------------------------------------------------------------------------------------

    def _contents(self, sha: str, fault: Fault | None) -> None:
        if self.headers.get("Authorization"):
            self._answer(400, {}, b"a token was sent to a server of contents")
            return
        for repo in self.server_hub.repos.values():
            for files in (repo.files, *repo.revisions.values()):
                for content in files.values():
                    if hashlib.sha256(content).hexdigest() == sha:
                        self._bytes(content, {"ETag": f'"{sha[:32]}"', "Accept-Ranges": "bytes"}, fault)
                        return
        self._answer(404, {}, b"")

    def _bytes(self, content: bytes, headers: Mapping[str, str], fault: Fault | None) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None or (fault is not None and fault.ignore_range):
            self._answer(200, headers, content, fault)
            return
        start, stop = int(asked[1]), min(int(asked[2] or len(content)) + 1, len(content))
        if start >= len(content):
            self._answer(416, {**headers, "Content-Range": f"bytes */{len(content)}"}, b"")
            return
        said = {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}
        self._answer(206, said, content[start:stop], fault)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes, fault: Fault | None = None) -> None:
        self.send_response(status)
        for name, said in headers.items():
            self.send_header(name, said)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        dropped = fault is not None and fault.drop_after is not None
        for piece in _pieces(body[: fault.drop_after] if fault is not None and dropped else body):
            self.wfile.write(piece)
            if status in (200, 206) and b"/api/" not in self.path.encode():
                self.server_hub.sent += len(piece)
        if dropped:
            self.wfile.flush()
            self.close_connection = True


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 1 << 16):
        yield body[start : start + (1 << 16)]


def _commit(name: str, files: Mapping[str, bytes]) -> str:
    known = repr((name, sorted((path, hashlib.sha256(content).hexdigest()) for path, content in files.items())))
    return hashlib.sha1(known.encode()).hexdigest()


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _sibling(path: str, content: bytes, detailed: bool) -> dict[str, Any]:
    if not detailed:
        return {"rfilename": path}
    said: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": git_sha1(b"pointer" + content)}
    if len(content) < LARGE:
        return {**said, "blobId": git_sha1(content)}
    return {**said, "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 135}}
