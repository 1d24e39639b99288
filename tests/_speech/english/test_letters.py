"""The network computes what its description says, told here again with loops and no matrices."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sauropod._speech.english.alphabet import LETTERS, LONGEST, SAID
from sauropod._speech.english.letters import Letters

SIZE = 8
Row = list[float]
Weights = dict[str, NDArray[np.float32]]


def drawn(seed: int) -> Weights:
    """Random weights of the right shapes."""
    dice = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {"letter.weight": (26, SIZE), "accent.weight": (2, SIZE)}
    shapes |= {"first.weight": (LONGEST, SIZE), "last.weight": (LONGEST, SIZE)}
    linear = {
        "blocks.0.inner": (SIZE, 5 * SIZE),
        "blocks.2.inner": (SIZE, 5 * SIZE),
        "places.0.inner": (SIZE, 3 * SIZE),
    }
    for at in (1, 3):
        linear |= {f"blocks.{at}.asked": (3 * SIZE, SIZE), f"blocks.{at}.found": (SIZE, SIZE)}
        linear |= {f"blocks.{at}.wide": (2 * SIZE, SIZE), f"blocks.{at}.narrow": (SIZE, 2 * SIZE)}
    linear |= {"split": (2 * SIZE, SIZE), "symbol": (len(SAID), SIZE)}
    for name, shape in linear.items():
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = shape, shape[:1]
    return {name: dice.normal(0, 0.4, shape).astype(np.float16).astype(np.float32) for name, shape in shapes.items()}


class Loops:
    """The network, one number at a time."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def linear(self, x: Sequence[float], name: str) -> Row:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return [
            sum(float(w) * v for w, v in zip(row, x, strict=True)) + float(b)
            for row, b in zip(weight, bias, strict=True)
        ]

    def near(self, x: list[Row], name: str, reach: int) -> list[Row]:
        normed = [norm(row) for row in x]
        out = []
        for at, row in enumerate(x):
            window: Row = []
            for place in range(at - reach, at + reach + 1):
                window += normed[place] if 0 <= place < len(x) else [0.0] * SIZE
            out.append([a + max(b, 0.0) for a, b in zip(row, self.linear(window, f"{name}.inner"), strict=True)])
        return out

    def far(self, x: list[Row], name: str) -> list[Row]:
        asked = [self.linear(norm(row), f"{name}.asked") for row in x]
        width = SIZE // 4
        found: list[Row] = [[] for _ in x]
        for head in range(4):
            span = slice(head * width, (head + 1) * width)
            queries, keys, values = ([row[part * SIZE : (part + 1) * SIZE][span] for row in asked] for part in range(3))
            for at, query in enumerate(queries):
                raised = [math.exp(dot(query, key) / math.sqrt(width)) for key in keys]
                shares = [each / sum(raised) for each in raised]
                found[at] += [sum(s * value[i] for s, value in zip(shares, values, strict=True)) for i in range(width)]
        x = [add(row, self.linear(each, f"{name}.found")) for row, each in zip(x, found, strict=True)]
        wide = [[max(each, 0.0) for each in self.linear(norm(row), f"{name}.wide")] for row in x]
        return [add(row, self.linear(each, f"{name}.narrow")) for row, each in zip(x, wide, strict=True)]

    def scores(self, letters: Sequence[int], accent: int) -> list[Row]:
        tables = [self.weights[f"{name}.weight"].tolist() for name in ("letter", "accent", "first", "last")]
        x = [
            add(add(tables[0][letter], tables[1][accent]), add(tables[2][at], tables[3][len(letters) - 1 - at]))
            for at, letter in enumerate(letters)
        ]
        for block in (0, 2):
            x = self.far(self.near(x, f"blocks.{block}", 2), f"blocks.{block + 1}")
        halves = [self.linear(norm(row), "split") for row in x]
        x = self.near([half for row in halves for half in (row[:SIZE], row[SIZE:])], "places.0", 1)
        return [self.linear(norm(row), "symbol") for row in x]


def norm(row: Row) -> Row:
    return [each / math.sqrt(dot(row, row) / len(row) + 1e-6) for each in row]


def dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def add(one: Row, other: Row) -> Row:
    return [a + b for a, b in zip(one, other, strict=True)]


def stored(weights: Weights) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{name: array.astype(np.float16) for name, array in weights.items()})  # type: ignore[arg-type]
    return file.getvalue()


@pytest.mark.parametrize("count", [1, 2, 7, LONGEST])
def test_it_scores_as_the_loops_do(count: int) -> None:
    weights, dice = drawn(count), random.Random(count)
    letters = [dice.randrange(26) for _ in range(count)]
    found = Letters(stored(weights)).scores(letters, count % 2)
    assert found.shape == (2 * count, len(SAID))
    np.testing.assert_allclose(found, Loops(weights).scores(letters, count % 2), rtol=1e-3, atol=1e-3)


def test_matrices_of_small_integers_are_scaled_by_their_rows() -> None:
    weights = drawn(3)
    exact = Letters(stored(weights)).scores([0, 1, 2], 0)
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, array in weights.items():
        arrays[name] = array.astype(np.float16)
        if array.ndim == 2:
            scale = (np.abs(array).max(axis=1) / 127).astype(np.float16)
            arrays[name] = np.round(array / scale.astype(np.float32)[:, None]).clip(-127, 127).astype(np.int8)
            arrays[f"{name}.scale"] = scale
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    close = Letters(file.getvalue()).scores([0, 1, 2], 0)
    assert 0 < np.abs(close - exact).max() < 0.1 * np.abs(exact).max()


def test_too_many_letters_are_refused() -> None:
    with pytest.raises(ValueError, match=f"1 to {LONGEST}"):
        Letters(stored(drawn(1))).scores([0] * (LONGEST + 1), 0)


def test_what_ships_says_only_symbols_and_reads_all_letters() -> None:
    from importlib.resources import files

    letters = Letters((files("sauropod") / "assets/english/letters.npz").read_bytes())
    assert set(letters.say(LETTERS[:LONGEST], "us")) <= set(SAID[1:])
    assert letters.say("bat", "us") == "bˈæt"
    assert letters.say("bat", "gb") == "bˈat"
