"""A codec that keeps its contract passes, and one that does not is found out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sauropod.abc import Codes, SpeechInfo
from sauropod.errors import UnsupportedInput
from sauropod.testing import ContractViolation, check_audio_codec


class Codec:
    """Turns each frame into 8 samples of the mean of its codes."""

    info = SpeechInfo(
        name="c", backend="fake", architecture="mean", kind="audio_codec", sample_rate=24_000, frame=8, batch=4
    )

    def prepare(self, item: Codes) -> Sequence[NDArray[np.int64]]:
        lengths = [len(level) for level in item.levels]
        if len(lengths) != 3 or lengths != [lengths[0] * ratio for ratio in (1, 2, 4)]:
            raise UnsupportedInput("three levels, please")
        if any(level.dtype != np.int64 or (level < 0).any() or (level >= 4096).any() for level in item.levels):
            raise UnsupportedInput("codes, please")
        return item.levels

    def decode_audio(self, batch: Sequence[Sequence[NDArray[np.int64]]]) -> Sequence[NDArray[np.float32]]:
        return [self.decoded(levels) for levels in batch]

    def decoded(self, levels: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        frames = np.concatenate(
            [level.reshape(-1, ratio) for level, ratio in zip(levels, (1, 2, 4), strict=True)], axis=1
        )
        return np.repeat((frames.sum(axis=1) / (7 * 4096)).astype(np.float32), 8)

    def close(self) -> None:
        pass


class Gapless(Codec):
    """Leaves the last samples out."""

    def decoded(self, levels: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        return super().decoded(levels)[:-1]


class Doubled(Codec):
    def decoded(self, levels: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        return super().decoded(levels) * 2


class Precise(Codec):
    def decoded(self, levels: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        return super().decoded(levels).astype(np.float64)


class Broken(Codec):
    def decoded(self, levels: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        return super().decoded(levels) * np.float32(np.nan)


class Shared(Codec):
    """Lets all of a batch sound like the first."""

    def decode_audio(self, batch: Sequence[Sequence[NDArray[np.int64]]]) -> Sequence[NDArray[np.float32]]:
        return [samples * np.float32(batch[0][0].sum() % 7 / 7) for samples in super().decode_audio(batch)]


class Recycling(Codec):
    """Writes all results to the same memory."""

    def __init__(self) -> None:
        self.memory = np.zeros(1000, np.float32)

    def decoded(self, levels: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        samples = super().decoded(levels)
        self.memory[: len(samples)] = samples
        return self.memory[: len(samples)]


class Careless(Codec):
    def prepare(self, item: Codes) -> Sequence[NDArray[np.int64]]:
        return super().prepare(Codes([np.abs(level) % 4096 for level in item.levels]))


@pytest.mark.parametrize("exact", [True, False])
def test_a_codec_that_keeps_the_contract_passes(exact: bool) -> None:
    check_audio_codec(Codec, exact=exact)


@pytest.mark.parametrize(
    ("broken", "breach"),
    [
        (Gapless, "23 samples instead of 3 times"),
        (Doubled, "from -1 to 1"),
        (Precise, "float32"),
        (Broken, "no numbers"),
        (Shared, "another result than alone"),
        (Recycling, "another result than alone"),
        (Careless, "took a code below 0"),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
def test_a_codec_that_breaks_the_contract_is_found_out(broken: type[Codec], breach: str, exact: bool) -> None:
    with pytest.raises(ContractViolation, match=breach):
        check_audio_codec(broken, exact=exact)
