"""What every phonemizer must do, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sauropod.abc import Phonemizer, Pronounced
from sauropod.testing.speech_info_check import TAG
from sauropod.testing.violation import ContractViolation, require

__all__ = ["check_phonemizer"]

TEXT = "Hotel, taxi, radio."
"""Words that many languages have."""
ODD = (
    *("", " ", "\n\t", "...", "?!", "🦕", "e\u0301", "\u200b\ufeff", "\0\x1b[0m"),
    *("漢字とかな", "Привет", "שלום", "नमस्ते", "３", "½", "1,234.50", "€5", "a@b.example", "x" * 300, "--- a - b ---"),
    *("don't", "“Quoted”, (bracketed) – dashed", "A.B.C.", "first\nsecond"),
)


def check_phonemizer(make: Callable[[], Phonemizer], *, texts: Mapping[str, str] | None = None) -> None:
    """Hold a phonemizer to the contract of `sauropod.abc.Phonemizer`.

    `texts` are sentences by language, for those of its languages in which "Hotel, taxi, radio." says nothing.

    Raises `ContractViolation`, with what was expected, at the first breach.
    """
    phonemizer = make()
    require(isinstance(phonemizer, Phonemizer), f"{type(phonemizer).__name__} is no Phonemizer")
    languages = list(phonemizer.languages)
    require(len(languages) > 0, "languages is empty")
    for language in languages:
        require(
            isinstance(language, str) and TAG.fullmatch(language) is not None,
            f"languages has {language!r}, which is no BCP-47 tag in small letters, such as 'en-us'",
        )
    require(sorted(languages) == sorted(phonemizer.languages), "languages changed between two looks")
    for language in languages:
        _reads(phonemizer, (texts or {}).get(language, TEXT), language)


def _reads(phonemizer: Phonemizer, text: str, language: str) -> None:
    said = _said(phonemizer, text, language)
    require(any(each.phonemes for each in said), f"of {text!r} in {language!r} nothing is said; give texts=")
    missing = [
        letter
        for place, letter in enumerate(text)
        if letter.isalpha() and not any(each.start <= place < each.end for each in said)
    ]
    require(not missing, f"of {text!r} in {language!r} no stretch covers {''.join(missing)!r}")
    for odd in ODD:
        _said(phonemizer, odd, language)
        _said(phonemizer, f"{text} {odd} {text}", language)
    require(
        _said(phonemizer, text, language) == said, f"{text!r} in {language!r} is said another way after other texts"
    )


def _said(phonemizer: Phonemizer, text: str, language: str) -> Sequence[Pronounced]:
    try:
        said = list(phonemizer.phonemize(text, language))
    except Exception as error:
        raise ContractViolation(
            f"phonemize() raised {error!r} for {text!r} in {language!r}; it takes any text"
        ) from error
    at = 0
    for each in said:
        require(isinstance(each, Pronounced), f"phonemize() gave a {type(each).__name__} and no Pronounced")
        require(isinstance(each.phonemes, str), f"the phonemes of {each} are no text")
        require(
            at <= each.start <= each.end <= len(text),
            f"of {text!r} in {language!r} the stretches are out of order, over each other or outside: {said}",
        )
        at = each.end
    return said
