"""Endings are said by the sound before them."""

from __future__ import annotations

import pytest

from sauropod._speech.english.endings import ed_stems, ing_stems, s_stems, with_ed, with_ing, with_s


@pytest.mark.parametrize(
    ("stem", "american", "british"),
    [
        ("kˈæt", "kˈæts", "kˈæts"),
        ("dˈɔɡ", "dˈɔɡz", "dˈɔɡz"),
        ("bˈɑks", "bˈɑksᵻz", "bˈɑksɪz"),
        ("ʧˈɜɹʧ", "ʧˈɜɹʧᵻz", "ʧˈɜɹʧɪz"),
    ],
)
def test_an_s_is_voiced_by_what_it_follows(stem: str, american: str, british: str) -> None:
    assert (with_s(stem, False), with_s(stem, True)) == (american, british)


@pytest.mark.parametrize(
    ("stem", "american", "british"),
    [
        ("wˈɔk", "wˈɔkt", "wˈɔkt"),
        ("plˈA", "plˈAd", "plˈAd"),
        ("nˈid", "nˈidᵻd", "nˈidɪd"),
        ("wˈAt", "wˈAɾᵻd", "wˈAtɪd"),
        ("wˈɑnt", "wˈɑntᵻd", "wˈɑntɪd"),
    ],
)
def test_ed_is_said_by_what_it_follows(stem: str, american: str, british: str) -> None:
    assert (with_ed(stem, False), with_ed(stem, True)) == (american, british)


def test_a_t_before_ing_is_flapped_in_america_alone() -> None:
    assert with_ing("wˈAt", False) == "wˈAɾɪŋ"
    assert with_ing("wˈAt", True) == "wˈAtɪŋ"
    assert with_ing("tˈɔːə", True) is None


def test_a_written_word_has_the_stems_it_may_have() -> None:
    assert list(s_stems("boxes")) == ["boxe", "box"]
    assert list(s_stems("cities")) == ["citie", "city"]
    assert list(s_stems("boss")) == []
    assert list(s_stems("boss's")) == ["boss'", "boss"]
    assert list(ed_stems("stopped")) == ["stoppe", "stopp", "stop"]
    assert list(ed_stems("tried")) == ["trie", "tri", "try"]
    assert list(ing_stems("making")) == ["mak", "make"]
    assert list(ing_stems("running")) == ["runn", "runne", "run"]
    assert list(ing_stems("sing")) == []
