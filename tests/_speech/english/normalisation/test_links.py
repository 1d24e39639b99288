"""Addresses are read aloud, without what nobody says of them."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
https://example.com => example dot com
https://example.com/ => example dot com
see https://example.com/a-page. => see example dot com slash a dash page .
http://www.bbc.co.uk => ~WWW dot bbc dot co dot ~UK
www.python.org => ~WWW dot python dot org
example.com is up => example dot com is up
me@example.org => me at example dot org
Mail jo.doe+x@mail.example.com! => Mail jo dot doe plus x at mail dot example dot com !
https://example.com/page?id=12 => example dot com slash page question mark id equals twelve
end.Next one => end . Next one
"""),
)
def test_an_address_is_read_aloud(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british
