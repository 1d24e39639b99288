"""Damages a small model file in many ways and loads each: nothing but a model or a typed error may come of it.

    python tests/fuzz_gguf.py --count 10000
    python tests/fuzz_gguf.py --every-byte

Every file goes the whole way: the header is read in this process, and what passes is loaded by llama.cpp in a worker,
asked for a few tokens, and unloaded. A native fault costs the worker, which another engine shares and must survive.
"""

from __future__ import annotations

import argparse
import random
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import anyio

import sauropod
from sauropod import Engine
from sauropod._sources.inspection import local_header
from sauropod.testing import models

Mutation = Callable[[bytearray, int, random.Random], None]


def flip_a_bit(data: bytearray, header: int, chance: random.Random) -> None:
    data[chance.randrange(header)] ^= 1 << chance.randrange(8)


def replace_a_byte(data: bytearray, header: int, chance: random.Random) -> None:
    data[chance.randrange(header)] = chance.randrange(256)


def lie_about_a_length(data: bytearray, header: int, chance: random.Random) -> None:
    """Write a number no file is ready for over eight bytes."""
    lie = chance.choice([0, 1, 2**16, 2**31 - 1, 2**32, 2**62, 2**63 - 1, 2**64 - 1, chance.randrange(2**64)])
    place = chance.randrange(header - 8)
    data[place : place + 8] = struct.pack("<Q", lie)


def lie_about_a_number(data: bytearray, header: int, chance: random.Random) -> None:
    """The same over four: counts of heads and layers, types, dimensions."""
    lie = chance.choice([0, 1, 3, 7, 255, 65535, 2**20, 2**31 - 1, 2**31, 2**32 - 1, chance.randrange(2**32)])
    place = chance.randrange(header - 4)
    data[place : place + 4] = struct.pack("<I", lie)


def cut_off(data: bytearray, header: int, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def move_a_piece(data: bytearray, header: int, chance: random.Random) -> None:
    length = chance.randrange(1, 64)
    source, target = chance.randrange(header - length), chance.randrange(header - length)
    data[target : target + length] = data[source : source + length]


def drop_a_piece(data: bytearray, header: int, chance: random.Random) -> None:
    place = chance.randrange(header)
    del data[place : place + chance.randrange(1, 64)]


MUTATIONS: tuple[Mutation, ...] = (
    flip_a_bit,
    replace_a_byte,
    lie_about_a_length,
    lie_about_a_number,
    cut_off,
    move_a_piece,
    drop_a_piece,
)


def damaged(original: bytes, header: int, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many damaged copies, each with the name of what was done to it."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(original)
        mutations = chance.choices(MUTATIONS, k=chance.choice([1, 1, 1, 2, 4]))
        for mutate in mutations:
            if len(data) > header:
                mutate(data, header, chance)
        yield "+".join(mutate.__name__ for mutate in mutations), bytes(data)


def every_byte(original: bytes, header: int) -> Iterator[tuple[str, bytes]]:
    """One copy for each byte of the header, with all bits of that byte flipped."""
    for place in range(header):
        data = bytearray(original)
        data[place] ^= 0xFF
        yield f"byte {place}", bytes(data)


async def try_file(path: Path) -> str:
    """What comes of loading a file and asking it for a few tokens."""
    try:
        async with Engine(path, worker="fuzz", context_length=64, slots=1) as engine:
            try:
                await engine.complete("Hi", raw=True, max_tokens=3, temperature=0)
            except sauropod.SauropodError as error:
                return f"loaded, then {type(error).__name__}"
            return "loaded"
    except sauropod.SauropodError as error:
        return type(error).__name__


async def fuzz(files: Iterable[tuple[str, bytes]], folder: Path, *, report: bool) -> Counter[str]:
    """Try damaged files. Raises if anything but a typed error comes of one, or a bystander suffers."""
    outcomes: Counter[str] = Counter()
    path = folder / "damaged.gguf"
    async with Engine("fake:", worker="fuzz") as bystander:
        expected = (await bystander.complete("Hi", seed=1, max_tokens=5)).text
        for number, (what, data) in enumerate(files):
            path.write_bytes(data)
            with anyio.fail_after(60):
                outcomes[await try_file(path)] += 1
            if number % 50 == 0:
                with anyio.fail_after(60):
                    assert (await bystander.complete("Hi", seed=1, max_tokens=5)).text == expected, what
                if report:
                    print(f"\r{number}", dict(outcomes.most_common()), end="", flush=True)
        assert (await bystander.complete("Hi", seed=1, max_tokens=5)).text == expected
    return outcomes


def whole_model(folder: Path) -> tuple[bytes, int]:
    """A model file, and how many bytes of it are header."""
    path = models.tiny_llama(folder / "whole.gguf")
    return path.read_bytes(), local_header(path).data_offset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every-byte", action="store_true", help="flip each byte of the header in turn instead")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        original, header = whole_model(Path(folder))
        files = every_byte(original, header) if given.every_byte else damaged(original, header, given.count, given.seed)
        outcomes = anyio.run(lambda: fuzz(files, Path(folder), report=True))
    print(f"\n{outcomes.total()} damaged files in {time.monotonic() - began:.0f} s; no fault reached this process")
    for outcome, count in outcomes.most_common():
        print(f"{count:8} {outcome}")


if __name__ == "__main__":
    main()
