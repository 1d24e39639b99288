"""Sound out of the loudspeaker, of which a fake is as strict as PortAudio."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest

from _audio.sounds import chirp, likeness, noise
from sauropod._audio import Player, play
from sauropod.errors import BackendNotFound, ClosedError, DeviceUnavailable, UnsupportedInput

pytest.importorskip("soxr")


@attrs.define(eq=False)
class Loudspeaker:
    """Remembers what was heard. Takes nothing before it is started or after it is stopped, and only columns."""

    samplerate: float = 24_000.0
    heard: list[Any] = attrs.field(factory=list)
    state: str = "opened"
    history: list[str] = attrs.field(factory=list)

    def _to(self, state: str, *allowed: str) -> None:
        assert self.state in allowed, f"{state} after {self.state}"
        self.state = state
        self.history.append(state)

    def start(self) -> None:
        self._to("started", "opened")

    def write(self, samples: Any) -> None:
        assert self.state == "started"
        assert samples.dtype == np.float32
        assert samples.flags.c_contiguous
        assert samples.ndim == 2
        assert samples.shape[1] == 1
        assert np.abs(samples).max() <= 1
        self.heard.append(samples[:, 0].copy())

    def stop(self) -> None:
        self._to("stopped", "started")

    def abort(self) -> None:
        self._to("aborted", "started")

    def close(self) -> None:
        self._to("closed", "opened", "started", "stopped", "aborted")

    @property
    def sound(self) -> Any:
        return np.concatenate(self.heard)


def player(loudspeaker: Any, rate: int = 24_000) -> Player:
    return Player(rate, open_stream=lambda *_: loudspeaker)


def test_all_is_heard_in_order_before_the_block_ends() -> None:
    loudspeaker = Loudspeaker()
    with player(loudspeaker) as playing:
        for begin in range(0, 24_000, 999):
            playing.write(chirp(24_000)[begin : begin + 999])
    assert (loudspeaker.sound == chirp(24_000)).all()
    assert loudspeaker.history == ["started", "stopped", "closed"]


def test_a_device_with_a_rate_of_its_own_is_given_that() -> None:
    loudspeaker = Loudspeaker(48_000.0)
    with player(loudspeaker) as playing:
        playing.write(chirp(24_000)[:5000])
        playing.write(chirp(24_000)[5000:])
    assert len(loudspeaker.sound) == 48_000
    assert likeness(chirp(48_000), loudspeaker.sound) > 0.999


def test_what_is_too_loud_is_clipped_and_integers_are_taken() -> None:
    loudspeaker = Loudspeaker()
    with player(loudspeaker) as playing:
        playing.write(np.array([2, -2], np.float32))
        playing.write(np.array([0, 16384], np.int16))
        playing.write(np.zeros(0, np.float32))
    assert loudspeaker.sound.tolist() == [1, -1, 0, 0.5]


def test_an_exception_makes_it_silent_at_once() -> None:
    loudspeaker = Loudspeaker()

    def interrupted() -> None:
        with player(loudspeaker) as playing:
            playing.write(noise(100))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert loudspeaker.history == ["started", "aborted", "closed"]


def test_it_can_be_made_silent_and_takes_nothing_after_that() -> None:
    loudspeaker = Loudspeaker()
    with player(loudspeaker) as playing:
        playing.abort()
        playing.abort()
        with pytest.raises(ClosedError, match="`with` block"):
            playing.write(noise(10))
    assert loudspeaker.history == ["started", "aborted", "closed"]
    with pytest.raises(ClosedError, match="`with` block"):
        player(loudspeaker).write(noise(10))


def test_what_is_no_sound_is_not_played() -> None:
    loudspeaker = Loudspeaker()
    with player(loudspeaker) as playing:
        playing.write(noise(10))
        with pytest.raises(UnsupportedInput, match="has nan as sample 12"):
            playing.write(np.array([0, 0, np.nan], np.float32))
    with pytest.raises(UnsupportedInput, match="from 1,000 to 768,000"), player(loudspeaker, 0):
        pass


def test_a_stream_that_does_not_start_is_closed() -> None:
    @attrs.define(eq=False)
    class Broken(Loudspeaker):
        def start(self) -> None:
            raise DeviceUnavailable("no")

    loudspeaker = Broken()
    with pytest.raises(DeviceUnavailable), player(loudspeaker):
        pass
    assert loudspeaker.history == ["closed"]


# -- PortAudio --------------------------------------------------------------------------------------------------------


class PortAudioError(Exception):
    pass


def portaudio(**changed: Any) -> Any:
    """The module `sounddevice`, as far as it is used, with one device of 48,000 samples a second only."""

    def check(*, samplerate: float, **_: Any) -> None:
        if samplerate != 48_000:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")

    opened: list[Loudspeaker] = []

    def open_stream(rate: int, *, device: Any, channels: int, dtype: str) -> Loudspeaker:
        assert (channels, dtype) == (1, "float32")
        check(samplerate=rate)
        opened.append(Loudspeaker(float(rate)))
        return opened[-1]

    known = {
        "PortAudioError": PortAudioError,
        "query_devices": lambda device, kind: {"default_samplerate": 48_000.0},
        "check_output_settings": check,
        "OutputStream": open_stream,
        "opened": opened,
    }
    return SimpleNamespace(**{**known, **changed})


def test_the_systems_device_is_opened_at_a_rate_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    library = portaudio()
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    play((chirp(24_000)[begin : begin + 480] for begin in range(0, 24_000, 480)), 24_000)
    [loudspeaker] = library.opened
    assert loudspeaker.samplerate == 48_000
    assert likeness(chirp(48_000), loudspeaker.sound) > 0.999
    assert loudspeaker.history == ["started", "stopped", "closed"]


def test_no_device_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any) -> Any:
        raise PortAudioError("Error querying device -1")

    monkeypatch.setitem(sys.modules, "sounddevice", portaudio(query_devices=none))
    with pytest.raises(DeviceUnavailable, match=r"No sound can be played on the default device.*write a file instead"):
        play([noise(10)], 24_000)
    with pytest.raises(DeviceUnavailable, match="No sound can be played on 'hdmi'"):
        play([noise(10)], 24_000, device="hdmi")


def test_a_device_that_goes_away_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    @attrs.define(eq=False)
    class Unplugged(Loudspeaker):
        def write(self, samples: Any) -> None:
            raise PortAudioError("Device unavailable")

    monkeypatch.setitem(sys.modules, "sounddevice", portaudio(OutputStream=lambda rate, **_: Unplugged(float(rate))))
    with pytest.raises(DeviceUnavailable, match="The sound device failed: Device unavailable"):
        play([noise(10)], 48_000)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(BackendNotFound, match=r'pip install "sauropod\[audio\]"'):
        play([noise(10)], 24_000)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """sounddevice is installed, and raises an OSError when it does not find PortAudio."""

    class Finder:
        def find_spec(self, name: str, *_: Any) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(BackendNotFound, match=r"apt install libportaudio2.*sauropod\[audio\]"):
        play([noise(10)], 24_000)
