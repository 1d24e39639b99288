"""The libraries that read, write and play audio, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sauropod.errors import BackendNotFound

__all__ = ["has_av", "load_av", "load_soundfile"]


def load_soundfile(what: str) -> Any:
    """The module `soundfile`. `what` takes it: the beginning of a sentence, such as "Reading a FLAC file"."""
    return _load("soundfile", what, "soundfile", "speech")


def load_av(what: str) -> Any:
    """The module `av`, which is FFmpeg."""
    return _load("av", what, "PyAV", "av")


def has_av() -> bool:
    try:
        import_module("av")
    except ImportError:
        return False
    return True


def _load(module: str, what: str, known_as: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise BackendNotFound(
            f'{what} takes {known_as}, which is not installed. Install it: pip install "sauropod[{extra}]"'
        ) from error
    except OSError as error:  # the package is there and the native library is not
        raise BackendNotFound(
            f"{what} takes {known_as}, which is installed but cannot load its native library ({error}). "
            f'Install it anew: pip install --force-reinstall "sauropod[{extra}]"'
        ) from error
