"""Models of several files: found here, fetched from a hub, used again without one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import huggingface_hub
import pytest

from hub_server import Fault, HubServer, Repo
from sauropod._sources import Progress, find_files
from sauropod._sources.hub import Hub
from sauropod._values.loading import Source
from sauropod.errors import LoadError, ModelNotFound, UnsupportedModel

NAME = "org/mouth-ONNX"
GRAPH, SMALL = b"g" * 5000, b"s" * 3000
FILES = {
    "README.md": b"# A mouth",
    "onnx/model.onnx": GRAPH,
    "onnx/model_int8.onnx": SMALL,
    "voices/a.bin": b"a" * 1024,
    "voices/b.bin": b"b" * 1024,
    "tokenizer.json": b"{}",
}


def select(files: Collection[str], quantization: str | None) -> Sequence[str]:
    """As a backend does, from the names alone."""
    graph = "onnx/model.onnx" if quantization is None else f"onnx/model_{quantization}.onnx"
    if "onnx/model.onnx" not in files:
        raise UnsupportedModel("There is no mouth among these files.")
    if graph not in files:
        raise ModelNotFound(f"There is no {quantization}.")
    return [graph, "tokenizer.json", *sorted(each for each in files if each.startswith("voices/"))]


@pytest.fixture
def server() -> Iterator[HubServer]:
    with HubServer({NAME: Repo(dict(FILES)), "org/other": Repo({"a.txt": b"nothing"})}) as server:
        yield server


@pytest.fixture
def hub(server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    for name in ("SAUROPOD_MODELS", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield Hub(
        endpoint=server.url,
        cache=tmp_path / "hub",
        token=lambda: None,
        timeout=5.0,
        pauses=(0.0,) * 2,
        sleep=lambda seconds: None,
    )
    huggingface_hub.close_session()


def find(hub: Hub, name: str = NAME) -> Source:
    return find_files(name, select, demo="demo-mouth", hub=hub)


def fetched(server: HubServer) -> set[str]:
    """The files that were asked for."""
    return {name for name in [*FILES, "a.txt"] if any(seen.path.endswith(f"/{name}") for seen in server.requests)}


def contents(source: Source) -> dict[str, bytes]:
    assert source.root is not None
    return {path.relative_to(source.root).as_posix(): path.read_bytes() for path in source.files}


def test_what_the_backend_chooses_is_fetched_and_nothing_else(hub: Hub, server: HubServer) -> None:
    source = find(hub)
    expected = {name: data for name, data in FILES.items() if name not in ("README.md", "onnx/model_int8.onnx")}
    assert contents(source) == expected
    assert source.name == NAME
    assert fetched(server) == set(expected)


def test_it_is_used_again_without_asking_anybody(hub: Hub, server: HubServer) -> None:
    first = find(hub)
    server.requests.clear()
    assert contents(find(hub)) == contents(first)
    assert server.requests == []


def test_another_precision_is_fetched_when_it_is_asked_for(hub: Hub, server: HubServer) -> None:
    find(hub)
    server.requests.clear()
    assert contents(find(hub, f"{NAME}:int8"))["onnx/model_int8.onnx"] == SMALL
    assert fetched(server) == {"onnx/model_int8.onnx"}
    assert find(hub, f"{NAME}:int8").name == f"{NAME}:int8"
    with pytest.raises(ModelNotFound, match=f"{NAME}: There is no q4"):
        find(hub, f"{NAME}:q4")


def test_a_broken_download_goes_on_where_it_was(hub: Hub, server: HubServer) -> None:
    server.faults.append(Fault("model.onnx", times=9, drop_after=2000))
    told: list[Progress] = []
    source = find_files(NAME, select, demo="x", hub=hub, progress=told.append)
    assert contents(source)["onnx/model.onnx"] == GRAPH
    assert told[-1].done == told[-1].total


def test_without_a_network_what_is_here_is_used_and_what_is_not_is_said(hub: Hub, server: HubServer) -> None:
    with pytest.raises(ModelNotFound):
        find_files(NAME, select, demo="x", hub=Hub(endpoint=server.url, cache=hub.cache, offline=True))
    find(hub)
    offline = Hub(endpoint=server.url, cache=hub.cache, offline=True)
    assert contents(find_files(NAME, select, demo="x", hub=offline))["onnx/model.onnx"] == GRAPH


def test_a_cache_that_lost_a_file_is_mended(hub: Hub) -> None:
    source = find(hub)
    lost = next(path for path in source.files if path.name == "b.bin")
    lost.unlink()
    assert contents(find(hub))["voices/b.bin"] == b"b" * 1024


def test_what_another_program_fetched_is_used_where_there_is_no_network(hub: Hub, server: HubServer) -> None:
    find(hub)
    (note,) = hub.cache.rglob(".sauropod-listing")
    note.unlink()
    offline = Hub(endpoint=server.url, cache=hub.cache, offline=True)
    assert contents(find_files(NAME, select, demo="x", hub=offline))["onnx/model.onnx"] == GRAPH


def test_a_repository_with_something_else_is_refused_by_name(hub: Hub, server: HubServer) -> None:
    with pytest.raises(UnsupportedModel, match="org/other: There is no mouth"):
        find(hub, "org/other")
    assert fetched(server) == set()


def test_a_file_that_would_not_be_taken_is_refused(hub: Hub) -> None:
    with pytest.raises(UnsupportedModel, match="is none of those that would"):
        find(hub, f"hf:{NAME}/onnx/model_int8.onnx")


# -- on this machine ---------------------------------------------------------------------------------------------------


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    root = tmp_path / "mouths" / "mouth"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / ".git").mkdir()
    (root / ".git" / "model.onnx").write_bytes(b"")
    return root


def test_a_directory_is_a_model(hub: Hub, directory: Path) -> None:
    source = find(hub, str(directory))
    assert source.root == directory
    assert contents(source)["onnx/model.onnx"] == GRAPH
    by_precision = find_files({"path": str(directory), "quantization": "int8"}, select, demo="x", hub=hub)
    assert "onnx/model_int8.onnx" in contents(by_precision)


def test_a_name_is_found_here_and_in_the_directories_of_models(
    hub: Hub, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelNotFound, match="no file or directory 'mouth'"):
        find(hub, "mouth")
    monkeypatch.setenv("SAUROPOD_MODELS", str(directory.parent))
    assert find(hub, "mouth").root == directory


def test_a_path_like_a_repository_is_the_directory_if_there_is_one(hub: Hub, directory: Path) -> None:
    assert find(hub, "mouths/mouth").root == directory


@pytest.mark.parametrize(
    ("name", "error", "complaint"),
    [
        ("./nowhere", ModelNotFound, "There is no"),
        ("./mouths/mouth/voices", UnsupportedModel, "no mouth"),
        ("demo", ModelNotFound, "lacks its demo models"),
        ("a:b:c", ModelNotFound, "names no model"),
    ],
)
def test_what_is_not_there_is_said(
    hub: Hub, directory: Path, name: str, error: type[LoadError], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        find(hub, name)


def test_a_backend_that_chooses_what_is_not_there_is_told(hub: Hub, directory: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"lacks what its backend asks for: ghost\.onnx"):
        find_files(str(directory), lambda files, quantization: ["ghost.onnx"], demo="x", hub=hub)
