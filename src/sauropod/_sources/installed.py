"""The models that are on this machine: what there is, and making room."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from sauropod._sources import local_models, selection
from sauropod._sources.hub import Hub
from sauropod._sources.hub_cache import CachedRepo, cached_repos
from sauropod._sources.inspection import local_header
from sauropod._sources.references import HubModel, NamedModel, parse_reference
from sauropod._sources.selection import Candidate, File
from sauropod.errors import LoadError, ModelNotFound

if TYPE_CHECKING:
    from huggingface_hub import CachedFileInfo, CachedRepoInfo, CachedRevisionInfo, HFCacheInfo

__all__ = ["InstalledModel", "installed", "remove"]


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


def remove(name: str, *, hub: Hub | None = None) -> int:
    """Delete a model and give the bytes that are free now.

    A repository's name without a quantisation or file stands for all that was fetched of its models. Projectors go with
    the last model they served. Raises `ModelNotFound` if there is no such model in the hub's cache or the directories
    of `SAUROPOD_MODELS`, and `LoadError` for one that is not sauropod's to delete.
    """
    hub = hub or Hub.from_environment()
    reference = parse_reference(name, hosts={hub.host})
    if isinstance(reference, HubModel):
        return _remove_from_cache(reference, hub)
    if isinstance(reference, NamedModel):
        return _remove_from_directories(reference)
    raise LoadError(f"{reference} is not sauropod's to remove: only models in its cache and in SAUROPOD_MODELS are.")


# -- what there is -----------------------------------------------------------------------------------------------------


def _demo() -> Iterator[InstalledModel]:
    path = local_models.demo_path()
    if path.is_file():
        yield _described("demo", [path], "")


def _in_directories() -> Iterator[InstalledModel]:
    seen: set[str] = set()
    for directory in local_models.model_directories():
        files = local_models.files_below(directory) if directory.is_dir() else []
        for candidate in selection.candidates(files):
            paths = [directory / file.path for file in candidate.files]
            name = _shelf_name(candidate, paths[0])
            if candidate.is_complete and name not in seen:
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
                name = _hub_name(repo.repo, revisions.get(commit, commit), candidate, listed)
                yield _described(name, paths, candidate.quantization)


def _hub_name(repo: str, revision: str, candidate: Candidate, files: Sequence[File]) -> str:
    """The shortest name that means this model among `files`."""
    model = HubModel(repo, None if revision == "main" else revision, file=candidate.path)
    if candidate.quantization:
        try:
            if selection.choose(files, candidate.quantization, repo) == candidate:
                model = attrs.evolve(model, file=None, quantization=candidate.quantization)
        except ModelNotFound:
            pass  # several models of this quantisation: only the file's name tells them apart
    return str(model).removeprefix("hf:")


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


# -- making room -------------------------------------------------------------------------------------------------------


def _remove_from_directories(model: NamedModel) -> int:
    for directory in local_models.model_directories():
        source = local_models.find_below(directory, model)
        if source is None:
            continue
        others = {directory / file.path for file in local_models.files_below(directory)} - {*source.files}
        alone = not selection.candidates(File(path.name) for path in others if path.parent == source.files[0].parent)
        doomed = [*source.files, *([source.projector] if source.projector and alone else [])]
        freed = sum(path.lstat().st_size for path in doomed)
        for path in doomed:
            path.unlink()
        return freed
    raise ModelNotFound(_not_in_directories(model))


def _not_in_directories(model: NamedModel) -> str:
    directories = local_models.model_directories()
    if not directories:
        return (
            f"There is no model {model} to remove: SAUROPOD_MODELS, which may list directories of models, is not set."
        )
    near = local_models.similar(str(model), [each.name for each in _in_directories()])
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"There is no model {model} in {', '.join(map(str, directories))}.{hint}"


def _remove_from_cache(model: HubModel, hub: Hub) -> int:
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        cache = scan_cache_dir(hub.cache)
    except CacheNotFound:
        raise _not_cached(model, hub) from None
    for repo in cache.repos:
        if (repo.repo_type, repo.repo_id) == ("model", model.repo):
            return _remove_from_repo(model, hub, cache, repo)
    raise _not_cached(model, hub)


def _remove_from_repo(model: HubModel, hub: Hub, cache: HFCacheInfo, repo: CachedRepoInfo) -> int:
    commit = CachedRepo(hub.cache, model.repo).commit(model.revision) if model.revision else None
    revisions = [each for each in repo.revisions if model.revision is None or each.commit_hash == commit]
    everything = {file for revision in repo.revisions for file in revision.files}
    doomed = {file for revision in revisions for file in _meant(model, revision)}
    left = everything - doomed
    if not selection.candidates(File(file.file_name) for file in left):
        doomed |= {file for file in left if file.file_name.lower().endswith(".gguf")}
    partial = [] if model.file or model.quantization else [*repo.repo_path.glob("blobs/*.incomplete")]
    if not doomed and not partial:
        raise _not_cached(model, hub)
    freed = sum(path.stat().st_size for path in partial)
    if everything <= doomed:
        strategy = cache.delete_revisions(*(each.commit_hash for each in repo.revisions))
    else:
        strategy = cache.delete_files(*doomed)
    strategy.execute()
    for path in partial:
        path.unlink(missing_ok=True)
    return freed + strategy.expected_freed_size


def _meant(model: HubModel, revision: CachedRevisionInfo) -> Collection[CachedFileInfo]:
    """The files of one snapshot that a name stands for."""
    by_path = {file.file_path.relative_to(revision.snapshot_path).as_posix(): file for file in revision.files}
    files = [File(path) for path in by_path if path.lower().endswith(".gguf")]
    if model.file:
        stem = selection.stem_of(model.file)
        return [by_path[file.path] for file in files if selection.stem_of(file.path) == stem]
    if model.quantization:
        found = selection.candidates(files)
        return [by_path[f.path] for each in found if selection.fits(each, model.quantization) for f in each.files]
    return [by_path[file.path] for file in files]


def _not_cached(model: HubModel, hub: Hub) -> ModelNotFound:
    names = [each.name for repo in cached_repos(hub.cache).values() for each in _in_repo(repo)]
    near = local_models.similar(str(model).removeprefix("hf:"), names)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return ModelNotFound(f"{str(model).removeprefix('hf:')} is not in the cache at {hub.cache}.{hint}")
