"""Text comes out whole however its bytes were cut up."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sauropod._text.detokenizer import Detokenizer

stops = st.lists(st.text("ab🦕", min_size=1, max_size=4), max_size=5)
texts = st.text("ab🦕é", max_size=40)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in pieces, cut at these places."""
    bounds = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[begin:end] for begin, end in pairwise(bounds)]


def read(pieces: list[bytes], stop: list[str]) -> tuple[str, str | None]:
    detokenizer = Detokenizer(stop)
    text = ""
    for piece in pieces:
        text += detokenizer.feed(piece)
        if detokenizer.stopped is not None:
            return text, detokenizer.stopped
    text += detokenizer.finish()
    return text, detokenizer.stopped


def first_stop(text: str, stop: list[str]) -> tuple[str, str | None]:
    """The obvious way: the first stop string to be complete, the longest of those."""
    for end in range(1, len(text) + 1):
        ending = [string for string in stop if text[:end].endswith(string)]
        if ending:
            longest = max(ending, key=len)
            return text[: end - len(longest)], longest
    return text, None


@given(st.binary(max_size=60), st.lists(st.integers(0, 100)))
def test_any_bytes_come_out_as_they_would_in_one_piece(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places), []) == (data.decode(errors="replace"), None)


@given(texts, stops, st.lists(st.integers(0, 200)))
def test_a_stop_string_is_found_wherever_the_pieces_are_cut(text: str, stop: list[str], places: list[int]) -> None:
    assert read(cut(text.encode(), places), stop) == first_stop(text, stop)


@given(texts, stops, st.lists(st.integers(0, 200)))
def test_no_text_is_held_back_that_cannot_become_a_stop_string(text: str, stop: list[str], places: list[int]) -> None:
    detokenizer = Detokenizer(stop)
    given_out, fed = "", b""
    for piece in cut(text.encode(), places):
        fed += piece
        given_out += detokenizer.feed(piece)
        if detokenizer.stopped is not None:
            return
        decodable = fed.decode(errors="ignore")
        held = decodable[len(given_out) :]
        assert held == "" or any(string.startswith(held) for string in stop)


def test_a_character_is_not_shown_before_its_last_byte() -> None:
    detokenizer = Detokenizer()
    assert [detokenizer.feed(bytes([byte])) for byte in "🦕".encode()] == ["", "", "", "🦕"]


def test_half_a_character_at_the_end_is_shown_as_a_replacement() -> None:
    detokenizer = Detokenizer()
    assert detokenizer.feed("🦕".encode()[:2]) == ""
    assert detokenizer.finish() == "\ufffd"


def test_a_stop_string_can_be_completed_by_the_end_of_broken_bytes() -> None:
    detokenizer = Detokenizer(["\ufffd"])
    detokenizer.feed(b"a\xf0")
    assert detokenizer.finish() == ""
    assert detokenizer.stopped == "\ufffd"


def test_a_thousand_stop_strings_cost_little() -> None:
    strings = [f"stop number {n}!" for n in range(1000)]
    assert read([b"we go on until stop num", b"ber 999", b"! and not beyond"], strings) == (
        "we go on until ",
        "stop number 999!",
    )
