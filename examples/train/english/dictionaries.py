"""Dictionaries: the lists of misaki and CMU, packed into the files that ship.

python -m examples.train.english.dictionaries --sources build/english
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sauropod._speech.english.alphabet import ACCENTS
from sauropod._speech.english.dictionary import packed

from .wordlists import SOURCES, licence, names, read

ASSETS = Path("src/sauropod/assets/english")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, default=SOURCES, help="where the packages are")
    parser.add_argument("--to", type=Path, default=ASSETS)
    given = parser.parse_args()
    for accent in ACCENTS:
        (given.to / f"{accent}.zlib").write_bytes(packed(read(given.sources, accent).items()))
    (given.to / "names.zlib").write_bytes(packed(names(given.sources).items()))
    (given.to / "LICENSE.misaki").write_bytes(licence(given.sources))


if __name__ == "__main__":
    main()
