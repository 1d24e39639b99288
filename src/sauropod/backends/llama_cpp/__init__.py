"""GGUF models through llama.cpp, by way of llama-cpp-python's low-level bindings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from sauropod.abc import Backend, Device, LanguageModel, LoadOptions, Source

__all__ = ["LlamaCpp"]


class LlamaCpp(Backend):
    """Registered as `llama_cpp`. The library is loaded when a model or the list of devices is asked for."""

    suffixes: ClassVar[Sequence[str]] = (".gguf",)

    def supports(self, architecture: str) -> bool:
        """Whether the installed library names this architecture. True if no library can be found to ask."""
        return not self._library or architecture.encode() + b"\0" in self._library

    def devices(self) -> Sequence[Device]:
        from sauropod.backends.llama_cpp.devices import devices

        return devices()

    def load(self, source: Source, options: LoadOptions) -> LanguageModel:
        from sauropod.backends.llama_cpp.loading import load

        return load(source, options)

    @cached_property
    def _library(self) -> bytes:
        """libllama as a file. The names of all architectures it can run stand in it as C strings."""
        package = find_spec("llama_cpp")
        folders = [Path(place) / "lib" for place in (package.submodule_search_locations or ())] if package else []
        files = [
            file for folder in folders for file in folder.glob("*llama.*") if file.suffix in (".so", ".dylib", ".dll")
        ]
        return files[0].read_bytes() if files else b""
