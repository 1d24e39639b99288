"""An encoded file, wherever it is: on disk, in memory, behind a file object or in a pipe."""

from __future__ import annotations

import io
import os
import stat
from typing import Any, BinaryIO, cast

import attrs

from sauropod._audio.limits import AudioLimits
from sauropod._audio.magic import BEGINNING, Form, foreign, recognise, tag_length
from sauropod.errors import UnsupportedInput

__all__ = ["EncodedFile", "Window", "open_encoded"]

IN_MEMORY = 16 << 20
"""Bytes of a pipe that are kept in memory; more goes to a temporary file."""


@attrs.define(eq=False)
class EncodedFile:
    """Bytes that can be read anywhere, of a known number, and of a known kind."""

    name: str
    """What to call it in a sentence."""
    size: int
    form: Form
    _file: BinaryIO
    _base: int
    """Where in the file object it begins."""
    _owned: bool
    """Whether closing it is for us."""
    _at: int = -1

    def read_at(self, place: int, count: int) -> bytes:
        """Up to `count` bytes from there; fewer only at the end."""
        if place != self._at:
            self._file.seek(self._base + place)
        data = _read(self._file, count)
        self._at = place + len(data)
        return data

    def close(self) -> None:
        if self._owned:
            self._file.close()


@attrs.define(eq=False)
class Window:
    """What a decoder sees of an `EncodedFile`: a file object that never raises, for it is called from C."""

    file: EncodedFile
    begin: int = 0
    """How many bytes at the beginning are kept from it."""
    patch: tuple[int, bytes] = (0, b"")
    """Bytes that it sees instead of those at a place."""
    endless: bool = False
    """Whether it is told that the file never ends. What is read at that end is zeros."""
    failure: BaseException | None = None
    """What went wrong when reading."""
    _at: int = 0

    def check(self) -> None:
        """Raise what could not be raised before."""
        if isinstance(self.failure, Exception):
            raise UnsupportedInput(f"{self.file.name} could not be read: {_reason(self.failure)}") from self.failure
        if self.failure is not None:
            raise self.failure

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def read(self, count: int = -1) -> bytes:
        try:
            data = self._read(count if count >= 0 else self.file.size)
        except BaseException as error:
            self.failure = error
            return b""
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    @property
    def _size(self) -> int:
        return 1 << 50 if self.endless else self.file.size - self.begin

    def _read(self, count: int) -> bytes:
        if self.endless and self._at >= 1 << 49:
            return bytes(min(count, self._size - self._at))
        data = self.file.read_at(self._at + self.begin, count)
        place, patch = self.patch
        before = place - self._at
        if not patch or not -len(patch) < before < len(data):
            return data
        patched = bytearray(data)
        for at, byte in enumerate(patch, before):
            if 0 <= at < len(patched):
                patched[at] = byte
        return bytes(patched)


def open_encoded(source: Any, limits: AudioLimits) -> EncodedFile:
    """`source` is a path, bytes, or a binary file object, which is read from where it stands.

    Raises `UnsupportedInput` for what is not there, cannot be read, is too large, or is no audio.
    """
    if isinstance(source, str | os.PathLike):
        file, name = _open(source)
        owned = True
    elif isinstance(source, bytes | bytearray | memoryview):
        file, name, owned = io.BytesIO(source), "The audio", True
    else:
        file, owned = source, False
        named = getattr(source, "name", None)
        name = shown(named) if isinstance(named, str) else "The audio"
    try:
        return _examined(file, name, owned, limits)
    except BaseException as error:
        if owned:
            file.close()
        if isinstance(error, OSError):
            raise UnsupportedInput(f"{name} could not be read: {_reason(error)}") from error
        raise


def shown(path: str) -> str:
    """A path in a message."""
    text = path.encode("utf-8", "backslashreplace").decode()
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= 300 else f"{text[:100]}…{text[-100:]}"


def _open(path: str | os.PathLike[Any]) -> tuple[BinaryIO, str]:
    text = os.fsdecode(path)
    name = shown(text)
    if not text:
        raise UnsupportedInput("The path is empty. Name an audio file.")
    if text.startswith(("http://", "https://", "ftp://", "s3://", "data:")):
        raise UnsupportedInput(f"{name} is a link, and none is followed. Download the file, and give its path.")
    try:
        return open(path, "rb"), name
    except IsADirectoryError as error:
        raise UnsupportedInput(f"{name} is a directory. Name one audio file.") from error
    except FileNotFoundError as error:
        raise UnsupportedInput(f"{name} is not there. Check the path; it is looked up from {os.getcwd()}.") from error
    except PermissionError as error:
        if os.path.isdir(path):  # Windows
            raise UnsupportedInput(f"{name} is a directory. Name one audio file.") from error
        raise UnsupportedInput(f"{name} may not be read by this user. Change its permissions.") from error
    except (OSError, ValueError) as error:  # a ValueError is a path with a zero in it
        raise UnsupportedInput(f"{name} could not be opened: {_reason(error)}") from error


def _examined(file: BinaryIO, name: str, owned: bool, limits: AudioLimits) -> EncodedFile:
    seekable = _is_seekable(file)
    base = file.tell() if seekable else 0
    beginning = _read(file, BEGINNING)
    if not beginning and base and not owned:
        raise UnsupportedInput(f"{name} has been read to its end already. Call seek(0) on it first.")
    if not seekable:
        return _spooled(file, name, owned, beginning, limits)
    size = file.seek(0, os.SEEK_END) - base
    file.seek(base + tag_length(beginning))
    form = _form(beginning, _read(file, 16), name)
    _check_size(size, name, limits)
    return EncodedFile(name, size, form, file, base, owned)


def _is_seekable(file: Any) -> bool:
    """Devices say that they are, and are not."""
    try:
        mode = os.fstat(file.fileno()).st_mode
    except (AttributeError, OSError):  # io.UnsupportedOperation is one
        pass
    else:
        if not stat.S_ISREG(mode):
            return False
    seekable = getattr(file, "seekable", None)
    return bool(seekable()) if seekable is not None else hasattr(file, "seek") and hasattr(file, "tell")


def _spooled(file: BinaryIO, name: str, owned: bool, beginning: bytes, limits: AudioLimits) -> EncodedFile:
    """A pipe can be read once, and decoders go back and forth. Nothing is kept before it is known to be audio."""
    rest = _read(file, tag_length(beginning) + 16 - len(beginning)) if tag_length(beginning) else b""
    beginning += rest
    form = _form(beginning, beginning[tag_length(beginning) :], name)
    import tempfile  # takes longer to import than all the rest

    copy = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the EncodedFile closes it
    try:
        copied = copy.write(beginning)
        while piece := _read(file, 1 << 18):
            copied += copy.write(piece)
            _check_size(copied, name, limits)
    except BaseException:
        copy.close()
        raise
    if owned:
        file.close()
    return EncodedFile(name, copied, form, cast("BinaryIO", copy), 0, True)


def _form(beginning: bytes, after_tag: bytes, name: str) -> Form:
    form = recognise(beginning, after_tag)
    if form is None:
        raise UnsupportedInput(f"{name} {foreign(beginning)}")
    return form


def _check_size(size: int, name: str, limits: AudioLimits) -> None:
    if size > limits.max_bytes:
        raise UnsupportedInput(
            f"{name} has {size:,} bytes or more, and at most {limits.max_bytes:,} are taken. Give a shorter or more "
            "compressed file, or AudioLimits with a larger max_bytes."
        )


def _read(file: Any, count: int) -> bytes:
    """`count` bytes, fewer only at the end: sockets and pipes give what they have."""
    pieces: list[bytes] = []
    while count > 0:
        piece = file.read(count)
        if piece is None:
            raise UnsupportedInput("The file object does not wait for its data. Give one that is blocking.")
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise UnsupportedInput('The file object gives text, not bytes. Open the file with mode "rb".')
        if not piece:
            break
        pieces.append(bytes(piece))
        count -= len(piece)
    return b"".join(pieces)


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{text.rstrip('.')}."
