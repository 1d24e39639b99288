"""Where the model's turn begins and ends in what a chat template writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from sauropod._text.atoms import atoms, common_prefix, common_suffix, is_mark, without
from sauropod._text.pairs import ending
from sauropod._text.probes import ANSWER, FIRST, RESULT, SECOND, THOUGHT, USER, Probes
from sauropod._values.syntax import Part, Slot

__all__ = ["SWITCHES", "Turn"]

SWITCHES = ("enable_thinking", "thinking")
"""The variables by which templates are told whether the model is to think."""


@attrs.frozen
class Turn:
    """A model's turn in what its template writes: `header`, what the model says, and an end."""

    probes: Probes
    header: str
    """What stands between what the user says and what the model says."""
    ends: Sequence[str]
    """The marks that end the turn."""

    @classmethod
    def of(cls, probes: Probes, ends: Sequence[str]) -> Turn | None:
        """None if the template cannot be made sense of."""
        begun = [rest for text in _prompts(probes) if (rest := _rest(text)) is not None]
        variants = (probes.answer(), probes.calls(FIRST), probes.calls(FIRST, SECOND), probes.answer(THOUGHT))
        said = [rest for text in variants if (rest := _rest(text)) is not None]
        if not begun or not said:
            return None
        header = _header([atoms(text) for text in said], [atoms(text) for text in begun])
        return cls(probes, _text(_before_thoughts(_before_names(header, said), [*said, *begun])), ends)

    @property
    def prefills(self) -> tuple[str, ...]:
        """How prompts end where the model finds something written already, longest first."""
        prompts = [*_prompts(self.probes), self.probes.after_results(FIRST)]
        found = {self._prefill(prompt) for prompt in prompts if prompt}
        return tuple(sorted(found - {""}, key=len, reverse=True))

    def _prefill(self, prompt: str) -> str:
        rest = prompt[max(prompt.rfind(USER) + len(USER), prompt.rfind(RESULT) + len(RESULT)) :]
        _, header, prefill = rest.rpartition(self.header) if self.header else ("", "", "")
        return prefill if header else ""

    def body(self, text: str | None) -> str | None:
        """What of a text the model said, and what ends its turn. None if that cannot be told."""
        rest = _rest(text)
        return rest[len(self.header) :] if rest is not None and rest.startswith(self.header) else None

    def without_end(self, parts: Sequence[Part]) -> list[Part]:
        """Without what only ends the turn."""
        end = atoms(self.answer_marks[2])
        place = _find(parts, end[:3])
        parts = without(parts, suffix=common_suffix(parts, end)) if place is None else parts[:place]
        ends = [place for place, part in enumerate(parts) if part in self.ends]
        parts = parts[: ends[0]] if ends else parts
        while parts and not isinstance(parts[-1], Slot) and not parts[-1].strip():
            parts = parts[:-1]
        return list(parts)

    @property
    def answer_marks(self) -> tuple[str, str, str]:
        """What stands before an answer, what ends what that has begun, and what comes then."""
        before, _, after = (self.body(self.probes.answer()) or "").partition(ANSWER)
        lead = atoms(before.rstrip())
        for length in range(1, 5):
            if close := ending(_text(lead[-length:]), after):
                return before, close, after[after.find(close) + len(close) :]
        return before, "", after


def _prompts(probes: Probes) -> Iterator[str]:
    """The prompt, also told to think and not to think."""
    yield from filter(None, (probes.prompt(), probes.prompt(tools=())))
    for name in SWITCHES:
        yield from filter(None, (probes.prompt(**{name: value}) for value in (True, False)))


def _rest(text: str | None) -> str | None:
    """What comes after what the user said."""
    return text[text.rfind(USER) + len(USER) :] if text is not None and USER in text else None


def _find(parts: Sequence[Part], sought: Sequence[Part]) -> int | None:
    """Where these atoms are the first time; None if they are not there, or are only blanks."""
    if not "".join(map(str, sought)).strip():
        return None
    places = range(len(parts) - len(sought) + 1)
    return next((place for place in places if list(parts[place : place + len(sought)]) == list(sought)), None)


def _text(parts: Sequence[Part]) -> str:
    return "".join(map(str, parts))


def _header(said: Sequence[Sequence[Part]], begun: Sequence[Sequence[Part]]) -> list[Part]:
    """What all that was said begins with, and what prompts end with or have in common with it."""
    header = common_prefix(*said)
    if all(common_suffix(prompt, header) == header for prompt in begun):
        return header  # though something may stand before it
    whole, header = header, common_prefix(header, begun[0])
    for prompt in begun[1:]:
        shared = common_prefix(header, prompt)
        header = shared if is_mark(_text(shared)) else header  # some put a word to what the user said
    if not is_mark(_text(header)) and is_mark(_text(whole)) and all(is_mark(_text(prompt)) for prompt in begun):
        return whole  # and end what the user says last in another way
    return header


def _before_names(header: list[Part], said: Sequence[str]) -> list[Part]:
    """A header without a mark at its end that begins whatever the model says, followed by a name for what comes."""
    if not header or not is_mark(str(header[-1])):
        return header
    rests = [atoms(text[len(_text(header)) :]) for text in said if text.startswith(_text(header))]
    named = all(rest and str(rest[0]).replace("_", "").isalnum() and rest[0] != ANSWER for rest in rests)
    return header[:-1] if rests and named else header


def _before_thoughts(header: list[Part], texts: Sequence[str]) -> list[Part]:
    """A header without a mark at its end that begins thoughts: one text goes on with what ends them."""
    stripped = atoms(_text(header).rstrip())
    rests = [text[len(_text(header)) :] for text in texts if text.startswith(_text(header))]
    for length in (1, 2, 3, 4):
        mark = _text(stripped[-length:])
        if any(len(atoms(ending(mark, rest))) == length for rest in rests):
            return stripped[:-length]
    return header
