"""Who reads a language aloud is found, and who fails is named."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from sauropod._phonemizers.installed import GROUP, Phonemizers
from sauropod.abc import Pronounced
from sauropod.errors import BackendError, BackendNotFound, UnsupportedInput


class Letters:
    """Says a text letter by letter, and tells which language it was asked for."""

    languages: Collection[str] = ("en-us", "en-gb", "fr", "PT-br")

    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        return [Pronounced(0, len(text), f"{type(self).__name__}:{language}")] if text else []


class Others(Letters):
    languages = ("en-us", "hi")


class Silent:
    languages = ("de",)


class Failing(Letters):
    languages = ("de",)

    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        raise KeyError("umlaut")


class Confused(Letters):
    languages = ("nl",)

    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        return [Pronounced(2, 3, "b"), Pronounced(0, 1, "a")]


class Broken(Letters):
    def __init__(self) -> None:
        raise OSError("no such library")


@pytest.fixture(autouse=True)
def plug_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("phonemizers_of_a_test")
    for each in (Letters, Others, Silent, Failing, Confused, Broken):
        setattr(module, each.__name__, each)
    monkeypatch.setitem(sys.modules, module.__name__, module)


def found(*names: str, first: str | None = None) -> Phonemizers:
    points = [EntryPoint(name.lower(), f"phonemizers_of_a_test:{name}", GROUP) for name in names]
    return Phonemizers(first, lambda: points)


def reader(phonemizers: Phonemizers, language: str) -> str:
    return phonemizers.pronounce("x", language)[0].phonemes


@pytest.mark.parametrize(
    ("language", "taken"),
    [("en-us", "en-us"), ("EN_GB", "en-gb"), ("fr-ca", "fr"), ("fr", "fr"), ("en", "en-us"), ("pt-br", "PT-br")],
)
def test_a_language_is_read_by_who_reads_it_or_its_parent(language: str, taken: str) -> None:
    assert reader(found("Letters"), language) == f"Letters:{taken}"


def test_a_region_is_not_read_as_another() -> None:
    with pytest.raises(UnsupportedInput, match="'en-in'"):
        reader(found("Letters"), "en-in")


def test_of_two_the_first_by_name_reads_unless_another_is_named() -> None:
    assert reader(found("Others", "Letters"), "en-us") == "Letters:en-us"
    named = found("Others", "Letters", first="others")
    assert (reader(named, "en-us"), reader(named, "en-gb")) == ("Others:en-us", "Letters:en-gb")


def test_ours_is_not_replaced_by_being_installed() -> None:
    ours = EntryPoint("zzz", "sauropod._phonemizers:English", GROUP)
    theirs = EntryPoint("aaa", "phonemizers_of_a_test:Letters", GROUP)
    both = Phonemizers(None, lambda: [theirs, ours])
    assert both.pronounce("tea", "en-us")[0].phonemes == "tˈi"
    assert reader(Phonemizers("aaa", lambda: [theirs, ours]), "en-us") == "Letters:en-us"


def test_a_language_that_nobody_reads_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnsupportedInput, match=r"'ja'.*en-gb, en-us.*sauropod\.phonemizers.*examples/plugins/espeak"):
        reader(found("Letters"), "ja")


def test_a_broken_plug_in_is_named_where_it_is_missed_and_only_there() -> None:
    phonemizers = found("Broken", "Letters")
    assert reader(phonemizers, "en-us") == "Letters:en-us"
    with pytest.raises(UnsupportedInput, match=r"'broken' is installed but does not start \(OSError: no such library"):
        reader(phonemizers, "ja")


def test_a_named_plug_in_must_be_there_and_work() -> None:
    with pytest.raises(BackendNotFound, match="no phonemizer 'espeak'; installed are: letters"):
        found("Letters", first="espeak")
    with pytest.raises(BackendNotFound, match="no such library"):
        found("Letters", "Broken", first="broken")
    with pytest.raises(BackendNotFound, match="is no Phonemizer"):
        found("Silent", first="silent")


def test_what_a_plug_in_raises_or_mixes_up_is_its_own_fault() -> None:
    with pytest.raises(BackendError, match=r"'failing' failed.*KeyError"):
        reader(found("Failing"), "de")
    with pytest.raises(BackendError, match="'confused' gave stretches out of order"):
        found("Confused").pronounce("abc", "nl")


def test_all_languages_are_told() -> None:
    assert found("Letters", "Others", "Broken").languages() == ["PT-br", "en-gb", "en-us", "fr", "hi"]


def test_english_is_installed() -> None:
    assert {"en-us", "en-gb"} <= set(Phonemizers().languages())
