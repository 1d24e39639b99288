"""Punctuation is kept, and what only shapes a page is left out without a word being lost."""

from __future__ import annotations

import pytest

from _speech.english.written import words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello, world!", "Hello , world !"),
        ("Wait... what?!", "Wait … what ? !"),
        ("No!!!", "No !"),
        ("one; two: three", "one ; two : three"),
        ("this - that", "this — that"),
        ("this -- that", "this — that"),
        ("this—that", "this — that"),
        ("(an aside)", "( an aside )"),
        ('She said "hi" twice.', "She said “ hi ” twice ."),
        ("She said “hi” twice.", "She said “ hi ” twice ."),
        ("the 'best' one", "the best one"),
        ("**bold** and *italic* and __both__", "bold and italic and both"),
        ("~~gone~~ `code`", "gone code"),
        ("# Title\nText.", "Title . Text ."),
        ("- one\n- two\n- three", "one . two . three"),
        ("1. first\n2. second", "one . first . two . second"),
        ("* a\n* b", "a . b"),
        ("> quoted", "quoted"),
        ("a line\nthat goes on", "a line that goes on"),
        ("a paragraph\n\nanother", "a paragraph . another"),
        ("[the words](https://example.com/x) here", "the words here"),
        ("![a picture](pic.png) here", "a picture here"),
        ("```python\nprint\n```\ndone", "print . done"),
        ("a\n---\nb", "a . b"),
        ("| a | b |\n|---|---|\n| c | d |", "a , b . c , d"),
        ("<b>bold</b> text<br/>", "bold text"),
        ("fish &amp; chips", "fish and chips"),
        ("well done 👍🎉!", "well done !"),
        ("nice :-) one", "nice one"),
        ("• item", "item"),
        ("- [x] done", "done"),
    ],
)
def test_marks_are_heard_and_markup_is_not(text: str, said: str) -> None:
    assert words(text) == said
