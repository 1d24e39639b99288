"""Money."""

from __future__ import annotations

import re

from sauropod._speech.english.normalisation.numbers import NUMBER, decimal
from sauropod._speech.english.normalisation.numerals import cardinal
from sauropod._speech.english.normalisation.said import Found, Line, said_as

__all__ = ["FROM_DIGITS", "FROM_LETTERS", "FROM_SYMBOL", "SYMBOLS"]

SYMBOLS: dict[str, tuple[str, str, str, str]] = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "", ""),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₩": ("won", "won", "", ""),
    "₽": ("rouble", "roubles", "kopeck", "kopecks"),
    "₿": ("bitcoin", "bitcoins", "", ""),
    "₺": ("lira", "lira", "", ""),
    "₪": ("shekel", "shekels", "", ""),
    "₴": ("hryvnia", "hryvnias", "", ""),
    "₫": ("dong", "dong", "", ""),
}
CODES: dict[str, tuple[str, str]] = {
    "USD": ("U S dollar", "U S dollars"),
    "EUR": ("euro", "euros"),
    "GBP": ("pound", "pounds"),
    "CHF": ("Swiss franc", "Swiss francs"),
    "JPY": ("yen", "yen"),
    "CAD": ("Canadian dollar", "Canadian dollars"),
    "AUD": ("Australian dollar", "Australian dollars"),
    "INR": ("rupee", "rupees"),
    "CNY": ("yuan", "yuan"),
    "RMB": ("yuan", "yuan"),
}
LANDS = {"US": "U S", "A": "Australian", "AU": "Australian", "C": "Canadian", "CA": "Canadian"} | {
    "NZ": "New Zealand",
    "HK": "Hong Kong",
    "R": "",
    "S": "Singapore",
}
SCALES = {
    "k": "thousand",
    "thousand": "thousand",
    "m": "million",
    "mn": "million",
    "mio": "million",
    "million": "million",
    "b": "billion",
    "bn": "billion",
    "billion": "billion",
    "t": "trillion",
    "tn": "trillion",
    "trn": "trillion",
    "trillion": "trillion",
}
SIGNS = "".join(SYMBOLS)
SCALE = rf"(?: ?({'|'.join(sorted(SCALES, key=len, reverse=True))})(?![A-Za-z]))?"
BEFORE = re.compile(
    rf"(US|AU?|CA?|NZ|HK|S)?([{SIGNS}]) ?({NUMBER})(?:[-–]([{SIGNS}])?({NUMBER}))?{SCALE}", re.IGNORECASE
)
AFTER = re.compile(
    rf"({NUMBER})(?:[-–]({NUMBER}))?{SCALE} ?([{SIGNS}](?!\d)|(?:{'|'.join(CODES)})(?![A-Za-z]))", re.IGNORECASE
)
CENTS = re.compile(r"(\d{1,3})(?:(p)(?![A-Za-z.]\w)|¢)")
CODE_BEFORE = re.compile(rf"({'|'.join(CODES)}) ?({NUMBER}){SCALE}")


def before(line: Line, at: int) -> Found | None:
    """$3.50, £5m, US$2bn, $5-10."""
    found = BEFORE.match(line.plain, at)
    if not found:
        return None
    land, sign, first, again, second, scale = found.groups()
    if second and again and again != sign:  # two currencies: the second is read by itself
        second = None
        end = found.end(3)
        scale = None
    else:
        end = found.end()
    one, many, _, _ = SYMBOLS[sign]
    prefix = LANDS[land.upper()] + " " if land else ""
    words = _amount(first, second, scale, line.british, (prefix + one, prefix + many), SYMBOLS[sign][2:])
    return Found(said_as(words, at, end), end)


def after(line: Line, at: int) -> Found | None:
    """5€, 100 USD, 1.5m EUR."""
    found = AFTER.match(line.plain, at)
    if not found:
        return None
    first, second, scale, unit = found.groups()
    names, parts = (SYMBOLS[unit][:2], SYMBOLS[unit][2:]) if unit in SYMBOLS else (CODES.get(unit.upper()), ("", ""))
    if names is None:
        return None
    return Found(said_as(_amount(first, second, scale, line.british, names, parts), at, found.end()), found.end())


def code_before(line: Line, at: int) -> Found | None:
    """USD 100."""
    found = CODE_BEFORE.match(line.plain, at)
    if not found:
        return None
    words = _amount(found[2], None, found[3], line.british, CODES[found[1]], ("", ""))
    return Found(said_as(words, at, found.end()), found.end())


def cents(line: Line, at: int) -> Found | None:
    """50p in Britain, 50¢."""
    found = CENTS.match(line.plain, at)
    if not found or (found[2] and (not line.british or int(found[1]) > 99)):
        return None
    one, many = ("penny", "pence") if found[2] else ("cent", "cents")
    words = f"{cardinal(found[1], line.british)} {one if int(found[1]) == 1 else many}"
    return Found(said_as(words, at, found.end()), found.end())


def _amount(
    first: str, second: str | None, scale: str | None, british: bool, names: tuple[str, str], parts: tuple[str, ...]
) -> str:
    one, many = names
    if second or scale:
        words = decimal(first, british) + (f" to {decimal(second, british)}" if second else "")
        return f"{words} {SCALES[scale.lower()]} {many}" if scale else f"{words} {many}"
    whole, _, part = first.replace(",", "").partition(".")
    if len(part) != 2 or not parts[0] or len(whole) > 15:
        return f"{decimal(first, british)} {one if first == '1' else many}"
    said = [f"{cardinal(whole, british)} {one if int(whole) == 1 else many}"] if int(whole) or not int(part) else []
    if int(part):
        said.append(f"{cardinal(part, british)} {parts[int(part) != 1]}")
    return " and ".join(said)


FROM_SYMBOL = (before,)
FROM_DIGITS = (after, cents)
FROM_LETTERS = (before, code_before)
