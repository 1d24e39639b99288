"""Conversations for tests: fake models, what is said to them, and what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import anyio
import numpy as np
from numpy.typing import NDArray

from sauropod import AudioFrame, Engine, Session, SessionEvent, Transcriber, Voice
from sauropod.testing import speech_of

RATE = 16_000
FRAME = 320
"""Samples: 20 ms."""

Event = TypeVar("Event")


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


def said(*texts: str, gap: float = 0.7) -> NDArray[np.float32]:
    """Each text, and silence that ends a turn behind it."""
    return np.concatenate([part for text in texts for part in (speech_of(text), silence(gap))])


@asynccontextmanager
async def models(
    says: Mapping[str, str] | None = None,
    *,
    ears: Mapping[str, Any] | None = None,
    turn_detector: str | None = None,
    **engine: Any,
) -> AsyncIterator[tuple[Engine, Voice, Transcriber]]:
    """What thinks, speaks and hears: the fakes. `says` is what is answered, by what was said last."""
    options = {"says": says or {}, "context_length": 4096, "step_tokens": 512, **engine}
    async with AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(Engine("fake:", isolation="thread", options=options)),
            await stack.enter_async_context(Voice("fake:synthesizer", isolation="thread")),
            await stack.enter_async_context(
                Transcriber(
                    "fake:recognizer",
                    vad="fake:voice_detector",
                    turn_detector=turn_detector,
                    isolation="thread",
                    options=ears or {},
                )
            ),
        )


@asynccontextmanager
async def conversation(says: Mapping[str, str] | None = None, **options: Any) -> AsyncIterator[Session]:
    """A session of its own, unpaced unless the test says otherwise."""
    made = {name: options.pop(name) for name in ("ears", "turn_detector", "slots", "eos_rate") if name in options}
    async with models(says, **made) as (engine, voice, ears):
        options = {"ahead_seconds": None, **options}
        async with Session(engine, voice=voice, transcriber=ears, **options) as session:
            yield session


async def speak(session: Session, samples: NDArray[np.float32], size: int = FRAME) -> None:
    """Send all of it at once, in frames."""
    for at in range(0, len(samples), size):
        await session.send(AudioFrame(samples[at : at + size], RATE, at))


async def until(session: Session, *kinds: type[Any], where: Callable[[Any], bool] = lambda _: True) -> list[Any]:
    """What happens up to the first event of a kind."""
    events: list[SessionEvent] = []
    with anyio.fail_after(10):
        async for event in session:
            events.append(event)
            if isinstance(event, kinds) and where(event):
                return events
    raise AssertionError(f"it ended without {kinds}")


def of(events: Sequence[Any], kind: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def names(events: Sequence[Any]) -> list[str]:
    """The kinds of events, those that repeat once."""
    found: list[str] = []
    for event in events:
        name = type(event).__name__
        if not found or found[-1] != name:
            found.append(name)
    return found
