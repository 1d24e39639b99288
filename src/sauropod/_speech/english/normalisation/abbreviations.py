"""Abbreviations: titles, what is written with full stops, and initials."""

from __future__ import annotations

import re

import attrs

from sauropod._speech.english.listed import listed
from sauropod._speech.english.normalisation.said import Found, Kind, Line, Said, said_as

__all__ = ["RULES", "numbered"]

TITLES = {
    "Mr": "Mister",
    "Mrs": "Missus",
    "Ms": "Miz",
    "Dr": "Doctor",
    "Prof": "Professor",
    "Messrs": "Messers",
    "Rev": "Reverend",
    "Hon": "Honorable",
    "Gov": "Governor",
    "Gen": "General",
    "Col": "Colonel",
    "Maj": "Major",
    "Capt": "Captain",
    "Cpt": "Captain",
    "Cmdr": "Commander",
    "Lt": "Lieutenant",
    "Sgt": "Sergeant",
    "Cpl": "Corporal",
    "Pvt": "Private",
    "Adm": "Admiral",
    "Sen": "Senator",
    "Rep": "Representative",
    "Pres": "President",
    "Fr": "Father",
    "Mt": "Mount",
    "Ft": "Fort",
}
"""Before a name."""
BARE = frozenset({"Mr", "Mrs", "Ms", "Dr", "Prof", "Lt", "Sgt", "Capt", "Mt"})
"""Written without a full stop too, as in Britain."""
DOTTED = {
    "approx": "approximately",
    "appt": "appointment",
    "apt": "apartment",
    "assoc": "associate",
    "asst": "assistant",
    "ave": "avenue",
    "avg": "average",
    "blvd": "boulevard",
    "cf": "compare",
    "ch": "chapter",
    "co": "company",
    "corp": "corporation",
    "dept": "department",
    "ed": "edition",
    "est": "established",
    "etc": "etcetera",
    "ext": "extension",
    "fig": "figure",
    "figs": "figures",
    "govt": "government",
    "hwy": "highway",
    "inc": "incorporated",
    "incl": "including",
    "intl": "international",
    "jr": "junior",
    "ltd": "limited",
    "max": "maximum",
    "mfg": "manufacturing",
    "min": "minimum",
    "misc": "miscellaneous",
    "pp": "pages",
    "rd": "road",
    "resp": "respectively",
    "sec": "section",
    "sr": "senior",
    "tel": "telephone",
    "temp": "temperature",
    "univ": "university",
    "viz": "namely",
    "vol": "volume",
    "vols": "volumes",
    "vs": "versus",
}
"""With a full stop, in small letters or with a capital."""
WORDS = frozenset({"ed", "co", "min", "max", "temp", "sec", "ch", "fig", "inc", "rep", "est"})
"""Words too: with a full stop that may end a sentence, they are abbreviations only before a digit or a small letter."""
UNDOTTED = {
    "vs": "versus",
    "etc": "etcetera",
    "Jr": "junior",
    "Sr": "senior",
    "Ltd": "limited",
    "Inc": "ink",
    "Blvd": "boulevard",
    "approx": "approximately",
    "dept": "department",
    "govt": "government",
    "w/o": "without",
    "w/": "with",
    "aka": "A K A",
    "PhD": "P H D",
    "PhDs": "P H D's",
    "BSc": "B S C",
    "MSc": "M S C",
    "eg": "for example",
    "ie": "that is",
}
LATIN = {
    "e.g": "for example",
    "i.e": "that is",
    "a.k.a": "A K A",
    "ph.d": "P H D",
    "p.s": "P S",
    "n.b": "N B",
    "c.f": "compare",
    "et al": "et al",
}
LATIN_PATTERN = re.compile(r"(e\.g|i\.e|a\.k\.a|ph\.d|et al)\.?(?![A-Za-z])", re.IGNORECASE)
TITLE = re.compile(rf"({'|'.join(sorted(TITLES, key=len, reverse=True))})(\.)?(?=[ \t\n]+(?:\"?[A-Z]|and [A-Z]))")
DOT = re.compile(r"([A-Za-z]{2,6})\.")
BARE_WORD = re.compile(rf"({'|'.join(re.escape(each) for each in sorted(UNDOTTED, key=len, reverse=True))})(?![\w'])")
SAINT = re.compile(r"(St|Ste)\b\.?(?= [A-Z][a-z])")
STREET = re.compile(r"(St|Dr|Ave|Rd|Ln|Sq)\b(\.)?(?! [A-Z][a-z]+ (?:said|says|is|was|has)\b)")
STREETS = {"St": "street", "Dr": "drive", "Ave": "avenue", "Rd": "road", "Ln": "lane", "Sq": "square"}
NAMED = re.compile(r"(?:[A-Z][a-z]+|\d(?:st|nd|rd|th)) $")
NUMERO = re.compile(r"(No|Nos|no|nos)\. ?(?=\d)|№ ?(?=\d)")
PAGE = re.compile(r"(pp?)\. ?(?=\d)")
CIRCA = re.compile(r"(c|ca)\. ?(?=\d)")
INITIALS = re.compile(r"(?:[A-Za-z]\.){2,12}(?![A-Za-z]{2})")
INITIAL = re.compile(r"[A-Z]\.(?=[ \t]?[A-Z])")
NOT_NAMES = listed("US USA UK EU UN DC BC AD LA NY AM PM")
NAME = re.compile(r" [A-Z][a-z]")
GOES_ON = re.compile(r"[ \t\n]*(?:[a-z0-9,;:)!?]|$)")
ENDS = re.compile(r"\s*$|\s+[\"“(]?(?:[A-Z][a-z']|[IA]\b)|[\"”]")
BLANK = re.compile(r"\s*")
NEVER_LAST = listed("approx avg cf ch ext fig figs incl max min pp resp sec tel temp viz vol vols vs")
"""What they shorten goes with what comes after."""
STARTERS = re.compile(
    r" ?(?:I|It|The|He|She|We|You|They|This|That|These|Those|A|An|In|But|And|So|If|There|What|My|Your)\b"
)
SMALL = re.compile(r"[a-z,;:]+ $")


def _ended(said: list[Said], line: Line, end: int) -> Found:
    """With the last full stop as a mark, if it ends a sentence too."""
    if line.plain[end - 1] != "." or not ENDS.match(line.plain, end):
        return Found(said, end)
    shorter = [attrs.evolve(each, end=min(each.end, end - 1)) for each in said]
    return Found([*shorter, Said(".", end - 1, end, Kind.MARK)], end)


def title(line: Line, at: int) -> Found | None:
    """Mr. and Dr, before a name."""
    found = TITLE.match(line.plain, at)
    if not found or not (found[2] or found[1] in BARE):
        return None
    if found[1] == "Dr" and NAMED.search(line.plain, max(0, at - 24), at):
        return None
    return Found([Said(TITLES[found[1]], at, found.end())], found.end())


def street(line: Line, at: int) -> Found | None:
    """St.: a saint before a name, a street after one."""
    if STREET.match(line.plain, at) and NAMED.search(line.plain, max(0, at - 24), at):
        found = STREET.match(line.plain, at)
        assert found is not None
        return _ended([Said(STREETS[found[1]], at, found.end())], line, found.end())
    if found := SAINT.match(line.plain, at):
        return Found([Said("Saint", at, found.end())], found.end())
    return None


def numbered(line: Line, at: int) -> Found | None:
    """No. 5, p. 7, c. 1500."""
    if found := NUMERO.match(line.plain, at):
        word = "numbers" if found[1] in ("Nos", "nos") else "number"
    elif found := PAGE.match(line.plain, at):
        word = "pages" if found[1] == "pp" else "page"
    elif found := CIRCA.match(line.plain, at):
        word = "circa"
    else:
        return None
    return Found([Said(word, at, len(found[0].rstrip()) + at)], found.end())


def latin(line: Line, at: int) -> Found | None:
    """e.g., i.e., Ph.D."""
    found = LATIN_PATTERN.match(line.plain, at)
    if not found:
        return None
    return _ended(_words(LATIN[found[1].lower()], at, found.end()), line, found.end())


def dotted(line: Line, at: int) -> Found | None:
    """approx., Inc., etc."""
    found = DOT.match(line.plain, at)
    if not found or found[1].lower() not in DOTTED or found[1][1:] != found[1][1:].lower():
        return None
    short = found[1].lower()
    if short in WORDS and not GOES_ON.match(line.plain, found.end()) and found[1].islower():
        return None
    if short in WORDS and found.end() == len(line.plain) and short != "inc":
        return None
    said = said_as(DOTTED[short], at, found.end())
    if short in NEVER_LAST and not BLANK.fullmatch(line.plain, found.end()):
        return Found(said, found.end())
    return _ended(said, line, found.end())


def bare(line: Line, at: int) -> Found | None:
    """vs, etc, PhD."""
    found = BARE_WORD.match(line.plain, at)
    return Found(_words(UNDOTTED[found[1]], at, found.end()), found.end()) if found else None


def initials(line: Line, at: int) -> Found | None:
    """U.S., J. R. R. Tolkien."""
    if found := INITIALS.match(line.plain, at):
        letters = found[0].replace(".", "")
        said = [Said(letters.upper(), at, found.end(), Kind.LETTERS)]
        name = letters.isupper() and letters not in NOT_NAMES and NAME.match(line.plain, found.end())
        return Found(said, found.end()) if name else _ended(said, line, found.end())
    if found := INITIAL.match(line.plain, at):
        after_small = SMALL.search(line.plain, max(0, at - 16), at) and STARTERS.match(line.plain, found.end())
        if after_small or (found[0] == "I." and line.plain[found.end()] != "."):  # "so am I. He": a sentence ends
            return None
        return Found([Said(found[0][0], at, found.end(), Kind.LETTERS)], found.end())
    return None


def _words(words: str, start: int, end: int) -> list[Said]:
    """Single capitals are letters: together they are spelled."""
    if all(len(word.removesuffix("'s")) == 1 for word in words.split()):
        plural = words.endswith("'s")
        letters = words.removesuffix("'s").replace(" ", "")
        return [Said(letters + ("s" if plural else ""), start, end, Kind.LETTERS)]
    return said_as(words, start, end)


RULES = (latin, street, title, numbered, dotted, bare, initials)
