"""Models fetched from a hub: a small one on this machine that answers, refuses and fails as the real one does."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import huggingface_hub
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gguf_files
from gguf_files import Typed, Weights
from hub_server import Fault, HubServer, Repo
from sauropod._sources import Progress, find_model, find_projector, installed, local_models, refusals, remove
from sauropod._sources.download import Download
from sauropod._sources.header import Header
from sauropod._sources.hub import Hub, _listing, stored_token
from sauropod._sources.hub_cache import CachedRepo
from sauropod.errors import LoadError, ModelNotFound, UnsupportedModel

NAME = "org/tiny-GGUF"
Q4, Q8 = gguf_files.model("q4", rows=80), gguf_files.model("q8", rows=160)
HEARING = gguf_files.projector(hears=True).ljust(2000, b"\0")
MMPROJ = gguf_files.projector().ljust(2000, b"\0")


def big(rows: int = 40_000) -> bytes:
    """Some 5 MB of model."""
    weights = random.Random(7).randbytes(128 * rows)
    whole = gguf_files.model("big", rows=rows)
    return whole[: -len(weights)] + weights


@pytest.fixture
def server() -> Iterator[HubServer]:
    files = {"README.md": b"# Tiny", "tiny-Q4_K_M.gguf": Q4, "tiny-Q8_0.gguf": Q8}
    with HubServer({NAME: Repo(files)}) as server:
        yield server


@pytest.fixture
def hub(server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(local_models, "demo_path", lambda: tmp_path / "no-demo.gguf")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    for name in ("SAUROPOD_MODELS", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield Hub(
        endpoint=server.url,
        cache=tmp_path / "hub",
        token=lambda: None,
        timeout=5.0,
        pauses=(0.0,) * 4,
        sleep=lambda seconds: None,
    )
    huggingface_hub.close_session()


def refused(hub: Hub, name: str = f"hf:{NAME}") -> str:
    with pytest.raises(ModelNotFound) as caught:
        find_model(name, hub=hub)
    return str(caught.value)


@contextlib.contextmanager
def held_elsewhere(lock: Path) -> Iterator[None]:
    """As if another process were fetching the blob of this lock."""
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

    lock.parent.mkdir(parents=True, exist_ok=True)
    held, release = threading.Event(), threading.Event()

    def other() -> None:
        with WeakFileLock(lock):
            held.set()
            release.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    held.wait(10)
    try:
        yield
    finally:
        release.set()
        thread.join()


def no_links(*paths: object) -> None:
    raise OSError("a required privilege is not held by the client")


def fetch_as_others_do(hub: Hub, file: str) -> Path:
    options: dict[str, Any] = {"cache_dir": hub.cache, "endpoint": hub.endpoint, "token": False}
    return Path(huggingface_hub.hf_hub_download(NAME, file, **options))


# -- fetching ----------------------------------------------------------------------------------------------------------


def test_a_model_is_fetched_by_name(server: HubServer, hub: Hub) -> None:
    found = find_model(f"hf:{NAME}", hub=hub)
    assert found.name == f"{NAME}:Q4_K_M"
    assert [path.read_bytes() for path in found.files] == [Q4]
    assert found.projector is None


@pytest.mark.parametrize("name", [f"{NAME}:q8_0", f"hf:{NAME}/tiny-Q8_0.gguf", f"hf:{NAME}@main:Q8_0"])
def test_any_way_of_naming_it_leads_to_the_same_file(hub: Hub, name: str) -> None:
    assert find_model(name, hub=hub).files[0].read_bytes() == Q8


def test_a_link_to_the_hub_in_use_is_followed(server: HubServer, hub: Hub) -> None:
    assert find_model(f"{server.url}/{NAME}/blob/main/tiny-Q8_0.gguf", hub=hub).files[0].read_bytes() == Q8


def test_a_cached_model_needs_no_network(server: HubServer, hub: Hub) -> None:
    first = find_model(f"hf:{NAME}", hub=hub)
    server.requests.clear()
    for name in (NAME, f"{NAME}:Q4_K_M", f"{NAME}@main", f"{NAME}/tiny-Q4_K_M.gguf"):
        assert find_model(name, hub=hub).files == first.files
    commit = first.files[0].parent.name
    assert find_model(f"{NAME}@{commit}", hub=hub).files == first.files
    assert find_model(f"{NAME}@{commit[:8]}", hub=hub).files == first.files
    assert server.requests == []


def test_what_is_here_is_preferred_to_what_would_have_to_be_fetched(server: HubServer, hub: Hub) -> None:
    find_model(f"{NAME}:Q8_0", hub=hub)
    server.requests.clear()
    assert find_model(NAME, hub=hub).name == f"{NAME}:Q8_0"
    assert server.requests == []


def test_the_cache_is_shared_with_huggingface_hub_both_ways(server: HubServer, hub: Hub) -> None:
    ours = find_model(f"{NAME}:Q4_K_M", hub=hub).files[0]
    theirs = huggingface_hub.try_to_load_from_cache(NAME, "tiny-Q4_K_M.gguf", cache_dir=hub.cache)
    assert theirs == str(ours)
    q8 = fetch_as_others_do(hub, "tiny-Q8_0.gguf")
    server.requests.clear()
    assert find_model(f"{NAME}:Q8_0", hub=hub).files == (q8,)
    assert server.requests == []
    scan = huggingface_hub.scan_cache_dir(hub.cache)
    assert (scan.warnings, scan.incomplete_files) == ([], frozenset())
    assert [repo.repo_id for repo in scan.repos] == [NAME]


def test_the_check_refuses_before_the_gigabytes(server: HubServer, hub: Hub) -> None:
    vocabulary = {"tokenizer.ggml.tokens": [b"token"] * 150_000, "tokenizer.ggml.merges": [b"to ken"] * 150_000}
    metadata = {"general.architecture": "unheard-of", **vocabulary}
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = gguf_files.gguf(metadata, [Weights("a", (6_000_000,))])
    seen: list[Header] = []

    def refuse(header: Header) -> None:
        seen.append(header)
        raise UnsupportedModel("cannot run this")

    with pytest.raises(UnsupportedModel, match="cannot run this"):
        find_model(NAME, hub=hub, check=refuse)
    assert [each.architecture for each in seen] == ["unheard-of"]
    assert server.sent < 10_000_000
    assert not hub.cache.exists()


def test_the_check_is_made_once(hub: Hub) -> None:
    seen: list[Header] = []
    find_model(NAME, hub=hub, check=seen.append)
    assert len(seen) == 1
    find_model(NAME, hub=hub, check=seen.append)
    assert len(seen) == 2


def test_what_is_no_model_is_refused_while_it_is_far_away(server: HubServer, hub: Hub) -> None:
    files = server.repos[NAME].files
    files["tiny-Q4_K_M.gguf"] = gguf_files.adapter() + bytes(5_000_000)
    with pytest.raises(UnsupportedModel, match=f"{NAME}/tiny-Q4_K_M.gguf is an adapter"):
        find_model(NAME, hub=hub)
    files["tiny-Q4_K_M.gguf"] = big()[:3_000_000]
    with pytest.raises(UnsupportedModel, match=r"cut short\. It is so on the hub: take another file\."):
        find_model(NAME, hub=hub)
    files["tiny-Q4_K_M.gguf"] = Q4[:200] + bytes(10)
    with pytest.raises(UnsupportedModel, match=r"cut short, .*\. It is so on the hub: take another file\."):
        find_model(NAME, hub=hub)
    assert not hub.cache.exists()


# -- broken off --------------------------------------------------------------------------------------------------------


def ranges(server: HubServer) -> list[int]:
    """Where the requests for contents began."""
    contents = [each for each in server.requests if "/contents/" in each.path]
    return [int(each.range.removeprefix("bytes=").split("-")[0]) for each in contents]


def test_a_dropped_connection_is_taken_up_where_it_broke(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = big()
    server.faults.append(Fault("/contents/", skip=1, times=2, drop_after=2_000_000))
    assert find_model(NAME, hub=hub).files[0].read_bytes() == big()
    header, *rest = ranges(server)
    assert (header, rest[0], len(rest)) == (0, 0, 3)
    assert rest == sorted(set(rest))
    assert server.sent < len(big()) + 2_000_000


def test_a_download_that_was_stopped_goes_on_next_time(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = big()

    class Enough(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.done > 2_000_000:
            raise Enough

    with pytest.raises(Enough):
        find_model(NAME, hub=hub, progress=stop)
    (partial,) = hub.cache.glob("*/blobs/*.incomplete")
    kept = partial.stat().st_size
    assert kept > 2_000_000
    assert huggingface_hub.scan_cache_dir(hub.cache).warnings == []
    server.requests.clear()
    seen: list[Progress] = []
    assert find_model(NAME, hub=hub, progress=seen.append).files[0].read_bytes() == big()
    assert ranges(server) == [0, kept]
    assert seen[0].done > kept
    assert seen[-1] == Progress("tiny-Q4_K_M.gguf", len(big()), len(big()))
    assert not partial.exists()


def test_what_was_kept_may_be_spoilt(server: HubServer, hub: Hub) -> None:
    listing = hub.list(NAME)
    (file,) = [each for each in listing.files if each.path == "tiny-Q4_K_M.gguf"]
    repo = CachedRepo(hub.cache, NAME)
    for left in (b"x" * 100, b"x" * len(Q4), b"x" * (len(Q4) + 1)):
        repo.partial(file.oid or "").parent.mkdir(parents=True, exist_ok=True)
        repo.partial(file.oid or "").write_bytes(left)
        seen: list[Progress] = []
        assert find_model(NAME, hub=hub, progress=seen.append).files[0].read_bytes() == Q4
        assert seen[-1] == Progress("tiny-Q4_K_M.gguf", len(Q4), len(Q4))
        remove(NAME, hub=hub)


def test_a_file_that_arrives_damaged_is_not_kept(server: HubServer, hub: Hub) -> None:
    server.faults.append(Fault("/contents/", skip=1, body=bytes(len(Q4))))
    with pytest.raises(LoadError, match="arrived damaged: its checksum"):
        find_model(NAME, hub=hub)
    assert [each for each in hub.cache.rglob("*") if each.is_file() and each.suffix != ".lock"] == []
    assert find_model(NAME, hub=hub).files[0].read_bytes() == Q4


def test_a_connection_that_always_breaks_is_given_up(server: HubServer, hub: Hub) -> None:
    waits: list[float] = []
    patient = attrs.evolve(hub, pauses=(1.0, 2.0, 3.0), sleep=waits.append)
    server.faults.append(Fault("/contents/", skip=1, times=100, drop_after=0))
    message = refused(patient, NAME)
    assert f"{NAME}/tiny-Q4_K_M.gguf could not be fetched from {server.url}" in message
    assert "what has arrived is kept" in message
    assert waits == [1.0, 2.0, 3.0]
    server.faults.clear()
    assert find_model(NAME, hub=hub).files[0].read_bytes() == Q4


def test_a_connection_that_moves_at_all_is_not_given_up(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = big()
    server.faults.append(Fault("/contents/", skip=1, times=40, drop_after=300_000))
    assert find_model(NAME, hub=hub).files[0].read_bytes() == big()
    assert len(ranges(server)) > 10


def test_a_connection_that_stands_still_is_dropped(server: HubServer, hub: Hub) -> None:
    server.faults.append(Fault("/contents/", stall=True))
    assert find_model(NAME, hub=attrs.evolve(hub, timeout=0.1)).files[0].read_bytes() == Q4


def test_a_server_that_ignores_ranges_is_read_all_the_same(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = big()
    server.faults += [
        Fault("/contents/", skip=1, drop_after=2_500_000),
        Fault("/contents/", times=9, ignore_range=True),
    ]
    assert find_model(NAME, hub=hub).files[0].read_bytes() == big()


def test_a_busy_hub_is_asked_again_when_it_says(server: HubServer, hub: Hub) -> None:
    waits: list[float] = []
    patient = attrs.evolve(hub, pauses=(1.0, 2.0), sleep=waits.append)
    server.faults += [
        Fault("/api/", status=503, headers={"Retry-After": "\xb2"}),
        Fault("/api/", status=429, headers={"Retry-After": "7"}),
        Fault("/resolve/", status=500, headers={"Retry-After": "9999"}),
        Fault("/contents/", status=403),  # a link to contents that has expired
    ]
    assert find_model(NAME, hub=patient).files[0].read_bytes() == Q4
    assert waits == [1.0, 7.0, 30.0, 2.0]
    server.faults.append(Fault("/api/", status=502, times=9))
    assert "the hub answered 502. Try again in a while" in refused(patient, f"{NAME}:Q8_0")


def test_a_hub_that_cannot_be_reached_is_soon_given_up(server: HubServer, hub: Hub) -> None:
    waits: list[float] = []
    nobody = attrs.evolve(hub, endpoint="http://127.0.0.1:9", pauses=(1.0,) * 5, sleep=waits.append)
    assert "models that are already on this machine load without a network" in refused(nobody)
    assert len(waits) == 2
    find_model(NAME, hub=hub)
    assert find_model(NAME, hub=nobody).files[0].read_bytes() == Q4


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_what_is_not_there_is_said_to_be_so(server: HubServer, hub: Hub) -> None:
    assert f"There is no repository org/absent at {server.url}. Check the name; if it is private, log in" in refused(
        hub, "hf:org/absent"
    )
    assert f"{NAME} has no branch, tag or commit 'v9'" in refused(hub, f"{NAME}@v9")
    assert "tiny-Q4_K_M.gguf  (" in refused(hub, f"{NAME}/absent.gguf")
    assert "Nor is there a file or directory 'org/absent' here." in refused(hub, "org/absent")
    message = refused(hub, f"{NAME}:Q2_K")
    assert message.startswith(f"{NAME} has no Q2_K file. It has:\n  tiny-Q4_K_M.gguf  (")
    assert "tiny-Q8_0.gguf  (" in message


def test_what_is_here_is_named_when_something_else_is_not_there(server: HubServer, hub: Hub) -> None:
    find_model(NAME, hub=hub)
    offline = attrs.evolve(hub, offline=True)
    assert "there are on this machine: tiny-Q4_K_M.gguf" in refused(offline, f"hf:{NAME}:Q8_0")


def test_a_private_repository_asks_for_a_token(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].private = True
    assert "if it is private, log in with `hf auth login`, or set HF_TOKEN" in refused(hub)
    assert find_model(NAME, hub=attrs.evolve(hub, token=lambda: "hf_right")).files[0].read_bytes() == Q4
    assert {each.token for each in server.requests if "/contents/" in each.path} == {""}


def test_a_wrong_token_is_named_as_the_reason(server: HubServer, hub: Hub) -> None:
    assert "does not accept the token it was shown" in refused(attrs.evolve(hub, token=lambda: "hf_wrong"))


def test_a_gated_repository_says_where_to_accept_its_conditions(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].gated = True
    message = refused(hub)
    assert f"Accept them at {server.url}/{NAME} and log in with `hf auth login`, or set HF_TOKEN" in message
    message = refused(attrs.evolve(hub, token=lambda: "hf_right"))
    assert "with the account whose token is in use, and wait until access is granted" in message


def test_other_refusals_are_passed_on() -> None:
    about = refusals.Request(NAME, "main", "https://hub.example", "a.gguf")
    for status, headers, had_token, said in (
        (
            403,
            {"x-error-message": "Token lacks scope"},
            True,
            r"does not let the token in use read .* \(Token lacks scope\)",
        ),
        (403, {}, False, "Log in with `hf auth login`"),
        (404, {}, False, "has no file 'a.gguf'"),
        (404, {"x-error-code": "EntryNotFound"}, True, "has no file 'a.gguf'"),
        (418, {"x-error-message": "teapot"}, False, "answered 418 when asked for org/tiny-GGUF/a.gguf: teapot"),
    ):
        error = refusals.refusal(about, status, headers, had_token)
        assert isinstance(error, ModelNotFound)
        with pytest.raises(ModelNotFound, match=said):
            raise error


def test_a_repository_without_gguf_files_says_what_to_look_for(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files = {"model.safetensors": bytes(2000), "config.json": b"{}"}
    with pytest.raises(UnsupportedModel, match=r"conversion is not supported yet\. Look for a repository"):
        find_model(NAME, hub=hub)
    with pytest.raises(UnsupportedModel, match="not a GGUF file"):
        find_model(f"{NAME}/model.safetensors", hub=hub)


def test_a_login_page_in_between_is_recognised(server: HubServer, hub: Hub) -> None:
    for body in (b"<html>Log in</html>", b"[]", b"{}", b'{"sha": 1, "siblings": []}', b"[" * 100_000):
        server.faults.append(Fault("/api/", body=body))
        assert "does not answer as a model hub does" in refused(hub)
    server.faults.append(Fault("/api/", body=b" " * (1 << 25 | 1)))
    assert "its answer has no end" in refused(hub)
    assert "HF_ENDPOINT must begin with https://" in refused(attrs.evolve(hub, endpoint="hub.example"))


def test_an_answer_that_fits_no_question_is_refused(server: HubServer, hub: Hub) -> None:
    server.faults.append(Fault("/contents/", status=206, body=b"GGUF"))
    assert "answers a request for a part of a file with something else" in refused(hub)
    server.faults.append(Fault("/contents/", status=206, body=b"GGUF", headers={"Content-Range": "bytes 9-12/99"}))
    assert "answers a request for a part of a file with something else" in refused(hub)
    server.repos[NAME].bare_listing = True
    server.faults.append(Fault("/resolve/", body=b"GGUF"))
    assert "does not say how long the file is" in refused(hub)


@given(
    st.recursive(
        st.one_of(st.none(), st.integers(), st.text(max_size=8), st.just("a" * 40), st.just("m.gguf")),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["sha", "siblings", "rfilename", "lfs", "size", "sha256"]), inner, max_size=4
            ),
        ),
        max_leaves=12,
    )
)
def test_any_answer_is_a_listing_or_refused(answer: object) -> None:
    try:
        listing = _listing(json.dumps(answer).encode(), refusals.Request(NAME, "main", "https://hub.example"))
    except ModelNotFound:
        return
    assert all(isinstance(each.path, str) for each in listing.files)


def test_files_that_would_leave_the_cache_are_not_listed() -> None:
    paths = [
        "../x.gguf",
        "/etc/x.gguf",
        "a/../../x.gguf",
        "a\\x.gguf",
        "C:x.gguf",
        "a//x.gguf",
        "\0.gguf",
        "",
        "x" * 300,
    ]
    answer = {"sha": "0" * 40, "siblings": [{"rfilename": path} for path in [*paths, "sub/fine.gguf"]]}
    listing = _listing(json.dumps(answer).encode(), refusals.Request(NAME, "main", "https://hub.example"))
    assert [each.path for each in listing.files] == ["sub/fine.gguf"]


def test_a_mirror_that_lists_only_names_will_do(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].bare_listing = True
    server.repos[NAME].files["small-Q2_K.gguf"] = gguf_files.model(rows=1)[:999].ljust(999, b"\0")
    found = find_model(NAME, hub=hub)
    assert found.files[0].read_bytes() == Q4
    assert found.files[0].resolve().parent.name == "blobs"


# -- no network --------------------------------------------------------------------------------------------------------


def test_offline_mode_keeps_to_what_is_here(server: HubServer, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    find_model(NAME, hub=hub)
    server.requests.clear()
    offline = attrs.evolve(hub, offline=True)
    assert find_model(NAME, hub=offline, refresh=True).files[0].read_bytes() == Q4
    assert "HF_HUB_OFFLINE keeps it from being fetched" in refused(offline, f"{NAME}:Q8_0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE keeps it from being fetched" in refused(hub, f"{NAME}:Q8_0")
    assert server.requests == []


def test_the_environment_counts_when_a_model_is_asked_for(
    server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.repos[NAME].private = True
    monkeypatch.setenv("HF_ENDPOINT", f"{server.url}/")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    found = find_model(NAME)
    assert found.files[0].is_relative_to(tmp_path / "home" / "hub" / "models--org--tiny-GGUF" / "snapshots")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert find_model(NAME) == found
    assert [each.name for each in installed()] == [f"{NAME}:Q4_K_M"]
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    assert stored_token() is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PROXY", "foo:3128x"),
        ("HTTP_PROXY", "gopher://proxy"),
        ("http_proxy", "socks5://localhost:1"),
        ("SSL_CERT_FILE", "/nonexistent.pem"),
        ("SSL_CERT_FILE", __file__),
        ("HF_TOKEN", "hf_é"),
        ("HF_ENDPOINT", "http://127.0.0.1:notaport"),
        ("HF_ENDPOINT", "http://[::1"),
    ],
)
def test_a_wrong_setting_is_told_as_such(hub: Hub, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv(name, value)
    huggingface_hub.close_session()
    with pytest.raises(LoadError, match=rf"because a setting is wrong: .* these are set: .*{name}"):
        find_model(NAME)


def test_settings_that_huggingface_hub_cannot_read_are_told_as_such(tmp_path: Path) -> None:
    code = """
from sauropod._sources import find_model, remove
from sauropod.errors import LoadError
for call in (find_model, remove):
    try:
        call("org/repo")
    except LoadError as error:
        print(error)
"""
    environment = {**os.environ, "HF_HUB_DOWNLOAD_TIMEOUT": "30.5", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.count("because a setting is wrong: ") == 2
    assert done.stdout.count("HF_HUB_DOWNLOAD_TIMEOUT") == 2


def test_the_name_of_a_model_of_our_own_needs_no_endpoint(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://[::1")
    Path("model.gguf").write_bytes(Q4)
    assert find_model("./model.gguf").files[0].read_bytes() == Q4


# -- several files -----------------------------------------------------------------------------------------------------


def split(server: HubServer, *contents: bytes) -> None:
    total = len(contents)
    names = [f"Q4_K_M/tiny-Q4_K_M-{n:05}-of-{total:05}.gguf" for n in range(1, total + 1)]
    server.repos[NAME].files = dict(zip(names, contents, strict=True))


def test_a_split_model_is_fetched_whole(server: HubServer, hub: Hub) -> None:
    split(server, *gguf_files.parts(3))
    seen: list[Header] = []
    found = find_model(NAME, hub=hub, check=seen.append)
    assert [path.read_bytes() for path in found.files] == gguf_files.parts(3)
    assert [tensor.name for tensor in seen[0].tensors] == ["tiny.0", "tiny.1", "tiny.2"]
    found.files[1].unlink()
    assert find_model(NAME, hub=hub) == found


def test_parts_that_do_not_belong_together_are_not_fetched(server: HubServer, hub: Hub) -> None:
    split(server, gguf_files.parts(2)[0], gguf_files.parts(3)[1])
    with pytest.raises(UnsupportedModel, match="calls itself part 2 of 3"):
        find_model(NAME, hub=hub)
    del server.repos[NAME].files["Q4_K_M/tiny-Q4_K_M-00002-of-00002.gguf"]
    assert "lacks 1 of the 2 parts of a split model" in refused(hub)
    assert not hub.cache.exists()


def test_a_projector_that_hears_is_fetched_with_its_model(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["mmproj-F16.gguf"] = HEARING
    found = find_model(NAME, hub=hub)
    assert found.projector is not None
    assert found.projector.read_bytes() == HEARING
    assert find_model(NAME, hub=attrs.evolve(hub, offline=True)) == found


def test_a_projector_that_is_damaged_is_in_nobodys_way(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["mmproj-F16.gguf"] = b"GGUF" + bytes(200)
    assert find_model(NAME, hub=hub).projector is None


def test_a_projector_is_named_by_its_file(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["mmproj-F16.gguf"] = HEARING
    found = find_projector(f"{NAME}/mmproj-F16.gguf", hub=hub)
    assert found.read_bytes() == HEARING
    asked = len(server.requests)
    assert find_projector(f"hf:{NAME}/mmproj-F16.gguf", hub=hub) == found
    assert len(server.requests) == asked
    with pytest.raises(ModelNotFound, match="named by its file"):
        find_projector(NAME, hub=hub)
    with pytest.raises(UnsupportedModel, match="is taken for a multimodal projector and is none"):
        find_projector(f"{NAME}/tiny-Q8_0.gguf", hub=hub)


def test_a_projector_of_pictures_that_is_here_is_named_and_none_is_fetched(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["mmproj-F16.gguf"] = MMPROJ
    assert find_model(NAME, hub=hub).projector is None
    there = fetch_as_others_do(hub, "mmproj-F16.gguf")
    assert find_model(NAME, hub=hub).projector == there


# -- versions ----------------------------------------------------------------------------------------------------------


def test_a_new_version_is_fetched_when_it_is_looked_for(server: HubServer, hub: Hub) -> None:
    old = find_model(NAME, hub=hub)
    find_model(f"{NAME}:Q8_0", hub=hub)
    newer = gguf_files.model("newer", rows=90)
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = newer
    assert find_model(f"{NAME}:Q4_K_M", hub=hub) == old
    server.requests.clear()
    new = find_model(f"{NAME}:Q4_K_M", hub=hub, refresh=True)
    assert new.files[0].read_bytes() == newer
    assert old.files[0].read_bytes() == Q4
    server.requests.clear()
    assert find_model(f"{NAME}:Q8_0", hub=hub).files[0].parent == new.files[0].parent, "unchanged files move along"
    assert find_model(f"{NAME}@{old.files[0].parent.name}:Q4_K_M", hub=hub).files == old.files
    assert server.requests == []


def test_a_model_is_called_by_a_name_that_means_no_other(server: HubServer, hub: Hub) -> None:
    server.repos["org/two"] = Repo({"alpha-Q8_0.gguf": Q4, "beta-Q8_0.gguf": Q8}, {"v1": {"alpha-Q8_0.gguf": Q4}})
    assert find_model("org/two/alpha-Q8_0.gguf", hub=hub).name == "org/two/alpha-Q8_0.gguf"
    found = find_model("org/two@v1", hub=hub)
    assert found.name == "org/two@v1:Q8_0"
    assert find_model(found.name, hub=hub) == found


def test_only_a_hub_that_cannot_be_asked_leaves_the_copy_that_is_here(
    server: HubServer, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    found = find_model(NAME, hub=hub)
    with pytest.raises(ModelNotFound, match="does not accept the token it was shown") as caught:
        find_model(NAME, hub=attrs.evolve(hub, token=lambda: "hf_wrong"), refresh=True)
    assert "there are on this machine: tiny-Q4_K_M.gguf" in str(caught.value)
    with pytest.raises(ModelNotFound, match="must begin with https://"):
        find_model(NAME, hub=attrs.evolve(hub, endpoint="hub.example"), refresh=True)
    assert caplog.messages == []
    server.faults.append(Fault("/api/", times=9, status=503))
    assert find_model(NAME, hub=hub, refresh=True) == found
    assert find_model(NAME, hub=attrs.evolve(hub, offline=True), refresh=True) == found
    assert caplog.messages == [
        f"Using the copy of {NAME} that is here: {server.url} could not give {NAME} just now: the hub answered 503. "
        f"Try again in a while.",
        f"Using the copy of {NAME} that is here: HF_HUB_OFFLINE keeps it from being compared with the hub's.",
    ]


def test_looking_for_a_new_version_costs_one_request_when_there_is_none(server: HubServer, hub: Hub) -> None:
    first = find_model(NAME, hub=hub)
    server.requests.clear()
    assert find_model(NAME, hub=hub, refresh=True) == first
    assert len(server.requests) == 1


def test_a_download_that_fails_leaves_the_old_version_in_place(server: HubServer, hub: Hub) -> None:
    old = find_model(NAME, hub=hub)
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = gguf_files.model("newer", rows=90)
    server.faults.append(Fault("/contents/", times=100, status=500))
    with pytest.raises(ModelNotFound):
        find_model(NAME, hub=hub, refresh=True)
    assert find_model(NAME, hub=hub) == old


def test_revisions_are_kept_apart(server: HubServer, hub: Hub) -> None:
    old = gguf_files.model("old", rows=70)
    server.repos[NAME].revisions = {"v1": {"tiny-Q4_K_M.gguf": old}, "refs/pr/3": {"tiny-Q4_K_M.gguf": Q8}}
    assert find_model(NAME, hub=hub).files[0].read_bytes() == Q4
    assert find_model(f"{NAME}@v1", hub=hub).files[0].read_bytes() == old
    assert find_model(f"{NAME}@refs/pr/3", hub=hub).files[0].read_bytes() == Q8
    names = {each.name for each in installed(hub=hub)}
    assert names == {f"{NAME}:Q4_K_M", f"{NAME}@v1:Q4_K_M", f"{NAME}@refs%2Fpr%2F3:Q4_K_M"}
    server.requests.clear()
    for name in names:
        find_model(name, hub=hub)
    assert server.requests == []
    assert huggingface_hub.scan_cache_dir(hub.cache).warnings == []


# -- room and company --------------------------------------------------------------------------------------------------


def test_too_little_room_is_noticed_before_the_download(
    server: HubServer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = big(160_000)
    usage = type("usage", (), {"free": 5_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(LoadError, match=r"needs 20\.5 MB more, and 5\.0 MB are free .* choose a smaller quantisation"):
        find_model(NAME, hub=hub)
    assert server.sent < 2_000_000


def test_a_cache_that_cannot_be_written_says_so(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LoadError, match=r"cannot be written: Not a directory\. Make room there, or set HF_HOME"):
        find_model(NAME, hub=attrs.evolve(hub, cache=tmp_path / "file" / "hub"))


def test_two_at_once_fetch_a_file_once(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = big()
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.extend(find_model(NAME, hub=hub).files)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert server.sent < len(big()) + 3 * 1_100_000, "the file once, and its header three times"


def test_while_another_process_fetches_the_wait_can_be_stopped(
    server: HubServer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sauropod._sources.download.LOCK_PATIENCE", 0.01)
    listing = hub.list(NAME)
    (file,) = [each for each in listing.files if each.path == "tiny-Q4_K_M.gguf"]

    def stop(count: int) -> None:
        raise InterruptedError(count)

    with held_elsewhere(CachedRepo(hub.cache, NAME).lock(file.oid or "")), pytest.raises(InterruptedError):
        Download(hub, listing, file).run(stop)
    assert Download(hub, listing, file).run(lambda count: None).read_bytes() == Q4


def test_without_links_the_file_itself_is_put_in_place(
    server: HubServer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "symlink_to", no_links)
    found = find_model(NAME, hub=hub)
    assert not found.files[0].is_symlink()
    server.requests.clear()
    assert find_model(NAME, hub=hub) == found
    assert server.requests == []
    assert remove(NAME, hub=hub).bytes == len(Q4)


def test_very_large_files_are_left_to_huggingface_hub(server: HubServer, hub: Hub) -> None:
    """Beyond a size the hub speaks only its own protocol, which huggingface_hub has; here it falls back to HTTP."""
    listing = hub.list(NAME)
    (file,) = [each for each in listing.files if each.path == "tiny-Q8_0.gguf"]
    arrived: list[int] = []
    path = Download(hub, listing, file, plain_limit=100).run(arrived.append)
    assert path.read_bytes() == Q8
    assert arrived == [len(Q8)]
    server.repos[NAME].gated = True
    (other,) = [each for each in listing.files if each.path == "tiny-Q4_K_M.gguf"]
    with pytest.raises(ModelNotFound, match="Accept them at"):
        Download(hub, listing, other, plain_limit=100).run(arrived.append)


# -- progress ----------------------------------------------------------------------------------------------------------


def test_progress_counts_up_to_the_whole_of_all_files(server: HubServer, hub: Hub) -> None:
    split(server, *(raw.ljust(1500, b"\0") for raw in gguf_files.parts(3)))
    seen: list[Progress] = []
    find_model(NAME, hub=hub, progress=seen.append)
    assert [each.done for each in seen] == [1500, 3000, 4500]
    assert {each.total for each in seen} == {4500}
    assert [each.file for each in seen] == list(server.repos[NAME].files)
    find_model(NAME, hub=hub, progress=seen.append)
    assert len(seen) == 3, "nothing is told of a cached model"


def test_nothing_is_drawn_where_nobody_watches(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    find_model(NAME, hub=hub)
    assert capfd.readouterr() == ("", "")


def test_a_bar_is_drawn_in_a_terminal_and_not_for_a_cached_model(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    find_model(NAME, hub=hub)
    drawn = capsys.readouterr()
    assert "tiny-Q4_K_M.gguf: 100%" in drawn.err
    assert drawn.out == ""
    find_model(NAME, hub=hub)
    assert capsys.readouterr() == ("", "")


# -- what is installed -------------------------------------------------------------------------------------------------


def test_what_was_fetched_is_listed_by_names_that_load_it(server: HubServer, hub: Hub) -> None:
    server.repos["org/two"] = Repo({"a-Q4_K_M.gguf": Q4, "b-Q4_K_M.gguf": Q8, "c.gguf": gguf_files.model(rows=99)})
    for name in (NAME, f"{NAME}:Q8_0", "org/two/a-Q4_K_M.gguf", "org/two/b-Q4_K_M.gguf", "org/two/c.gguf"):
        find_model(name, hub=hub)
    found = {each.name: each for each in installed(hub=hub)}
    assert list(found) == [
        f"{NAME}:Q4_K_M",
        f"{NAME}:Q8_0",
        "org/two/a-Q4_K_M.gguf",
        "org/two/b-Q4_K_M.gguf",
        "org/two/c.gguf",
    ]
    assert found[f"{NAME}:Q8_0"].bytes == len(Q8)
    assert (found["org/two/c.gguf"].quantization, found["org/two/c.gguf"].architecture) == ("Q4_K_M", "llama")
    for name, model in found.items():
        assert find_model(name, hub=attrs.evolve(hub, offline=True)).files == tuple(model.files)


def test_one_quantisation_is_removed_and_the_others_stay(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["mmproj-F16.gguf"] = MMPROJ
    find_model(NAME, hub=hub)
    find_model(f"{NAME}:Q8_0", hub=hub)
    fetch_as_others_do(hub, "mmproj-F16.gguf")
    assert remove(f"{NAME}:q4_k_m", hub=hub).bytes == len(Q4)
    assert [each.name for each in installed(hub=hub)] == [f"{NAME}:Q8_0"]
    assert find_model(NAME, hub=attrs.evolve(hub, offline=True)).projector is not None
    assert remove(f"hf:{NAME}/tiny-Q8_0.gguf", hub=hub).bytes == len(Q8) + len(MMPROJ)
    assert not CachedRepo(hub.cache, NAME).folder.exists()
    with pytest.raises(ModelNotFound, match="is not in the cache"):
        remove(NAME, hub=hub)


def test_a_quantisation_that_two_models_have_removes_neither(server: HubServer, hub: Hub) -> None:
    server.repos["org/two"] = Repo({"alpha-Q8_0.gguf": Q4, "beta-Q8_0.gguf": Q8})
    for name in ("alpha", "beta"):
        find_model(f"org/two/{name}-Q8_0.gguf", hub=hub)
    with pytest.raises(ModelNotFound) as caught:
        remove("org/two:Q8_0", hub=hub)
    assert "stands for several models" in str(caught.value)
    assert "\n  org/two/alpha-Q8_0.gguf\n  org/two/beta-Q8_0.gguf" in str(caught.value)
    assert len(installed(hub=hub)) == 2
    assert [path.name for path in remove("org/two/beta-Q8_0.gguf", hub=hub).files] == ["beta-Q8_0.gguf"]
    assert [path.name for path in remove("org/two:Q8_0", hub=hub).files] == ["alpha-Q8_0.gguf"]


def test_a_quantisation_means_the_plain_one_when_removed_too(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files = {"tiny-Q4_K_XL.gguf": Q4, "tiny-UD-Q4_K_XL.gguf": Q8}
    find_model(f"{NAME}:Q4_K_XL", hub=hub)
    find_model(f"{NAME}:UD-Q4_K_XL", hub=hub)
    remove(f"{NAME}:Q4_K_XL", hub=hub)
    assert [each.name for each in installed(hub=hub)] == [f"{NAME}:UD-Q4_K_XL"]
    remove(f"{NAME}:Q4_K_XL", hub=hub)
    assert installed(hub=hub) == []


def test_what_is_not_there_cannot_be_removed(hub: Hub) -> None:
    find_model(NAME, hub=hub)
    with pytest.raises(ModelNotFound, match=f"Did you mean {NAME}:Q4_K_M"):
        remove(f"{NAME}:Q4_K_S", hub=hub)
    with pytest.raises(ModelNotFound, match="is not in the cache"):
        remove(f"{NAME}@v1", hub=hub)


def test_what_other_programs_keep_in_a_repository_stays(server: HubServer, hub: Hub) -> None:
    find_model(NAME, hub=hub)
    readme = fetch_as_others_do(hub, "README.md")
    assert remove(NAME, hub=hub).bytes == len(Q4)
    assert readme.read_bytes() == b"# Tiny"


def test_a_download_that_was_stopped_is_removed_with_its_repository(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].files["tiny-Q4_K_M.gguf"] = big()

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_model(NAME, hub=hub, progress=stop)
    assert installed(hub=hub) == []
    assert remove(NAME, hub=hub).bytes > 0
    assert list(hub.cache.glob("models--*")) == []


def test_a_download_of_another_process_is_not_removed(server: HubServer, hub: Hub) -> None:
    find_model(f"{NAME}:Q8_0", hub=hub)
    repo = CachedRepo(hub.cache, NAME)
    half = repo.partial("0" * 64)
    half.write_bytes(b"half")
    with held_elsewhere(repo.lock("0" * 64)):
        with pytest.raises(LoadError, match=f"{NAME} is being fetched by another process"):
            remove(NAME, hub=hub)
        assert [each.name for each in installed(hub=hub)] == [f"{NAME}:Q8_0"]
        remove(f"{NAME}:Q8_0", hub=hub)
    assert half.read_bytes() == b"half"
    remove(NAME, hub=hub)
    assert not repo.folder.exists() or not half.exists()


def test_a_blob_that_several_revisions_share_is_kept_for_the_others(server: HubServer, hub: Hub) -> None:
    server.repos[NAME].revisions = {"v1": {"tiny-Q4_K_M.gguf": Q4}}
    find_model(NAME, hub=hub)
    find_model(f"{NAME}@v1", hub=hub)
    assert [each.name for each in installed(hub=hub)] == [f"{NAME}:Q4_K_M"]
    assert remove(f"{NAME}@v1", hub=hub).bytes == 0
    assert find_model(NAME, hub=attrs.evolve(hub, offline=True)).files[0].read_bytes() == Q4


def test_a_broken_cache_entry_is_fetched_again(server: HubServer, hub: Hub) -> None:
    found = find_model(NAME, hub=hub)
    found.files[0].resolve().unlink()
    assert installed(hub=hub) == []
    assert find_model(NAME, hub=hub) == found


def test_a_spoilt_cache_entry_is_named_as_such(server: HubServer, hub: Hub) -> None:
    found = find_model(NAME, hub=hub)
    os.truncate(found.files[0], 5000)
    with pytest.raises(UnsupportedModel, match=rf"cut short\. Remove it with `sauropod rm {NAME}:Q4_K_M`, and"):
        find_model(NAME, hub=hub)
    remove(f"{NAME}:Q4_K_M", hub=hub)
    assert find_model(NAME, hub=hub).files[0].read_bytes() == Q4


@pytest.mark.parametrize("links", [True, False])
def test_half_a_file_in_the_cache_is_mended_when_a_newer_version_is_looked_for(
    server: HubServer, hub: Hub, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(Path, "symlink_to", no_links)
    found = find_model(NAME, hub=hub)
    os.truncate(found.files[0], 5000)
    assert find_model(NAME, hub=hub, refresh=True) == found
    assert found.files[0].read_bytes() == Q4
    server.requests.clear()
    assert find_model(NAME, hub=hub, refresh=True) == found
    assert len(server.requests) == 1


def test_half_a_very_large_file_is_mended_too(server: HubServer, hub: Hub) -> None:
    found = find_model(NAME, hub=hub)
    os.truncate(found.files[0], 5000)
    listing = hub.list(NAME)
    (file,) = [each for each in listing.files if each.path == "tiny-Q4_K_M.gguf"]
    assert Download(hub, listing, file, plain_limit=100).run(lambda count: None).read_bytes() == Q4


def test_half_a_file_is_not_brought_to_light_by_another(server: HubServer, hub: Hub) -> None:
    (half,) = [each for each in hub.list(NAME).files if each.path == "tiny-Q8_0.gguf"]
    blob = CachedRepo(hub.cache, NAME).blob(half.oid or "")
    blob.parent.mkdir(parents=True)
    blob.write_bytes(Q8[:5000])
    find_model(NAME, hub=hub)
    assert [each.name for each in installed(hub=hub)] == [f"{NAME}:Q4_K_M"]


def test_the_header_of_the_whole_is_what_parts_say_of_tensors(server: HubServer, hub: Hub) -> None:
    first = gguf_files.parts(2)[0]
    split(server, first, gguf_files.parts(2, "other")[1])
    find_model(NAME, hub=hub)
    split(server, first, gguf_files.gguf({"split.no": Typed("H", 1), "split.count": Typed("H", 2)}))
    with pytest.raises(UnsupportedModel, match="hold 1 tensors together and should hold 2"):
        find_model(NAME, hub=hub, refresh=True)
