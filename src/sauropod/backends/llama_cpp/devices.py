"""What llama.cpp can compute on, and which of it a request means."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from pathlib import Path

import attrs

from sauropod.abc import Device
from sauropod.backends.llama_cpp.library import ggml_function, library
from sauropod.backends.llama_cpp.machine import available_memory
from sauropod.errors import DeviceUnavailable

__all__ = ["NativeDevice", "add_rpc_servers", "choose", "devices", "native_devices"]

_CPU, _GPU, _INTEGRATED = 0, 1, 2
"""enum ggml_backend_dev_type. Accelerators such as BLAS and AMX belong to the CPU, and are no devices of their own."""

_NAMES = {"mtl": "metal"}


@attrs.frozen
class NativeDevice:
    """A device with the pointer by which ggml knows it."""

    device: Device
    pointer: int
    is_gpu: bool


def devices() -> list[Device]:
    """GPUs first, the CPU last."""
    return [native.device for native in native_devices()]


def native_devices() -> list[NativeDevice]:
    library()
    count = ggml_function("ggml_backend_dev_count", ctypes.c_size_t)
    get = ggml_function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
    if count() == 0:  # a build that keeps its backends in files of their own
        folder = Path(library().__file__).parent / "lib"
        ggml_function("ggml_backend_load_all_from_path", None, ctypes.c_char_p)(str(folder).encode())
    found = [_describe(get(index)) for index in range(count())]
    return sorted((native for native in found if native is not None), key=lambda native: not native.is_gpu)


def choose(requested: str, available: Sequence[NativeDevice]) -> list[NativeDevice]:
    """The GPUs a `device=` asks for; none for the CPU.

    `"auto"` takes all GPUs of the first kind there is. `"cuda"` takes all of that kind, `"cuda:0,cuda:1"` these.
    Raises `DeviceUnavailable` if any is not there.
    """
    gpus = [native for native in available if native.is_gpu]
    if requested == "auto":
        return [native for native in gpus if _kind(native) == _kind(gpus[0])]
    if requested == "cpu":
        return []
    chosen = []
    for wanted in requested.lower().split(","):
        matching = [native for native in gpus if wanted.strip() in (native.device.name, _kind(native))]
        if not matching:
            raise DeviceUnavailable(_absent(wanted.strip(), available))
        chosen += matching
    return chosen


def add_rpc_servers(endpoints: Sequence[str]) -> None:
    """Make the devices of llama.cpp RPC servers, each given as host:port, appear among this machine's.

    Raises `DeviceUnavailable` if the build has no RPC or a server cannot be reached.
    """
    if not endpoints:
        return
    if not library().llama_supports_rpc():
        raise DeviceUnavailable(
            "This build of llama-cpp-python has no RPC. Build it with CMAKE_ARGS=-DGGML_RPC=ON, "
            "or leave rpc_servers out."
        )
    registry = ggml_function("ggml_backend_reg_by_name", ctypes.c_void_p, ctypes.c_char_p)(b"RPC")
    address = ggml_function("ggml_backend_reg_get_proc_address", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
        registry, b"ggml_backend_rpc_add_server"
    )
    add_server = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(address)
    register = ggml_function("ggml_backend_register", None, ctypes.c_void_p)
    for endpoint in endpoints:
        added = add_server(endpoint.encode())
        if not added:
            raise DeviceUnavailable(f"No RPC server answers at {endpoint}. Start it there with llama.cpp's rpc-server.")
        register(added)


def _describe(pointer: int) -> NativeDevice | None:
    """A ggml device in our words; None for one that only helps the CPU."""
    kind = ggml_function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)(pointer)
    if kind not in (_CPU, _GPU, _INTEGRATED):
        return None
    name = ggml_function("ggml_backend_dev_name", ctypes.c_char_p, ctypes.c_void_p)(pointer).decode()
    description = ggml_function("ggml_backend_dev_description", ctypes.c_char_p, ctypes.c_void_p)(pointer).decode()
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    sizes = (ctypes.POINTER(ctypes.c_size_t),) * 2
    ggml_function("ggml_backend_dev_memory", None, ctypes.c_void_p, *sizes)(pointer, free, total)
    left = available_memory(free.value) if kind == _CPU else free.value  # of the CPU's, ggml says that all is free
    device = Device(_our_name(name), description, total.value, left)
    return NativeDevice(device, pointer, kind != _CPU)


def _our_name(name: str) -> str:
    """`CUDA0` is `cuda:0`, `MTL0` is `metal:0`, `RPC0[host:port]` is `rpc:0[host:port]`, `CPU` is `cpu`."""
    parts = re.fullmatch(r"([A-Za-z]+)(\d*)(.*)", name)
    if parts is None:
        return name.lower()
    kind = _NAMES.get(parts[1].lower(), parts[1].lower())
    return f"{kind}:{parts[2]}{parts[3]}" if parts[2] else kind + parts[3]


def _kind(native: NativeDevice) -> str:
    return native.device.name.partition(":")[0]


def _absent(wanted: str, available: Sequence[NativeDevice]) -> str:
    there = ", ".join(native.device.name for native in available)
    flags = {
        "cuda": "GGML_CUDA",
        "vulkan": "GGML_VULKAN",
        "metal": "GGML_METAL",
        "hip": "GGML_HIP",
        "sycl": "GGML_SYCL",
    }
    flag = flags.get(wanted.partition(":")[0])
    build = (
        f" If the hardware is there, llama-cpp-python was built without it; build it again: "
        f'CMAKE_ARGS="-D{flag}=ON" pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python '
        f"llama-cpp-python"
        if flag
        else ""
    )
    return f"There is no device {wanted!r}; llama.cpp finds: {there}.{build}"
