"""Loading a recogniser through onnx-asr: which model a name means, on which device, and what can go wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from sauropod._log import log
from sauropod._values.loading import LoadOptions
from sauropod.abc import Recognizer
from sauropod.backends.onnx.devices import CPU, attempts, chosen_device, not_started, provider_list
from sauropod.backends.onnx.failures import blames_device, load_failure
from sauropod.backends.onnx.providers import Graph, session_options
from sauropod.backends.onnx_asr.model import PeerRecognizer
from sauropod.errors import DeviceUnavailable, LoadError, ModelNotFound, SauropodError, UnsupportedModel

if TYPE_CHECKING:
    from onnx_asr.adapters import TimestampedResultsAsrAdapter

__all__ = ["Wanted", "load_recognizer", "wanted"]

logger = log("sauropod.backends.onnx_asr")

BEAMSEARCH = "whisper-*_beamsearch*.onnx"
"""What Whisper is called where onnxruntime's own exporter made it; its config.json does not tell."""


@attrs.frozen
class Wanted:
    """What a name means to onnx-asr."""

    model: str | None
    """Its name, or the kind of model in a directory; None if the directory's `config.json` tells."""
    directory: Path | None = None
    quantization: str | None = None


def wanted(name: str) -> Wanted:
    """Take a name apart. Raises `ModelNotFound` for a path where no directory is."""
    for path, quantization in ((name, None), name.rpartition(":")[::2]):
        directory = Path(path).expanduser()
        if path and directory.is_dir():
            kind = "whisper-ort" if next(directory.glob(BEAMSEARCH), None) else None
            return Wanted(kind, directory, quantization or None)
    model, _, quantization = name.partition(":")
    if model.startswith((".", "~", "/")) or model.count("/") > 1 or "\\" in name or not model:
        raise ModelNotFound(
            f"There is no directory {name!r}. Give onnx_asr: a directory with a model, a repository of the Hub such as "
            "onnx-community/whisper-small, or a name such as whisper-base."
        )
    return Wanted(model, None, quantization or None)


def load_recognizer(name: str, options: LoadOptions) -> Recognizer:
    """Load the model. Raises as `Backend.load` does."""
    target = wanted(name)
    *hopeful, last = attempts(options.device)
    for device in hopeful:
        try:
            return _loaded(name, target, options, device)
        except DeviceUnavailable as error:
            logger.info("The next device is tried: %s", error)
    return _loaded(name, target, options, last)


def _loaded(name: str, target: Wanted, options: LoadOptions, device: str) -> Recognizer:
    placed_on, provider = chosen_device(device)
    try:
        adapter = _open(target, options, device)
    except Exception as error:
        if provider != CPU and blames_device(error):
            raise not_started(device) from error
        raise _failure(error, name) from error
    graphs = _graphs(adapter.asr, placed_on)
    if any(provider not in graph.session.get_providers() for graph in graphs):
        raise not_started(device)
    return PeerRecognizer.of(adapter, name, graphs, options)


def _open(target: Wanted, options: LoadOptions, device: str) -> TimestampedResultsAsrAdapter:
    import onnx_asr

    load: Any = onnx_asr.load_model  # which also takes None for the model, though it does not say so
    adapter: TimestampedResultsAsrAdapter = load(
        target.model,
        target.directory,
        quantization=target.quantization,
        sess_options=session_options(options),
        providers=provider_list(device),
        preprocessor_config={"max_concurrent_workers": 2},  # one by one: a batch would share its loudest
    ).with_timestamps()
    return adapter


def _graphs(asr: Any, device: str) -> list[Graph]:
    """The sessions of a model of onnx-asr's, and the files they are from."""
    from onnxruntime import InferenceSession

    sessions = [each for each in vars(asr).values() if isinstance(each, InferenceSession)]
    return [Graph(each, Path(getattr(each, "_model_path", "") or "model.onnx"), device) for each in sessions]


def _failure(error: Exception, name: str) -> SauropodError:
    """Why onnx-asr could not load a model."""
    from onnx_asr.utils import ModelLoadingError, ModelNotSupportedError

    if isinstance(error, LoadError):
        return error
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    if isinstance(error, ModelNotSupportedError):
        return ModelNotFound(
            f"onnx-asr knows no model {name!r}. Give a directory, a repository of the Hub such as "
            "onnx-community/whisper-small, or one of onnx-asr's names such as whisper-base."
        )
    if type(error).__module__.partition(".")[0] in ("huggingface_hub", "httpx", "requests"):
        return ModelNotFound(f"{name} could not be fetched: {text}. Check its name and the connection.")
    if isinstance(error, FileNotFoundError):
        return ModelNotFound(f"{name} is incomplete: {text}. Fetch what is missing, or name another quantisation.")
    if isinstance(error, ModelLoadingError):
        return UnsupportedModel(f"onnx-asr cannot load {name}: {text}.")
    if type(error).__module__.startswith("onnxruntime"):
        graph = re.search(r"Load model from (.+?) failed", text)
        return load_failure(error, Path(graph[1] if graph else name))
    return UnsupportedModel(f"onnx-asr cannot load {name}: {text}. Its files may be damaged, or of another model.")
