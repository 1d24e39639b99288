"""Voices: Kokoro's tables of styles, read when somebody first speaks with them.

A voice is float32 [n, 1, 256], little-endian: one row for each number of symbols that a phrase may have, the first for
one symbol. They are files of their own (`voices/af_heart.bin`), mapped into memory, or all in one archive of numpy's
(`voices-v1.0.bin`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.errors import UnsupportedModel

__all__ = ["LANGUAGES", "Voices", "language_of", "read_voices"]

LANGUAGES = {
    "a": "en-us",
    "b": "en-gb",
    "e": "es",
    "f": "fr-fr",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-br",
    "z": "zh",
}
"""By the first letter of a voice's name; the second says whether it is a woman's or a man's."""

DEFAULT = "en-us"
LARGEST = 16 * 2**20
"""Bytes of one voice, at most: the real ones have 522,240."""


class Voices(Protocol):
    """All voices of a model."""

    @property
    def names(self) -> Sequence[str]:
        """Sorted."""

    def style(self, name: str, symbols: int) -> NDArray[np.float32]:
        """For a phrase of that many symbols: float32 [width]."""


def language_of(voice: str) -> str:
    """What a voice speaks, by its name: American English where that does not tell."""
    return LANGUAGES.get(voice[:1], DEFAULT) if voice[1:3] in ("f_", "m_") else DEFAULT


def read_voices(files: Mapping[str, Path], width: int) -> Voices:
    """Of `voices/*.bin`, or of one archive. Raises `UnsupportedModel` for what is no voice."""
    if len(files) == 1:
        path = next(iter(files.values()))
        if zipfile.is_zipfile(path):
            return _archive(path, width)
    return _Files({PurePosixPath(name).stem: _checked(path, width) for name, path in sorted(files.items())}, width)


@attrs.define(eq=False)
class _Files:
    paths: Mapping[str, Path]
    width: int
    _mapped: dict[str, NDArray[np.float32]] = attrs.field(factory=dict, init=False)

    @property
    def names(self) -> Sequence[str]:
        return sorted(self.paths)

    def style(self, name: str, symbols: int) -> NDArray[np.float32]:
        if name not in self._mapped:
            self._mapped[name] = np.memmap(self.paths[name], "<f4", mode="r").reshape(-1, self.width)
        return _row(self._mapped[name], symbols)


@attrs.define(eq=False)
class _Archive:
    path: Path
    names: Sequence[str]
    width: int
    _read: dict[str, NDArray[np.float32]] = attrs.field(factory=dict, init=False)

    def style(self, name: str, symbols: int) -> NDArray[np.float32]:
        if name not in self._read:
            self._read[name] = self._table(name)
        return _row(self._read[name], symbols)

    def _table(self, name: str) -> NDArray[np.float32]:
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                table = np.asarray(archive[name], np.float32)
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise UnsupportedModel(
                f"The voice {name} in {self.path.name} is damaged ({error}). Fetch it anew."
            ) from error
        if not table.size or table.size % self.width:
            raise UnsupportedModel(
                f"{self.path.name} has no voice in {name}: {table.shape} are no rows of {self.width}."
            )
        return table.reshape(-1, self.width)


def _archive(path: Path, width: int) -> _Archive:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [each for each in archive.infolist() if each.filename.endswith(".npy")]
    except (OSError, zipfile.BadZipFile) as error:
        raise UnsupportedModel(f"{path.name} is a damaged archive ({error}). Fetch it anew.") from error
    large = [each.filename for each in entries if each.file_size > LARGEST]
    if large or not entries:
        raise UnsupportedModel(
            f"{path.name} is no archive of voices: {f'{large[0]} is huge' if large else 'it has none'}."
        )
    return _Archive(path, sorted(each.filename.removesuffix(".npy") for each in entries), width)


def _checked(path: Path, width: int) -> Path:
    size = path.stat().st_size
    if not size or size % (4 * width) or size > LARGEST:
        raise UnsupportedModel(f"{path.name} is no voice: {size} bytes are no rows of {width} float32. Fetch it anew.")
    return path


def _row(table: NDArray[np.float32], symbols: int) -> NDArray[np.float32]:
    """A phrase that is longer than any the voice has a row for takes the last."""
    return np.asarray(table[min(symbols, len(table)) - 1], np.float32)
