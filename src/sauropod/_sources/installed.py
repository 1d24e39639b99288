"""The models that are on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import attrs

from sauropod._sources import local_models, selection
from sauropod._sources.finding import hub_name
from sauropod._sources.hub import Hub
from sauropod._sources.hub_cache import CachedRepo, cached_repos
from sauropod._sources.inspection import local_header
from sauropod._sources.references import HubModel, NamedModel, parse_reference
from sauropod._sources.selection import Candidate, File
from sauropod.errors import LoadError, ModelNotFound

__all__ = ["InstalledModel", "installed"]


@attrs.frozen
class InstalledModel:
    """A model on this machine."""

    name: str
    """What to write to load it."""
    files: Sequence[Path]
    bytes: int
    quantization: str
    architecture: str
    """Empty if the file cannot be read as a model."""
    last_used: datetime
    """When its first file was last read or written, as far as the file system keeps count."""

    @property
    def path(self) -> Path:
        return self.files[0]


def installed(*, hub: Hub | None = None) -> list[InstalledModel]:
    """Every model that is here: the demo, those in the directories of `SAUROPOD_MODELS`, those in the hub's cache."""
    hub = hub or Hub.from_environment()
    found = [*_demo(), *_in_directories()]
    for repo in cached_repos(hub.cache).values():
        found += _in_repo(repo)
    return found


def _demo() -> Iterator[InstalledModel]:
    path = local_models.demo_path()
    if path.is_file():
        yield _described("demo", [path], "")


def _in_directories() -> Iterator[InstalledModel]:
    seen: set[str] = set()
    for directory in local_models.model_directories():
        for candidate in local_models.on_shelf(directory):
            paths = [directory / file.path for file in candidate.files]
            name = _shelf_name(candidate, paths[0])
            if name not in seen:
                seen.add(name)
                yield _described(name, paths, candidate.quantization)


def _shelf_name(candidate: Candidate, path: Path) -> str:
    """The bare name, unless that means something else, as `demo` does: then the path."""
    name = candidate.stem.rpartition("/")[2]
    try:
        return name if parse_reference(name) == NamedModel(name) else str(path)
    except ModelNotFound:
        return str(path)


def _in_repo(repo: CachedRepo) -> Iterator[InstalledModel]:
    revisions = repo.refs()
    seen: set[tuple[Path, ...]] = set()
    for commit in sorted(repo.commits(), key=lambda each: (revisions.get(each) != "main", each not in revisions)):
        files = repo.files(commit)
        listed = [File(path) for path in files]
        for candidate in selection.candidates(listed):
            paths = tuple(files[file.path] for file in candidate.files)
            contents = tuple(path.resolve() for path in paths)
            if candidate.is_complete and contents not in seen:
                seen.add(contents)
                name = hub_name(HubModel(repo.repo, _unless_main(revisions.get(commit, commit))), candidate, listed)
                yield _described(name, paths, candidate.quantization)


def _unless_main(revision: str) -> str | None:
    return None if revision == "main" else revision


def _described(name: str, files: Sequence[Path], quantization: str) -> InstalledModel:
    stats = [path.stat() for path in files]
    architecture = ""
    try:
        header = local_header(files[0])
        architecture, quantization = header.architecture, quantization or header.quantization
    except LoadError:
        pass  # listed all the same: it takes room, and can be removed
    used = datetime.fromtimestamp(max(stats[0].st_atime, stats[0].st_mtime), UTC)
    return InstalledModel(name, tuple(files), sum(stat.st_size for stat in stats), quantization, architecture, used)
