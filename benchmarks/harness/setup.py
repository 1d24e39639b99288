"""What a benchmark is run with: the model, the peer, threads, rounds. One command line for all of them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import attrs

from benchmarks.harness.machine import cores
from benchmarks.model import qwen_half_billion

__all__ = ["Serving", "Setup", "parser"]

SERVER_VARIABLE = "SAUROPOD_LLAMA_SERVER"
"""Names the llama-server binary, where `--llama-server` does not."""

PEERS = ("auto", "llama-server", "xllamacpp", "llama-cpp-python", "none")


@attrs.frozen
class Serving:
    """How a side is to serve: so many at once, each with a context of so many tokens."""

    slots: int
    context: int


@attrs.frozen(kw_only=True)
class Setup:
    """Options all benchmarks have."""

    model: Path
    peer: str = "auto"
    llama_server: Path | None = None
    threads: int = attrs.field(factory=cores)
    step_tokens: int = 512
    """The most tokens one call of the model computes, on both sides."""
    rounds: int = 5
    answer: int = 64
    """Tokens of each answer."""
    scale: float = 1.0
    """Makes prompts shorter, to see in seconds that a benchmark works."""
    over_http: bool = False
    """Whether ours is measured as a server too, and not as a library."""
    peer_environment: Sequence[str] = ()
    """NAME=VALUE for the peer's process."""
    tolerance: float = 1.0
    """A round is measured again if others used more of the machine than this share of it."""
    retries: int = 0
    """How often that may happen, for all rounds of one kind of work together."""

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Self:
        names = [field.name for field in attrs.fields(cls)]
        given: dict[str, Any] = {name: getattr(arguments, name) for name in names}
        given["model"] = given["model"] or qwen_half_billion(_cached_model())
        return cls(**given)

    def describe(self) -> str:
        return f"{self.threads} threads, steps of at most {self.step_tokens} tokens, {self.rounds} rounds"

    def words(self, count: int) -> int:
        """So many words, or fewer on a small scale."""
        return max(2, round(count * self.scale))


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options every benchmark has."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = made.add_argument
    add("--model", type=Path, help="a GGUF file; unasked, the synthetic half-billion model, built and cached")
    add("--peer", choices=PEERS, default="auto", help="what to compare with; auto takes the first there is")
    add(
        "--llama-server",
        type=_executable,
        default=os.environ.get(SERVER_VARIABLE),
        help=f"the llama-server binary; unasked, ${SERVER_VARIABLE}",
    )
    add("--threads", type=int, default=cores(), help="of both sides")
    add("--step-tokens", type=int, default=512, help="the most tokens one call of the model computes, on both sides")
    add("--rounds", type=int, default=5, help="how often each side is measured, in turns")
    add("--answer", type=int, default=64, help="tokens of each answer")
    add("--scale", type=float, default=1.0, help="make prompts shorter, to see that it works")
    add("--peer-environment", nargs="*", default=[], metavar="NAME=VALUE", help="for the peer's process")
    add("--over-http", action="store_true", help="measure `sauropod serve`, not the library")
    add("--tolerance", type=float, default=0.1, help="share of the machine others may use before a round is void")
    add("--retries", type=int, default=10, help="void rounds that are measured again, for each kind of work")
    add("--json", type=Path, help="write the report there too")
    return made


def _executable(text: str) -> Path:
    path = Path(text)
    if not os.access(path, os.X_OK) or path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is not a program")
    return path


def _cached_model() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "sauropod" / "benchmarks" / "half-billion.gguf"
