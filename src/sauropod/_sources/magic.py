"""What a file is that is no GGUF, by how it begins."""

from __future__ import annotations

import struct

__all__ = ["foreign_format"]

BEGINNINGS = (
    ((b"lmgg", b"fmgg", b"tjgg", b"algg"), "is in a format older than GGUF, from before August 2023, which llama.cpp "
     "no longer reads. Look for a GGUF of the same model."),
    ((b"version https://git-lfs",), "is a Git LFS pointer, a note of where the file is and not the file. Run "
     "`git lfs pull` in its repository, or name the model as hf:org/repo."),
    ((b"PK\x03\x04", b"PK\x05\x06"), "is a zip archive. If a GGUF is inside, unpack it; if it is a PyTorch checkpoint "
     "(.bin, .pt), look for a GGUF of the same model, since conversion is not supported yet."),
    ((b"\x80\x02", b"\x80\x03", b"\x80\x04"), "is a Python pickle, most likely a PyTorch checkpoint. Look for a GGUF "
     "of the same model, since conversion is not supported yet."),
    ((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"BZh", b"\xfd7zXZ"), "is compressed. Unpack it first."),
    ((b"\x89HDF",), "is an HDF5 file (Keras weights). Look for a GGUF of the same model."),
)  # fmt: skip


def foreign_format(beginning: bytes, remedy: str) -> str:
    """The rest of a sentence that begins with the file's name: what it is, and what to do about it.

    `remedy` is what to do about a damaged file.
    """
    if not beginning:
        return f"is empty: its download never began. {remedy}"
    for beginnings, sentence in BEGINNINGS:
        if beginning.startswith(beginnings):
            return sentence
    if beginning.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return f"is a web page, not a model: a login or error page was saved in its place. {remedy}"
    if _is_safetensors(beginning):
        return "is a safetensors file. Conversion is not supported yet: look for a GGUF of the same model."
    if beginning.lstrip()[:1] in (b"{", b"["):
        return "is a JSON text, not a model. Name the .gguf file itself."
    if not any(beginning[:1024]):
        return f"holds only zeros where its header should be: the download was cut short. {remedy}"
    return f"is not a GGUF file: it begins with {beginning[:4]!r}, not with b'GGUF'."


def _is_safetensors(beginning: bytes) -> bool:
    """A length in eight bytes, then that much JSON."""
    return len(beginning) > 9 and beginning[8:9] == b"{" and 0 < struct.unpack_from("<Q", beginning)[0] < 1 << 32
