"""Phonemizers: who can read a language aloud, found in the entry-point group `sauropod.phonemizers`.

Of several for one language our own comes first, then by name: nobody takes over a language by being installed. A
plug-in that is named (`options={"phonemizer": "espeak"}`) comes before all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import attrs

from sauropod._values.speech import Pronounced
from sauropod.errors import BackendError, BackendNotFound, SauropodError, UnsupportedInput

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from sauropod.abc import Phonemizer

__all__ = ["GROUP", "Phonemizers"]

GROUP = "sauropod.phonemizers"
HINT = (
    "Install a phonemizer for it, or write one: a distribution with an entry point in the group "
    f'"{GROUP}" (examples/plugins/espeak is one, for Spanish, French, Italian, Portuguese and Hindi).'
)


def _installed() -> list[EntryPoint]:
    from importlib.metadata import entry_points

    return list(entry_points(group=GROUP))


@attrs.define(eq=False)
class Phonemizers:
    """Those that are installed; each is made when a language is first looked for.

    `first` is the name of the one that is asked before all others. Raises `BackendNotFound` if it is not there, or
    does not start. For one thread.
    """

    first: str | None = None
    _find: Callable[[], Sequence[EntryPoint]] = _installed
    _points: list[EntryPoint] = attrs.field(init=False)
    _made: dict[str, Phonemizer | SauropodError] = attrs.field(factory=dict, init=False)
    """By entry-point name: the phonemizer, or why there is none."""

    def __attrs_post_init__(self) -> None:
        self._points = sorted(self._find(), key=self._rank)
        if self.first is None:
            return
        if self.first not in [point.name for point in self._points]:
            there = ", ".join(point.name for point in self._points) or "none"
            raise BackendNotFound(f"There is no phonemizer {self.first!r}; installed are: {there}.")
        made = self._make(self._points[0])
        if isinstance(made, SauropodError):
            raise made

    def pronounce(self, text: str, language: str) -> Sequence[Pronounced]:
        """How a text is said.

        Raises `UnsupportedInput` where nobody can read the language, and `BackendError` where who can fails.
        """
        name, phonemizer, tag = self._reader(language.lower().replace("_", "-"))
        try:
            said = tuple(phonemizer.phonemize(text, tag))
        except SauropodError:
            raise
        except Exception as error:
            raise BackendError(
                f"The phonemizer {name!r} failed on a text of {len(text)} characters ({type(error).__name__}: {error})."
            ) from error
        _check(said, len(text), name)
        return said

    def languages(self) -> Sequence[str]:
        """All that can be read, sorted."""
        return sorted({tag for made in self._working().values() for tag in made.languages})

    def _reader(self, language: str) -> tuple[str, Phonemizer, str]:
        """Who reads it, by what name, and what it calls the language."""
        for wanted in _acceptable(language):
            for name, made in self._working().items():
                for tag in made.languages:
                    if wanted(tag.lower()):
                        return name, made, tag
        broken = "".join(f" {made}" for made in self._made.values() if isinstance(made, SauropodError))
        there = ", ".join(self.languages()) or "none"
        raise UnsupportedInput(
            f"Nothing that is installed can read {language!r} aloud; what can be read is: {there}.{broken} {HINT}"
        )

    def _working(self) -> Mapping[str, Phonemizer]:
        made = {point.name: self._make(point) for point in self._points}
        return {name: each for name, each in made.items() if not isinstance(each, SauropodError)}

    def _rank(self, point: EntryPoint) -> tuple[bool, bool, str]:
        return point.name != self.first, not point.value.startswith("sauropod."), point.name

    def _make(self, point: EntryPoint) -> Phonemizer | SauropodError:
        if point.name not in self._made:
            self._made[point.name] = _made(point)
        return self._made[point.name]


def _made(point: EntryPoint) -> Phonemizer | SauropodError:
    from sauropod.abc import Phonemizer

    provider = point.dist.name if point.dist is not None else point.value
    try:
        made = point.load()()
        fits = isinstance(made, Phonemizer) and all(isinstance(tag, str) for tag in made.languages)
    except Exception as error:
        return BackendNotFound(
            f"The phonemizer {point.name!r} is installed but does not start ({type(error).__name__}: {error}). "
            f"Reinstall or update the distribution that provides it: {provider}."
        )
    if not fits:
        return BackendNotFound(f"{point.value}, from {provider}, is no Phonemizer; see sauropod.abc.")
    return cast("Phonemizer", made)


def _acceptable(language: str) -> Sequence[Callable[[str], bool]]:
    """What reads a language, the best first: itself; the same without a region; where none is asked for, any region.

    "fr-ca" is read by whoever reads "fr", and "en" by whoever reads "en-us", but not "en-in" by them.
    """
    primary = language.partition("-")[0]
    found: list[Callable[[str], bool]] = [lambda tag: tag == language, lambda tag: tag == primary]
    if language == primary:
        found.append(lambda tag: tag.partition("-")[0] == primary)
    return found


def _check(said: Sequence[Pronounced], length: int, name: str) -> None:
    at = 0
    for each in said:
        if not isinstance(each, Pronounced):
            raise BackendError(f"The phonemizer {name!r} gave a {type(each).__name__} where a Pronounced belongs.")
        if not at <= each.start <= each.end <= length:
            raise BackendError(
                f"The phonemizer {name!r} gave stretches out of order, or outside of the text: {each.start} to "
                f"{each.end} after {at}, of {length} characters."
            )
        at = each.end
