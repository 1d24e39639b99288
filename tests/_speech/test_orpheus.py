"""What Orpheus writes becomes frames of codes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sauropod._speech.orpheus import END, SAMPLING, VOICES, Frames, code, prompt

frames = st.builds(
    lambda count, seed: np.random.default_rng(seed).integers(0, 4096, (count, 7)).tolist(),
    st.integers(0, 6),
    st.integers(0, 2**32 - 1),
)
text_tokens = st.integers(0, 128_265).filter(lambda token: token != END)


def written(rows: list[list[int]]) -> list[int]:
    """As the model's card has it: code = token - 128256 - 10 - (i mod 7)·4096."""
    flat = [value for row in rows for value in row]
    return [value + 128256 + 10 + (place % 7) * 4096 for place, value in enumerate(flat)]


def apart(rows: list[list[int]]) -> list[list[int]]:
    """The codes by level, as the authors' decoder takes them apart."""
    levels: list[list[int]] = [[], [], []]
    for row in rows:
        levels[0] += [row[0]]
        levels[1] += [row[1], row[4]]
        levels[2] += [row[2], row[3], row[5], row[6]]
    return levels


@given(frames, st.lists(st.integers(0, 100)))
def test_all_codes_come_back_by_level_however_they_come(rows: list[list[int]], places: list[int]) -> None:
    tokens = written(rows)
    gathered = Frames()
    bounds = sorted({0, len(tokens), *(place % (len(tokens) + 1) for place in places)})
    assert sum(gathered.feed(tokens[begin:end]) for begin, end in pairwise(bounds)) == len(rows) == len(gathered)
    assert [level.tolist() for level in gathered.levels()] == apart(rows)
    assert [level.tolist() for level in gathered.levels(1, 3)] == apart(rows[1:3])
    assert (gathered.dropped, gathered.ended) == (0, False)
    assert all(level.dtype == np.int64 for level in gathered.levels())


@given(frames, st.lists(st.tuples(st.integers(0, 50), text_tokens), max_size=5))
def test_what_is_no_code_is_passed_over(rows: list[list[int]], others: list[tuple[int, int]]) -> None:
    tokens = written(rows)
    for place, token in others:
        tokens.insert(place % (len(tokens) + 1), token)
    gathered = Frames()
    gathered.feed(tokens)
    assert [level.tolist() for level in gathered.levels()] == apart(rows)


@given(frames.filter(bool), st.data())
def test_a_lost_code_costs_its_frame_and_no_other(rows: list[list[int]], data: st.DataObject) -> None:
    tokens = written(rows)
    lost = data.draw(st.integers(0, len(tokens) - 1))
    del tokens[lost]
    gathered = Frames()
    gathered.feed(tokens)
    assert [level.tolist() for level in gathered.levels()] == apart(rows[: lost // 7] + rows[lost // 7 + 1 :])


@given(frames.filter(bool), st.data())
def test_a_code_said_twice_costs_its_frame_and_no_other(rows: list[list[int]], data: st.DataObject) -> None:
    tokens = written(rows)
    twice = data.draw(st.integers(0, len(tokens) - 1).filter(lambda place: place % 7 != 6 and place % 7 != 0))
    tokens.insert(twice, tokens[twice])
    gathered = Frames()
    gathered.feed(tokens)
    assert [level.tolist() for level in gathered.levels()] == apart(rows[: twice // 7] + rows[twice // 7 + 1 :])
    assert gathered.dropped == 1


def test_nothing_is_taken_in_after_the_end() -> None:
    gathered = Frames()
    tokens = written([[1] * 7, [2] * 7])
    assert gathered.feed([*tokens[:7], END, *tokens[7:]]) == 1
    assert gathered.ended
    assert gathered.feed(tokens) == 0


def test_codes_end_where_the_vocabulary_does() -> None:
    assert code(128_265) is None
    assert code(128_266) == (0, 0)
    assert code(128_266 + 7 * 4096 - 1) == (6, 4095)
    assert code(128_266 + 7 * 4096) is None


def test_a_prompt_is_what_the_model_was_trained_on() -> None:
    assert prompt(lambda text: [len(text)], "Hi.", VOICES[0]) == [128259, 9, 128009, 128260, 128261, 128257]
    assert SAMPLING.repeat_penalty is not None
    assert SAMPLING.repeat_penalty >= 1.1
    assert SAMPLING.stop_tokens == (END,)
