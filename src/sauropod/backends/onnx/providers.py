"""onnxruntime's sessions: on the device that was asked for, with threads that do not fight the language model."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from sauropod._log import log
from sauropod._values.info import Placement
from sauropod._values.loading import LoadOptions
from sauropod.backends.onnx.devices import CPU, attempts, chosen_device, devices, not_started, provider_list
from sauropod.backends.onnx.failures import blames_device, load_failure, run_failure
from sauropod.backends.onnx.family import data_files
from sauropod.errors import DeviceUnavailable, UnsupportedModel

if TYPE_CHECKING:
    import onnxruntime
    from numpy.typing import NDArray

__all__ = ["Graph", "devices", "file_bytes", "open_graph", "placed", "session_options"]

logger = log("sauropod.backends.onnx")

KINDS = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


@attrs.define(eq=False)
class Graph:
    """A graph that is ready to run, and where its nodes were put."""

    session: onnxruntime.InferenceSession
    path: Path
    device: str

    @property
    def inputs(self) -> Mapping[str, onnxruntime.NodeArg]:
        return {each.name: each for each in self.session.get_inputs()}

    @property
    def outputs(self) -> Mapping[str, onnxruntime.NodeArg]:
        return {each.name: each for each in self.session.get_outputs()}

    def kind(self, name: str) -> np.dtype[Any]:
        """The type of an input's or output's numbers."""
        arg = self.inputs.get(name) or self.outputs[name]
        return np.dtype(KINDS[arg.type])

    def require(self, inputs: Collection[str], outputs: Collection[str] = ()) -> None:
        """Raise `UnsupportedModel` if any of these is missing."""
        for kind, wanted, there in (("inputs", inputs, self.inputs), ("outputs", outputs, self.outputs)):
            if missing := [name for name in wanted if name not in there]:
                raise UnsupportedModel(
                    f"{self.path.name} is another kind of graph: it lacks the {kind} {', '.join(missing)} (it has "
                    f"{', '.join(there)}). Take the file from a repository whose layout is known."
                )

    def run(self, wanted: Sequence[str], given: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """The outputs named in `wanted`. Raises `BackendError`, or `OutOfMemory`, where onnxruntime fails."""
        try:
            results: list[NDArray[Any]] = self.session.run(list(wanted), dict(given))
        except Exception as error:
            raise run_failure(error, self.path) from error
        return results

    def close(self) -> None:
        """Give its memory back. It cannot run any more."""
        del self.session


def open_graph(path: Path, options: LoadOptions, *, threads: int | None = None) -> Graph:
    """Load a graph on the device that `options` ask for. `threads` is what to use where they ask for no number.

    `device="auto"` is a GPU that works, else the CPU. Any other device is that one or an error; single nodes that it
    cannot compute go to the CPU, and `placed` counts them.

    Raises `DeviceUnavailable`, `ModelNotFound` where no file is, `UnsupportedModel` for what is no graph or one this
    onnxruntime cannot run, and `OutOfMemory`.
    """
    *hopeful, last = attempts(options.device)
    for device in hopeful:
        try:
            return _opened(path, options, device, threads)
        except DeviceUnavailable as error:
            logger.info("The next device is tried: %s", error)
    return _opened(path, options, last, threads)


def _opened(path: Path, options: LoadOptions, device: str, threads: int | None) -> Graph:
    import onnxruntime

    name, provider = chosen_device(device)
    settings = session_options(options, threads)
    try:
        session = onnxruntime.InferenceSession(str(path), settings, providers=provider_list(device))
    except Exception as error:
        if provider != CPU and blames_device(error):
            raise not_started(device) from error
        raise load_failure(error, path) from error
    if provider not in session.get_providers():  # onnxruntime has fallen back to the CPU by itself
        raise not_started(device)
    session.disable_fallback()
    return Graph(session, path, name)


def session_options(options: LoadOptions, threads: int | None = None) -> onnxruntime.SessionOptions:
    """How our sessions compute. `threads` is what to use where `options` ask for no number; else all cores."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.intra_op_num_threads = options.threads or threads or _cores()
    settings.inter_op_num_threads = 1
    # threads that spin between two runs would take the cores from the language model's
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.add_session_config_entry("session.inter_op.allow_spinning", "0")
    settings.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return settings


def placed(graphs: Sequence[Graph], requested: str) -> Placement:
    """Where the nodes of all graphs were put, as onnxruntime tells; its weights as the files have them."""
    total = elsewhere = 0
    names: dict[str, None] = {}
    for graph in graphs:
        for subgraph in graph.session.get_provider_graph_assignment_info():
            count = len(subgraph.get_nodes())
            total += count
            on_cpu = subgraph.ep_name == CPU
            elsewhere += 0 if on_cpu else count
            names["cpu" if on_cpu else graph.device] = None
    weights = sum(file_bytes(graph.path) for graph in graphs)
    return Placement(requested, tuple(names) or ("cpu",), total, elsewhere, weights, 0, 0)


def file_bytes(path: Path) -> int:
    """The size of a graph and of the files that hold its weights."""
    beside = {each.name for each in path.parent.iterdir()}
    return sum((path.parent / name).stat().st_size for name in (path.name, *data_files(beside, path.name)))


def _cores() -> int:
    """Cores this process may use."""
    counted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, counted)
