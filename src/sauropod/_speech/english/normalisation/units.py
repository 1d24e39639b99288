"""Units: what is measured, after a number."""

from __future__ import annotations

import re

from sauropod._speech.english.normalisation.numbers import NUMBER, decimal
from sauropod._speech.english.normalisation.said import Found, Line, said_as

__all__ = ["RULES"]

UNITS: dict[str, tuple[str, str]] = {
    "km": ("kilometer", "kilometers"),
    "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "μm": ("micrometer", "micrometers"),
    "nm": ("nanometer", "nanometers"),
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "yd": ("yard", "yards"),
    "yds": ("yard", "yards"),
    "kg": ("kilogram", "kilograms"),
    "kgs": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"),
    "μg": ("microgram", "micrograms"),
    "mcg": ("microgram", "micrograms"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "l": ("liter", "liters"),
    "L": ("liter", "liters"),
    "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"),
    "cl": ("centiliter", "centiliters"),
    "gal": ("gallon", "gallons"),
    "ha": ("hectare", "hectares"),
    "mph": ("mile per hour", "miles per hour"),
    "kmh": ("kilometer per hour", "kilometers per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "mpg": ("mile per gallon", "miles per gallon"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "sec": ("second", "seconds"),
    "secs": ("second", "seconds"),
    "s": ("second", "seconds"),
    "ms": ("millisecond", "milliseconds"),
    "μs": ("microsecond", "microseconds"),
    "ns": ("nanosecond", "nanoseconds"),
    "yr": ("year", "years"),
    "yrs": ("year", "years"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "tsp": ("teaspoon", "teaspoons"),
    "tbsp": ("tablespoon", "tablespoons"),
    "KB": ("kilobyte", "kilobytes"),
    "kB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "PB": ("petabyte", "petabytes"),
    "KiB": ("kibibyte", "kibibytes"),
    "MiB": ("mebibyte", "mebibytes"),
    "GiB": ("gibibyte", "gibibytes"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "W": ("watt", "watts"),
    "kW": ("kilowatt", "kilowatts"),
    "MW": ("megawatt", "megawatts"),
    "GW": ("gigawatt", "gigawatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "Wh": ("watt hour", "watt hours"),
    "V": ("volt", "volts"),
    "kV": ("kilovolt", "kilovolts"),
    "mA": ("milliamp", "milliamps"),
    "mAh": ("milliamp hour", "milliamp hours"),
    "Ω": ("ohm", "ohms"),
    "J": ("joule", "joules"),
    "kJ": ("kilojoule", "kilojoules"),
    "cal": ("calorie", "calories"),
    "kcal": ("kilocalorie", "kilocalories"),
    "N": ("newton", "newtons"),
    "hp": ("horsepower", "horsepower"),
    "bhp": ("horsepower", "horsepower"),
    "Pa": ("pascal", "pascals"),
    "hPa": ("hectopascal", "hectopascals"),
    "kPa": ("kilopascal", "kilopascals"),
    "psi": ("P S I", "P S I"),
    "bar": ("bar", "bars"),
    "dB": ("decibel", "decibels"),
    "px": ("pixel", "pixels"),
    "pt": ("point", "points"),
    "fps": ("frame per second", "frames per second"),
    "rpm": ("R P M", "R P M"),
    "bpm": ("beat per minute", "beats per minute"),
    "dpi": ("D P I", "D P I"),
    "sq ft": ("square foot", "square feet"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "%": ("percent", "percent"),
    "‰": ("per mille", "per mille"),
    "k": ("thousand", "thousand"),
    "x": ("time", "times"),
    "×": ("time", "times"),
    "in": ("inch", "inches"),
    "bn": ("billion", "billion"),
    "K": ("thousand", "thousand"),
    "M": ("million", "million"),
    "B": ("billion", "billion"),
}
ATTACHED = frozenset({"k", "x", "×", "in", "bn", "K", "M", "B"})
"""Units only where nothing stands between them and the number."""
PER = {"h": "hour", "hr": "hour", "s": "second", "sec": "second", "min": "minute", "day": "day", "d": "day"} | {
    "week": "week",
    "month": "month",
    "mo": "month",
    "year": "year",
    "yr": "year",
    "kg": "kilogram",
    "l": "liter",
    "L": "liter",
    "100km": "hundred kilometers",
}
UNIT = re.compile(
    rf"({NUMBER})([  ]?-?)({'|'.join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))})"
    rf"([²³23])?(?:/({'|'.join(sorted(PER, key=len, reverse=True))}))?(?![A-Za-z0-9°])"
)
RESOLUTIONS = frozenset({"2", "4", "8"})
"""4K is no number."""
CAPITAL = re.compile(r" [A-Z]")
SHORTENED = re.compile(r"\.(?= [a-z])")
HEIGHT = re.compile(r"(\d)' ?(\d{1,2})(?:\"|'')")
POWERS = {"²": "square", "2": "square", "³": "cubic", "3": "cubic"}
LENGTHS = frozenset({"km", "m", "cm", "mm", "mi", "ft", "in", "yd"})


def measured(line: Line, at: int) -> Found | None:
    """5 km, 20°C, 60 km/h, 12 m², 5-km."""
    found = UNIT.match(line.plain, at)
    if not found:
        return None
    number, between, unit, power, per = found.groups()
    if (between and unit in ATTACHED) or (power and unit not in LENGTHS) or ("-" in between and unit in "%°"):
        return None
    if between and unit in ("m", "s", "h", "g", "l") and line.plain[found.end() : found.end() + 1] in ("'", "-"):
        return None
    if unit in "KMB" and (len(number) > 3 or number in RESOLUTIONS or CAPITAL.match(line.plain, found.end())):
        return None
    attributive = between.endswith("-")
    name = UNITS[unit][0 if number == "1" or attributive else 1]
    words = f"{POWERS[power]} {name}" if power else name
    if per:
        words += f" per {PER[per]}"
    if line.british:
        words = words.replace("meter", "metre").replace("liter", "litre")
    said = said_as(decimal(number, line.british), *found.span(1))
    end = found.end() + bool(unit.isalpha() and SHORTENED.match(line.plain, found.end()))
    return Found([*said, *said_as(words, found.end(1), end)], end)


def height(line: Line, at: int) -> Found | None:
    """5'10" is five foot ten."""
    found = HEIGHT.match(line.plain, at)
    if not found:
        return None
    words = f"{decimal(found[1], line.british)} foot {decimal(found[2], line.british)}"
    return Found(said_as(words, at, found.end()), found.end())


RULES = (height, measured)
