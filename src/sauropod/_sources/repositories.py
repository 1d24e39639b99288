"""Models that are several files of one repository or directory, as those that hear and speak are.

Which files make up the model is for its backend to say (`Backend.select`), from their names alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import attrs

from sauropod._log import log
from sauropod._sources import local_models, refusals
from sauropod._sources.download import Download
from sauropod._sources.fetching import fetch
from sauropod._sources.hub import Hub, Listing
from sauropod._sources.hub_cache import CachedRepo
from sauropod._sources.progress import ProgressCallback
from sauropod._sources.references import Demo, HubModel, LocalModel, NamedModel, Reference, parse_reference
from sauropod._values.loading import Source
from sauropod.errors import LoadError, ModelNotFound, UnsupportedModel

__all__ = ["Select", "find_files"]

Select: TypeAlias = Callable[[Collection[str], str | None], Sequence[str] | None]
"""`Backend.select`."""

DEPTH = 2
MOST_FILES = 10_000


def find_files(
    reference: Reference | str | os.PathLike[str] | Mapping[str, str],
    select: Select,
    *,
    demo: str,
    progress: ProgressCallback | None = None,
    hub: Hub | None = None,
) -> Source:
    """The model's files on this machine, fetched if need be. `demo` is the directory of assets that `"demo"` means.

    Blocks; call it in a thread. Raises `ModelNotFound`, `UnsupportedModel` or `LoadError`.
    """
    hub = hub or Hub.from_environment()
    reference = parse_reference(reference, hosts={hub.host})
    if isinstance(reference, HubModel) and reference.local is not None and os.path.exists(reference.local):
        reference = LocalModel(reference.local)
    if isinstance(reference, HubModel):
        return _HubSearch(reference, hub, select, progress).run()
    try:
        return _find_here(reference, select, demo)
    except LoadError:
        raise
    except OSError as error:
        raise ModelNotFound(f"{reference} cannot be read: {error.strerror or error}.") from error


# -- on this machine ---------------------------------------------------------------------------------------------------


def _find_here(reference: Reference, select: Select, demo: str) -> Source:
    match reference:
        case Demo():
            return _embedded(demo, select)
        case LocalModel():
            return _at(local_models.existing(reference.path), reference.quantization, select)
        case NamedModel():
            return _named(reference, select)
    raise ModelNotFound(f"{reference} names no model.")


def _embedded(demo: str, select: Select) -> Source:
    root = local_models.demo_path().parent / demo
    if not root.is_dir():
        raise ModelNotFound(
            "This installation of sauropod lacks its demo models. Install it again, or name another model."
        )
    return attrs.evolve(_in_directory(root, None, select), name="demo")


def _named(model: NamedModel, select: Select) -> Source:
    places = [Path(model.name).absolute(), *(each / model.name for each in local_models.model_directories())]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        looked = ", ".join(["this directory", *map(str, local_models.model_directories())])
        raise ModelNotFound(
            f"There is no file or directory {model.name!r} in {looked}. A repository on the hub is written org/repo, "
            "and directories of models are listed in SAUROPOD_MODELS."
        )
    return _at(found, model.quantization, select)


def _at(path: Path, quantization: str | None, select: Select) -> Source:
    if path.is_dir():
        return _in_directory(path, quantization, select)
    if quantization:
        raise ModelNotFound(f"{path} is a file, so its quantisation cannot be chosen. Name its directory instead.")
    beside = _files_below(path.parent, depth=DEPTH if path.parent != path.parent.parent else 0)
    with contextlib.suppress(ModelNotFound, UnsupportedModel):
        source = _source(path.stem, path.parent, beside, select(beside, None) or ())
        if path in source.files:
            return source
    return _source(path.stem, path.parent, beside, select([path.name], None) or ())


def _in_directory(root: Path, quantization: str | None, select: Select) -> Source:
    files = _files_below(root, DEPTH)
    try:
        return _source(root.name, root, files, select(files, quantization) or ())
    except (ModelNotFound, UnsupportedModel) as error:
        raise type(error)(f"{root}: {error}") from error


def _source(name: str, root: Path, files: Collection[str], chosen: Sequence[str]) -> Source:
    absent = [path for path in chosen if path not in files]
    if absent or not chosen:
        raise UnsupportedModel(f"{root} lacks what its backend asks for: {', '.join(absent) or 'any file'}.")
    return Source(name, tuple(root / path for path in chosen), root=root)


def _files_below(root: Path, depth: int) -> list[str]:
    """Paths relative to `root`, with slashes. Hidden ones are passed over."""
    found: list[str] = []
    for folder, folders, names in os.walk(root):
        below = Path(folder).relative_to(root)
        folders[:] = sorted(each for each in folders if not each.startswith(".") and len(below.parts) < depth)
        found += [(below / name).as_posix() for name in sorted(names) if not name.startswith(".")]
        if len(found) > MOST_FILES:
            break
    return found[:MOST_FILES]


# -- on the hub --------------------------------------------------------------------------------------------------------


@attrs.frozen
class _HubSearch:
    """One search for the files of a model of a repository: in the cache, else on the hub."""

    model: HubModel
    hub: Hub
    select: Select
    progress: ProgressCallback | None

    @property
    def repo(self) -> CachedRepo:
        return CachedRepo(self.hub.cache, self.model.repo)

    @property
    def revision(self) -> str:
        return self.model.revision or "main"

    @property
    def name(self) -> str:
        return str(self.model).removeprefix("hf:")

    def run(self) -> Source:
        cached = self._cached()
        if cached is not None:
            return cached
        try:
            listing = self.hub.list(self.model.repo, self.revision)
        except ModelNotFound as error:
            if not isinstance(error, refusals.Unreachable):
                raise
            stale = self._stale()
            if stale is None:
                raise
            log(__name__).warning("Using the copy of %s that is here: %s", self.model.repo, error)
            return stale
        return self._fetched(listing)

    def _cached(self) -> Source | None:
        """The model as it was last fetched whole; None if any file that the repository lists for it is not here."""
        commit = self.repo.commit(self.revision)
        complete = self.repo.folder / "snapshots" / commit / COMPLETE if commit else None
        if commit is None or complete is None or not complete.is_file():
            return None
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return self._of_commit(commit, complete.read_text("utf-8").splitlines())
        return None

    def _stale(self) -> Source | None:
        """A copy without a note of what is in its repository: another program fetched it."""
        commit = self.repo.commit(self.revision)
        return self._of_commit(commit, list(self.repo.files(commit, everything=True))) if commit else None

    def _of_commit(self, commit: str, listed: Sequence[str]) -> Source | None:
        here = self.repo.files(commit, everything=True)
        with contextlib.suppress(ModelNotFound, UnsupportedModel):
            chosen = self._chosen(listed)
            if all(path in here for path in chosen):
                return Source(
                    self.name,
                    tuple(here[path] for path in chosen),
                    root=self.repo.folder / "snapshots" / commit,
                )
        return None

    def _chosen(self, listed: Collection[str]) -> Sequence[str]:
        try:
            chosen = self.select(listed, self.model.quantization) or ()
        except (ModelNotFound, UnsupportedModel) as error:
            raise type(error)(f"{self.model.repo}: {error}") from error
        if self.model.file is not None and self.model.file not in chosen:
            raise UnsupportedModel(
                f"{self.model.repo} is one model of several files, and {self.model.file} is none of those that would "
                f"be taken: {', '.join(chosen)}. Name the repository, with a quantisation if need be: "
                f"{self.model.repo}:int8."
            )
        return chosen

    def _fetched(self, listing: Listing) -> Source:
        remote = {file.path: file for file in listing.files}
        chosen = self._chosen(list(remote))
        downloads = [Download(self.hub, listing, self.hub.describe(listing, remote[path])) for path in chosen]
        fetch(self.hub, self.model.repo, downloads, self.progress)
        self.repo.adopt(listing)
        self.repo.note(listing.commit, COMPLETE, "\n".join(remote))
        source = self._of_commit(listing.commit, list(remote))
        if source is None:
            raise LoadError(f"{self.model.repo} was fetched, and is gone from {self.hub.cache} again. Try again.")
        return source


COMPLETE = ".sauropod-listing"
"""What the repository's files are, one path a line: beside those that were fetched."""
