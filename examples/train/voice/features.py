"""Features: what the network learns of an utterance, frame by frame.

A row of `WIDTH` numbers says one frame of 5 ms: whether it is voiced, the logarithm of its F0 (drawn through where it
is unvoiced), the strengths of the pulses in five bands, and the mel-cepstrum with flite's post-filter applied.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .flite import BANDS, Floats, Utterance, Vocoding
from .phones import EDGE, LONGEST_PAUSE, Token, tokens
from .symbols import VOCABULARY

ORDER = 25
"""Coefficients of the mel-cepstrum, the zeroth among them."""

VOICED, PITCH, STRENGTHS, CEPSTRUM = slice(0, 1), slice(1, 2), slice(2, 2 + BANDS), slice(2 + BANDS, 2 + BANDS + ORDER)
WIDTH = 2 + BANDS + ORDER
FULL_SCALE = 32768.0

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Example:
    """What is learned of one utterance: ids and frames of its symbols (n), and its frames (sum of `frames`, WIDTH)."""

    ids: Ids
    frames: Ids
    rows: Floats


def example(utterance: Utterance, rng: random.Random) -> Example:
    """An utterance with `EDGE` frames of the pauses at its ends, which are the pad's."""
    segments = utterance.segments
    first, last = segments[0].end, segments[-2].end
    said = tokens(segments, rng)
    rows = rows_of(utterance)
    if rng.random() < 0.15 and said[-1].symbol in ".?!" and said[-1].frames == 0:
        said = said[:-1]
    said = [Token("$", EDGE), *said, Token("$", EDGE)]
    inner = rows[first:last]
    edges = _silence(rows[max(0, first - EDGE) : first]), _silence(rows[last : last + EDGE])
    return _shortened(said, np.concatenate([edges[0], inner, edges[1]]))


def rows_of(utterance: Utterance) -> Floats:
    """The rows of all frames: (frames, WIDTH)."""
    voiced = utterance.pitch > 0
    pitch = drawn_through(utterance.pitch, voiced)
    cepstrum = sharpened(utterance.cepstrum, utterance.vocoding)
    cepstrum[:, 0] += np.log(utterance.vocoding.gain / FULL_SCALE)
    rows = np.concatenate([voiced[:, None], pitch[:, None], utterance.strengths.clip(0, 1), cepstrum], axis=1)
    return rows.astype(np.float32)


def drawn_through(pitch: Floats, voiced: NDArray[np.bool_]) -> Floats:
    """The logarithm of F0, straight lines where there is none."""
    places = np.flatnonzero(voiced)
    if not len(places):
        return np.full(len(pitch), np.log(120.0), dtype=np.float32)
    return np.interp(np.arange(len(pitch)), places, np.log(pitch[places])).astype(np.float32)


def sharpened(cepstrum: Floats, vocoding: Vocoding) -> Floats:
    """The mel-cepstrum after the post-filter of flite (and HTS): formants stand out, the energy stays.

    It works on the coefficients of the MLSA filter, b[m] = c[m] - warp * b[m + 1].
    """
    warp, beta = vocoding.warp, vocoding.sharpening
    taps = np.array(cepstrum, dtype=np.float64)
    for order in range(taps.shape[1] - 2, -1, -1):
        taps[:, order] -= warp * taps[:, order + 1]
    before = _energy(unwound(taps, warp), warp)
    taps[:, 1] -= beta * warp * cepstrum[:, 2]
    taps[:, 2:] *= 1 + beta
    after = _energy(unwound(taps, warp), warp)
    taps[:, 0] += np.log(before / after) / 2
    return unwound(taps, warp).astype(np.float32)


def unwound(taps: NDArray[np.float64], warp: float) -> NDArray[np.float64]:
    """The mel-cepstrum of the coefficients of an MLSA filter: c[m] = b[m] + warp * b[m + 1]."""
    cepstrum = taps.copy()
    cepstrum[:, :-1] += warp * taps[:, 1:]
    return cepstrum


def _energy(cepstrum: NDArray[np.float64], warp: float, points: int = 128) -> NDArray[np.float64]:
    """The energy of the impulse response, by Parseval: (frames)."""
    omega = (np.arange(points) + 0.5) * np.pi / points
    warped = omega + 2 * np.arctan(warp * np.sin(omega) / (1 - warp * np.cos(omega)))
    basis = np.cos(np.arange(cepstrum.shape[1])[:, None] * warped)
    energy: NDArray[np.float64] = np.exp(2 * cepstrum @ basis).mean(axis=1)
    return energy


def _silence(rows: Floats) -> Floats:
    """Exactly `EDGE` rows: the first ones repeated where there are fewer."""
    return np.concatenate([np.repeat(rows[:1], EDGE - len(rows), axis=0), rows])


def _shortened(said: list[Token], rows: Floats) -> Example:
    """The example, the middle of what is longer than `LONGEST_PAUSE` left out of pauses."""
    kept = np.ones(len(rows), dtype=bool)
    frames = np.array([token.frames for token in said])
    ends = frames.cumsum()
    for place, token in enumerate(said):
        surplus = token.frames - LONGEST_PAUSE
        if surplus > 0 and not token.symbol.isalpha():
            middle = ends[place] - token.frames // 2 - surplus // 2
            kept[middle : middle + surplus] = False
            frames[place] = LONGEST_PAUSE
    ids = np.array([VOCABULARY[token.symbol] for token in said])
    return Example(ids, frames, rows[kept])
