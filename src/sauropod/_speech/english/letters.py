"""Letters: how a word is said that nobody listed, by a small network (`examples/train/english`).

Letters go in, and each comes out as two places that hold a symbol or nothing; what is repeated without a nothing
between counts once (CTC, Graves et al. 2006). Convolutions see a letter's neighbours, attention the whole word.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from sauropod._speech.english.alphabet import ACCENTS, BLANK, LETTERS, LONGEST, SAID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Letters"]

ALONE = 1 << 18
"""Multiplications up to which OpenBLAS uses one thread (its `GEMM_MULTITHREAD_THRESHOLD` of 4 times 65,536)."""
HEADS = 4
PLACES = 2
BLOCKS = ("near", "far", "near", "far")


class Letters:
    """The network, in numpy. All arrays are float32 (places, size)."""

    def __init__(self, stored: bytes) -> None:
        """`stored` is an npz file: matrices of int8 with a float16 scale for each row, and float16 biases."""
        import numpy as np

        with np.load(BytesIO(stored), allow_pickle=False) as arrays:
            self._weights = _unpacked({name: arrays[name] for name in arrays.files})

    def say(self, word: str, accent: str) -> str:
        """The phonemes of 1 to `LONGEST` small letters from a to z."""
        scores = self.scores([LETTERS.index(letter) for letter in word], ACCENTS.index(accent))
        said, before = [], BLANK
        for symbol in scores.argmax(-1).tolist():
            if symbol not in (BLANK, before):
                said.append(SAID[symbol])
            before = symbol
        return "".join(said)

    def scores(self, letters: list[int], accent: int) -> NDArray[np.float32]:
        """What speaks for each symbol: (2 * letters, symbols), the more the likelier."""
        import numpy as np

        weights, count = self._weights, len(letters)
        if not 1 <= count <= LONGEST:
            raise ValueError(f"{count} letters; 1 to {LONGEST} are read at once")
        x = weights["letter.weight"][letters] + weights["accent.weight"][accent]
        x = x + weights["first.weight"][:count] + weights["last.weight"][:count][::-1]
        for at, block in enumerate(BLOCKS):
            x = self._near(x, f"blocks.{at}") if block == "near" else self._far(x, f"blocks.{at}")
        x = self._linear(_norm(x), "split").reshape(PLACES * count, -1)
        x = self._near(x, "places.0")
        scores: NDArray[np.float32] = self._linear(_norm(x), "symbol").astype(np.float32, copy=False)
        return scores

    def _linear(self, x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        """In pieces that BLAS computes in this thread: handing so little to others takes far longer."""
        import numpy as np

        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        step = max(1, ALONE // x.size)
        pieces = [x @ weight[at : at + step].T for at in range(0, len(weight), step)]
        said: NDArray[np.float32] = np.concatenate(pieces, axis=1) + bias
        return said

    def _near(self, x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        """Adds what is seen in a window around each place."""
        import numpy as np

        count, size = x.shape
        reach = self._weights[f"{name}.inner.weight"].shape[1] // size // 2
        padded = np.pad(_norm(x), ((reach, reach), (0, 0)))
        windows = np.concatenate([padded[at : at + count] for at in range(2 * reach + 1)], axis=1)
        return x + np.maximum(self._linear(windows, f"{name}.inner"), 0)

    def _far(self, x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        """Adds what attention finds in the whole word, then what two layers make of each place."""
        import numpy as np

        count, size = x.shape
        asked = self._linear(_norm(x), f"{name}.asked").reshape(count, 3, HEADS, size // HEADS)
        query, key, value = asked.transpose(1, 2, 0, 3)
        seen = _softmax(query @ key.transpose(0, 2, 1) / np.float32(size // HEADS) ** np.float32(0.5)) @ value
        x = x + self._linear(seen.transpose(1, 0, 2).reshape(count, size), f"{name}.found")
        return x + self._linear(np.maximum(self._linear(_norm(x), f"{name}.wide"), 0), f"{name}.narrow")


def _norm(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every place scaled to a mean square of 1."""
    import numpy as np

    scaled: NDArray[np.float32] = x / np.sqrt(np.square(x).mean(-1, keepdims=True) + np.float32(1e-6))
    return scaled


def _softmax(x: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    raised = np.exp(x - x.max(-1, keepdims=True))
    shares: NDArray[np.float32] = raised / raised.sum(-1, keepdims=True)
    return shares


def _unpacked(stored: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.float32]]:
    """Matrices times their rows' scales."""
    import numpy as np

    weights = {}
    for name, array in stored.items():
        if not name.endswith(".scale"):
            scale = stored.get(f"{name}.scale")
            weights[name] = array.astype(np.float32)
            if scale is not None:
                weights[name] *= scale.astype(np.float32)[:, None]
    return weights
