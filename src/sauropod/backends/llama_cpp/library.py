"""The native library: loaded once, its log sent to `logging`."""

from __future__ import annotations

import ctypes
import functools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from sauropod._log import log
from sauropod.errors import BackendNotFound

__all__ = ["ggml_function", "library", "listening", "log_callback"]

_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.INFO, 4: logging.WARNING}
"""enum ggml_log_level, one step lower: its errors are raised as well, and its warnings are seldom for users."""

_CONTINUED = 5


_ENVIRONMENT = {
    "GOMP_SPINCOUNT": "10000",
    "GGML_NO_BACKTRACE": "1",
}
"""Read by the libraries as they are loaded. GNU OpenMP's threads otherwise spin at barriers for so long that any other
busy process slows a step down fifty times; ggml otherwise attaches a debugger to itself when an assertion fails."""


@functools.cache
def library() -> Any:
    """llama-cpp-python's module of C functions, initialised.

    Raises `BackendNotFound` if it is not installed or cannot be loaded.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from llama_cpp import llama_cpp
    except ImportError as error:
        missing = "llama-cpp-python" if (error.name or "llama_cpp") == "llama_cpp" else error.name
        raise BackendNotFound(
            f'GGUF models need {missing}, which is not installed. Run: pip install "sauropod[llama]"'
        ) from error
    except (OSError, RuntimeError) as error:  # what its loader raises for a missing or broken shared library
        raise BackendNotFound(
            f"llama-cpp-python is installed but its native library cannot be loaded ({error}). "
            "Build it again: pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python llama-cpp-python"
        ) from error
    _native_log().connect(llama_cpp)
    llama_cpp.llama_log_set(log_callback(), ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp


def ggml_function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of ggml, which llama-cpp-python loads but does not bind."""
    function = next(getattr(part, name) for part in _ggml_libraries() if hasattr(part, name))
    function.restype, function.argtypes = result, arguments
    return function


def log_callback() -> Any:
    """The C function that takes the lines of native logs, once the library is loaded."""
    return _native_log().callback


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect the native log's lines meanwhile: the only place where llama.cpp says why a load failed, and what it
    put where."""
    lines: list[str] = []
    _native_log().listeners.append(lines)
    try:
        yield lines
    finally:
        listeners = _native_log().listeners
        del listeners[next(at for at, each in enumerate(listeners) if each is lines)]  # equal ones are others'


@functools.cache
def _ggml_libraries() -> list[ctypes.CDLL]:
    """Linkers differ in whether a library also offers what it depends on, so each is asked by itself."""
    from llama_cpp._ctypes_extensions import load_shared_library

    loaded = library()
    folder = Path(loaded.__file__).parent / "lib"
    return [loaded._lib, *(load_shared_library(name, folder) for name in ("ggml", "ggml-base"))]


@attrs.define(eq=False)
class _NativeLog:
    """Puts the library's log together line by line. There is one, because the library has one."""

    listeners: list[list[str]] = attrs.field(factory=list)
    _logger: logging.Logger = attrs.field(factory=lambda: log("sauropod.llama_cpp"))
    _level: int = logging.DEBUG
    _line: str = ""
    callback: Any = None
    """The C function to be called; kept here, because the libraries keep no more than its address."""

    def connect(self, llama_cpp: Any) -> None:
        self.callback = llama_cpp.llama_log_callback(self._take)

    def _take(self, level: int, text: bytes, _: object) -> None:
        if level != _CONTINUED:
            self._level = _LEVELS.get(level, logging.DEBUG)
        self._line += text.decode(errors="replace")
        if self._line.endswith("\n"):
            for listener in self.listeners:
                listener.append(self._line.strip())
            self._logger.log(self._level, "%s", self._line.strip())
            self._line = ""


@functools.cache
def _native_log() -> _NativeLog:
    return _NativeLog()
