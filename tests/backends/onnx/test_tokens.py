"""Tokens become words, with times that are in order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.backends.onnx.tokens import Token, Vocabulary, read_vocabulary, words
from sauropod.errors import UnsupportedModel

PIECES = ("<unk>", "▁hel", "lo", ",", "▁world", ".", "▁", "it", "'", "s", "▁(", "▁5", "▁.", "<|en|>")
VOCABULARY = Vocabulary(PIECES, len(PIECES))


def said(*pieces: str) -> list[Token]:
    """A token every two frames, each lasting one."""
    return [Token(PIECES.index(piece), 2 * index, 1, 0.9 - index / 10) for index, piece in enumerate(pieces)]


def spelled(*pieces: str) -> str:
    return " ".join(word.text for word in words(VOCABULARY, said(*pieces), 0.08, 10.0))


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (("▁hel", "lo", ",", "▁world", "."), "hello, world."),
        (("▁hel", "lo", "▁", "it", "'", "s"), "hello it's"),
        (("▁hel", "lo", "▁."), "hello."),
        (("▁hel", "lo", "▁", "."), "hello."),
        (("▁hel", "lo", "▁(", "it", "."), "hello (it."),
        (("lo", "▁5"), "lo 5"),
        ((".", "▁5"), ". 5"),
        (("<|en|>", "▁hel", "<unk>", "lo"), "hello"),
        (("▁", "▁"), ""),
        ((), ""),
    ],
)
def test_pieces_are_put_together(pieces: tuple[str, ...], text: str) -> None:
    assert spelled(*pieces) == text


def test_a_word_has_its_first_and_last_tokens_times_and_the_least_confidence() -> None:
    first, second = words(VOCABULARY, said("▁hel", "lo", ",", "▁world"), 0.08, 10.0)
    assert (first.text, second.text) == ("hello,", "world")
    assert (first.start, first.end, first.confidence) == pytest.approx((0.0, 3 * 0.08, 0.7))
    assert (second.start, second.end, second.confidence) == pytest.approx((6 * 0.08, 7 * 0.08, 0.6))


def test_a_token_of_unknown_length_ends_where_the_next_begins_or_soon() -> None:
    tokens = [Token(1, 0, None), Token(4, 2, None), Token(11, 50, None)]
    assert [(word.start, word.end) for word in words(VOCABULARY, tokens, 1.0, 52.0)] == [(0, 2), (2, 6), (50, 52)]


@given(
    st.lists(
        st.tuples(st.integers(0, len(PIECES)), st.integers(0, 4), st.integers(0, 3), st.floats(0, 1)), max_size=30
    ),
    st.floats(0.1, 20),
)
def test_words_are_in_order_and_within_the_audio(drawn: list[tuple[int, int, int, float]], duration: float) -> None:
    tokens, frame = [], 0
    for id, frames, pause, confidence in drawn:
        tokens.append(Token(id, frame, frames, confidence))
        frame += frames + pause
    found = words(VOCABULARY, tokens, 0.08, duration)
    times = [time for word in found for time in (word.start, word.end)]
    assert times == sorted(times)
    assert all(0 <= time <= duration for time in times)
    assert all(word.text and 0 <= word.confidence <= 1 for word in found)
    letters = "".join(VOCABULARY.text(token.id) for token in tokens).replace("▁", "")
    assert "".join(word.text for word in found) == letters


def test_both_kinds_of_file_are_read_alike(tmp_path: Path) -> None:
    lines, table = tmp_path / "vocab.txt", tmp_path / "tokenizer.json"
    lines.write_text("".join(f"{piece} {index}\n" for index, piece in enumerate([*PIECES, "<blk>"])), encoding="utf-8")
    table.write_text(json.dumps({"vocab": {piece: index for index, piece in enumerate(PIECES)}}))
    nested = tmp_path / "nested.json"
    nested.write_text(json.dumps({"model": {"vocab": {piece: index for index, piece in enumerate(PIECES)}}}))
    first, second, third = (read_vocabulary(path) for path in (lines, table, nested))
    assert first.blank == second.blank == third.blank == len(PIECES)
    assert first.size == second.size == len(PIECES) + 1
    for token in range(first.size):
        assert first.text(token) == second.text(token)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vocab.txt", b""),
        ("vocab.txt", b"a 0\nb 2\n"),
        ("vocab.txt", b"a 0\nb 0\n"),
        ("vocab.txt", b"just words\n"),
        ("vocab.txt", b"\xff\xfe\x00"),
        ("tokenizer.json", b"{"),
        ("tokenizer.json", b"[]"),
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", b'{"model": {}}'),
        ("tokenizer.json", b'{"model": 3}'),
        ("tokenizer.json", b'{"vocab": [1]}'),
        ("tokenizer.json", b'{"vocab": {"a": "x"}}'),
        ("tokenizer.json", b'{"vocab": {"a": null}}'),
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnsupportedModel, match=name):
        read_vocabulary(path)
