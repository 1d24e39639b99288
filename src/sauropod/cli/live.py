"""Live: a spoken conversation under way, as the terminal shows it."""

from __future__ import annotations

from typing import Any

import anyio
import attrs

from sauropod import (
    AudioCleared,
    AudioFrame,
    CallItem,
    NothingHeard,
    Reply,
    ReplyAudio,
    ReplyFinished,
    ReplyStarted,
    ReplyText,
    SaidItem,
    Session,
    SessionEvent,
    UserHeard,
    UserSaid,
    UserStarted,
    UserUnheard,
)
from sauropod.cli.figures import duration
from sauropod.cli.sounds import Files, Sounds
from sauropod.cli.terminal import clean, print_text, styled

__all__ = ["Live"]

LEVELS = " ▁▂▃▄▅▆▇█"
QUIET = 2.5
"""Seconds of silence behind all that was said, after which a recording is over."""


@attrs.define(eq=False)
class Live:
    """Goes between the session, the sounds, and who reads along."""

    json: bool = False
    patience: float = 0.0
    """Seconds for which the session waits for an unfinished turn."""
    interactive: bool = False
    """Somebody sits there: show the level of the microphone, and words while they are said."""
    told: list[dict[str, Any]] = attrs.field(factory=list)
    """What happened, for a program to read."""
    _replying: set[str] = attrs.field(factory=set)
    _unheard: set[str] = attrs.field(factory=set)
    """What is being said, or was and is not known yet."""
    _last: float = 0.0
    """When something was last said."""
    _line: str = ""
    """What stands in the line that is overwritten."""
    _texts: dict[str, str] = attrs.field(factory=dict)

    async def hold(self, session: Session, sounds: Sounds) -> None:
        """Until the recording is over, or for ever."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._send, session, sounds)
            if isinstance(sounds, Files):
                tasks.start_soon(self._end, sounds, tasks)
            async for event in session:
                await self._take(event, sounds)
            tasks.cancel_scope.cancel()

    async def _send(self, session: Session, sounds: Sounds) -> None:
        async for frame in sounds.frames():
            self._show_level(frame)
            await session.send(frame)

    async def _end(self, files: Files, tasks: anyio.abc.TaskGroup) -> None:
        """End when nobody has said anything for a while after the recording."""
        quiet = QUIET + self.patience
        while not files.over or self._replying or self._unheard or anyio.current_time() - self._last < quiet:
            if not files.over:
                self._last = anyio.current_time()
            await anyio.sleep(0.05)
        files.end()
        tasks.cancel_scope.cancel()

    # -- what happens --------------------------------------------------------------------------------------------------

    async def _take(self, event: SessionEvent, sounds: Sounds) -> None:
        self._last = anyio.current_time()
        match event:
            case ReplyAudio(_, _, frame):
                await sounds.play(frame)
            case UserStarted(item_id):
                self._unheard.add(item_id)
                self._overwrite("> ...")
            case AudioCleared():
                self._unheard.clear()
            case UserHeard():
                self._overwrite(f"> {event.text}")
            case UserSaid(item):
                self._unheard.discard(item.id)
                self._say(styled(f"> {clean(item.text or '')}", "bold"))
                self.told.append({"user": item.text, "start": item.words[0].start if item.words else None})
            case NothingHeard(item_id):
                self._unheard.discard(item_id)
                self._say(styled("  (there was no word in it)", "dim"))
            case UserUnheard(item_id, error):
                self._unheard.discard(item_id)
                self._say(styled(f"  (not understood: {error})", "red"))
            case ReplyStarted(reply):
                self._replying.add(reply.id)
            case ReplyText(_, item, text):
                self._texts[item] = self._texts.get(item, "") + text
                self._overwrite(self._texts[item])
            case ReplyFinished(reply):
                self._replying.discard(reply.id)
                if reply.status == "cancelled":
                    await sounds.stop()
                self._conclude(reply)
            case _:
                pass

    def _conclude(self, reply: Reply) -> None:
        said = next((item for item in reply.items if isinstance(item, SaidItem)), None)
        text = "" if said is None else (said.text or "")
        if reply.status == "failed":
            self._say(styled(f"  (the reply failed: {reply.error})", "red"))
        elif said is not None:
            mark = styled(" [interrupted]", "yellow") if reply.reason == "interrupted" else ""
            self._say(f"{clean(text)}{mark}")
        for item in reply.items:
            if isinstance(item, CallItem):
                self._say(styled(f"  → {item.call.name} {dict(item.call.arguments)}", "cyan"))
        self._say(styled(f"  {_timings(reply)}", "dim"))
        self.told.append(
            {
                "assistant": text,
                "status": reply.status,
                "reason": reply.reason,
                "seconds": attrs.asdict(reply.timings),
            }
        )

    # -- the terminal --------------------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        if not self.json:
            self._overwrite("")
            print_text(f"{text}\n")

    def _overwrite(self, text: str) -> None:
        """What is not certain yet stands in a line that is written over."""
        if not self.interactive or self.json:
            return
        shown = clean(text)[-90:]
        print_text(f"\r{shown}{' ' * (len(self._line) - len(shown))}")
        print_text("\r" if not text else "")
        self._line = shown

    def _show_level(self, frame: AudioFrame) -> None:
        if not self.interactive or self._line.strip(LEVELS):
            return
        import numpy as np

        loudness = float(np.sqrt(np.mean(frame.samples**2))) if len(frame.samples) else 0.0
        self._overwrite(LEVELS[min(len(LEVELS) - 1, int(loudness * 40))])


def _timings(reply: Reply) -> str:
    """When what happened, after the user's last sound."""
    names = {
        "endpoint": "end of turn certain",
        "transcript": "transcript",
        "first_token": "first token",
        "first_phrase": "first phrase",
        "first_audio": "first audio",
    }
    told = ((about, getattr(reply.timings, name)) for name, about in names.items())
    return " · ".join(f"{about} {duration(max(0.0, at))}" for about, at in told if at is not None)
