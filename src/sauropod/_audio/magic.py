"""What a file is, by how it begins."""

from __future__ import annotations

import string

import attrs

__all__ = ["BEGINNING", "Form", "foreign", "recognise", "tag_length"]

BEGINNING = 4096
"""How many bytes are looked at."""


@attrs.frozen
class Form:
    """A kind of file that has sound in it."""

    name: str
    sndfile: bool = True
    """Whether libsndfile reads it."""
    ffmpeg: str | None = None
    """FFmpeg's name for it. FFmpeg is never left to find out by itself what a file is: some of what it knows are lists
    of other files, which it would go and open."""


WAV, AVI = Form("WAV", ffmpeg="wav"), Form("AVI", False, "avi")
FLAC, MP3 = Form("FLAC", ffmpeg="flac"), Form("MP3", ffmpeg="mp3")
AIFF, MP4, AAC = Form("AIFF", ffmpeg="aiff"), Form("MP4", False, "mov"), Form("AAC", False, "aac")

FORMS = (
    (b"RF64", WAV),
    (b"fLaC", FLAC),
    (b"OggS", Form("Ogg", ffmpeg="ogg")),
    (b"caff", Form("CAF", ffmpeg="caf")),
    (b".snd", Form("AU", ffmpeg="au")),
    (b"riff\x2e\x91\xcf\x11", Form("Wave64", ffmpeg="w64")),
    (b"NIST_1A", Form("NIST SPHERE")),
    (b"Creative Voice File", Form("VOC")),
    (b"\x1a\x45\xdf\xa3", Form("WebM or Matroska", False, "matroska")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Form("WMA", False, "asf")),
    (b"#!AMR", Form("AMR", False, "amr")),
    (b"FLV\x01", Form("FLV", False, "flv")),
    (b"wvpk", Form("WavPack", False, "wv")),
    (b"MAC ", Form("Monkey's Audio", False, "ape")),
)

FOREIGN = (
    ((b"PK\x03\x04", b"PK\x05\x06"), "is a zip archive. Unpack it, and give the audio file that is in it."),
    ((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!"), "is compressed. Unpack it, and "
     "give the audio file that is in it."),
    ((b"%PDF",), "is a PDF document. Give an audio file."),
    ((b"\x89PNG",), "is a PNG image. Give an audio file."),
    ((b"\xff\xd8\xff",), "is a JPEG image. Give an audio file."),
    ((b"GIF8",), "is a GIF image. Give an audio file."),
    ((b"MThd",), "is a MIDI file: notes, not sound. Render it to a WAV file first."),
    ((b"\x93NUMPY",), "is a NumPy array. Load it with numpy.load, and give (array, sample rate)."),
    ((b"version https://git-lfs",), "is a Git LFS pointer, a note of where the file is and not the file. Run "
     "`git lfs pull` in its repository."),
    ((b"#EXTM3U", b"[playlist]"), "is a playlist. Give the audio file that it names."),
    ((b"GGUF",), "is a GGUF model. Give an audio file."),
    ((b"\x7fELF", b"MZ"), "is a program. Give an audio file."),
    ((b"SQLite format 3",), "is a database. Give an audio file."),
)  # fmt: skip

TEXT = frozenset(string.printable.encode())


def recognise(beginning: bytes, after_tag: bytes = b"") -> Form | None:
    """The kind of audio file, or None. `after_tag` is how it goes on after an ID3 tag at its beginning."""
    if tag_length(beginning):
        return recognise(after_tag) or (MP3 if not after_tag.strip(b"\0") else None)
    for magic, form in FORMS:
        if beginning.startswith(magic):
            return form
    if beginning[:4] in (b"RIFF", b"RIFX"):
        return {b"WAVE": WAV, b"AVI ": AVI}.get(beginning[8:12])
    if beginning[:4] == b"FORM" and beginning[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if beginning[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"skip") or beginning[4:12] == b"free\0\0\0\0":
        return MP4
    if beginning[:1] == b"G" and beginning[188:189] == b"G" and beginning[376:377] in (b"G", b""):
        return Form("MPEG transport stream", False, "mpegts")
    return _frame(beginning)


def tag_length(beginning: bytes) -> int:
    """How many bytes an ID3v2 tag at the beginning takes; 0 if there is none (id3.org, ID3v2.4 section 3.1)."""
    if len(beginning) < 10 or beginning[:3] != b"ID3" or max(beginning[6:10]) > 127:
        return 0
    sevens = [byte << shift for byte, shift in zip(beginning[6:10], (21, 14, 7, 0), strict=True)]
    return 10 + sum(sevens) + (10 if beginning[5] & 0x10 else 0)


def _frame(beginning: bytes) -> Form | None:
    """MP3 and AAC have no header: the first frame's eleven or twelve set bits have to do, and that the rest fits."""
    if len(beginning) < 4 or beginning[0] != 0xFF:
        return None
    if beginning[1] & 0xF6 == 0xF0 and beginning[2] >> 2 & 15 < 13:
        return AAC
    version, layer = beginning[1] >> 3 & 3, beginning[1] >> 1 & 3
    bitrate, rate = beginning[2] >> 4, beginning[2] >> 2 & 3
    fits = beginning[1] & 0xE0 == 0xE0 and version != 1 and layer != 0 and bitrate not in (0, 15) and rate != 3
    return MP3 if fits else None


def foreign(beginning: bytes) -> str:
    """The rest of a sentence that begins with the file's name: what it is instead of audio, and what to do about it."""
    if not beginning:
        return "is empty: there is not one byte in it."
    for beginnings, sentence in FOREIGN:
        if beginning.startswith(beginnings):
            return sentence
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "is a WebP image. Give an audio file."
    if beginning.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "is a web page: a login or error page may have been saved in the audio's place. Download it again."
    if not any(beginning):
        return "begins with nothing but zeros: it was not written or not downloaded completely. Get it again."
    if sum(byte in TEXT for byte in beginning) > 0.95 * len(beginning):
        return f"is a text, beginning with {beginning[:20].decode('ascii', 'replace')!r}. Give an audio file."
    return (
        f"is no audio file that is known here: it begins with {beginning[:8].hex(' ')}. Known are WAV, FLAC, MP3, Ogg, "
        "Opus, AIFF, CAF, AU, MP4, M4A, WebM, AAC and some more. Raw samples are given as an array and its rate: "
        '(numpy.frombuffer(data, "<i2"), 16000).'
    )
