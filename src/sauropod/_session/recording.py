"""Recording: a session's flight recorder, one line of JSON for everything that happens.

The first line says what it is. Then, each with `at`, seconds since the beginning: `sign`, with the acts that came of it
and where the turn table stood afterwards; `event`, with its fields; and `in` and `out`, the audio, of which the samples
are only written if that is asked for.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import attrs

from sauropod._session.events import ReplyAudio, SessionEvent
from sauropod._speech.turns import Act, Sign, Turns
from sauropod._values.audio import AudioFrame

__all__ = ["FORMAT", "Recording"]

FORMAT = 1


@attrs.define(eq=False)
class Recording:
    """Writes what it is told; nothing, without a file."""

    _file: IO[str] | None
    _audio: bool = False
    _clock: Callable[[], float] = time.monotonic
    _began: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._began = self._clock()
        self._write({"sauropod": "session", "format": FORMAT, "time": time.time()})

    @classmethod
    @contextmanager
    def into(cls, path: Path | None, *, audio: bool = False) -> Iterator[Recording]:
        """Raises `OSError` if the file cannot be written."""
        if path is None:
            yield cls(None)
            return
        with path.open("w", encoding="utf-8", buffering=1) as file:
            yield cls(file, audio)

    def sign(self, sign: Sign, acts: Sequence[Act], turns: Turns) -> None:
        """Something happened, and this came of it."""
        if self._file is not None:
            self._note("sign", sign=sign, acts=list(acts), **attrs.asdict(turns))

    def event(self, event: SessionEvent) -> None:
        """The application was told this."""
        if self._file is None:
            return
        if isinstance(event, ReplyAudio):
            self._sound("out", event.frame, reply_id=event.reply_id, item_id=event.item_id)
        else:
            self._note("event", event=type(event).__name__, **_fields(event))

    def heard(self, frame: AudioFrame) -> None:
        """The user was heard."""
        if self._file is not None:
            self._sound("in", frame)

    def _sound(self, kind: str, frame: AudioFrame, **about: Any) -> None:
        import numpy as np

        about |= {"rate": frame.rate, "start": frame.start, "samples": len(frame.samples)}
        if self._audio:
            whole = np.round(np.clip(frame.samples, -1, 1) * 32767).astype("<i2")
            about["pcm"] = base64.b64encode(whole.tobytes()).decode("ascii")
        self._note(kind, **about)

    def _note(self, kind: str, **about: Any) -> None:
        self._write({"at": round(self._clock() - self._began, 6), "kind": kind, **about})

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line, default=_plain) + "\n")


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(type(value))}


def _plain(value: Any) -> Any:
    """What JSON can hold of it. Audio is told by its place alone."""
    if isinstance(value, AudioFrame):
        return {"rate": value.rate, "start": value.start, "samples": len(value.samples)}
    if attrs.has(type(value)):
        return _fields(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
