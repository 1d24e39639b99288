"""The local cache of a hub, in the layout that huggingface_hub, llama.cpp and others share.

    models--org--repo/
      blobs/<oid>                  contents, once each; <oid>.incomplete while it is being fetched
      snapshots/<commit>/<path>    a link to its blob, or the file itself where links cannot be made
      refs/<revision>              the commit that a branch or tag last stood for

Source: "Understand caching", the documentation of huggingface_hub.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from sauropod._sources.hub import Listing
from sauropod.errors import LoadError

__all__ = ["CachedRepo", "cached_repos", "writing"]

COMMIT = re.compile(r"[0-9a-f]{40}")
SHORT_COMMIT = re.compile(r"[0-9a-f]{7,39}")


@attrs.frozen
class CachedRepo:
    """One repository's folder in the cache, which need not exist yet."""

    cache: Path
    repo: str

    @property
    def folder(self) -> Path:
        return self.cache / f"models--{self.repo.replace('/', '--')}"

    # -- looking -------------------------------------------------------------------------------------------------------

    def commit(self, revision: str) -> str | None:
        """The commit this branch, tag or beginning of a commit stood for when it was last looked up."""
        if COMMIT.fullmatch(revision):
            return revision
        with contextlib.suppress(OSError, UnicodeDecodeError):
            named = (self.folder / "refs" / revision).read_text("utf-8").strip()
            return named if COMMIT.fullmatch(named) else None
        if not SHORT_COMMIT.fullmatch(revision):
            return None
        commits = [each for each in self.commits() if each.startswith(revision)]
        return commits[0] if len(commits) == 1 else None

    def commits(self) -> list[str]:
        """Those of which any file was ever fetched."""
        with contextlib.suppress(OSError):
            return sorted(each for each in os.listdir(self.folder / "snapshots") if COMMIT.fullmatch(each))
        return []

    def refs(self) -> dict[str, str]:
        """Branches and tags by the commit they stood for; `main` where there are several."""
        found: dict[str, str] = {}
        for folder, _, names in os.walk(self.folder / "refs"):
            for name in sorted(each for each in names if not each.endswith(".tmp")):
                revision = (Path(folder) / name).relative_to(self.folder / "refs").as_posix()
                commit = self.commit(revision)
                if commit and (revision == "main" or commit not in found):
                    found[commit] = revision
        return found

    def files(self, commit: str, *, everything: bool = False) -> dict[str, Path]:
        """The GGUF files of this commit that are here, or all of them, by their paths in the repository."""
        snapshot = self.folder / "snapshots" / commit
        return {
            path.relative_to(snapshot).as_posix(): path
            for folder, _, names in os.walk(snapshot)
            for name in names
            if (everything or name.lower().endswith(".gguf")) and (path := Path(folder) / name).is_file()
        }

    # -- keeping -------------------------------------------------------------------------------------------------------

    def blob(self, oid: str) -> Path:
        return self.folder / "blobs" / oid

    def partial(self, oid: str) -> Path:
        return self.folder / "blobs" / f"{oid}.incomplete"

    def lock(self, oid: str) -> Path:
        """Held by whoever fetches this blob: the same lock that huggingface_hub takes."""
        return self.cache / ".locks" / self.folder.name / f"{oid}.lock"

    def locks(self) -> list[Path]:
        """Those of all blobs that were ever fetched."""
        return sorted((self.cache / ".locks" / self.folder.name).glob("*.lock"))

    def link(self, commit: str, path: str, oid: str) -> Path:
        """Put a blob that is here in its place in a snapshot. Moves it there where links cannot be made."""
        place, blob = self.folder / "snapshots" / commit / path, self.blob(oid)
        if place.is_file():
            return place
        with writing(self.cache):
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = _draft(place)
            try:
                draft.symlink_to(os.path.relpath(blob, place.parent))
            except OSError:
                draft = blob
            os.replace(draft, place)
        return place

    def adopt(self, listing: Listing) -> None:
        """Make `listing` what its revision stands for, with every file of it whose content is here already."""
        for file in listing.files:
            if file.oid and file.path.lower().endswith(".gguf") and self._holds(file.oid, file.size):
                self.link(listing.commit, file.path, file.oid)
        with writing(self.cache):
            (self.folder / "snapshots" / listing.commit).mkdir(parents=True, exist_ok=True)
            if listing.revision != listing.commit:
                ref = self.folder / "refs" / listing.revision
                ref.parent.mkdir(parents=True, exist_ok=True)
                draft = _draft(ref)
                draft.write_text(listing.commit, "utf-8")
                os.replace(draft, ref)

    def note(self, commit: str, name: str, text: str) -> None:
        """Keep a text of our own beside the files of a commit."""
        with writing(self.cache):
            place = self.folder / "snapshots" / commit / name
            draft = _draft(place)
            draft.write_text(text, "utf-8")
            os.replace(draft, place)

    def _holds(self, oid: str, size: int | None) -> bool:
        blob = self.blob(oid)
        return blob.is_file() and size in (None, blob.stat().st_size)


def _draft(path: Path) -> Path:
    """A name of our own beside `path`, to be moved there in one step: others look while we write."""
    return path.with_name(f"{uuid.uuid4().hex}.tmp")


@contextlib.contextmanager
def writing(cache: Path) -> Iterator[None]:
    """Give a reason and a way out when the cache cannot be written."""
    try:
        yield
    except OSError as error:
        raise LoadError(
            f"The cache of models at {cache} cannot be written: {error.strerror or error}. Make room there, or set "
            f"HF_HOME to another directory."
        ) from error


def cached_repos(cache: Path) -> Mapping[str, CachedRepo]:
    """Every repository of models in the cache, by its name."""
    try:
        folders = sorted(os.listdir(cache))
    except OSError:
        return {}
    names = [folder.removeprefix("models--").replace("--", "/") for folder in folders if folder.startswith("models--")]
    return {name: CachedRepo(cache, name) for name in names if name.count("/") == 1}
