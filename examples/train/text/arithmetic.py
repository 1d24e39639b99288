"""Arithmetic: the rows of sums, differences and products that the question files name."""

from __future__ import annotations

WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty",
)  # fmt: skip


def rows(name: str) -> list[list[str]]:
    """Rows of two numbers, their result, and the two numbers in words."""
    size = range(21)
    if name == "sums":
        triples = [(a, b, a + b) for a in size for b in size if a + b <= 20]
    elif name == "differences":
        triples = [(a, b, a - b) for a in size for b in size if b <= a]
    elif name == "products":
        triples = [(a, b, a * b) for a in range(1, 11) for b in range(1, 11) if a * b <= 20]
    else:
        raise ValueError(f"no rows named {name!r}; there are sums, differences and products")
    return [[str(a), str(b), str(c), WORDS[a], WORDS[b]] for a, b, c in triples]
