"""Folding keeps every place of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod._speech.english.normalisation.folding import fold


@given(st.text())
def test_places_are_in_order_and_end_where_the_text_ends(text: str) -> None:
    folded = fold(text)
    places = [folded.place(at) for at in range(len(folded.plain) + 1)]
    assert places == sorted(places)
    assert places[-1] == len(text)
    assert all(0 <= place <= len(text) for place in places)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_left_as_it_is(text: str) -> None:
    assert fold(text).plain == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("café", "cafe"),
        ("cafe\u0301", "cafe"),
        ("Ærø straße", "Aero strasse"),
        ("‘a’ – “b”", "'a' – “b”"),
        ("ﬁne", "fine"),
        ("１２３", "123"),
        ("٣", "3"),
        ("你好 Привет", "你好 Привет"),
        ("½ x²", "½ x²"),
    ],
)
def test_what_has_an_ascii_form_is_put_into_it(text: str, plain: str) -> None:
    assert fold(text).plain == plain
