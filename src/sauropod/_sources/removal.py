"""Making room: deleting models from the hub's cache and from the directories of `SAUROPOD_MODELS`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from sauropod._sources import local_models, selection
from sauropod._sources.hub import Hub, library
from sauropod._sources.hub_cache import CachedRepo
from sauropod._sources.installed import installed
from sauropod._sources.references import HubModel, NamedModel, parse_reference
from sauropod._sources.selection import Candidate, File
from sauropod.errors import LoadError, ModelNotFound

if TYPE_CHECKING:
    from huggingface_hub import CachedFileInfo, CachedRepoInfo, CachedRevisionInfo, HFCacheInfo

__all__ = ["Removed", "remove"]

LOCK_PATIENCE = 0.1


@attrs.frozen
class Removed:
    """The files that are gone, and the bytes that are free now."""

    files: Sequence[Path]
    bytes: int


def remove(name: str, *, hub: Hub | None = None) -> Removed:
    """Delete a model.

    A repository's name without a quantisation or file stands for all that was fetched of its models. Any other name
    stands for one model: where several have it, none is deleted. Projectors go with the last model they served. Raises
    `ModelNotFound` if there is no such model in the hub's cache or the directories of `SAUROPOD_MODELS`, and
    `LoadError` for one that is not sauropod's to delete, is being fetched, or cannot be deleted.
    """
    hub = hub or Hub.from_environment()
    reference = parse_reference(name, hosts={hub.host})
    try:
        if isinstance(reference, HubModel):
            return _remove_from_cache(reference, hub)
        if isinstance(reference, NamedModel):
            return _remove_from_directories(reference, hub)
    except LoadError:
        raise
    except OSError as error:
        raise LoadError(f"{error.filename or name} cannot be deleted: {error.strerror or error}.") from error
    raise LoadError(f"{reference} is not sauropod's to remove: only models in its cache and in SAUROPOD_MODELS are.")


def _the_one(name: str, paths: Sequence[str]) -> None:
    if len(paths) > 1:
        listed = "\n".join(f"  {path}" for path in sorted(paths))
        raise ModelNotFound(f"{name} stands for several models. Name one of them, as `sauropod ls` does:\n{listed}")


def _hint(name: str, hub: Hub) -> str:
    near = local_models.similar(name, [each.name for each in installed(hub=hub) if each.name != "demo"])
    return f" Did you mean {' or '.join(near)}?" if near else ""


# -- the directories of SAUROPOD_MODELS --------------------------------------------------------------------------------


def _remove_from_directories(model: NamedModel, hub: Hub) -> Removed:
    directories = local_models.model_directories()
    for directory in directories:
        found = [each for each in _named(model.name, directory) if selection.fits(each, model.quantization)]
        _the_one(str(model), [str(directory / each.path) for each in found])
        if found:
            return _unlinked(_with_projector(found[0], directory))
    if not directories:
        raise ModelNotFound(
            f"There is no model {model} to remove: SAUROPOD_MODELS, which may list directories of models, is not set."
        )
    raise ModelNotFound(f"There is no model {model} in {', '.join(map(str, directories))}.{_hint(str(model), hub)}")


def _named(name: str, directory: Path) -> list[Candidate]:
    """The models that a name may stand for: a file's, a directory's with one in it, or a file's without its ending."""
    found = local_models.on_shelf(directory)
    own = [each for each in found if any(file.path == name for file in each.files)]
    inside = [each for each in found if each.path.startswith(f"{name}/")]
    return own or inside or local_models.named(found, name)


def _with_projector(model: Candidate, directory: Path) -> list[Path]:
    """The model's files, and its projector's if no other model there has it."""
    files = local_models.files_below(directory)
    projector = selection.choose_projector(files, model)
    left = [each for each in files if each not in model.files]
    served = [selection.choose_projector(left, each) for each in selection.candidates(left)]
    doomed = [*model.files, *([projector] if projector and projector not in served else [])]
    return [directory / file.path for file in doomed]


def _unlinked(paths: Sequence[Path]) -> Removed:
    freed = sum(path.lstat().st_size for path in paths)
    for path in paths:
        path.unlink()
    return Removed(paths, freed)


# -- the hub's cache ---------------------------------------------------------------------------------------------------


def _remove_from_cache(model: HubModel, hub: Hub) -> Removed:
    lazy = library()
    try:
        cache = lazy.scan_cache_dir(hub.cache)
    except lazy.CacheNotFound:
        raise _not_cached(model, hub) from None
    for repo in cache.repos:
        if (repo.repo_type, repo.repo_id) == ("model", model.repo):
            return _remove_from_repo(model, hub, cache, repo)
    raise _not_cached(model, hub)


def _remove_from_repo(model: HubModel, hub: Hub, cache: HFCacheInfo, repo: CachedRepoInfo) -> Removed:
    everything = {file for revision in repo.revisions for file in revision.files}
    doomed = _doomed(model, hub, repo)
    left = everything - doomed
    if not selection.candidates(File(file.file_name) for file in left):
        doomed |= {file for file in left if file.file_name.lower().endswith(".gguf")}
    halves = [*repo.repo_path.glob("blobs/*.incomplete")]
    everywhere = not (model.file or model.quantization)
    if not doomed and not (halves and everywhere):
        raise _not_cached(model, hub)
    with _to_ourselves(model, CachedRepo(hub.cache, model.repo)) if everywhere else contextlib.nullcontext():
        if everything <= doomed and (everywhere or not halves):
            strategy = cache.delete_revisions(*(each.commit_hash for each in repo.revisions))
        else:
            strategy = cache.delete_files(*doomed)
        freed = strategy.expected_freed_size + sum(path.stat().st_size for path in halves if everywhere)
        strategy.execute()
        for path in halves if everywhere else []:
            path.unlink(missing_ok=True)
    return Removed(sorted(file.file_path for file in doomed), freed)


def _doomed(model: HubModel, hub: Hub, repo: CachedRepoInfo) -> set[CachedFileInfo]:
    """The files that a name stands for, in one revision if it names one, else in all."""
    commit = CachedRepo(hub.cache, model.repo).commit(model.revision) if model.revision else None
    revisions = [each for each in repo.revisions if model.revision is None or each.commit_hash == commit]
    doomed: set[CachedFileInfo] = set()
    meant: set[File] = set()
    for revision in revisions:
        by_path = _by_path(revision)
        found = _meant(model, [File(path) for path in by_path])
        doomed |= {by_path[file.path] for file in found}
        meant |= {*found}
    if model.quantization:
        firsts = {min(file.path for file in selection.parts_with(meant, each.path)) for each in meant}
        _the_one(str(model).removeprefix("hf:"), [f"{model.repo}/{path}" for path in firsts])
    return doomed


def _by_path(revision: CachedRevisionInfo) -> dict[str, CachedFileInfo]:
    """The GGUF files of one snapshot."""
    by_path = {file.file_path.relative_to(revision.snapshot_path).as_posix(): file for file in revision.files}
    return {path: file for path, file in by_path.items() if path.lower().endswith(".gguf")}


def _meant(model: HubModel, files: Sequence[File]) -> Sequence[File]:
    if model.file:
        return selection.parts_with(files, model.file)
    if model.quantization is None:
        return files
    fitting = [each for each in selection.candidates(files) if selection.fits(each, model.quantization)]
    return [file for each in fitting if each.quantization == fitting[0].quantization for file in each.files]


@contextlib.contextmanager
def _to_ourselves(model: HubModel, repo: CachedRepo) -> Iterator[None]:
    """Nothing of the repository is fetched meanwhile."""
    with contextlib.ExitStack() as held:
        for lock in repo.locks():
            try:
                held.enter_context(library().utils.WeakFileLock(lock, timeout=LOCK_PATIENCE))
            except TimeoutError:
                raise LoadError(
                    f"{model.repo} is being fetched by another process. Stop that first, or wait for its end."
                ) from None
        yield


def _not_cached(model: HubModel, hub: Hub) -> ModelNotFound:
    name = str(model).removeprefix("hf:")
    return ModelNotFound(f"{name} is not in the cache at {hub.cache}.{_hint(name, hub)}")
