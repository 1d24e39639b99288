"""Models on this machine, outside a hub's cache: by path, and by name in the directories of `SAUROPOD_MODELS`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sauropod._sources import selection
from sauropod._sources.hub_cache import cached_repos
from sauropod._sources.references import LocalModel, NamedModel
from sauropod._sources.selection import Candidate, File
from sauropod._sources.settings import named_directory
from sauropod._values.loading import Source
from sauropod.errors import ModelNotFound

__all__ = [
    "demo",
    "demo_path",
    "existing",
    "files_below",
    "find_named",
    "find_path",
    "model_directories",
    "named",
    "on_shelf",
    "similar",
]

DEPTH = 2


def demo_path() -> Path:
    """Where the embedded model is, of a package that is not inside a zip archive."""
    from importlib import resources  # takes as long to import as all of this

    return Path(str(resources.files("sauropod") / "assets" / "demo.gguf"))


def demo() -> Source:
    if not demo_path().is_file():
        raise ModelNotFound(
            "This installation of sauropod lacks its demo model. Install it again, or name another model."
        )
    return Source("demo", (demo_path(),))


def model_directories(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """The directories that `SAUROPOD_MODELS` lists just now, in order."""
    listed = environment.get("SAUROPOD_MODELS", "").split(os.pathsep)
    return [named_directory(each, "SAUROPOD_MODELS") for each in listed if each.strip()]


# -- by path -----------------------------------------------------------------------------------------------------------


def find_path(model: LocalModel) -> Source:
    """The model at a path. Raises `ModelNotFound`, or `UnsupportedModel` for files of other kinds."""
    path = existing(model.path)
    if path.is_dir():
        return find_in(path, model.quantization, str(path))
    return _of_file(path, model.quantization)


def existing(path: str) -> Path:
    """The file or directory at a path, made absolute. Raises `ModelNotFound` where there is none."""
    found = _expanded(path)
    if not found.is_dir() and not found.is_file():
        raise ModelNotFound(_no_such_path(found))
    return found


def find_in(directory: Path, quantization: str | None, where: str) -> Source:
    files = files_below(directory)
    return _source(directory, files, selection.choose(files, quantization, where, mixed=True))


def _of_file(path: Path, quantization: str | None) -> Source:
    if quantization:
        raise ModelNotFound(
            f"{path} is a file, so its quantisation cannot be chosen. Name its directory, or leave that out."
        )
    if path.suffix.lower() != ".gguf":
        return Source(path.name, (path,))
    files = files_below(path.parent, depth=0)
    return _source(path.parent, files, selection.choose_file(files, path.name, str(path.parent)))


def _source(directory: Path, files: Sequence[File], chosen: Candidate) -> Source:
    projector = selection.choose_projector(files, chosen)
    return Source(
        _last(chosen.stem),
        tuple(directory / file.path for file in chosen.files),
        directory / projector.path if projector else None,
    )


def files_below(directory: Path, depth: int = DEPTH) -> list[File]:
    """The files with weights in a directory and, `depth` levels down, in those of it that are not hidden.

    What cannot be looked at further down is passed over.
    """
    found: list[File] = []
    for entry in sorted(os.scandir(directory), key=lambda each: each.name):
        with contextlib.suppress(OSError):
            if selection.is_weights(entry.name) and entry.is_file():
                found.append(File(entry.name, entry.stat().st_size))
            elif depth and not entry.name.startswith(".") and entry.is_dir():
                below = files_below(Path(entry.path), depth - 1)
                found += [File(f"{entry.name}/{each.path}", each.size) for each in below]
    return found


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ModelNotFound(f"{path!r} begins with the home of a user who is not known here: {error}.") from error


def _no_such_path(path: Path) -> str:
    if path.exists():
        return f"{path} is neither a file nor a directory."
    if not path.parent.is_dir():
        return f"There is no {path}: there is not even a directory {path.parent}."
    near = similar(path.name, (each.name for each in os.scandir(path.parent)))
    return f"There is no {path}." + (f" Did you mean {' or '.join(near)}?" if near else "")


# -- by name -----------------------------------------------------------------------------------------------------------


def find_named(model: NamedModel, hub_cache: Path) -> Source:
    """The model of a bare name: here, then in each directory of `SAUROPOD_MODELS`. Raises `ModelNotFound`."""
    here = _expanded(f"./{model.name}")
    if here.is_file() or (here.is_dir() and selection.candidates(files_below(here))):
        return find_path(LocalModel(f"./{model.name}", model.quantization))
    for directory in model_directories():
        found = _find_below(directory, model)
        if found is not None:
            return found
    raise ModelNotFound(_no_such_name(model, hub_cache))


def _find_below(directory: Path, model: NamedModel) -> Source | None:
    """The model of this name in one directory: a file or directory called so, or a file called so but for its ending.

    Of several quantisations, as in `name-Q4_K_M.gguf` and `name-Q8_0.gguf`, the one asked for or preferred.
    """
    if not directory.is_dir():
        return None
    own = directory / model.name
    if own.is_file():
        return _of_file(own, model.quantization)
    if own.is_dir():
        return find_in(own, model.quantization, str(own))
    files = files_below(directory)
    of_this_name = [file for each in named(selection.candidates(files), model.name) for file in each.files]
    if not of_this_name:
        return None
    where = f"{model.name} in {directory}"
    return _source(directory, files, selection.choose(of_this_name, model.quantization, where, mixed=True))


def named(found: Iterable[Candidate], name: str) -> list[Candidate]:
    """Those called so, or if there are none, those called so but for their quantisation."""
    found = list(found)
    exact = [each for each in found if _last(each.stem).lower() == name.lower()]
    return exact or [each for each in found if each.model == selection.bare_name(name)]


def on_shelf(directory: Path) -> list[Candidate]:
    """The models in one directory of `SAUROPOD_MODELS`: those that are whole, of files that begin as a GGUF does."""
    found = selection.candidates(files_below(directory)) if directory.is_dir() else []
    return [each for each in found if each.is_complete and all(_begins(directory / file.path) for file in each.files)]


def _begins(path: Path) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(4) == b"GGUF"
    return False


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _no_such_name(model: NamedModel, hub_cache: Path) -> str:
    directories = model_directories()
    looked = ", ".join(["this directory", *map(str, directories)])
    near = [each for each in similar(model.name, _known_names(directories, hub_cache)) if each != str(model)]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    unset = "" if directories else " SAUROPOD_MODELS, which may list directories of models, is not set."
    forms = " A file is written as its path, such as ./model.gguf, and a repository on the hub as org/repo."
    return f"There is no model {str(model)!r} in {looked}.{hint}{unset}{forms}"


def _known_names(directories: Iterable[Path], hub_cache: Path) -> Iterator[str]:
    yield "demo"
    yield from cached_repos(hub_cache)
    for directory in directories:
        if directory.is_dir():
            yield from (_last(each.stem) for each in selection.candidates(files_below(directory)))


def similar(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of the known names that `name` may be a slip of, or is a part of."""
    import difflib

    by_lower = {each.lower(): each for each in known}
    wanted = name.lower()
    near = difflib.get_close_matches(wanted, by_lower, n=3, cutoff=0.6)
    containing = [each for each in by_lower if len(wanted) > 3 and wanted in each]
    return [by_lower[each] for each in dict.fromkeys([*near, *containing])][:3]
