"""What onnxruntime raises, as errors of ours that say what to do."""

from __future__ import annotations

import re
from pathlib import Path

from sauropod.errors import BackendError, ModelNotFound, OutOfMemory, SauropodError, UnsupportedModel

__all__ = ["blames_device", "load_failure", "run_failure"]

BEGINNINGS = (
    (b"version https://git-lfs", "a pointer of Git LFS and not the file itself. Fetch it with: git lfs pull"),
    (b"PK\x03\x04", "a zip archive. Unpack it first"),
    (b"GGUF", "a GGUF file, which llama.cpp runs. Leave out onnx: before its name"),
    (b"<", "a web page or XML. Download the file itself"),
    (b"{", "JSON. Download the graph itself"),
)
"""How files begin that are taken for graphs by mistake."""

ADVICE = (
    (r"external data", "The weights are in a file of their own beside it, which is missing. Fetch that one, too"),
    (r"external initializer|out of bounds", "The file beside it that holds the weights is incomplete. Fetch it anew"),
    (r"unsupported model ir version|opset", "It is newer than this onnxruntime. Update: pip install -U onnxruntime"),
    (r"no op registered|not_?implemented", "It needs operators that this onnxruntime lacks. Take another export of it"),
    (r"protobuf|no graph was found", "The file is damaged or is no ONNX graph. Fetch it anew"),
)
"""What to do about what a message of onnxruntime's says, the first that fits."""

FORMALITIES = (
    r"^\[ONNXRuntimeError\] : \d+ : \w+ : ",
    r"^Load model from .* failed: ?",
    r"^\S*onnxruntime_src.*\) (?=[A-Z])",  # where in its sources
)
"""What messages of onnxruntime's begin with."""

LONGEST = 300
"""Characters of a message of onnxruntime's that are passed on."""


def load_failure(error: Exception, path: Path) -> SauropodError:
    """Why the graph at `path` could not be loaded."""
    if _out_of_memory(error):
        return _no_memory(error, f"{path.name} could not be loaded")
    if type(error).__name__ == "NoSuchFile":
        return ModelNotFound(f"There is no file {path}. Check the path, or fetch the model again.")
    if found := _mistaken(path):
        return UnsupportedModel(f"{path.name} is no ONNX graph but {found}.")
    fitting = (advice for pattern, advice in ADVICE if re.search(pattern, str(error), re.IGNORECASE))
    advice = next(fitting, "The file may be damaged")
    return UnsupportedModel(f"{path.name} cannot be loaded: {_message(error)}. {advice}.")


def run_failure(error: Exception, path: Path) -> SauropodError:
    """Why the graph from `path` failed while it ran."""
    if _out_of_memory(error):
        return _no_memory(error, f"{path.name} failed")
    return BackendError(f"{path.name} failed: {_message(error)}.")


def blames_device(error: Exception) -> bool:
    """Whether a session could not be made because of the device, and not because of the graph or of memory."""
    return not _out_of_memory(error) and bool(
        re.search(r"cuda|cudnn|cublas|driver|no device|device_id|invalid device", str(error), re.IGNORECASE)
    )


def _mistaken(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        beginning = file.read(64)
    if not beginning:
        return "an empty file. Fetch it anew"
    return next((what for start, what in BEGINNINGS if beginning.lstrip().startswith(start)), None)


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or bool(
        re.search(r"fail\w* to allocate|bad.?alloc|out of memory|allocat\w+ (of|fail)", str(error), re.IGNORECASE)
    )


def _no_memory(error: Exception, what: str) -> OutOfMemory:
    return OutOfMemory(f"{what}: {_message(error)}. Use a smaller or quantised model, or free some memory.")


def _message(error: Exception) -> str:
    """What onnxruntime says, without where in its sources."""
    text = " ".join(str(error).split()) or type(error).__name__
    for passage in FORMALITIES:
        text = re.sub(passage, "", text)
    return text[:LONGEST].rstrip(". ")
