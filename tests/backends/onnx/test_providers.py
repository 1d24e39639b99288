"""Sessions are where they say they are, and what cannot be loaded is an error that says what to do."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sauropod.abc import LoadOptions
from sauropod.errors import (
    BackendError,
    DeviceUnavailable,
    ModelNotFound,
    OutOfMemory,
    UnsupportedInput,
    UnsupportedModel,
)

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.backends.onnx.bound import BoundRun  # noqa: E402
from sauropod.backends.onnx.devices import CPU  # noqa: E402
from sauropod.backends.onnx.failures import blames_device, load_failure, run_failure  # noqa: E402
from sauropod.backends.onnx.providers import (  # noqa: E402
    devices,
    file_bytes,
    open_graph,
    placed,
    session_options,
)
from sauropod.testing.models.speech.graphs import Drawing  # noqa: E402

CPU_ONLY = LoadOptions(device="cpu", threads=1)


def doubling(path: Path, *, external_data: bool = False) -> Path:
    """A graph that gives twice what it is given, by a matrix of four kilobytes."""
    draw = Drawing("doubling")
    value = draw.input("x", np.float32, "rows", 32)
    twice = draw.add("MatMul", value, draw.constant(2 * np.eye(32, dtype=np.float32)))
    draw.output("y", twice, np.float32, "rows", 32)
    return draw.write(path, external_data=external_data)


# -- what is loaded --------------------------------------------------------------------------------------------------


def test_a_graph_runs_and_says_where_it_is(tmp_path: Path) -> None:
    graph = open_graph(doubling(tmp_path / "g.onnx"), LoadOptions(device="auto", threads=1))
    (y,) = graph.run(["y"], {"x": np.ones((3, 32), np.float32)})
    np.testing.assert_array_equal(y, np.full((3, 32), 2, np.float32))
    found = placed([graph], "auto")
    assert found.requested == "auto"
    assert found.weight_bytes == graph.path.stat().st_size
    if onnxruntime.get_available_providers()[-1] == CPU and len(devices()) == 1:
        assert (found.devices, found.offloaded_layers) == (("cpu",), 0)
    assert found.layers > 0


def test_weights_beside_a_graph_are_loaded_and_counted(tmp_path: Path) -> None:
    plain = open_graph(doubling(tmp_path / "a.onnx"), CPU_ONLY)
    beside = open_graph(doubling(tmp_path / "b.onnx", external_data=True), CPU_ONLY)
    x = np.arange(32, dtype=np.float32)[None]
    np.testing.assert_array_equal(plain.run(["y"], {"x": x})[0], beside.run(["y"], {"x": x})[0])
    assert file_bytes(beside.path) == sum(each.stat().st_size for each in tmp_path.glob("b.onnx*")) > 4096


def test_files_that_are_links_into_a_cache_are_loaded(tmp_path: Path) -> None:
    doubling(tmp_path / "blobs" / "g.onnx", external_data=True)
    snapshot = tmp_path / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    for name in ("g.onnx", "g.onnx.data"):
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    graph = open_graph(snapshot / "g.onnx", CPU_ONLY)
    assert file_bytes(graph.path) > 4096
    assert graph.run(["y"], {"x": np.ones((1, 32), np.float32)})[0].sum() == 64


def test_a_bound_run_reads_and_writes_the_same_arrays(tmp_path: Path) -> None:
    graph = open_graph(doubling(tmp_path / "g.onnx"), CPU_ONLY)
    x, y = np.zeros((2, 32), np.float32), np.zeros((2, 32), np.float32)
    bound = BoundRun(graph, {"x": x}, {"y": y})
    for value in (1, 5):
        x[:] = value
        bound.run()
        assert (y == 2 * value).all()


def test_a_bound_run_on_another_device_hands_the_arrays_over(tmp_path: Path) -> None:
    graph = open_graph(doubling(tmp_path / "g.onnx"), CPU_ONLY)
    graph.device = "cuda:0"  # what it does then needs no such device
    x, y = np.ones((2, 32), np.float32), np.zeros((2, 32), np.float32)
    BoundRun(graph, {"x": x}, {"y": y}).run()
    assert (y == 2).all()


def test_threads_neither_spin_nor_are_more_than_asked_for() -> None:
    settings = session_options(LoadOptions(threads=3), threads=1)
    assert settings.intra_op_num_threads == 3
    assert session_options(LoadOptions(), threads=1).intra_op_num_threads == 1
    assert session_options(LoadOptions()).intra_op_num_threads >= 1
    for pool in ("intra_op", "inter_op"):
        assert settings.get_session_config_entry(f"session.{pool}.allow_spinning") == "0"


def test_a_closed_graph_lets_go_of_its_session(tmp_path: Path) -> None:
    graph = open_graph(doubling(tmp_path / "g.onnx"), CPU_ONLY)
    graph.close()
    assert not hasattr(graph, "session")


# -- devices ---------------------------------------------------------------------------------------------------------


def test_the_cpu_is_the_last_of_the_devices() -> None:
    assert devices()[-1].name == "cpu"


@pytest.fixture
def built_for_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if onnxruntime-gpu were installed on a machine without a driver."""
    built = ["CUDAExecutionProvider", CPU]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: built)


no_cuda = pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="this onnxruntime computes on CUDA"
)


@no_cuda
def test_a_build_without_cuda_says_which_has_it(tmp_path: Path) -> None:
    with pytest.raises(DeviceUnavailable, match="pip install onnxruntime-gpu"):
        open_graph(doubling(tmp_path / "g.onnx"), LoadOptions(device="cuda"))


@no_cuda
@pytest.mark.usefixtures("built_for_cuda")
def test_cuda_that_does_not_start_is_an_error_and_not_the_cpu(tmp_path: Path) -> None:
    with warnings.catch_warnings(action="ignore"), pytest.raises(DeviceUnavailable, match=r"could not start .*cudnn"):
        open_graph(doubling(tmp_path / "g.onnx"), LoadOptions(device="cuda:1"))


@no_cuda
@pytest.mark.usefixtures("built_for_cuda")
def test_auto_is_the_cpu_where_cuda_does_not_start(tmp_path: Path) -> None:
    with warnings.catch_warnings(action="ignore"):
        graph = open_graph(doubling(tmp_path / "g.onnx"), LoadOptions(threads=1))
    assert graph.device == "cpu"
    assert placed([graph], "auto").devices == ("cpu",)


@pytest.mark.parametrize(
    ("device", "error"), [("gpu", DeviceUnavailable), ("cuda:x", UnsupportedInput), ("cuda:", UnsupportedInput)]
)
def test_a_device_nobody_knows_is_refused(device: str, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        open_graph(doubling(tmp_path / "g.onnx"), LoadOptions(device=device))


# -- what cannot be loaded -------------------------------------------------------------------------------------------


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def zipped(path: Path) -> None:
    content = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.onnx", content)


def edited(change: Callable[[Any], None]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        model = onnx.load(path)
        change(model)
        onnx.save(model, path)

    return edit


def opset(model: Any) -> None:
    model.opset_import[0].version = 99


def ir(model: Any) -> None:
    model.ir_version = 99


def operator(model: Any) -> None:
    model.graph.node[0].op_type = "Nonsense"


def wrong_shape(model: Any) -> None:
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.zeros((7, 32), np.float32), model.graph.initializer[0].name)
    )


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (truncated, "Fetch it anew"),
    "empty": (lambda path: path.write_bytes(b""), "empty file"),
    "noise": (lambda path: path.write_bytes(bytes(range(256)) * 20), "Fetch it anew"),
    "zip": (zipped, "zip archive"),
    "git lfs": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid x"), "git lfs pull"),
    "web page": (lambda path: path.write_text("\n<!doctype html>"), "web page"),
    "json": (lambda path: path.write_text('{"error": 404}'), "JSON"),
    "gguf": (lambda path: path.write_bytes(b"GGUF\3\0\0\0"), "GGUF"),
    "opset": (edited(opset), "newer than this onnxruntime"),
    "ir": (edited(ir), "newer than this onnxruntime"),
    "operator": (edited(operator), "operators that this onnxruntime lacks"),
    "shape": (edited(wrong_shape), "damaged"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_an_error_that_says_what_to_do(damage: str, tmp_path: Path) -> None:
    path = doubling(tmp_path / "g.onnx")
    spoil, advice = DAMAGE[damage]
    spoil(path)
    with pytest.raises(UnsupportedModel, match=rf"(?s)^g\.onnx.*{advice}") as raised:
        open_graph(path, CPU_ONLY)
    assert raised.value.__cause__ is not None
    assert len(str(raised.value)) < 500


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="There is no file"):
        open_graph(tmp_path / "g.onnx", CPU_ONLY)


@pytest.mark.parametrize(("kept", "advice"), [(None, "which is missing"), (1000, "is incomplete")])
def test_weights_that_are_not_all_there_are_an_error(kept: int | None, advice: str, tmp_path: Path) -> None:
    path = doubling(tmp_path / "g.onnx", external_data=True)
    data = tmp_path / "g.onnx.data"
    content = data.read_bytes()
    data.unlink()
    if kept is not None:
        data.write_bytes(content[:kept])
    with pytest.raises(UnsupportedModel, match=advice):
        open_graph(path, CPU_ONLY)


def test_what_a_graph_cannot_take_is_a_backend_error(tmp_path: Path) -> None:
    graph = open_graph(doubling(tmp_path / "g.onnx"), CPU_ONLY)
    with pytest.raises(BackendError, match=r"g\.onnx failed: .*rank") as raised:
        graph.run(["y"], {"x": np.zeros(32, np.float32)})
    assert raised.value.__cause__ is not None
    bound = BoundRun(graph, {"x": np.zeros((2, 32), np.float32)}, {"y": np.zeros((5, 32), np.float32)})
    with pytest.raises(BackendError, match=r"g\.onnx failed"):
        bound.run()


def test_a_graph_without_what_is_wanted_is_refused(tmp_path: Path) -> None:
    graph = open_graph(doubling(tmp_path / "g.onnx"), CPU_ONLY)
    graph.require(["x"], ["y"])
    with pytest.raises(UnsupportedModel, match=r"lacks the outputs z \(it has y\)"):
        graph.require(["x"], ["y", "z"])


@pytest.mark.parametrize(
    "text",
    [
        "Failed to allocate memory for requested buffer of size 4294967296",
        "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : std::bad_alloc",
        "CUDA failure 2: out of memory ; GPU=0",
        "bfc_arena.cc:376 Available memory of 0 is smaller than requested: failed to allocate",
    ],
)
def test_where_memory_runs_out_the_error_says_so(text: str, tmp_path: Path) -> None:
    error = RuntimeError(text)
    assert isinstance(load_failure(error, tmp_path), OutOfMemory)
    assert isinstance(run_failure(error, tmp_path), OutOfMemory)
    assert not blames_device(error)


def test_a_missing_driver_is_the_devices_fault() -> None:
    assert blames_device(RuntimeError("CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version"))
    assert not blames_device(RuntimeError("Protobuf parsing failed."))
