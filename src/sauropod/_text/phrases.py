"""Phrases: a text while it is written, in pieces that can be said.

The first is cut early, after its first clause, so that speaking begins early. Later ones are whole sentences. A cut is
made when what follows proves it, and not before: `3.` may become `3.14`, and `"Stop!"` may go on with `he said`. So
however the text is split on its way here, the phrases are the same.

    phrases = Phrases()
    for delta in deltas:
        for cut in phrases.feed(delta): ...
    for cut in phrases.finish(): ...
"""

from __future__ import annotations

import re
import unicodedata

import attrs

from sauropod._text.abbreviations import ends_sentence

__all__ = ["LONGEST", "Cut", "Phrases", "speakable"]

LONGEST = 250
"""Characters of a phrase, at most."""
FEWEST_WORDS = 4
"""Words that the first clause must have to be said before its sentence is complete."""
FEWEST_CHARACTERS = 8
"""The same where words are not separated by spaces."""
SHORTEST_CLAUSE = 40
"""Where a sentence is too long, it is not cut after a clause that ends before."""
AHEAD = 24
"""Characters after a mark that may decide about it."""

CANDIDATE = re.compile(
    r"""(?P<wide>[。．！？｡]{1,8}[”’」』）】》〉]{0,8})"""
    r"""|(?P<stop>[.!?…]{1,8})["'”’»)\]}*_]{0,8}"""
    r"""|(?P<clause>[,;:]["'”’»)\]*_]{0,8}|—|[ \t]–(?=\s)|[、，；：])"""
    r"""|(?P<line>\n)"""
)
REACH = LONGEST + AHEAD + 16
"""Characters from a phrase's beginning among which its end is looked for: the longest mark there is included."""
CLAUSE = re.compile(r"[,;:](?=\s)|[—、，；：]")
FENCE = "```"


@attrs.frozen
class Cut:
    """A piece of a text that is said in one breath."""

    text: str
    start: int
    """Where it begins in the whole text, in characters: `text` is the whole text's `[start:end]`."""
    end: int
    code: bool = False
    """Whether it is between fences of ```: a program, say, which is written to be read and not to be heard."""


@attrs.define(eq=False)
class Phrases:
    """Cuts one text. What is held back is never more than `LONGEST` characters and a few."""

    _held: str = attrs.field(default="", init=False)
    _offset: int = attrs.field(default=0, init=False)
    """Characters of the text before what is held."""
    _begin: int = attrs.field(default=0, init=False)
    """Where in what is held the next phrase begins."""
    _at: int = attrs.field(default=0, init=False)
    """Nothing before this place ends the phrase."""
    _spoken: bool = attrs.field(default=False, init=False)
    """Whether there was a phrase that has something to say."""
    _fence: str = attrs.field(default="", init=False)
    """What the phrase begins with inside of fences, to be passed over when the closing one is looked for."""
    _fenced: bool = attrs.field(default=False, init=False)

    def feed(self, text: str) -> list[Cut]:
        """Read on. The phrases that are certain now, in order."""
        self._held += text
        return self._cuts(final=False)

    def finish(self) -> list[Cut]:
        """The rest of the text: nothing more will come."""
        return self._cuts(final=True)

    def _cuts(self, *, final: bool) -> list[Cut]:
        cuts = []
        while (end := self._next_end(final)) is not None:
            cuts.append(self._cut(end))
        self._held = self._held[self._begin :]
        self._offset += self._begin
        self._at -= self._begin
        self._begin = 0
        return cuts

    def _cut(self, end: int) -> Cut:
        """The phrase that ends there; the next one is begun."""
        text = self._held[self._begin : end].rstrip()
        start = self._offset + self._begin
        cut = Cut(text, start, start + len(text), self._fenced)
        self._spoken = self._spoken or (not self._fenced and speakable(text))
        self._fenced = self._fenced and FENCE not in text[len(self._fence) :]
        self._fence = ""
        self._begin = self._at = end
        return cut

    def _next_end(self, final: bool) -> int | None:
        """Where the next phrase ends in what is held; None as long as that is not certain, or if nothing is left."""
        self._skip_space()
        left = len(self._held) - self._begin
        if not left or (not final and left < len(FENCE) and FENCE.startswith(self._held[self._begin :])):
            return None
        if not self._fenced and self._held.startswith(FENCE, self._begin):
            self._fenced, self._fence = True, FENCE
        found = self._fence_end() if self._fenced else self._boundary(final)
        if found is not None:
            return found
        if left > LONGEST and (final or left > LONGEST + AHEAD):
            return self._forced()
        return len(self._held) if final else None

    def _skip_space(self) -> None:
        while self._begin < len(self._held) and self._held[self._begin].isspace():
            self._begin += 1
        self._at = max(self._at, self._begin)

    # -- sentences and clauses -------------------------------------------------------------------------------------

    def _boundary(self, final: bool) -> int | None:
        """The end of the first sentence, line or clause that ends the phrase."""
        while found := CANDIDATE.search(self._held, self._at, self._begin + REACH):
            if found.end() - self._begin > LONGEST:
                return None
            ends = self._ends(found, final)
            if ends is None:
                return None
            self._at = found.end()
            if ends and speakable(self._held[self._begin : self._at]):
                return self._at
        return None

    def _ends(self, found: re.Match[str], final: bool) -> bool | None:
        """Whether the phrase ends with this mark; None as long as what follows does not tell."""
        before = self._held[self._begin : found.start()]
        after = self._held[found.end() : found.end() + AHEAD]
        if not after and not final:
            return None  # more of the same mark may come, or what closes a quotation
        if found["clause"]:
            return not self._spoken and _ends_clause(before, found["clause"], after)
        if found["wide"]:
            return True
        following = after.lstrip(" \t\r" if found["line"] else None)[:1]
        if not following and not final and len(after) < AHEAD:
            return None
        if found["line"]:  # one that was only wrapped goes on in small letters
            return not following.islower() or before.rstrip().endswith((":", ";", ".", "!", "?", "…"))
        if after and not after[0].isspace():
            return _is_ideographic(after[0]) and not found["stop"].endswith(".")
        return ends_sentence(before, found["stop"], found[0], following)

    # -- what has no end -------------------------------------------------------------------------------------------

    def _forced(self) -> int:
        """Where a phrase is cut that is too long: after a clause, else between words, else between characters."""
        window = self._held[self._begin : self._begin + LONGEST]
        if self._fenced:
            places = [each + 1 for each in (window.rfind("\n"),) if each > 0]
        else:
            places = [each.end() for each in CLAUSE.finditer(window) if each.end() >= SHORTEST_CLAUSE]
        places = places or [each.start() for each in re.finditer(r"\s", window)]
        if places:
            return self._begin + places[-1]
        end = self._begin + LONGEST
        while end > self._begin + LONGEST // 2 and _joined(self._held[end - 1], self._held[end]):
            end -= 1
        return end

    # -- code ------------------------------------------------------------------------------------------------------

    def _fence_end(self) -> int | None:
        """After the closing fence, if it has come."""
        at = self._held.find(FENCE, self._begin + len(self._fence), self._begin + LONGEST)
        return None if at < 0 else at + len(FENCE)


def speakable(text: str) -> bool:
    """Whether there is something to say in it: a letter or a digit."""
    return any(character.isalnum() for character in text)


def _ends_clause(before: str, mark: str, after: str) -> bool:
    """Whether a first phrase may end with the comma or so: it is one, and there is enough to say before it."""
    if mark in "、，；：":
        return len(before) >= FEWEST_CHARACTERS
    return (not after or after[0].isspace() or mark == "—") and len(before.split()) >= FEWEST_WORDS


def _is_ideographic(character: str) -> bool:
    """Whether it is of a script that is written without spaces."""
    return unicodedata.east_asian_width(character) in "WF"


def _joined(character: str, following: str) -> bool:
    """Whether two characters are parts of one sign: an accent, half of an emoji."""
    joiner = "\u200d"
    return (
        joiner in (character, following)
        or unicodedata.combining(following) > 0
        or unicodedata.category(following) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= following <= "\U0001f3ff"
    )
