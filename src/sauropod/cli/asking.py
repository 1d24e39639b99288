"""Asking a model, so that Ctrl-C stops it in good order.

Each request runs in an event loop of its own: there Ctrl-C cancels what is awaited, and is raised when all of that has
been cleaned up. In plain code it would strike anywhere.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
from typing_extensions import Unpack

from sauropod import AskOptions, Completion, Engine, ModelInfo, Prompt, StreamEvent, UnsupportedInput
from sauropod.cli.options import engine_options
from sauropod.cli.terminal import status

__all__ = ["ask", "opened", "require_chat"]


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Engine]:
    """The engine that was asked for, with its model loaded."""
    engine = Engine(options.model, **engine_options(options))
    with status(f"Loading {options.model} ..."):
        anyio.run(engine.open)
    try:
        yield engine
    finally:
        anyio.run(engine.aclose)


def ask(
    engine: Engine,
    prompt: Prompt,
    take: Callable[[StreamEvent], None],
    **options: Unpack[AskOptions],
) -> Completion:
    """The whole answer, once each event of it has been given to `take` as it came."""

    async def answer() -> Completion:
        async with engine.stream(prompt, **options) as stream:
            async for event in stream:
                take(event)
        return stream.completion

    return anyio.run(answer)


def require_chat(info: ModelInfo, name: str) -> None:
    """Raises `UnsupportedInput` for a model that cannot hold a conversation."""
    if not info.generates:
        raise UnsupportedInput(f"{name} writes no text: it is a model for embeddings. Use it from Python.")
    if not info.chat:
        raise UnsupportedInput(
            f"{name} has no chat template, so it knows no conversation. "
            f'It can continue a text: sauropod run {name} --raw "Once upon a time"'
        )
