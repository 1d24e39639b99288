"""From what a user writes as a model's name to verified local files.

What is on this machine is used without asking any network. What is not is looked up, its header read and checked while
it is still far away, and only then fetched.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import attrs

from sauropod._log import log
from sauropod._sources import local_models, refusals, selection
from sauropod._sources.download import Download
from sauropod._sources.fetching import fetch
from sauropod._sources.gguf import REMEDY, read_header
from sauropod._sources.header import Header
from sauropod._sources.hub import Hub, Listing, RemoteFile
from sauropod._sources.hub_cache import CachedRepo
from sauropod._sources.inspection import joined, local_header, require_model, require_projector
from sauropod._sources.progress import ProgressCallback
from sauropod._sources.references import HubModel, LocalModel, NamedModel, Reference, parse_reference
from sauropod._sources.selection import Candidate, File
from sauropod._values.loading import Source
from sauropod.errors import LoadError, ModelNotFound, UnsupportedModel

__all__ = ["Check", "find_model", "find_projector", "hub_name"]


Check = Callable[[Header], None]


def find_model(
    reference: Reference | str | os.PathLike[str] | Mapping[str, str],
    *,
    check: Check | None = None,
    progress: ProgressCallback | None = None,
    refresh: bool = False,
    projector: bool = True,
    hub: Hub | None = None,
) -> Source:
    """The model's files on this machine, fetched if need be, each whole and consistent with the others.

    Blocks; call it in a thread. `check` is given the header of the whole model, once, before anything large is fetched;
    what it raises passes through, and nothing is fetched then. `progress` is told how far the download is and may raise
    to stop it: what has arrived is kept. Without it, a bar is drawn in terminals and notebooks. `refresh` looks for a
    newer version on the hub even if the model is here. Without `projector` none is looked for.

    Raises `ModelNotFound`, `UnsupportedModel`, or `LoadError` when there is no room for the files or a setting is
    wrong.
    """
    hub = hub or Hub.from_environment()
    reference = parse_reference(reference, hosts={hub.host})
    if isinstance(reference, HubModel) and (local := _as_path(reference)):
        reference = local
    if isinstance(reference, HubModel):
        source = _HubSearch(reference, hub, check, progress, projector).run(refresh)
    else:
        source = _verified(_find_here(reference, hub), check)
    return source if projector else attrs.evolve(source, projector=None)


def find_projector(
    reference: Reference | str | os.PathLike[str] | Mapping[str, str],
    *,
    progress: ProgressCallback | None = None,
    hub: Hub | None = None,
) -> Path:
    """A projector that is named by itself: a file here, or of a repository on the hub, fetched if need be.

    Blocks. Raises as `find_model` does.
    """
    hub = hub or Hub.from_environment()
    reference = parse_reference(reference, hosts={hub.host})
    if isinstance(reference, HubModel) and (local := _as_path(reference)):
        reference = local
    if isinstance(reference, HubModel):
        return _ProjectorSearch(reference, hub, None, progress, projector=False).run(refresh=False).files[0]
    path = Path(reference.path if isinstance(reference, LocalModel) else str(reference)).expanduser()
    if not path.is_file():
        raise ModelNotFound(f"{path} is no file. A projector is named by its file, such as models/mmproj-F16.gguf.")
    require_projector(local_header(path), str(path))
    return path.absolute()


def _find_here(reference: Reference, hub: Hub) -> Source:
    try:
        if isinstance(reference, LocalModel):
            return local_models.find_path(reference)
        if isinstance(reference, NamedModel):
            return local_models.find_named(reference, hub.cache)
        return local_models.demo()
    except LoadError:
        raise
    except OSError as error:
        raise ModelNotFound(f"{reference} cannot be read: {error.strerror or error}.") from error


def _as_path(model: HubModel) -> LocalModel | None:
    """A name like `org/repo`, without `hf:`, means the file or directory of that name if there is one."""
    if model.local is None:
        return None
    if os.path.exists(model.local):
        return LocalModel(f"./{model.local}")
    if model.revision is None and model.file is None and os.path.isdir(model.repo):
        return LocalModel(f"./{model.repo}", model.quantization)
    return None


def _verified(source: Source, check: Check | None, remedy: str = REMEDY) -> Source:
    """The source, once its files have been seen to be a model and `check` has nothing against it."""
    name = str(source.files[0])
    header = require_model(joined([local_header(path, remedy) for path in source.files], name), name)
    if check is not None:
        check(header)
    return attrs.evolve(source, projector=_usable(source.projector))


def _usable(projector: Path | None) -> Path | None:
    """The projector if it is one. A model can be used without, so nothing else of such a name is in its way."""
    if projector is None:
        return None
    try:
        require_projector(local_header(projector), str(projector))
    except LoadError as error:
        log(__name__).info("The model is used without a projector: %s", error)
        return None
    return projector


def hub_name(model: HubModel, chosen: Candidate, files: Sequence[File]) -> str:
    """The shortest name that means the chosen one of a repository's `files`, at the revision that `model` names."""
    named = HubModel(model.repo, model.revision, file=chosen.path)
    if chosen.quantization:
        with contextlib.suppress(ModelNotFound):  # several models of this quantisation: the file tells them apart
            if selection.choose(files, chosen.quantization, model.repo) == chosen:
                named = HubModel(model.repo, model.revision, chosen.quantization)
    return str(named).removeprefix("hf:")


@attrs.frozen
class _HubSearch:
    """One search for one model of a repository: in the cache, else on the hub."""

    model: HubModel
    hub: Hub
    check: Check | None
    progress: ProgressCallback | None
    projector: bool
    """Whether one that hears is wanted too."""

    @property
    def repo(self) -> CachedRepo:
        return CachedRepo(self.hub.cache, self.model.repo)

    @property
    def revision(self) -> str:
        return self.model.revision or "main"

    def run(self, refresh: bool) -> Source:
        cached = self._cached()
        if cached is not None and not refresh:
            return self._verified(cached, self.check)
        try:
            listing = self.hub.list(self.model.repo, self.revision)
        except ModelNotFound as error:
            if cached is None or not isinstance(error, refusals.Unreachable):
                raise self._explained(error) from error.__cause__
            offline = isinstance(error, refusals.Offline)
            why = "HF_HUB_OFFLINE keeps it from being compared with the hub's." if offline else error
            log(__name__).warning("Using the copy of %s that is here: %s", self.model.repo, why)
            return self._verified(cached, self.check)
        return self._fetched(listing)

    def _verified(self, source: Source, check: Check | None) -> Source:
        return _verified(source, check, f"Remove it with `sauropod rm {source.name}`, and it is fetched anew.")

    # -- in the cache --------------------------------------------------------------------------------------------------

    def _cached(self) -> Source | None:
        """The model as it is in the cache, of the revision asked for or as last seen; None if it is not all there."""
        commit = self.repo.commit(self.revision)
        files = self.repo.files(commit) if commit else {}
        try:
            listed = [File(path) for path in files]
            return self._source(files, self._chosen(listed), listed) if files else None
        except (ModelNotFound, UnsupportedModel):
            return None

    def _chosen(self, files: Sequence[File]) -> Candidate:
        where = self.model.repo if self.model.revision is None else f"{self.model.repo} at {self.revision}"
        if self.model.file:
            return selection.choose_file(files, self.model.file, where)
        return selection.choose(files, self.model.quantization, where)

    def _source(self, files: Mapping[str, Path], chosen: Candidate, listed: Sequence[File]) -> Source:
        projector = selection.choose_projector([File(path) for path in files], chosen)
        return Source(
            hub_name(self.model, chosen, listed),
            tuple(files[file.path] for file in chosen.files),
            files[projector.path] if projector else None,
        )

    def _explained(self, error: ModelNotFound) -> ModelNotFound:
        """The hub's refusal, with what is here instead."""
        message = str(error)
        names = sorted({path for commit in self.repo.commits() for path in self.repo.files(commit)})
        if names:
            message += f" Of {self.model.repo} there are on this machine: {', '.join(names[:10])}."
        if self.model.local:
            message += f" Nor is there a file or directory {self.model.local!r} here."
        return ModelNotFound(message)

    # -- on the hub ----------------------------------------------------------------------------------------------------

    def _fetched(self, listing: Listing) -> Source:
        """The model as `listing` has it, with whatever of it was not here yet."""
        remote = {file.path: file for file in listing.files}
        listed = [File(file.path, file.size) for file in listing.files]
        chosen = self._chosen(listed)
        parts = [self._download(listing, remote[file.path]) for file in chosen.files]
        was_here = all(part.is_stored for part in parts)
        if not was_here:
            self._check_remote(parts, chosen)
        projector = selection.choose_projector(listed, chosen) if self.projector else None
        beside = self._hearing(self._download(listing, remote[projector.path])) if projector is not None else []
        fetch(self.hub, self.model.repo, [*parts, *beside], self.progress)
        self.repo.adopt(listing)
        source = self._source(self.repo.files(listing.commit), chosen, listed)
        return self._verified(source, self.check if was_here else None)

    def _download(self, listing: Listing, file: RemoteFile) -> Download:
        return Download(self.hub, listing, self.hub.describe(listing, file))

    def _hearing(self, part: Download) -> list[Download]:
        """The projector, if the model hears with it. Those for pictures only are not fetched: nothing shows any."""
        try:
            hears = part.is_stored or self._remote_header(part).hears
        except LoadError as error:
            log(__name__).info("The model is used without a projector: %s", error)
            return []
        return [part] if hears else []

    def _check_remote(self, parts: Sequence[Download], chosen: Candidate) -> None:
        name = f"{self.model.repo}/{chosen.path}"
        header = require_model(joined([self._remote_header(part) for part in parts], name), name)
        if self.check is not None:
            self.check(header)

    def _remote_header(self, part: Download) -> Header:
        read = partial(self.hub.read, part.listing, part.file)
        name = f"{self.model.repo}/{part.file.path}"
        return read_header(read, part.file.size, name, "It is so on the hub: take another file.")


class _ProjectorSearch(_HubSearch):
    """The same for a projector, which is named by its file."""

    def _chosen(self, files: Sequence[File]) -> Candidate:
        if self.model.file is None:
            raise ModelNotFound(
                f"A projector is named by its file, such as {self.model.repo}/mmproj-F16.gguf; got {self.model}."
            )
        return super()._chosen(files)

    def _verified(self, source: Source, check: Check | None) -> Source:
        require_projector(local_header(source.files[0]), str(source.files[0]))
        return source

    def _check_remote(self, parts: Sequence[Download], chosen: Candidate) -> None:
        require_projector(self._remote_header(parts[0]), f"{self.model.repo}/{chosen.path}")
