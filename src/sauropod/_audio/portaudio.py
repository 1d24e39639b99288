"""PortAudio, through sounddevice: imported when sound is played or recorded, or an error that says what to install."""

from __future__ import annotations

from typing import Any

from sauropod.errors import BackendNotFound

__all__ = ["sounddevice_for"]


def sounddevice_for(doing: str) -> Any:
    """The module `sounddevice`. Raises `BackendNotFound`, in which `doing` is what it takes: "Playing sound"."""
    try:
        import sounddevice
    except ImportError as error:
        raise BackendNotFound(
            f'{doing} takes sounddevice, which is not installed. Install it: pip install "sauropod[audio]"'
        ) from error
    except OSError as error:
        raise BackendNotFound(
            f"{doing} takes PortAudio, which sounddevice does not find. Install it (on Debian and Ubuntu: apt install "
            'libportaudio2), or use files instead. The rest comes with: pip install "sauropod[audio]"'
        ) from error
    return sounddevice
