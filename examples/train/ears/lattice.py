"""Lattice: the likelihood of a text under a token-and-duration transducer, and its gradient.

Xu et al. 2023 (arXiv 2304.06795). An arc out of (frame t, u pieces written) is a blank that goes on by d = 1 to 4
frames, or the next piece that goes on by d = 0 to 4. All paths to the end are summed, one diagonal t + u after the
other, forward and backward in one go: the gradient is each arc's probability, and no graph of operations is kept.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LOW = np.float32(-1e30)


def likelihood(
    blanks: Floats, pieces: Floats, durations: Floats, frames: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
    """Losses [B] and their gradients with respect to the three log probabilities."""
    batch, times, places, kinds = durations.shape
    diagonals = times + places
    # Arcs [diagonal, B, U+1, D], so that each step is a slice. An arc that leaves the row's frames leads nowhere.
    t, u = np.meshgrid(np.arange(times), np.arange(places), indexing="ij")
    n = t + u
    left = frames[:, None, None, None] - t[None, :, :, None] - np.arange(kinds)
    inside = (u <= lengths[:, None, None])[..., None]
    ends = (left == 0) & (u == lengths[:, None, None])[..., None]
    blank = np.where((left > 0) & inside | ends, blanks[..., None] + durations, LOW)
    blank[..., 0] = LOW
    piece = np.full_like(blank, LOW)
    piece[:, :, :-1] = np.where(
        ((left > 0) & (u < lengths[:, None, None])[..., None])[:, :, :-1], pieces[..., None] + durations[:, :, :-1], LOW
    )
    skewed = np.full((2, diagonals, batch, places, kinds), LOW, np.float32)
    skewed[0, n, :, u], skewed[1, n, :, u] = blank.transpose(1, 2, 0, 3), piece.transpose(1, 2, 0, 3)
    alpha, beta = _forward(skewed), _backward(skewed, frames + lengths, lengths)
    total = beta[0, :, 0]
    # The probability of each arc: before it, itself, after it.
    posterior = np.zeros_like(skewed)
    for d in range(kinds):
        after = beta[d : d + diagonals]
        posterior[0, ..., d] = _exp(alpha[:diagonals] + skewed[0, ..., d] + after - total[:, None])
        after = beta[d + 1 : d + 1 + diagonals, :, 1:]
        posterior[1, :, :, :-1, d] = _exp(alpha[:diagonals, :, :-1] + skewed[1, :, :, :-1, d] + after - total[:, None])
    flat = posterior[:, n, :, u].transpose(2, 3, 0, 1, 4)
    gradients = -flat[0].sum(-1), -flat[1, :, :, :-1].sum(-1), -flat.sum(0)
    return -total.astype(np.float32), tuple(np.ascontiguousarray(each) for each in gradients)  # type: ignore[return-value]


def _exp(x: Floats) -> Floats:
    return np.asarray(np.exp(np.minimum(x, 0.0)), np.float32)


def _sum(parts: Floats) -> Floats:
    """log Σ exp over the first axis."""
    most = parts.max(0)
    return np.asarray(np.maximum(most + np.log(np.exp(parts - most).sum(0)), LOW), np.float32)


def _forward(arcs: Floats) -> Floats:
    """alpha [diagonal, B, U+1]: the log probability of having come there."""
    _, diagonals, batch, places, kinds = arcs.shape
    alpha = np.full((diagonals, batch, places), LOW, np.float32)
    alpha[0, :, 0] = 0
    for n in range(1, diagonals):
        parts = np.full((2 * kinds, batch, places), LOW, np.float32)
        for d in range(kinds):
            if 0 < d <= n:
                parts[d] = alpha[n - d] + arcs[0, n - d, :, :, d]
            if d < n:
                parts[kinds + d, :, 1:] = alpha[n - 1 - d, :, :-1] + arcs[1, n - 1 - d, :, :-1, d]
        alpha[n] = _sum(parts)
    return alpha


def _backward(arcs: Floats, ends: NDArray[np.int64], lengths: NDArray[np.int64]) -> Floats:
    """beta [diagonal + D + 1, B, U+1]: the log probability of coming to the end from there."""
    _, diagonals, batch, places, kinds = arcs.shape
    beta = np.full((diagonals + kinds + 1, batch, places), LOW, np.float32)
    rows = np.arange(batch)
    for n in range(diagonals - 1, -1, -1):
        parts = np.full((2 * kinds, batch, places), LOW, np.float32)
        for d in range(kinds):
            if d > 0:
                parts[d] = beta[n + d] + arcs[0, n, :, :, d]
            parts[kinds + d, :, :-1] = beta[n + 1 + d, :, 1:] + arcs[1, n, :, :-1, d]
        beta[n] = _sum(parts)
        last = ends == n
        beta[n, rows[last], lengths[last]] = 0
    return beta
