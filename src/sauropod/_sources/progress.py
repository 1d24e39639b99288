"""How far a download has come, told to a callback or drawn in a terminal or notebook."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import attrs

__all__ = ["Progress", "ProgressCallback", "reporting"]


@attrs.frozen
class Progress:
    """`done` of `total` bytes have arrived of everything that is being fetched; `file` is the one it is at."""

    file: str
    done: int
    total: int


ProgressCallback = Callable[[Progress], None]


@contextlib.contextmanager
def reporting(callback: ProgressCallback | None, done: int, total: int) -> Iterator[Callable[[str, int], None]]:
    """Takes `(file, bytes that arrived)` and passes on how far that is.

    To `callback` if there is one, else to a bar, which is seen in terminals and notebooks only, and nowhere if
    `HF_HUB_DISABLE_PROGRESS_BARS` is set.
    """
    with _bar(done, total) if callback is None else contextlib.nullcontext(callback) as show:

        def arrived(file: str, count: int) -> None:
            nonlocal done
            done += count
            show(Progress(file, done, total))

        yield arrived


@contextlib.contextmanager
def _bar(done: int, total: int) -> Iterator[ProgressCallback]:
    from huggingface_hub import utils

    lazy: Any = utils
    disable = True if sys.stderr is None else None  # None: drawn if stderr is a terminal, or in a notebook
    with lazy.tqdm(total=total, initial=done, unit="B", unit_scale=True, disable=disable) as bar:
        at = ""

        def show(progress: Progress) -> None:
            nonlocal at, done
            if at != progress.file:
                at = progress.file
                bar.set_description(at.rpartition("/")[2], refresh=False)
            bar.update(progress.done - done)
            done = progress.done

        yield show
