"""The example phonemizer, taken from its file, with the program it asks."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sauropod.abc import Phonemizer

PLUG_IN = Path(__file__).parents[2] / "examples" / "plugins" / "espeak"

KOKORO = set(';:,.!?—…"()“” \u0303ʣʥʦʨᵝꭧAIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧ')
KOKORO |= set("ʊʋʌɣɤχʎʒʔˈˌːʰʲ↓→↗↘ᵻ")

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the program espeak-ng is not installed")


def load() -> Any:
    spec = importlib.util.spec_from_file_location("sauropod_espeak", PLUG_IN / "sauropod_espeak.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def espeak() -> Phonemizer:
    phonemizer: Phonemizer = load().Espeak()
    assert isinstance(phonemizer, Phonemizer)
    return phonemizer


def script(path: Path, line: str) -> str:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return str(path)


def test_the_class_is_what_the_distribution_registers() -> None:
    project = tomllib.loads((PLUG_IN / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"]["sauropod.phonemizers"]["espeak"].partition(":")
    assert (PLUG_IN / f"{module}.py").is_file()
    assert hasattr(load(), name)


@needs_espeak
@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("es", "¡Hola, chico!", [("Hola", "ˈola"), (",", ","), ("chico", "ʧˈiko"), ("!", "!")]),
        ("it", "Ciao (città).", [("Ciao", "ʧˈao"), ("(", "("), ("città", "ʧitːˈa"), (")", ")"), (".", ".")]),
        ("fr-fr", "C'est bon…", [("C'est", "sɛ"), ("bon", "bˈɔ̃"), ("…", "…")]),
        ("pt-br", "Bom dia", [("Bom", "bˈoŋ"), ("dia", "ʤˈiæ")]),
        ("hi", "खाना बड़ा।", [("खाना", "kʰˈaːnaː"), ("बड़ा", "bˈʌɽaː"), ("।", ".")]),
    ],
)
def test_words_are_said_in_kokoros_symbols(
    language: str, text: str, said: list[tuple[str, str]], espeak: Phonemizer
) -> None:
    found = [each for each in espeak.phonemize(text, language) if each.phonemes]
    assert [(text[each.start : each.end], each.phonemes) for each in found] == said
    assert [each.space for each in found] == [text[each.end : each.end + 1] == " " for each in found]


@needs_espeak
def test_a_decimal_is_one_number_and_a_number_of_several_words_keeps_its_clause(espeak: Phonemizer) -> None:
    text = "Cuesta 3,14 y 2025, más o menos."
    found = espeak.phonemize(text, "es")
    assert [text[each.start : each.end] for each in found if each.phonemes == ","] == [","]
    assert "kwˈesta" in found[0].phonemes


@needs_espeak
@settings(max_examples=15, deadline=None)
@given(st.text("añçéखा 1.,!?«»()-'\n\x00🦕e", max_size=30), st.sampled_from(["es", "fr-fr", "it", "pt-br", "hi"]))
def test_any_text_is_read_in_order_and_in_known_symbols(text: str, language: str) -> None:
    found = load().Espeak().phonemize(text, language)
    bounds = [place for each in found for place in (each.start, each.end)]
    assert bounds == sorted(bounds)
    assert all(0 <= place <= len(text) for place in bounds)
    assert {symbol for each in found for symbol in each.phonemes} <= KOKORO


def test_a_missing_program_says_how_to_get_it() -> None:
    with pytest.raises(FileNotFoundError, match="apt install espeak-ng"):
        load().Espeak(program="no-such-program")


def test_a_program_that_fails_or_hangs_is_an_error(tmp_path: Path) -> None:
    failing = load().Espeak(program=script(tmp_path / "failing", "cat >/dev/null; echo 'no data' >&2; exit 3"))
    with pytest.raises(RuntimeError, match="ended with 3: no data"):
        failing.phonemize("hola", "es")
    hanging = load().Espeak(program=script(tmp_path / "hanging", "exec sleep 60"), timeout=0.05)
    with pytest.raises(subprocess.TimeoutExpired):
        hanging.phonemize("hola", "es")
