"""Reader: a text from its written form to phonemes, in one accent."""

from __future__ import annotations

from collections.abc import Sequence

from sauropod._speech.english.lexicon import Lexicon, parts
from sauropod._speech.english.normalisation import Kind, Said, Tone, normalised
from sauropod._speech.english.sounds import CONSONANTS, PAUSES, PRIMARY, STRESSES, VOWELS, emphasized, weakened, weight
from sauropod._speech.english.special import Context
from sauropod._speech.english.tagger import tag
from sauropod._speech.english.unknown import Unknown
from sauropod._values.speech import Pronounced

__all__ = ["Reader"]


TRAINED = str.maketrans({"ɾ": "T", "ʔ": "t"})
"""What Kokoro was given for two of the dictionaries' symbols."""


class Reader:
    """Reads texts in one accent."""

    def __init__(self, lexicon: Lexicon, unknown: Unknown) -> None:
        self.lexicon = lexicon
        self.unknown = unknown

    def read(self, text: str) -> list[Pronounced]:
        """The text in stretches. What shares a stretch of the text is one, with spaces among its phonemes."""
        said = normalised(text, british=self.lexicon.british)
        return _joined(text, said, self.phonemes(said))

    def phonemes(self, said: Sequence[Said]) -> list[str]:
        """Of each word and mark, from the last to the first, as what follows decides how some are said."""
        self.unknown.begin()
        words = [each.text.lower() for each in said]
        loud = _loud(said)
        spoken = [""] * len(said)
        context = Context()
        for at in range(len(said) - 1, -1, -1):
            spoken[at] = self._one(said, words, at, context, loud=loud[at])
            context = _followed(context, spoken[at], words[at])
        return spoken

    def _one(self, all_: Sequence[Said], words: Sequence[str], at: int, context: Context, *, loud: bool) -> str:
        """`loud` is whether it is in capitals as its whole sentence is."""
        said = all_[at]
        if said.kind is Kind.MARK:
            return said.text
        if said.kind is Kind.SILENT:
            return ""
        if said.kind is Kind.LETTERS:
            return self._letters(said.text)
        text = words[at] if loud else said.text
        part_of_speech = tag(words, at) if self.lexicon.varies(text) else None
        phonemes = self._word(text, "LETTER" if _is_letter(all_, at) else part_of_speech, context)
        if loud:
            return emphasized(phonemes)
        if said.tone is Tone.WEAK:
            return "".join(symbol for symbol in phonemes if symbol not in STRESSES)
        return phonemes

    def _letters(self, text: str) -> str:
        """Letters, perhaps in the plural."""
        stem = text.removesuffix("s") if text[:-1].isupper() and text.endswith("s") else text
        spelled = self.lexicon.spell(stem) or ""
        return (self.lexicon.with_s(spelled) or "") if stem != text else spelled

    def _word(self, word: str, part_of_speech: str | None, context: Context) -> str:
        """As it is known, else from what it is made of."""
        known = self.lexicon.say(word, part_of_speech, context)
        if known is not None:
            return known
        stem = word.rstrip("'")
        if stem.endswith("'s"):
            return self.lexicon.with_s(self._word(stem[:-2], part_of_speech, context)) or ""
        pieces = parts(stem)
        if len(pieces) < 2:
            return self.unknown.say(stem)
        return self._compound(pieces, part_of_speech, context)

    def _compound(self, pieces: Sequence[str], part_of_speech: str | None, context: Context) -> str:
        """Its pieces, with fewer stresses than they have alone."""
        said: list[str] = []
        for piece in reversed(pieces):
            if len(piece) == 1:
                said.append(self.lexicon.spell(piece) or "")
            else:
                said.append(self._word(piece, part_of_speech, context))
            context = _followed(context, said[-1], piece)
        said.reverse()
        return "".join(_balanced(pieces, said))


def _loud(said: Sequence[Said]) -> list[bool]:
    """Of each word, whether it is in capitals and so is the rest of its sentence, which has other words."""
    loud = [False] * len(said)
    begun = 0
    for at in range(len(said) + 1):
        if at == len(said) or (said[at].kind is Kind.MARK and said[at].text in ".!?…"):
            words = [each for each in range(begun, at) if said[each].kind is Kind.WORD and said[each].text.isalpha()]
            if len(words) > 2 and all(said[each].text.isupper() for each in words):
                for each in words:
                    loud[each] = len(said[each].text) > 1
            begun = at + 1
    return loud


def _is_letter(said: Sequence[Said], at: int) -> bool:
    """Whether an A within a sentence is a letter's name: as in vitamin A, but not in A Title."""
    if said[at].text != "A" or at == 0 or said[at - 1].kind is not Kind.WORD:
        return False
    return at + 1 == len(said) or not said[at + 1].text[:1].isupper()


def _balanced(pieces: Sequence[str], said: list[str]) -> list[str]:
    """With about half of the primary stresses made secondary, the lightest pieces' first; as misaki does."""
    ranked = sorted((PRIMARY in each, weight(each), at) for at, each in enumerate(said) if each)
    if len(ranked) == 2 and len(pieces[min(at for _, _, at in ranked)]) == 1:
        weak = {max(at for _, _, at in ranked)}
    elif len(ranked) < 2 or sum(stressed for stressed, _, _ in ranked) <= (len(ranked) + 1) // 2:
        weak = set()
    else:
        weak = {at for _, _, at in ranked[: len(ranked) // 2]}
    return [weakened(each) if at in weak else each for at, each in enumerate(said)]


def _followed(context: Context, phonemes: str, word: str) -> Context:
    """What a word before this one is followed by."""
    for symbol in phonemes:
        if symbol in PAUSES:
            return Context(None, to=False)
        if symbol in VOWELS or symbol in CONSONANTS:
            return Context(symbol in VOWELS, to=word == "to")
    return Context(context.vowel, to=word == "to" if phonemes else context.to)


def _joined(text: str, said: Sequence[Said], phonemes: Sequence[str]) -> list[Pronounced]:
    """One for each stretch."""
    out: list[Pronounced] = []
    at = 0
    while at < len(said):
        start, end = said[at].start, said[at].end
        run = at + 1
        while run < len(said) and said[run].start < end:
            end = max(end, said[run].end)
            run += 1
        whole = " ".join(each for each in phonemes[at:run] if each).translate(TRAINED)
        space = run < len(said) and _spaced(text, said, run)
        out.append(Pronounced(start, end, whole, space and bool(whole)))
        at = run
    return out


def _spaced(text: str, said: Sequence[Said], at: int) -> bool:
    """Whether a space comes before `said[at]`: one is written, or two words meet."""
    before, after = said[at - 1], said[at]
    gap = text[before.end : after.start]
    if any(character.isspace() for character in gap):
        return not (before.kind is Kind.MARK and before.text in "“(") and not (
            after.kind is Kind.MARK and after.text not in "“(—"
        )
    if before.start == before.end:  # a rest that nobody wrote
        return True
    return before.kind is not Kind.MARK and after.kind is not Kind.MARK
