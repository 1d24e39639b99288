"""Audio out: whole files, and streams that have no end yet."""

from __future__ import annotations

import errno
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

from _audio.sounds import chirp, lag, likeness, noise, wav
from sauropod._audio import FORMATS, MEDIA_TYPES, AudioEncoder, AudioFormat, encode_audio, read_audio, write_audio
from sauropod.errors import BackendNotFound, UnsupportedInput

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")

CHECKED: tuple[AudioFormat, ...] = tuple(each for each in FORMATS if each not in ("aac", "pcm"))
TELEPHONE_TO_STUDIO = (8_000, 22_050, 24_000, 44_100, 96_000)


def streamed(samples: Any, rate: int, format: AudioFormat, step: int) -> bytes:
    encoder = AudioEncoder(format, rate)
    pieces = [encoder.feed(samples[begin : begin + step]) for begin in range(0, len(samples), step)]
    return b"".join([*pieces, encoder.finish()])


@pytest.mark.parametrize("rate", TELEPHONE_TO_STUDIO)
@pytest.mark.parametrize("format", CHECKED)
def test_every_format_keeps_the_sound_at_every_rate(format: AudioFormat, rate: int) -> None:
    """Read by the library itself: it shares nothing with the writer but the codec."""
    samples, written = soundfile.read(io.BytesIO(encode_audio(chirp(rate), rate, format)), dtype="float32")
    sound = chirp(written)
    assert abs(len(samples) - written) <= 1
    assert abs(lag(sound, samples)) <= 1
    assert likeness(sound, samples) > 0.98
    if format in ("wav", "flac"):
        assert written == rate
        assert np.abs(samples - sound).max() <= 0.5 / 32768


@pytest.mark.parametrize("format", CHECKED)
def test_a_stream_is_decodable_though_nobody_went_back_to_its_header(format: AudioFormat) -> None:
    sound = chirp(24_000, 2)
    data = streamed(sound, 24_000, format, 480)
    samples = read_audio(data).samples
    delay = lag(sound, samples)
    assert 0 <= delay <= (2_000 if format == "mp3" else 1)  # MP3: the encoder's delay and a silent frame
    assert 48_000 <= len(samples) <= 48_000 + delay + 1_152
    assert likeness(sound, samples) > 0.98


@given(st.sampled_from(["wav", "pcm", "flac", "mp3"]), st.lists(st.integers(0, 3000), max_size=6))
@settings(deadline=None, max_examples=25)
def test_the_same_samples_in_other_pieces_are_the_same_file(format: AudioFormat, places: list[int]) -> None:
    samples = noise(3000)
    bounds = [0, *sorted(places), 3000]
    encoder = AudioEncoder(format, 22_050)
    pieces = [encoder.feed(samples[begin:end]) for begin, end in pairwise(bounds)]
    assert b"".join([*pieces, encoder.finish()]) == streamed(samples, 22_050, format, 3000)


@pytest.mark.parametrize("format", ["wav", "pcm", "mp3", "opus"])
def test_a_listener_does_not_wait_for_the_end(format: AudioFormat) -> None:
    """What has been fed comes out while more is fed, and less than a fifth of a second is held back."""
    encoder = AudioEncoder(format, 24_000)
    held = longest = 0
    for begin in range(0, 48_000, 480):
        held = 0 if encoder.feed(chirp(24_000, 2)[begin : begin + 480]) else held + 480
        longest = max(longest, held)
    assert longest <= 4_800


# -- whole files ------------------------------------------------------------------------------------------------------


def test_a_wav_file_is_a_header_and_the_samples() -> None:
    data = encode_audio(np.array([0, 1, -1, 0.5], np.float32), 8_000, "wav")
    assert data == wav(np.array([0, 32767, -32768, 16384], "<i2").tobytes(), rate=8_000)
    assert encode_audio(np.array([0, 1, -1, 0.5], np.float32), 8_000, "pcm") == data[44:]


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_what_is_too_loud_is_clipped_and_not_wrapped(format: AudioFormat) -> None:
    loud = np.array([1.0, 1.5, 99.0, -1.0, -1.5, -99.0] * 100, np.float32)
    samples = read_audio(encode_audio(loud, 16_000, format)).samples
    assert samples.reshape(-1, 6).max(axis=0).tolist() == [32767 / 32768] * 3 + [-1] * 3


@pytest.mark.parametrize("format", ["mp3", "opus", "ogg"])
def test_what_is_too_loud_is_clipped_before_it_is_compressed(format: AudioFormat) -> None:
    samples = chirp(16_000) / np.float32(0.4)
    expected = read_audio(encode_audio(np.clip(3 * samples, -1, 1), 16_000, format)).samples
    assert (read_audio(encode_audio(3 * samples, 16_000, format)).samples == expected).all()


def test_silence_stays_silent_and_has_no_offset() -> None:
    quiet = noise(100_000) / np.float32(1000)
    samples = read_audio(encode_audio(np.concatenate([quiet, -quiet]), 16_000, "wav")).samples
    assert samples.sum() == 0
    assert not read_audio(encode_audio(np.zeros(100, np.float32), 16_000, "wav")).samples.any()


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=500), st.sampled_from(["wav", "flac"]))
@settings(deadline=None, max_examples=25)
def test_sixteen_bits_come_back_as_they_were(samples: list[int], format: AudioFormat) -> None:
    integers = np.array(samples, np.int16)
    assert (read_audio(encode_audio(integers, 16_000, format)).samples * 32768 == integers).all()


def test_other_kinds_of_arrays_are_written_too() -> None:
    expected = encode_audio(np.array([0, 0.25], np.float32), 16_000, "wav")
    for samples in ([0, 1 << 13], [[0, 0], [1 << 13, 1 << 13], [0, 0]]):
        array = np.array(samples, np.int16)
        assert encode_audio(array, 16_000, "wav")[44:48] == expected[44:48]


@pytest.mark.parametrize("format", [each for each in FORMATS if each != "aac"])
def test_nothing_is_a_file_too(format: AudioFormat) -> None:
    assert isinstance(encode_audio(np.zeros(0, np.float32), 16_000, format), bytes)
    assert AudioEncoder(format, 16_000).feed(np.zeros(0, np.float32)) is not None


def test_a_long_piece_is_written_without_harm() -> None:
    """libvorbis keeps what it is given at once on the stack."""
    assert 19 < read_audio(encode_audio(np.zeros(44_100 * 20, np.float32), 44_100, "ogg")).duration < 21


def test_every_format_has_its_media_type() -> None:
    assert set(MEDIA_TYPES) == set(FORMATS)


# -- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.wav", "b.FLAC", "c.mp3", "d.opus", "e.ogg", "f.oga"])
def test_the_ending_names_the_format(name: str, tmp_path: Path) -> None:
    write_audio(tmp_path / name, chirp(16_000), 16_000)
    assert likeness(chirp(16_000), read_audio(tmp_path / name, rate=16_000).samples) > 0.98
    assert os.listdir(tmp_path) == [name]


def test_pieces_are_written_as_they_come_and_the_header_tells_the_length(tmp_path: Path) -> None:
    pieces = (chirp(16_000)[begin : begin + 1000] for begin in range(0, 16_000, 1000))
    write_audio(tmp_path / "a.wav", pieces, 16_000)
    assert (tmp_path / "a.wav").read_bytes() == encode_audio(chirp(16_000), 16_000, "wav")


def test_a_file_that_was_there_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    write_audio(path, chirp(16_000), 16_000)
    kept = path.read_bytes()

    def breaking() -> Any:
        yield chirp(16_000, 5)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_audio(path, breaking(), 16_000)
    with pytest.raises(UnsupportedInput, match="has nan as sample 2"):
        write_audio(path, np.array([0, 0, np.nan], np.float32), 16_000)
    assert path.read_bytes() == kept
    assert os.listdir(tmp_path) == ["a.mp3"]
    write_audio(path, noise(16_000), 16_000)
    assert path.read_bytes() != kept


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    write_audio(tmp_path / "link.wav", chirp(16_000), 16_000)
    assert (tmp_path / "link.wav").is_symlink()
    assert len(read_audio(tmp_path / "a.wav").samples) == 16_000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe.wav").read_bytes()))
    reader.start()
    write_audio(tmp_path / "pipe.wav", chirp(16_000), 16_000)
    reader.join()
    assert len(read_audio(read[0]).samples) == 16_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("format", ["wav", "flac", "ogg"])
def test_a_full_disk_is_an_error(format: AudioFormat) -> None:
    with pytest.raises(UnsupportedInput, match="could not be written: No space left"):
        write_audio("/dev/full", noise(32_000), 16_000, format=format)


@pytest.mark.parametrize("format", ["wav", "flac", "mp3"])
def test_a_disk_that_fills_up_is_an_error_and_leaves_nothing(
    format: AudioFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.FileIO):
        def write(self, data: Any, /) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("builtins.open", lambda path, mode: Full(path, "x"))
    with pytest.raises(UnsupportedInput, match="could not be written: No space left"):
        write_audio(tmp_path / f"a.{format}", noise(32_000), 16_000)
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedInput, match="could not be written: No such file or directory"):
        write_audio(tmp_path / "none" / "a.wav", noise(10), 16_000)
    with pytest.raises(UnsupportedInput, match="is a directory"):
        write_audio(tmp_path, noise(10), 16_000, format="wav")
    with pytest.raises(UnsupportedInput, match=r"no ending that tells.*\.wav, \.flac"):
        write_audio(tmp_path / "a.doc", noise(10), 16_000)


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(UnsupportedInput, match="wav, flac, mp3, opus, ogg, aac, pcm; got 'midi'"):
        AudioEncoder("midi", 16_000)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedInput, match="from 1,000 to 768,000; got 0"):
        AudioEncoder("wav", 0)
    encoder = AudioEncoder("wav", 16_000)
    encoder.feed(noise(1000))
    with pytest.raises(UnsupportedInput, match=r"has inf as sample 1,001 \(0.063 s\)"):
        encoder.feed(np.array([0, np.inf], np.float32))
    with pytest.raises(UnsupportedInput, match="holds int64"):
        encoder.feed(np.array([0, 1]))


def test_a_finished_encoder_takes_nothing_more() -> None:
    encoder = AudioEncoder("wav", 16_000)
    encoder.finish()
    assert encoder.finish() == b""
    with pytest.raises(UnsupportedInput, match="new one"):
        encoder.feed(noise(10))


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(BackendNotFound, match=r'AAC audio takes PyAV.*pip install "sauropod\[av\]"'):
        AudioEncoder("aac", 16_000)
    with pytest.raises(BackendNotFound, match=r'MP3 audio takes soundfile.*pip install "sauropod\[speech\]"'):
        AudioEncoder("mp3", 16_000)
    assert len(encode_audio(noise(100), 16_000, "wav")) == 244


# -- through FFmpeg ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", TELEPHONE_TO_STUDIO)
def test_aac_keeps_the_sound_too(rate: int, tmp_path: Path) -> None:
    pytest.importorskip("av")
    data = streamed(chirp(rate), rate, "aac", 777)
    samples = read_audio(data, rate=rate).samples
    assert 0 <= lag(chirp(rate), samples) / rate < 0.14  # the encoder's delay, a frame of 1,024 samples
    assert likeness(chirp(rate), samples) > 0.99
    write_audio(tmp_path / "a.aac", chirp(rate), rate)
    assert likeness(chirp(rate), read_audio(tmp_path / "a.aac", rate=rate).samples) > 0.99
    assert encode_audio(np.zeros(0, np.float32), rate, "aac") is not None
