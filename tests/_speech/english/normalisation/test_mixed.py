"""Letters and digits in one word are said one after the other."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
B2B => ~B two ~B
mp3 => ~MP three
MP3s => ~MP three ~S
GPT-4 => GPT four
COVID-19 => COVID nineteen
H2O => ~H two ~O
F-16 => ~F sixteen
3D => three ~D
5G => five ~G
4K TV => four ~K TV
1080p => ten eighty ~P
x86 => ~X eighty-six
4x4 => four by four
1920x1080 => nineteen twenty by ten eighty
A4 => ~A four
M25 => ~M twenty-five
v2.0 => ~V two point zero
python3 => python three
top-10 => top ten
a 5-year-old => a five year-old
Boeing 737 => Boeing seven hundred thirty-seven => Boeing seven hundred and thirty-seven
RFC2119 => RFC twenty-one nineteen
USB-C => USB-C
"""),
)
def test_a_code_is_said_in_its_pieces(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british
