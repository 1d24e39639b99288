"""Bringing the files of one model into the cache, if there is room for them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial

from sauropod._sources.download import Download
from sauropod._sources.hub import Hub
from sauropod._sources.progress import ProgressCallback, reporting
from sauropod._sources.sizes import in_words
from sauropod.errors import LoadError

__all__ = ["fetch"]


def fetch(hub: Hub, repo: str, downloads: Sequence[Download], progress: ProgressCallback | None) -> None:
    """Fetch what is not here yet, and put all of it in its place. Raises `LoadError` if there is no room."""
    downloads = [download for download in downloads if not download.is_done]
    if all(download.is_stored for download in downloads):
        for download in downloads:
            download.run(lambda count: None)
        return
    needed = sum(download.missing for download in downloads)
    total = sum(download.size for download in downloads)
    _check_room(hub, repo, needed)
    with reporting(progress, total - needed, total) as arrived:
        for download in downloads:
            download.run(partial(arrived, download.file.path))


def _check_room(hub: Hub, repo: str, needed: int) -> None:
    place = next(each for each in (hub.cache, *hub.cache.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise LoadError(
            f"{repo} needs {in_words(needed)} more, and {in_words(free)} are free where models are kept "
            f"({hub.cache}). Make room, choose a smaller quantisation, or set HF_HOME to another disk."
        )
