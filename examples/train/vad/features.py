"""The log-mel features of `preprocessor.onnx`, in torch. `export.py` checks that both agree.

As NeMo computes them for its frame VAD: pre-emphasis 0.97, 25 ms windows every 10 ms, 512-point spectrum, 80 mel bands
(Slaney), the logarithm of their energies, and no normalisation: what a feature is depends on 32 ms of sound only.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sauropod.testing.models.speech.features import log_mel

HOP, FFT, WINDOW = 160, 512, 400


class Features(nn.Module):
    """float32 [B, n] at 16 kHz to [B, 80, n // 160]."""

    window: Tensor
    filters: Tensor

    def __init__(self, mels: int = 80) -> None:
        super().__init__()
        side = (FFT - WINDOW) // 2
        self.register_buffer("window", functional.pad(torch.hann_window(WINDOW, periodic=False), (side, side)))
        self.register_buffer("filters", torch.tensor(filters(mels)))

    def forward(self, audio: Tensor) -> Tensor:
        """[B, 80, n // 160]."""
        emphasised = torch.cat([audio[:, :1], audio[:, 1:] - 0.97 * audio[:, :-1]], 1)
        spectrum = torch.stft(
            emphasised, FFT, HOP, window=self.window, center=True, pad_mode="constant", return_complex=True
        )
        power = torch.view_as_real(spectrum).square().sum(-1)
        logs = torch.log(self.filters.T @ power + 2.0**-24)
        return logs[:, :, : audio.shape[1] // HOP]


def filters(mels: int) -> NDArray[np.float32]:
    """The weights of the preprocessor that ships: float32 [257, mels]."""
    from onnx import numpy_helper

    arrays = [numpy_helper.to_array(each) for each in log_mel(mels, normalised=False).weights]
    return next(array for array in arrays if array.shape == (FFT // 2 + 1, mels))
