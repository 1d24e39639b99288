"""How many bytes, said for people."""

from __future__ import annotations

__all__ = ["in_words"]


def in_words(count: int) -> str:
    """Bytes in decimal units, as disks and downloads are sold: `"3.9 GB"`, `"512 kB"`, `"17 bytes"`."""
    if count < 1000:
        return f"{count} bytes" if count != 1 else "1 byte"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5:
            return f"{amount:.1f} {unit}" if amount < 99.95 else f"{amount:.0f} {unit}"
    return f"{amount / 1000:,.1f} TB"
