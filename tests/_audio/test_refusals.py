"""Audio that is none, or too much: each is an error of ours that says what it is and what to do."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from _audio.sounds import chirp, noise, pcm, wav
from sauropod._audio import AudioFormat, AudioLimits, encode_audio, open_audio, read_audio
from sauropod._audio.encoded import open_encoded
from sauropod._audio.magic import recognise
from sauropod._values.audio import AudioFrame
from sauropod.errors import BackendNotFound, SauropodError, UnsupportedInput

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")


def refusal(source: Any, **options: Any) -> str:
    with pytest.raises(UnsupportedInput) as caught:
        read_audio(source, **options)
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.wav", wav(pcm(noise(100))))
    return file.getvalue()


def floats(samples: Any) -> bytes:
    return wav(np.asarray(samples, "<f4").tobytes(), bits=32, kind=3)


def spoiled(place: int, value: float, count: int = 20_000) -> Any:
    samples = noise(count)
    samples[place] = value
    return samples


FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "a zip": (zipped(), "is a zip archive. Unpack it"),
    "gzip": (b"\x1f\x8b\x08" + bytes(50), "is compressed. Unpack it"),
    "a PDF": (b"%PDF-1.7\n", "is a PDF document"),
    "a PNG": (b"\x89PNG\r\n\x1a\n", "is a PNG image"),
    "a JPEG": (b"\xff\xd8\xff\xe0" + bytes(50), "is a JPEG image"),
    "a WebP": (b"RIFF\x10\0\0\0WEBPVP8 ", "is a WebP image"),
    "MIDI": (b"MThd\0\0\0\x06", "notes, not sound"),
    "an array's file": (b"\x93NUMPY\x01\0", "numpy.load"),
    "a playlist": (b"#EXTM3U\n/etc/passwd\n", "is a playlist"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "a web page": (b"\n<!DOCTYPE html><html>", "is a web page"),
    "text": (b"Dear all, the recording is attached.", "is a text, beginning with 'Dear all, the record'"),
    "zeros": (bytes(9000), "nothing but zeros"),
    "raw samples": (pcm(noise(500)), r'Raw samples are given as an array .*numpy.frombuffer\(data, "<i2"\), 16000'),
    "a header alone": (wav(b""), "holds no sound"),
    "half a header": (wav(b"")[:30], "cannot be decoded"),
    "rate 0": (wav(pcm(noise(9)), rate=0), "sample rate must be .* got 0"),
    "rate 10^9": (wav(pcm(noise(9)), rate=10**9), "sample rate must be .* got 1,000,000,000"),
    "no channel": (wav(pcm(noise(9)), channels=0), "claims 0 channels"),
    "many channels": (wav(pcm(noise(900)), channels=300), "claims 300 channels; 1 to 64"),
    "65,535 channels": (wav(pcm(noise(900)), channels=65_535), "claims 65,535 channels"),
    "a strange codec": (wav(pcm(noise(900)), kind=0x6666), "ffmpeg -i FILE|codec that FFmpeg does not know"),
    "not a number": (floats(spoiled(17_000, np.nan)), r"has nan as sample 17,000 \(1.062 s\) of channel 0"),
    "infinity": (floats(spoiled(3, -np.inf)), "has -inf as sample 3"),
    "too large": (floats(noise(100) * 32768), "Divide 16-bit samples by 32768"),
}  # fmt: skip


@pytest.mark.parametrize("which", FILES)
def test_what_is_no_audio_is_called_by_its_name(which: str, tmp_path: Path) -> None:
    data, message = FILES[which]
    path = tmp_path / "talk.wav"
    path.write_bytes(data)
    for source, name in ((path, str(path)), (data, "The audio"), (io.BytesIO(data), "The audio")):
        text = refusal(source)
        assert text.startswith(name)
        with pytest.raises(UnsupportedInput, match=f"(?s){message}"):
            read_audio(source if isinstance(source, Path | bytes) else io.BytesIO(data))


def test_a_place_that_holds_no_file_is_told(tmp_path: Path) -> None:
    assert "is a directory. Name one audio file" in refusal(tmp_path)
    assert "is not there. Check the path" in refusal(tmp_path / "talk.wav")
    assert "is a link, and none is followed" in refusal("https://example.org/talk.wav")
    assert "path is empty" in refusal("")
    assert "could not be opened" in refusal("talk\0.wav")
    assert "could not be opened" in refusal("x" * 5000)
    assert len(refusal("x" * 5000)) < 500


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    path.write_bytes(wav(pcm(noise(9))))
    path.chmod(0)
    assert "may not be read by this user" in refusal(path)


def test_a_path_that_may_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UnsupportedInput, match="may not be read by this user"):
        open_encoded("talk.wav", AudioLimits())


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there are no devices here")
def test_a_device_without_end_is_not_copied() -> None:
    assert "nothing but zeros" in refusal("/dev/zero")


# -- file objects -----------------------------------------------------------------------------------------------------


class Failing(io.BytesIO):
    """A disk that fails half way."""

    def read(self, count: int | None = -1) -> bytes:
        if self.tell() > 5000:
            raise OSError(5, "Input/output error")
        return super().read(count)


def test_a_disk_that_fails_is_an_error_and_no_end() -> None:
    for format in ("wav", "flac", "mp3", "opus"):
        data = encode_audio(noise(32_000), 16_000, format)
        assert "could not be read: Input/output error" in refusal(Failing(data))


def test_an_interruption_while_reading_is_not_lost() -> None:
    class Interrupted(io.BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            if self.tell() > 9000:
                raise KeyboardInterrupt
            return super().read(count)

    with pytest.raises(KeyboardInterrupt):
        read_audio(Interrupted(encode_audio(noise(90_000), 16_000, "wav")))


def test_a_file_object_that_gives_no_bytes_is_told() -> None:
    read = io.BytesIO(wav(pcm(noise(9))))
    read.seek(0, io.SEEK_END)
    assert "Call seek(0)" in refusal(read)
    assert 'mode "rb"' in refusal(io.StringIO("talk"))


def test_things_that_are_no_audio_are_told() -> None:
    assert "Audio is a path" in refusal(None)
    assert "got int" in refusal(17)
    assert "got dict" in refusal({"samples": 1})

    async def frames() -> Any:
        yield AudioFrame(noise(10), 16_000)

    source = frames()
    assert "Collect what an async iterable gives" in refusal(source)
    asyncio.run(source.aclose())


# -- arrays and frames ------------------------------------------------------------------------------------------------


ARRAYS: dict[str, tuple[Any, str]] = {
    "no rate": (noise(10), "sample rate is not known. Give both"),
    "rate 0": ((noise(10), 0), "sample rate must be a whole number .* got 0"),
    "a rate of text": ((noise(10), "16k"), "got '16k'"),
    "a fraction": ((noise(10), 16_000.5), "got 16000.5"),
    "nothing": ((np.zeros(0), 16_000), "holds no samples"),
    "no channels": ((np.zeros((10, 0)), 16_000), "holds no samples"),
    "one number": ((np.float32(1), 16_000), r"shape \(\)"),
    "three axes": ((np.zeros((2, 3, 4)), 16_000), r"shape \(2, 3, 4\)"),
    "a square": ((np.zeros((99, 98)), 16_000), r"shape \(99, 98\)"),
    "int64": ((np.zeros(10, np.int64), 16_000), "holds int64. Give floats from -1 to 1, or int8"),
    "bool": ((np.zeros(10, bool), 16_000), "holds bool"),
    "complex": ((np.zeros(10, complex), 16_000), "holds complex128"),
    "objects": ((np.array([None]), 16_000), "holds object"),
    "words": ((np.array(["a"]), 16_000), "holds str"),
    "nan": ((spoiled(15_999, np.nan), 16_000), r"has nan as sample 15,999 \(1.000 s\)"),
    "a second channel": (([[0, 0], [0, np.inf], [0, 0]], 16_000), "has inf as sample 1 .* of channel 1"),
    "wide": ((np.array([0, 1e300]), 16_000), "has inf as sample 1"),
    "half": ((np.array([0, np.inf], np.float16), 16_000), "has inf as sample 1"),
    "16 bits": ((np.arange(2000) / 1.0, 16_000), "has 101 as sample 101 .* Divide 16-bit samples by 32768"),
    "a file's bytes": ((np.frombuffer(wav(pcm(noise(9))), np.uint8), 16_000), r"bytes of a file \(WAV\)"),
    "no frames": ([], "holds no frames"),
    "numbers": ([0.1, 0.2], "iterable of float"),
    "frames and others": ([AudioFrame(noise(9), 8_000), 3], "Item 1 of the audio is no AudioFrame; got int"),
    "two rates": ([AudioFrame(noise(9), 8_000), AudioFrame(noise(9), 9_000)], "Frame 1 .* has 9,000 .* had 8,000"),
    "empty frames": ([AudioFrame(noise(0), 8_000)], "holds no sound"),
}  # fmt: skip


@pytest.mark.parametrize("which", ARRAYS)
def test_an_array_that_is_no_sound_is_told(which: str) -> None:
    source, message = ARRAYS[which]
    with pytest.raises(UnsupportedInput, match=message):
        read_audio(source)


def test_a_wrong_rate_is_told_before_anything_is_opened() -> None:
    assert "rate must be a whole number" in refusal("nowhere.wav", rate=0)


# -- damaged files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "opus", "ogg"])
def test_of_a_truncated_file_what_is_there_is_used_and_the_rest_is_told(
    format: AudioFormat, caplog: pytest.LogCaptureFixture
) -> None:
    data = encode_audio(noise(64_000), 16_000, format)
    stream = open_audio(data[: len(data) // 2])
    assert 0.5 < sum(frame.duration for frame in stream) < 2.8
    [record] = caplog.records
    assert record.name == "sauropod.audio"
    assert record.getMessage() == f"The audio is damaged or cut short: {stream.shortfall}. What there is of it is used."


def test_the_last_samples_of_a_truncated_flac_file_are_kept() -> None:
    data = encode_audio(noise(4096 * 3), 16_000, "flac")
    assert len(read_audio(data[:-50]).samples) == 4096 * 2


def test_ten_hours_that_are_declared_and_not_there_take_neither_time_nor_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = read_audio(wav(pcm(noise(500)), size=10 * 3600 * 32_000))
    assert len(frame.samples) == 500
    assert "should be 36,000.0 s long, and ends after 0.0 s" in caplog.text


SOUND = noise(6000)
WHOLE = {format: encode_audio(SOUND, 16_000, format) for format in ("wav", "flac", "opus", "ogg")}
BEGINNINGS = [b"RIFF\0\0\0\0WAVEfmt ", b"fLaC", b"OggS\0", b"ID3\x04\0\0\0\0\0\x10", b"FORM\0\0\0\0AIFF", b"caff\0\1",
              b".snd", b"riff\x2e\x91\xcf\x11", b"NIST_1A\n   1024\n", b"Creative Voice File\x1a", b"RF64"]  # fmt: skip


@given(
    st.sampled_from(sorted(WHOLE)), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8), st.data()
)
@settings(deadline=None, max_examples=60)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    format: str, changes: list[tuple[int, int]], data: st.DataObject
) -> None:
    damaged = bytearray(WHOLE[format])
    for place, byte in changes:
        damaged[place] = byte
    end = data.draw(st.integers(0, len(damaged)))
    try:
        frame = read_audio(bytes(damaged[:end]), limits=AudioLimits(max_seconds=60))
    except UnsupportedInput:
        return
    assert len(frame.samples) > 0
    assert np.isfinite(frame.samples).all()


@given(st.sampled_from([b"", *BEGINNINGS]), st.binary(max_size=600))
@settings(deadline=None, max_examples=60)
def test_any_bytes_are_read_or_refused_and_nothing_else(beginning: bytes, rest: bytes) -> None:
    attempts(lambda: read_audio(beginning + rest, limits=AudioLimits(max_seconds=60)))


@given(st.binary(max_size=30))
@settings(max_examples=50)
def test_no_bytes_make_the_recogniser_stumble(beginning: bytes) -> None:
    recognise(beginning, beginning)
    recognise(b"ID3" + beginning, beginning)


# -- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "opus", "ogg"])
def test_too_many_seconds_are_refused_and_just_enough_are_not(format: AudioFormat) -> None:
    data = encode_audio(chirp(16_000, 3), 16_000, format)
    assert read_audio(data, limits=AudioLimits(max_seconds=3)).duration == 3
    assert "at most 2.9 s are taken" in refusal(data, limits=AudioLimits(max_seconds=2.9))


def test_what_is_too_long_by_its_header_is_refused_before_it_is_decoded() -> None:
    data = encode_audio(chirp(16_000, 3), 16_000, "flac")
    assert "is 3 s long" in refusal(data[: len(data) // 2], limits=AudioLimits(max_seconds=2))


def test_what_cannot_be_as_long_as_it_says_is_decoded() -> None:
    data = wav(pcm(noise(500)), size=10 * 3600 * 32_000)
    assert len(read_audio(data, limits=AudioLimits(max_seconds=1)).samples) == 500


def test_arrays_and_frames_have_limits_too() -> None:
    limits = AudioLimits(max_seconds=1)
    assert "The array is 2 s long" in refusal((noise(32_000), 16_000), limits=limits)
    endless = (AudioFrame(noise(1600), 16_000) for _ in iter(int, 1))
    assert "The audio is longer than that" in refusal(endless, limits=limits)


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    data = wav(pcm(noise(5000)))
    limits = AudioLimits(max_bytes=len(data) - 1)
    (tmp_path / "talk.wav").write_bytes(data)
    for source in (data, io.BytesIO(data), tmp_path / "talk.wav"):
        assert "at most 10,043 are taken" in refusal(source, limits=limits)
    read_audio(data, limits=AudioLimits(max_bytes=len(data)))


def test_a_pipe_is_not_copied_beyond_the_limit() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, count: int = -1) -> bytes:
            beginning = wav(b"", size=0xFFFFFFFF) if not self.given else b""
            self.given += count
            return beginning + bytes(count - len(beginning))

    pipe = Endless()
    assert "at most 1,000,000 are taken" in refusal(pipe, limits=AudioLimits(max_bytes=1_000_000))
    assert pipe.given < 1_300_000


def test_what_expands_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sauropod._audio.stream.SMALL", 1 << 20)
    silence = encode_audio(np.zeros(16_000 * 60, np.float32), 16_000, "flac")
    assert read_audio(silence).duration == 60
    assert "max_expansion" in refusal(silence, limits=AudioLimits(max_expansion=300))
    noisy = encode_audio(noise(16_000 * 60), 16_000, "flac")
    assert read_audio(noisy, limits=AudioLimits(max_expansion=2)).duration == 60


@pytest.mark.parametrize(
    "wrong", [{"max_seconds": 0}, {"max_bytes": 1.5}, {"max_expansion": 0.5}, {"max_seconds": "1"}]
)
def test_a_wrong_limit_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedInput, match=next(iter(wrong))):
        AudioLimits(**wrong)


# -- libraries --------------------------------------------------------------------------------------------------------


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    data = b"\0\0\0\x1cftypM4A \0\0\0\0" + bytes(100)
    with pytest.raises(BackendNotFound, match=r'kind MP4, takes PyAV.*pip install "sauropod\[av\]"'):
        read_audio(data)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(BackendNotFound, match=r'kind WAV, takes soundfile.*pip install "sauropod\[speech\]"'):
        read_audio(wav(pcm(noise(100))))
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(BackendNotFound, match=r'pip install "sauropod\[speech\]"'):
        read_audio((noise(100), 8_000), rate=16_000)
    assert read_audio((noise(100), 8_000)).rate == 8_000


@pytest.mark.parametrize(
    "beginning", [b"\0\0\0\x1cftypM4A \0\0\0\0", b"\x1a\x45\xdf\xa3", b"#!AMR\n", b"\xff\xf1\x4c\x40"]
)
@pytest.mark.parametrize("rest", [b"", bytes(500), bytes(range(256)) * 4])
def test_garbage_for_ffmpeg_is_read_or_refused_and_nothing_else(beginning: bytes, rest: bytes) -> None:
    pytest.importorskip("av")
    attempts(lambda: read_audio(beginning + rest))


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 255)), max_size=8), st.integers(0, 20_000))
@settings(deadline=None, max_examples=15)
def test_a_damaged_file_for_ffmpeg_is_read_or_refused_and_nothing_else(
    changes: list[tuple[int, int]], end: int
) -> None:
    av = pytest.importorskip("av")
    for container, codec in (("mp4", "aac"), ("webm", "libopus"), ("adts", "aac")):
        damaged = bytearray(contained(av, container, codec))
        for place, byte in changes:
            damaged[place % len(damaged)] = byte
        if attempts(lambda: read_audio(bytes(damaged), limits=AudioLimits(max_seconds=60))):  # noqa: B023
            attempts(lambda: read_audio(bytes(damaged[: end % len(damaged)])))  # noqa: B023


@cache
def contained(av: Any, container: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000)
        stream.layout = "mono"
        sound = (chirp(48_000)[None] * 32767).astype(np.int16)
        for begin in range(0, 48_000, 960):
            frame = av.AudioFrame.from_ndarray(sound[:, begin : begin + 960], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48_000, begin
            for each in av.AudioResampler(stream.format, "mono", 48_000).resample(frame):
                output.mux(stream.encode(each))
        output.mux(stream.encode(None))
    return file.getvalue()


def attempts(function: Callable[[], Any]) -> bool:
    """Whether it did. Anything but an error of ours fails the test."""
    try:
        function()
    except SauropodError:
        return False
    return True


def test_ffmpeg_opens_no_other_file(tmp_path: Path) -> None:
    """A film may name files that its sound is in. None of them is opened."""
    pytest.importorskip("av")
    other = tmp_path / "secret.wav"
    other.write_bytes(wav(pcm(noise(16_000))))
    listing = b"ffconcat version 1.0\nfile " + os.fsencode(other) + b"\n"
    assert not attempts(lambda: read_audio(listing))
    assert not attempts(lambda: read_audio(b"#EXTM3U\n" + os.fsencode(other) + b"\n"))
