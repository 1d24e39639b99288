"""Whisper, and whatever else the package onnx-asr hears with, from a directory or by a name that it knows.

Parakeet is better off with the backend `onnx`, which computes concurrent callers together; here clips are heard one by
one. Nothing here imports onnx-asr before a model is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence

from sauropod._values.info import Device
from sauropod._values.loading import LoadOptions, Source
from sauropod.abc import Backend, Recognizer
from sauropod.errors import BackendNotFound

__all__ = ["OnnxAsr"]


class OnnxAsr(Backend):
    """Runs the recognisers that onnx-asr knows."""

    def devices(self) -> Sequence[Device]:
        require_onnx_asr()
        from sauropod.backends.onnx.devices import devices

        return devices()

    def load(self, source: Source, options: LoadOptions) -> Recognizer:
        """Load `source.name`: a directory, `whisper-base` or another name of onnx-asr's, or a repository of the Hub.

        After a colon there may be a quantisation, as in `whisper-base:int8`. What is not there is fetched by onnx-asr.
        """
        require_onnx_asr()
        from sauropod.backends.onnx_asr.loading import load_recognizer

        return load_recognizer(source.name, options)


def require_onnx_asr() -> None:
    """Raise `BackendNotFound` if onnx-asr or onnxruntime is not installed."""
    try:
        import onnx_asr  # noqa: F401
        import onnxruntime
    except ImportError as error:
        raise BackendNotFound(
            "Whisper and the other models of onnx-asr need that package, which is not installed. Install it with: "
            'pip install "sauropod[whisper]"'
        ) from error
    onnxruntime.disable_telemetry_events()  # nothing leaves this machine unasked
