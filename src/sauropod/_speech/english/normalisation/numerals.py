"""Numerals: numbers in words.

Written here and not taken from `inflect` (MIT): its import costs more than 0.1 s, it needs two more packages, its
functions give `str | list[str]`, and years, British "and" and long numbers would have to be added all the same.
"""

from __future__ import annotations

from sauropod._speech.english.listed import in_order

__all__ = ["cardinal", "digits", "fraction", "groups", "ordinal", "plural", "year"]

SMALL = in_order(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
TENS = in_order("zero ten twenty thirty forty fifty sixty seventy eighty ninety")
SCALES = in_order(
    "one thousand million billion trillion quadrillion quintillion sextillion septillion octillion nonillion decillion"
)
LONGEST = 3 * len(SCALES)
"""Digits that are still a number; more are read one by one."""
IRREGULAR = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def cardinal(number: str, british: bool) -> str:
    """Digits as a number. Longer than any with a name, they are read one by one."""
    stripped = number.lstrip("0") or "0"
    if len(stripped) > LONGEST:
        return digits(number)
    value = int(stripped)
    if value == 0:
        return SMALL[0]
    words = []
    for power in range((len(stripped) - 1) // 3, -1, -1):
        three = value // 1000**power % 1000
        if three:
            joined = british and power == 0 and three < 100 and value > 1000
            words += ["and"] * joined + _hundreds(three, british) + [SCALES[power]] * (power > 0)
    return " ".join(words)


def _hundreds(value: int, british: bool) -> list[str]:
    """From 1 to 999."""
    words = [SMALL[value // 100], "hundred"] if value >= 100 else []
    rest = value % 100
    if words and rest and british:
        words.append("and")
    if rest >= 20:
        words.append(TENS[rest // 10] + (f"-{SMALL[rest % 10]}" if rest % 10 else ""))
    elif rest:
        words.append(SMALL[rest])
    return words


def ordinal(number: str, british: bool) -> str:
    """Digits as the place in a row."""
    return _as_ordinal(cardinal(number, british))


def _as_ordinal(words: str) -> str:
    head, joint, last = words.rpartition("-") if "-" in words.rpartition(" ")[2] else words.rpartition(" ")
    if last in IRREGULAR:
        last = IRREGULAR[last]
    elif last.endswith("y"):
        last = last[:-1] + "ieth"
    else:
        last += "th"
    return head + joint + last


def digits(text: str, nought: str = "zero") -> str:
    """One by one."""
    return " ".join(nought if digit == "0" else SMALL[int(digit)] for digit in text if digit.isdecimal())


def year(number: str, british: bool) -> str:
    """Four digits as a year: by hundreds, but for the first years of a millennium."""
    value = int(number)
    hundreds, rest = divmod(value, 100)
    if len(number) != 4 or value < 1000 or (hundreds % 10 == 0 and rest < 10):
        return cardinal(number, british)
    first = cardinal(str(hundreds), british)
    if rest == 0:
        return f"{first} hundred"
    return f"{first} oh {SMALL[rest]}" if rest < 10 else f"{first} {cardinal(str(rest), british)}"


def groups(number: str, british: bool) -> str:
    """Digits of a name, such as a flight's or a model's: in pairs, as people say them."""
    if number.startswith("0") or len(number) > 4:
        return digits(number)
    if len(number) == 3 and not number.endswith("00"):
        rest = number[1:]
        return f"{SMALL[int(number[0])]} " + (
            f"oh {SMALL[int(rest[1])]}" if rest[0] == "0" else cardinal(rest, british)
        )
    return year(number, british) if len(number) == 4 else cardinal(number, british)


def fraction(above: str, below: str, british: bool) -> str:
    """One number over another."""
    top = cardinal(above, british)
    if int(below) == 2:
        part = "half" if int(above) == 1 else "halves"
    elif int(below) == 4:
        part = "quarter" if int(above) == 1 else "quarters"
    elif int(below) in {3, *range(5, 11), 12, 16, 20, 32, 50, 64, 100, 1000}:
        part = ordinal(below, british) + ("" if int(above) == 1 else "s")
    else:
        return f"{top} over {cardinal(below, british)}"
    return f"{top} {part}"


def plural(words: str) -> str:
    """Of a number: nineties, hundreds, sixes."""
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith("x") else "s")
