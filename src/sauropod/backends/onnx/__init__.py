"""Ears and mouths as ONNX graphs, computed by onnxruntime.

Each family of models is a module of its own and says itself which files it needs (`family.py`). Nothing here imports
onnxruntime before a model is loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from sauropod._values.info import Device
from sauropod._values.loading import LoadOptions, Source
from sauropod.abc import Backend, SpeechModel
from sauropod.backends.onnx.families import load_family, select_files
from sauropod.errors import BackendNotFound

__all__ = ["Onnx"]


class Onnx(Backend):
    """Runs speech models through onnxruntime's providers."""

    suffixes: ClassVar[Sequence[str]] = (".onnx",)

    def select(self, files: Collection[str], quantization: str | None) -> Sequence[str]:
        return select_files(files, quantization)

    def devices(self) -> Sequence[Device]:
        require_onnxruntime()
        from sauropod.backends.onnx.providers import devices

        return devices()

    def load(self, source: Source, options: LoadOptions) -> SpeechModel:
        require_onnxruntime()
        return load_family(source, options)


def require_onnxruntime() -> None:
    """Raise `BackendNotFound` if onnxruntime is not installed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendNotFound(
            'Speech needs onnxruntime, which is not installed. Install it with: pip install "sauropod[speech]"'
        ) from error
    onnxruntime.disable_telemetry_events()  # nothing leaves this machine unasked
