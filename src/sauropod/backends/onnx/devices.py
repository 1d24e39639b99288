"""The devices onnxruntime computes on, and what it calls them."""

from __future__ import annotations

from collections.abc import Sequence

from sauropod._values.info import Device
from sauropod.errors import DeviceUnavailable, UnsupportedInput

__all__ = ["CPU", "attempts", "chosen_device", "devices", "not_started", "provider_list"]

CPU = "CPUExecutionProvider"
PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
}
"""What `device=` takes and what onnxruntime calls it, the one to prefer first."""

AUTOMATIC = ("cuda",)
"""What `device="auto"` tries before the CPU: where every model of ours is known to be faster."""

NUMBERED = ("cuda", "tensorrt", "rocm", "migraphx", "directml")
"""Those of which a machine may have several, told apart by `device_id`."""

BUILDS = {
    "cuda": "onnxruntime-gpu",
    "tensorrt": "onnxruntime-gpu",
    "directml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
}
"""The package that has it. It replaces onnxruntime: both are one module."""


def devices() -> list[Device]:
    """What this build of onnxruntime was made for; the CPU last."""
    import onnxruntime

    built = onnxruntime.get_available_providers()
    found = [Device(f"{name}:0", provider) for name, provider in PROVIDERS.items() if provider in built]
    return [*found, Device("cpu", CPU)]


def attempts(requested: str) -> Sequence[str]:
    """The devices to try in turn: of `"auto"` those that this build was made for, of any other only itself."""
    if requested != "auto":
        return (requested,)
    return (*(name for name in AUTOMATIC if PROVIDERS[name] in _built()), "cpu")


def chosen_device(requested: str) -> tuple[str, str]:
    """The device, numbered unless it is the CPU, and onnxruntime's name for what computes on it.

    Raises `DeviceUnavailable`, or `UnsupportedInput` for what is no name of a device.
    """
    kind, colon, index = requested.partition(":")
    if kind == "cpu":
        return "cpu", CPU
    if kind not in PROVIDERS:
        raise DeviceUnavailable(
            f"onnxruntime knows no device {requested!r}. Known are cpu, {', '.join(PROVIDERS)}, and numbered ones such "
            "as cuda:1."
        )
    if colon and not (index.isascii() and index.isdigit()):
        raise UnsupportedInput(f"A device is numbered like cuda:1; got {requested!r}.")
    if PROVIDERS[kind] not in _built():
        there = ", ".join(name for name, provider in PROVIDERS.items() if provider in _built()) or "the CPU only"
        build = BUILDS.get(kind)
        advice = f" Install one that can: pip uninstall onnxruntime; pip install {build}." if build else ""
        raise DeviceUnavailable(
            f"This onnxruntime was built without {PROVIDERS[kind]}, which device={requested!r} needs (it has {there})."
            f'{advice} Or take device="cpu".'
        )
    return requested if index else f"{kind}:0", PROVIDERS[kind]


def provider_list(device: str) -> list[tuple[str, dict[str, str]]]:
    """What onnxruntime is asked for: the device, then the CPU for what it cannot compute."""
    name, provider = chosen_device(device)
    kind, _, index = name.partition(":")
    asked = (provider, {"device_id": index} if kind in NUMBERED else {})
    return [asked] if provider == CPU else [asked, (CPU, {})]


def not_started(device: str) -> DeviceUnavailable:
    """The error for a device that is not there."""
    return DeviceUnavailable(
        f"onnxruntime could not start {chosen_device(device)[1]} for device={device!r}: there is no such device "
        "here, or its driver or one of its libraries is missing. Install what that provider needs "
        '(for CUDA: pip install "onnxruntime-gpu[cuda,cudnn]"), or take device="cpu".'
    )


def _built() -> Sequence[str]:
    import onnxruntime

    return list(onnxruntime.get_available_providers())
