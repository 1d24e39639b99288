"""Tagger: what part of speech a word is, where that decides how it is said.

Rules about the words around it, for the few hundred words that are said differently as a noun and as a verb; where they
do not tell, neither does this.
"""

from __future__ import annotations

from collections.abc import Sequence

from sauropod._speech.english.listed import listed

__all__ = ["tag"]

ARTICLES = listed("a an the")
OWNERS = listed("my your his her its our their whose")
QUANTITIES = listed("some any no every each another either neither several many few both all more most less")
THESE = listed("this that these those")
DETERMINERS = ARTICLES | OWNERS | QUANTITIES | THESE
SUBJECTS = listed("i you we they he she it who there")
OBJECTS = listed("me you him her it us them myself yourself himself herself itself ourselves themselves")
PLURAL_SUBJECTS = listed("i you we they people who")
MODALS = listed(
    "will would can could shall should may might must do does did don't doesn't didn't won't wouldn't can't cannot "
    "couldn't shouldn't mustn't needn't i'll you'll he'll she'll it'll we'll they'll that'll let's i'd you'd he'd "
    "she'd we'd they'd gonna wanna gotta let make makes made help helps helped please ll"
)
HAVING = listed(
    "have has had having i've you've we've they've haven't hasn't hadn't could've would've should've might've "
    "must've been"
)
BEING = listed(
    "be am is are was were being isn't aren't wasn't weren't i'm you're we're they're he's she's it's that's get "
    "gets got getting"
)
ADVERBS = listed(
    "not never always often usually sometimes rarely really also just still only even ever already soon now then "
    "please actually simply quickly easily probably seldom barely hardly almost to-be"
)
PREPOSITIONS = listed(
    "of in on at by for with from into onto about over under between among through during without within against "
    "after before since until near per via as like"
)
JOINING = listed("and or but")
PAST = listed("yesterday ago last earlier previously once when already")
DEGREES = listed("very so too more most quite rather really pretty extremely as how")
TO_NOUNS = listed("due according prior thanks next access addition regard respect contrast")
PLURALS = listed("people those children men women animals")
FISHY = listed("fish fishing caught sea lake river grilled fillet angler striped largemouth")
BECOMING = listed("get gets got getting become became becoming")
ADJECTIVES = listed(
    "new old good bad big small fresh raw local organic high low long short great poor rich free hard soft early late "
    "own same other first last next human daily deep strong full public open"
)
AFTER_NOUNS = (DETERMINERS | PREPOSITIONS | JOINING | BEING | HAVING | MODALS | SUBJECTS | ADVERBS) | listed(
    "to that which who where when while if because so than ago later today tomorrow yesterday here there away back up "
    "down out off too though"
)
MARKS = frozenset('.,;:!?—…"“”()')


def tag(words: Sequence[str], at: int) -> str | None:
    """The Penn Treebank tag of `words[at]`, or a beginning of one; None if it cannot be told. Words in small letters,
    marks among them."""
    word = words[at]
    if word == "that":
        return _that(words, at)
    if word in ("read", "reread", "misread", "proofread"):
        return _read(words, at)
    if word == "used":
        return _used(words, at)
    if word == "bass":
        return "JJ" if FISHY.isdisjoint(words) else "NN"
    if word in ("bow", "bows", "bowed") and _word(words, at + 1) in ("down", "to", "before", "out"):
        return "VB"
    if word == "wound":
        return _wound(words, at)
    if word == "close":
        return _close(words, at)
    return _general(words, at)


def _word(words: Sequence[str], at: int) -> str:
    """A word of the sentence, or "" beyond its ends and at marks."""
    return words[at] if 0 <= at < len(words) and words[at] not in MARKS else ""


def _before(words: Sequence[str], at: int) -> tuple[str, int]:
    """The word before `at` that is no adverb."""
    at -= 1
    while _word(words, at) in ADVERBS or (len(_word(words, at)) > 4 and _word(words, at).endswith("ly")):
        at -= 1
    return _word(words, at), at


def _general(words: Sequence[str], at: int) -> str | None:
    """Noun, verb or adjective."""
    before, where = _before(words, at)
    after = _word(words, at + 1)
    if before == "to":
        return "NN" if _word(words, where - 1) in TO_NOUNS and after not in DETERMINERS else "VB"
    if before in JOINING:
        return _joined(words, at, where)
    if before in MODALS:
        return "VB"
    if before in HAVING:
        return "VBN"
    if before in BEING:
        return "JJ" if where == at - 1 or _word(words, at - 1) in DEGREES else None
    if before in ARTICLES or before in OWNERS or before in QUANTITIES or before.endswith("'s"):
        return _after_determiner(words, at)
    if before in PLURAL_SUBJECTS or (before in SUBJECTS and words[at].endswith(("s", "ed"))):
        return "VBP"
    if before in THESE:
        return _after_these(words, at, before)
    if before in PREPOSITIONS:
        return _after_determiner(words, at)
    if not before:
        return _first(words, at)
    if after in ARTICLES or after in OWNERS or after in OBJECTS - {"her"}:
        return "VBP"
    return _between(words, at, before, after)


def _after_determiner(words: Sequence[str], at: int) -> str:
    """A noun, or an adjective before one."""
    after = _word(words, at + 1)
    return "JJ" if after and after not in AFTER_NOUNS else "NN"


def _after_these(words: Sequence[str], at: int, before: str) -> str | None:
    """this record, these records; but people that live here."""
    if before in ("this", "these", "those"):
        return _after_determiner(words, at)
    plural = _word(words, at - 2).endswith("s") or _word(words, at - 2) in (
        "people",
        "those",
        "children",
        "men",
        "women",
    )
    return "VBP" if plural else "NN"


def _joined(words: Sequence[str], at: int, where: int) -> str | None:
    """After "and": as what it is joined to begins, if that can be told."""
    for back in range(where - 1, max(-1, where - 5), -1):
        word = _word(words, back)
        if word in ("to",) or word in MODALS:
            return "VB"
        if word in DETERMINERS | PREPOSITIONS:
            return "NN" if _word(words, at + 1) not in DETERMINERS else "VB"
        if not word:
            break
    return "VB" if _word(words, at + 1) in DETERMINERS | OBJECTS else None


def _first(words: Sequence[str], at: int) -> str | None:
    """A command, if something is commanded."""
    after = _word(words, at + 1)
    if after in DETERMINERS or after in OBJECTS:
        return "VB"
    return "NN" if after == "of" else None


def _between(words: Sequence[str], at: int, before: str, after: str) -> str | None:
    """Between words that say little: a verb after a plural, a noun after what sounds like an adjective."""
    plural = before.endswith("s") and not before.endswith(("ss", "us", "is"))
    if plural and not words[at].endswith("s") and (after in PREPOSITIONS or after in ADVERBS or not after):
        return "VBP"
    if before in ADJECTIVES or before.endswith(("al", "ive", "ous", "ful", "ic", "able", "ible", "ary", "less")):
        return "NN"
    return None


def _that(words: Sequence[str], at: int) -> str:
    """Pointing, or joining?"""
    before, after = _word(words, at - 1), _word(words, at + 1)
    if not before or before in PREPOSITIONS or before in BEING or before in ("do", "did", "like", "all"):
        return "DT"
    if not after or (after in BEING | MODALS and not before.endswith(("s", "t"))):
        return "DT" if not after else "IN"
    return "IN"


def _past(words: Sequence[str], at: int) -> bool:
    """Whether the sentence is about the past."""
    return any(word in PAST for word in words[max(0, at - 8) : at + 12])


def _used(words: Sequence[str], at: int) -> str:
    """Formerly, or accustomed: "used to"; but "is used to cut" says what something is for."""
    before, after = _before(words, at)[0], _word(words, at + 2)
    if before in BECOMING or after.endswith("ing") or after in DETERMINERS | OBJECTS:
        return "VBD"
    return "VBN" if before in BEING | HAVING else "VBD"


def _read(words: Sequence[str], at: int) -> str:
    """ɹˈid or ɹˈɛd."""
    before, where = _before(words, at)
    if before == "to" or before in MODALS:
        return "VB"
    if before in HAVING or before in BEING or _word(words, at - 1) in ("well", "widely"):
        return "VBN"
    if before == "who" and _word(words, where - 1) in PLURALS:
        return "VB"
    if before in ("he", "she", "it", "who"):
        return "VBD" if not _asked(words, where) else "VB"
    if before in ("i", "you", "we", "they"):
        if _asked(words, where):
            return "VB"
        habit = any(word in ("often", "usually", "always", "every", "sometimes", "if") for word in words)
        return "VB" if habit and not _past(words, at) else "VBD"
    if before in DETERMINERS:
        return "NN"
    if before in JOINING:
        return "VBD" if any(word.endswith("ed") for word in words[max(0, where - 6) : where]) else "VB"
    if not before:
        return "VB"
    return "VBD" if _word(words, at + 1) in ARTICLES | OWNERS | {"it", "about", "that"} else "VB"


def _asked(words: Sequence[str], subject: int) -> bool:
    """Whether an auxiliary comes before the subject: did you read, can he read."""
    return _word(words, subject - 1) in MODALS | {"to"}


def _wound(words: Sequence[str], at: int) -> str | None:
    """Of a clock, or of a soldier."""
    if _word(words, at + 1) in ("up", "down", "around", "through", "its", "his", "her", "their"):
        return "VBD"
    return "VBN" if _word(words, at - 1) in SUBJECTS | HAVING else "NN"


def _close(words: Sequence[str], at: int) -> str | None:
    """Near, unless something is closed."""
    before, _ = _before(words, at)
    after = _word(words, at + 1)
    if after in ("to", "by", "enough", "together") or (before in BEING) or _word(words, at - 1) in DEGREES:
        return "JJ"
    if before == "to" or before in MODALS or after in DETERMINERS | OBJECTS or before in PLURAL_SUBJECTS:
        return "VB"
    if before in ARTICLES and after in ("of", ""):
        return "NN"
    if before.endswith("s") and before not in DETERMINERS:
        return "VB"
    return "JJ"
