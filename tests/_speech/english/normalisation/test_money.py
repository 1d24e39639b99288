"""Money is said with its currency after it."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
$1 => one dollar
$5 => five dollars
$3.50 => three dollars and fifty cents
$0.99 => ninety-nine cents
$1.01 => one dollar and one cent
$10.00 => ten dollars
$1,250 => one thousand two hundred fifty dollars => one thousand two hundred and fifty dollars
£5 => five pounds
£1 => one pound
£2.75 => two pounds and seventy-five pence
£5m => five million pounds
€2bn => two billion euros
€2.5bn => two point five billion euros
$1.5 million => one point five million dollars
$10k => ten thousand dollars
$5-10 => five to ten dollars
$5–$10 => five to ten dollars
-$5 => minus five dollars
¥100 => one hundred yen
₹500 => five hundred rupees
US$20 => twenty U S dollars
5€ => five euros
3,50 € => three , fifty euros
100 USD => one hundred U S dollars
EUR 20 => twenty euros
50¢ => fifty cents
$5/month => five dollars per month
$2.5bn. => two point five billion dollars .
it cost $5, or £4. => it cost five dollars , or four pounds .
"""),
)
def test_an_amount_is_said_in_words(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british


def test_pence_are_british() -> None:
    assert words("50p", british=True) == "fifty pence"
    assert words("1p", british=True) == "one penny"
