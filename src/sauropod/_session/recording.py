"""Recording: a session's flight recorder, one line of JSON for everything that happens; and how it is read again.

The first line says what it is. Then, each with `at`, seconds since the beginning: `sign`, with the acts that came of it
and where the turn table stood afterwards; `event`, with its fields; and `in` and `out`, the audio, of which the samples
are only written if that is asked for: `pcm`, 16 bit, little endian, in base64. What JSON cannot hold is its `repr`.

Who reads it holds it to that form, line by line. What is no recording is `UnsupportedInput`, which names the line.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

import attrs

from sauropod._session.events import ReplyAudio, SessionEvent
from sauropod._speech.turns import Act, Sign, Turns
from sauropod._values.audio import AudioFrame
from sauropod._values.checks import is_finite, is_integer
from sauropod.errors import UnsupportedInput

__all__ = ["FORMAT", "Line", "Recording", "read_lines"]

FORMAT = 1
FULL_SCALE = 32768
"""What a sample of 1 is written as, if it fits: so what was 16 bit before it was divided comes back as it was."""

LONGEST = 1e9
"""Seconds that a session may take, and more than any."""
MOST = 2**53
"""Samples of it."""
YEAR_10000 = 253_402_300_800

DEEPEST = 200
"""So deep may lists and objects be in each other. What is deeper could be read, and then not be written."""

KINDS = ("sign", "event", "in", "out")
REMEDY = "Give a file that Session(record=…) wrote, as it was written."


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
            said = {"text": event.frame.text} if event.frame.text else {}
            self._sound("out", event.frame, reply_id=event.reply_id, item_id=event.item_id, **said)
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
            whole = np.clip(np.rint(frame.samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype("<i2")
            about["pcm"] = base64.b64encode(whole.tobytes()).decode("ascii")
        self._note(kind, **about)

    def _note(self, kind: str, **about: Any) -> None:
        self._write({"at": round(self._clock() - self._began, 6), "kind": kind, **about})

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line, allow_nan=False) + "\n")


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(type(value))}


def _plain(value: Any) -> Any:
    """What JSON can hold of it. Audio is told by its place alone."""
    match value:
        case AudioFrame():
            return {"rate": value.rate, "start": value.start, "samples": len(value.samples)}
        case list() | tuple():
            return [_plain(each) for each in value]
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case float() if not math.isfinite(value):
            return repr(value)
        case str() | int() | float() | None:
            return value
        case _ if attrs.has(type(value)):
            return _fields(value)
        case _:
            return repr(value)


# -- reading ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Line:
    """One line, or a part of it. Raises `UnsupportedInput` for what it is asked for and has not."""

    number: int
    """The first is 1."""
    fields: Mapping[str, Any] = attrs.field(repr=False)

    @property
    def at(self) -> float:
        """Seconds since the beginning."""
        return self.seconds("at", 0.0)

    @property
    def kind(self) -> str:
        return self.text("kind")

    def __contains__(self, name: str) -> bool:
        return self.fields.get(name) is not None

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        return value if isinstance(value, str) else self.lacks(name, "text")

    def flag(self, name: str) -> bool:
        value = self.fields.get(name)
        return value if isinstance(value, bool) else self.lacks(name, "true or false")

    def seconds(self, name: str, least: float = -LONGEST, most: float = LONGEST) -> float:
        value: Any = self.fields.get(name)
        return float(value) if is_finite(value) and least <= value <= most else self.lacks(name, "a number of seconds")

    def count(self, name: str, least: int = 0) -> int:
        value: Any = self.fields.get(name)
        return int(value) if is_integer(value) and least <= value <= MOST else self.lacks(name, "a number of samples")

    def words(self, name: str) -> list[str]:
        value = self.fields.get(name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.lacks(name, "a list of words")
        return value

    def part(self, name: str) -> Line:
        """What is an object of its own."""
        value = self.fields.get(name)
        return Line(self.number, value) if isinstance(value, dict) else self.lacks(name, "an object")

    def parts(self, name: str) -> list[Line]:
        value = self.fields.get(name)
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.lacks(name, "a list of objects")
        return [Line(self.number, each) for each in value]

    def frame(self) -> AudioFrame | None:
        """The audio of a line of that kind, of 16 bit. None: its samples were not recorded."""
        import numpy as np

        if "pcm" not in self:
            return None
        try:
            whole = np.frombuffer(base64.b64decode(self.text("pcm"), validate=True), "<i2")
        except ValueError:
            self.lacks("pcm", "16-bit audio in base64")
        if len(whole) != self.count("samples"):
            self.lacks("pcm", "as many samples as it says")
        samples = whole.astype(np.float32) / np.float32(FULL_SCALE)
        return AudioFrame(samples, self.count("rate", 1), self.count("start"))

    def lacks(self, name: str, what: str) -> NoReturn:
        _wrong(self.number, f"is not as a session writes it: {name!r} is not {what}.")


def _wrong(number: int, what: str) -> NoReturn:
    """That line is none of a recording."""
    raise UnsupportedInput(f"Line {number} {what} {REMEDY}")


def read_lines(given: Iterable[str | bytes]) -> tuple[list[Line], int | None]:
    """All lines, and the number of the last one if it was cut short, as happens when a program is killed.

    Raises `UnsupportedInput` for what is no recording.
    """
    lines = iter(given)
    first = next(lines, None)
    if first is None:
        raise UnsupportedInput(f"The recording is empty. {REMEDY}")
    read = [_head(first)]
    for number, text in enumerate(lines, 2):
        fields = _object(text)
        if fields is None:
            if _ends(text) or next(lines, None) is not None:
                _wrong(number, "is no JSON object.")
            return read, number
        read.append(_checked(Line(number, fields), read[-1].at if number > 2 else 0.0))
    return read, None


def _head(text: str | bytes) -> Line:
    line = Line(1, _object(text) or {})
    if line.fields.get("sauropod") != "session":
        _wrong(1, "does not say that this is a session's recording.")
    if line.fields.get("format") != FORMAT:
        raise UnsupportedInput(
            f"Line 1 says that the recording has the format {line.fields.get('format')!r:.40}, and this version of "
            f"sauropod reads format {FORMAT}. Use the version that wrote it."
        )
    line.seconds("time", 0, YEAR_10000 - 1)
    return line


def _object(text: str | bytes) -> dict[str, Any] | None:
    """The line, if it is a JSON object."""
    try:
        value = json.loads(_text(text), parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):  # of UTF-8, of JSON, of numbers too long or lists too deep
        return None
    return value if isinstance(value, dict) and _is_shallow(value) else None


def _text(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8")


def _finite(text: str) -> float:
    value = float(text)
    if not is_finite(value):
        raise ValueError(f"JSON has no number {text:.40}")
    return value


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [each for many in inner for each in many]
        if not level:
            return True
    return False


def _ends(text: str | bytes) -> bool:
    """Whether the line was written to its end."""
    return text.endswith("\n") if isinstance(text, str) else text.endswith(b"\n")


def _checked(line: Line, before: float) -> Line:
    """It has what its kind has. What an event tells is looked at by who wants to know it."""
    if line.at < before:
        _wrong(line.number, f"is of an earlier time than the line before it: {line.at:g} after {before:g} s.")
    match line.kind:
        case "sign":
            _ = line.text("sign"), line.words("acts"), line.flag("interruptible")
            _ = line.text("user"), line.text("reply"), line.flag("owed")
        case "event":
            line.text("event")
        case "in" | "out" as kind:
            _ = line.count("rate", 1), line.count("start"), line.count("samples")
            _ = kind == "in" or (line.text("reply_id"), line.text("item_id"))
        case kind:
            _wrong(line.number, f"is of a kind {kind!r:.40} that no recording has; there are {', '.join(KINDS)}.")
    return line
