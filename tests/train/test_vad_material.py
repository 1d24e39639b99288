"""What the demo voice detector is trained on: right labels, noises that are no speech, scenes that are seeded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from examples.train.vad import labels, mixing, noises, record, speakers
from examples.train.vad.labels import FRAME
from numpy.typing import NDArray

RATE = 16_000


def tone(seconds: float, loudness: float = 0.5, hertz: float = 300.0) -> NDArray[np.float32]:
    return (loudness * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


@pytest.fixture(scope="module")
def clips() -> list[record.Clip]:
    """Not speech, but labelled alike: two syllables and a pause that is none, and a soft end."""
    parts = [silence(0.3), tone(0.4), silence(0.1), tone(0.3), tone(0.2, 0.02, 4000), silence(0.4)]
    return [record.clip(np.concatenate(parts)), record.clip(tone(0.7))]


@pytest.fixture(scope="module")
def given(clips: list[record.Clip]) -> mixing.Material:
    return mixing.material(np.random.default_rng(1), clips, 1, seconds=3)


def test_speech_is_labelled_from_its_beginning_to_its_soft_end() -> None:
    parts = [silence(0.3), tone(0.4), silence(0.1), tone(0.3), tone(0.2, 0.02, 4000), silence(0.4)]
    speech = labels.speech_frames(np.concatenate(parts))
    assert np.flatnonzero(speech).tolist() == list(range(15, 65))


def test_a_pause_between_words_is_silence_and_a_closure_is_not() -> None:
    heard = np.array([1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1], np.bool_)
    assert labels.without_gaps(heard, 6).tolist() == [True] * 8 + [False] * 7 + [True]
    assert not labels.speech_frames(silence(1)).any()
    assert len(labels.speech_frames(np.zeros(321, np.float32))) == 2


def test_a_clip_is_cut_to_its_speech_and_silence_is_none(clips: list[record.Clip]) -> None:
    (clip, _) = clips
    assert np.abs(clip.samples).max() == 1
    assert len(clip.samples) == len(clip.speech) * FRAME
    assert np.flatnonzero(clip.speech)[[0, -1]].tolist() == [2, len(clip.speech) - 3]
    with pytest.raises(ValueError, match="no speech"):
        record.clip(silence(1))


def test_clips_are_saved_and_loaded(clips: list[record.Clip], tmp_path: Path) -> None:
    record.save(clips, tmp_path / "clips.npz")
    for one, other in zip(clips, record.load(tmp_path / "clips.npz"), strict=True):
        np.testing.assert_allclose(one.samples, other.samples, atol=1e-4)
        np.testing.assert_array_equal(one.speech, other.speech)


@pytest.mark.parametrize("kind", noises.KINDS)
def test_noises_are_seeded_and_of_power_one(kind: str) -> None:
    one, same, other = (noises.KINDS[kind](np.random.default_rng(seed), 16_000) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.mean(one**2) == pytest.approx(1, abs=1e-3)


def test_scenes_are_seeded_and_say_where_speech_is(given: mixing.Material) -> None:
    one, same = (mixing.scene(np.random.default_rng(5), given, 100) for _ in range(2))
    np.testing.assert_array_equal(one.samples, same.samples)
    scenes = [mixing.scene(np.random.default_rng(seed), given, 100) for seed in range(60)]
    for scene in scenes:
        assert scene.samples.shape == (100 * FRAME,)
        assert scene.speech.shape == (100,)
        assert np.isfinite(scene.samples).all()
        assert np.abs(scene.samples).max() <= 1
    assert 25 < sum(scene.speech.any() for scene in scenes) < 55
    assert {"silence", "babble", "music"} <= {scene.kind for scene in scenes}
    assert any(not scene.samples.any() for scene in scenes)  # digital silence is among them


def test_where_speech_is_labelled_it_is_louder(given: mixing.Material) -> None:
    quiet = [mixing.scene(np.random.default_rng(seed), given, 100, speech=1) for seed in range(40)]
    for scene in quiet:
        power = (scene.samples.reshape(100, FRAME) ** 2).mean(1)
        if scene.kind == "silence" and 0 < scene.speech.sum() < 100:
            assert power[scene.speech].mean() > 4 * power[~scene.speech].mean()


def test_a_room_adds_echoes_and_takes_nothing_away() -> None:
    click = np.zeros(8000, np.float32)
    click[1000] = 1
    heard = mixing.reverberant(np.random.default_rng(3), click)
    assert heard[1000] == pytest.approx(1, abs=1e-3)
    assert np.abs(heard[:1000]).max() < 1e-4
    assert np.abs(heard[1200:]).max() > 1e-3


def test_resampling_keeps_a_tone() -> None:
    slow = speakers.resampled(np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32), 22_050)
    wanted = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    assert len(slow) == 16_000
    np.testing.assert_allclose(slow[500:-500], wanted[500:-500], atol=0.01)


def test_voices_to_measure_with_are_not_trained() -> None:
    assert not set(speakers.UNSEEN_FLITE) & set(speakers.FLITE)
    assert not set(speakers.UNSEEN_VARIANTS) & set(speakers.VARIANTS)
    assert not set(speakers.UNSEEN_LANGUAGES) & set(speakers.LANGUAGES)
