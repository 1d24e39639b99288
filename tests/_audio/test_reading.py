"""Audio in, whatever it comes in."""

from __future__ import annotations

import io
import os
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from _audio.sounds import chirp, lag, likeness, noise, pcm, wav
from sauropod._audio import AudioFormat, encode_audio, open_audio, read_audio
from sauropod._values.audio import AudioFrame

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")

READABLE: tuple[AudioFormat, ...] = ("wav", "flac", "mp3", "opus", "ogg")
ARRAYS = ("float64", "float32", "float16", ">f4", "int16", ">i2", "int32", "uint8", "int8")


# -- encoded files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", READABLE)
def test_what_was_written_is_read(format: AudioFormat) -> None:
    sound = chirp(24_000)
    frame = read_audio(encode_audio(sound, 24_000, format))
    assert (frame.rate, frame.start, len(frame.samples)) == (24_000, 0, 24_000)
    assert frame.samples.dtype == np.float32
    assert frame.samples.flags.writeable
    assert likeness(sound, frame.samples) > 0.98
    assert abs(lag(sound, frame.samples)) <= 1


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_every_depth_and_number_of_channels_is_read_and_mixed_to_the_mean(subtype: str, channels: int) -> None:
    columns = noise(3000 * channels).reshape(3000, channels)
    file = io.BytesIO()
    soundfile.write(file, columns, 96_000, subtype, format="WAV")
    frame = read_audio(file.getvalue())
    error = {"PCM_U8": 0.008, "ULAW": 0.02, "ALAW": 0.02}.get(subtype, 1e-4)
    assert frame.rate == 96_000
    assert np.abs(frame.samples - columns.mean(axis=1)).max() < error


@pytest.mark.parametrize(
    ("format", "subtype"), [("AIFF", "PCM_16"), ("AU", "PCM_16"), ("CAF", "PCM_16"), ("RF64", None)]
)
def test_less_common_files_are_read(format: str, subtype: str | None) -> None:
    file = io.BytesIO()
    soundfile.write(file, chirp(16_000), 16_000, subtype, format=format)
    assert likeness(read_audio(file.getvalue()).samples, chirp(16_000)) > 0.999


def test_all_that_can_hold_a_file_gives_the_same(tmp_path: Path) -> None:
    data = encode_audio(chirp(16_000), 16_000, "wav")
    path = tmp_path / "a sound, named as nothing.zip"
    path.write_bytes(data)
    expected = read_audio(data).samples
    with path.open("rb") as file:
        sources: list[Any] = [path, str(path), bytearray(data), memoryview(data), io.BytesIO(data), file]
        for source in sources:
            assert (read_audio(source).samples == expected).all()
        assert not file.closed


def test_a_file_object_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"before" + encode_audio(chirp(16_000), 16_000, "flac"))
    file.seek(6)
    assert len(read_audio(file).samples) == 16_000


class Pipe(io.RawIOBase):
    """Gives a few bytes at a time, and never goes back."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def readable(self) -> bool:
        return True

    def read(self, count: int = -1) -> bytes:
        taken, self.rest = self.rest[: min(count, 1000)], self.rest[min(count, 1000) :]
        return taken


@pytest.mark.parametrize("format", READABLE)
def test_a_pipe_is_read(format: AudioFormat) -> None:
    data = encode_audio(chirp(16_000), 16_000, format)
    assert (read_audio(Pipe(data)).samples == read_audio(data).samples).all()  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(wav(pcm(chirp(16_000, 5)), size=0xFFFFFFFF)))
    writer.start()
    assert len(read_audio(path).samples) == 80_000
    writer.join()


@pytest.mark.parametrize("format", READABLE)
def test_blocks_together_are_what_the_library_reads_at_once(
    format: AudioFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sauropod._audio.sndfile.block_length", lambda *_: 4000)
    data = encode_audio(chirp(16_000, 4), 16_000, format)
    whole, _ = soundfile.read(io.BytesIO(data), dtype="float32")
    frames = list(open_audio(data))
    assert len(frames) == 16
    assert all(before.end == after.start for before, after in pairwise(frames))
    assert np.abs(np.concatenate([frame.samples for frame in frames]) - whole).max() < 1e-6


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_any_rate_is_given(rate: int) -> None:
    frame = read_audio(encode_audio(chirp(22_050), 22_050, "wav"), rate=rate)
    assert (frame.rate, len(frame.samples)) == (rate, rate)
    assert np.abs(frame.samples[200:-200] - chirp(rate)[200:-200]).max() < 0.002


def test_what_is_read_is_described(tmp_path: Path) -> None:
    path = tmp_path / "sound.flac"
    soundfile.write(path, noise(48_000).reshape(-1, 2), 48_000)
    with open_audio(path, rate=16_000) as stream:
        assert (stream.format, stream.source_rate, stream.channels, stream.rate) == ("FLAC", 48_000, 2, 16_000)
        assert stream.declared == 0.5
        assert sum(len(frame.samples) for frame in stream) == 8_000
        assert stream.shortfall is None


@pytest.mark.anyio
async def test_nothing_is_left_open(tmp_path: Path, nothing_leaks: None) -> None:
    path = tmp_path / "sound.wav"
    path.write_bytes(encode_audio(chirp(16_000, 3), 16_000, "wav"))
    with open_audio(path) as stream:
        next(stream)
    assert list(stream) == []
    read_audio(path)
    for _ in open_audio(path):
        pass


# -- MP3 --------------------------------------------------------------------------------------------------------------


def variable_mp3(seconds: int) -> bytes:
    """Quiet, then loud, with a variable bit rate."""
    sound = np.concatenate([chirp(24_000, 1) * 0.01, noise(24_000 * (seconds - 1))])
    file = io.BytesIO()
    soundfile.write(file, sound, 24_000, format="MP3", bitrate_mode="VARIABLE")
    return file.getvalue()


def test_an_mp3_with_a_variable_bit_rate_is_read_in_blocks_as_it_is_at_once() -> None:
    """soundfile's own block-wise reading garbles these."""
    data = variable_mp3(4)
    whole, _ = soundfile.read(io.BytesIO(data), dtype="float32")
    assert np.abs(read_audio(data).samples - whole).max() < 1e-6


def test_an_mp3_without_a_table_of_frames_is_read_to_its_end() -> None:
    data = variable_mp3(6)
    headless = data[data.index(b"\xff\xf3", 4) :]
    assert b"Xing" in data[:200]
    assert b"Xing" not in headless[:500]
    assert 5.9 < read_audio(headless).duration < 6.2
    assert 5.9 < read_audio(b"ID3\x04\0\0\0\0\x02\0" + bytes(256) + headless).duration < 6.2


def test_mp3_files_that_were_put_together_are_read_to_the_end_of_the_last() -> None:
    assert 17.9 < read_audio(variable_mp3(6) * 3).duration < 18.4


# -- WAV --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 44])
def test_a_wav_file_whose_length_was_not_known_is_complete(size: int, caplog: pytest.LogCaptureFixture) -> None:
    assert len(read_audio(wav(pcm(noise(1000)), size=size)).samples) == 1000
    assert not caplog.records


def test_a_recording_that_was_never_finished_is_read(caplog: pytest.LogCaptureFixture) -> None:
    """Recorders write zeros for the sizes, and the true ones at the end. This one was switched off before."""
    data = wav(pcm(noise(1000)), size=0)
    samples = read_audio(data[:4] + bytes(4) + data[8:]).samples
    assert np.abs(samples - noise(1000)).max() < 1e-4
    assert not caplog.records


def test_a_chunk_before_the_samples_is_skipped() -> None:
    data = wav(pcm(noise(1000)))
    listed = data[:36] + b"LIST\x05\0\0\0INFO \0" + data[36:]
    assert len(read_audio(listed).samples) == 1000


# -- arrays and frames ------------------------------------------------------------------------------------------------


def as_array(samples: Any, dtype: str) -> Any:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return samples.astype(kind)
    full = 2.0 ** (8 * kind.itemsize - 1)
    scaled = np.rint(samples.astype(np.float64) * full) + (128 if kind.kind == "u" else 0)
    return scaled.astype(kind)


@pytest.mark.parametrize("dtype", ARRAYS)
def test_every_kind_of_array_is_the_same_sound(dtype: str) -> None:
    samples = noise(5000)
    frame = read_audio((as_array(samples, dtype), 16_000))
    assert frame.samples.dtype == np.float32
    assert np.abs(frame.samples - samples).max() < (0.005 if np.dtype(dtype).itemsize == 1 else 3e-4)


@given(st.integers(1, 200), st.integers(1, 8), st.booleans())
@settings(deadline=None, max_examples=60)
def test_channels_are_told_from_samples(count: int, channels: int, transposed: bool) -> None:
    columns = noise(count * channels).reshape(count, channels)
    expected = columns if count >= channels else columns.T  # the fewer are the channels
    frame = read_audio((columns.T if transposed and count != channels else columns, 16_000))
    assert np.abs(frame.samples - expected.mean(axis=1)).max() < 1e-6


def test_an_array_comes_with_its_rate_in_many_ways() -> None:
    samples = noise(4000)
    for source in ((samples, 8_000), (8_000, samples), {"array": samples, "sampling_rate": 8_000, "path": None},
                   (samples.tolist(), 8_000), (samples, np.int64(8_000)), (samples, 8_000.0)):  # fmt: skip
        assert read_audio(source, rate=16_000).samples.shape == (8_000,)  # type: ignore[arg-type]
    assert read_audio(samples, sample_rate=8_000, rate=16_000).samples.shape == (8_000,)


def test_an_array_is_neither_changed_nor_shared() -> None:
    samples = noise(4000)
    frame = read_audio((samples, 16_000))
    frame.samples[:] = 0
    assert (samples == noise(4000)).all()


@given(st.lists(st.integers(0, 900), min_size=1, max_size=8))
@settings(deadline=None, max_examples=40)
def test_frames_are_put_together(lengths: list[int]) -> None:
    samples = noise(sum(lengths) + 1)
    bounds = [0, *np.cumsum(lengths).tolist(), len(samples)]
    frames = [AudioFrame(samples[begin:end], 24_000, begin) for begin, end in pairwise(bounds)]
    assert (read_audio(frames).samples == samples).all()
    assert (read_audio(iter(frames)).samples == samples).all()
    assert (read_audio(iter(frames), rate=16_000).samples == read_audio((samples, 24_000), rate=16_000).samples).all()


def test_one_frame_is_audio_too() -> None:
    assert read_audio(AudioFrame(noise(100), 24_000, 7)).start == 0


def test_frames_are_taken_no_earlier_than_needed() -> None:
    taken: list[int] = []

    def live() -> Any:
        for number in range(3):
            taken.append(number)
            yield AudioFrame(noise(480), 24_000)

    stream = open_audio(live())
    assert taken == [0]
    next(stream)
    assert taken == [0]
    next(stream)
    assert taken == [0, 1]


# -- through FFmpeg ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def av() -> Any:
    return pytest.importorskip("av")


def contained(av: Any, container: str, codec: str, rate: int, samples: Any) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.layout = "mono"
        resampler = av.AudioResampler(stream.format, "mono", rate)
        for begin in range(0, len(samples), 960):
            frame = av.AudioFrame.from_ndarray(samples[None, begin : begin + 960], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, begin
            for each in resampler.resample(frame):
                output.mux(stream.encode(each))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "codec", "name"),
    [("mp4", "aac", "MP4"), ("ipod", "aac", "MP4"), ("webm", "libopus", "WebM or Matroska"), ("adts", "aac", "AAC"),
     ("matroska", "flac", "WebM or Matroska"), ("avi", "pcm_s16le", "AVI"), ("mpegts", "aac", "MPEG transport stream")],
)  # fmt: skip
def test_what_ffmpeg_reads_is_read_with_it(av: Any, container: str, codec: str, name: str) -> None:
    sound = chirp(48_000, 2)
    with open_audio(contained(av, container, codec, 48_000, sound), rate=16_000) as stream:
        assert stream.format == name
        samples = np.concatenate([frame.samples for frame in stream])
        assert stream.shortfall is None
    assert likeness(chirp(16_000, 2), samples) > 0.98
    assert 2.0 <= len(samples) / 16_000 < 2.1


def test_ffmpeg_stands_in_where_libsndfile_is_missing(av: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode_audio(chirp(16_000), 16_000, "flac")
    expected = read_audio(data).samples
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert (read_audio(data).samples == expected).all()


def test_ffmpeg_stands_in_where_libsndfile_lacks_the_codec(av: Any) -> None:
    data = contained(av, "wav", "adpcm_swf", 22_050, chirp(22_050)) if "adpcm_swf" in av.codecs_available else b""
    if not data:
        pytest.skip("this FFmpeg has no such codec")
    assert read_audio(data).duration > 0.9
