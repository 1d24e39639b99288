"""What a user may write to name a model, and what it means. Pure: no file is looked at, no host is asked."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from urllib.parse import parse_qs, quote, unquote, urlsplit

import attrs

from sauropod.errors import ModelNotFound

__all__ = ["FORMS", "Demo", "HubModel", "LocalModel", "NamedModel", "Reference", "parse_reference"]

FORMS = """\
A model can be written as
  demo                              the small model that comes with sauropod
  ./model.gguf, ~/models            a file, or a directory with one model in it
  name, name:Q8_0                   a file or directory in a directory that SAUROPOD_MODELS lists
  org/repo, hf:org/repo             a repository on huggingface.co
  hf:org/repo:Q4_K_M                ... one quantisation of it
  hf:org/repo/file.gguf             ... one file of it
  hf:org/repo@revision              ... as of a branch, tag or commit
  https://huggingface.co/org/repo   a link copied from the browser
  {"repo": "org/repo", "quantization": "Q4_K_M"}, {"repo": ..., "file": ...}, {"path": ...}"""

LONGEST = 4096
HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})

PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
REPO = re.compile(rf"({PART}/{PART})(.*)", re.DOTALL)
REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,254}")
GIT_REF = re.compile(r"refs/(?:pr|convert)/[A-Za-z0-9_.-]+")
QUANTIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
DRIVE = re.compile(r"[A-Za-z]:[\\/]")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class Reference:
    """A model's name, understood. `str()` of it is a name that means the same, where a text can say it."""


@attrs.frozen
class Demo(Reference):
    """The model inside the package."""

    def __str__(self) -> str:
        return "demo"


@attrs.frozen
class LocalModel(Reference):
    """A file or directory on this machine. `path` is as it was written, or begins with `./` to be plainly a path."""

    path: str
    quantization: str | None = None

    def __str__(self) -> str:
        return f"{self.path} ({self.quantization})" if self.quantization else self.path


@attrs.frozen
class NamedModel(Reference):
    """A bare name: a file or directory here, or in the directories of `SAUROPOD_MODELS`."""

    name: str
    quantization: str | None = None

    def __str__(self) -> str:
        return f"{self.name}:{self.quantization}" if self.quantization else self.name


@attrs.frozen
class HubModel(Reference):
    """A repository on the hub. At most one of `file` and `quantization` is set.

    `local` is the whole name where it may also be a path: a file or directory that exists there is meant then.
    """

    repo: str
    revision: str | None = None
    quantization: str | None = None
    file: str | None = None
    local: str | None = attrs.field(default=None, eq=False)

    def __str__(self) -> str:
        revision = f"@{self.revision.replace('/', '%2F')}" if self.revision else ""
        choice = f"/{self.file}" if self.file else f":{self.quantization}" if self.quantization else ""
        return f"hf:{self.repo}{revision}{choice}"


def parse_reference(
    source: Reference | str | os.PathLike[str] | Mapping[str, str], *, hosts: Collection[str] = ()
) -> Reference:
    """What `source` names. See `FORMS`; `hosts` are hubs whose links are understood besides huggingface.co's.

    A `Reference` is given back as it is. Raises `ModelNotFound`, which says why, for anything that cannot name a model.
    """
    if isinstance(source, Reference):
        return source
    if isinstance(source, Mapping):
        return _from_mapping(source, hosts)
    if isinstance(source, os.PathLike):
        return _from_path(_checked(os.fspath(source)))
    return _from_text(_checked(source).strip(), hosts)


# -- text -----------------------------------------------------------------------------------------------------------


def _from_text(text: str, hosts: Collection[str]) -> Reference:
    if text == "demo":
        return Demo()
    if _is_plainly_local(text):
        return _from_path(text)
    if SCHEME.match(text):
        return _from_link(text, hosts)
    if text[:3].lower() == "hf:":
        return _from_repo(text[3:], text)
    host, slash, rest = text.partition("/")
    if slash and host.lower() in {*HOSTS, *hosts}:
        return _from_web(rest, text)
    return _from_bare(text)


def _is_plainly_local(text: str) -> bool:
    """It can be nothing but a path."""
    return (
        text in (".", "..") or text.startswith(("./", "../", "/", "~", "\\", ".\\", "..\\")) or bool(DRIVE.match(text))
    )


def _from_path(text: str, quantization: str | None = None) -> LocalModel:
    return LocalModel(text if _is_plainly_local(text) else f"./{text}", quantization)


def _from_bare(text: str) -> Reference:
    if "/" not in text and "\\" not in text:
        return _from_name(text)
    match = REPO.fullmatch(text)
    if match is None or _is_file(match[1]) or not _may_follow(match[2]):
        return _from_path(text)
    return attrs.evolve(_from_repo(text, text), local=text)


def _may_follow(tail: str) -> bool:
    """Whether a name without `hf:` that goes on like this after `org/repo` is still a repository's."""
    return tail in ("", "/") or tail[0] in "@:" or (tail[0] == "/" and _is_file(_split_revision(tail)[0]))


def _from_name(text: str) -> Reference:
    name, colon, quantization = text.rpartition(":")
    if not colon:
        return NamedModel(text)
    if not name or not QUANTIZATION.fullmatch(quantization) or ":" in name:
        raise _not_understood(text, f"{name!r} is no scheme that is known here, and no name has a colon in it")
    return NamedModel(name, _wanted(quantization))


def _from_link(text: str, hosts: Collection[str]) -> Reference:
    if text[:5].lower() == "hf://":
        return _from_repo(text[5:].removeprefix("models/"), text)
    try:
        link = urlsplit(text)
    except ValueError as error:
        raise _not_understood(text, f"the link is malformed ({error})") from None
    if link.scheme.lower() == "file":
        raise _not_understood(text, f"a file is named by its path alone, here {unquote(link.path)!r}")
    host = link.netloc.rpartition("@")[2].lower()
    if link.scheme.lower() not in ("http", "https") or host not in {*HOSTS, *hosts}:
        raise _not_understood(
            text, "of links, only those to huggingface.co are followed. Download the file, and give its path"
        )
    shown = parse_qs(link.query).get("show_file_info", [""])[0]
    return _from_web(link.path.strip("/") + (f"/blob/main/{quote(shown)}" if shown else ""), text)


def _from_web(path: str, text: str) -> Reference:
    """A path on the hub's web site: files are below `/blob/<revision>/` and `/resolve/<revision>/`."""
    _checked(unquote(path))
    quoted = path.strip("/").split("/")
    parts = [unquote(part) for part in quoted]
    if len(parts) < 4 or parts[2] not in ("blob", "resolve", "raw", "tree"):
        return _from_repo("/".join(quoted[:2] if parts[2:] == ["tree"] else quoted), text)
    repo, revision, rest = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
    if parts[3] == "refs" and len(parts) > 5:
        revision, rest = "/".join(parts[3:6]), "/".join(parts[6:])
    chosen = {"quantization": rest} if parts[2] == "tree" and not _is_file(rest) else {"file": rest}
    return _hub_model(repo, text, revision=revision, **(chosen if rest else {}))


def _from_repo(rest: str, text: str) -> HubModel:
    """`org/repo`, then in any order `@revision` and one of `:quantisation`, `:file` and `/file`."""
    match = REPO.fullmatch(rest)
    if match is None:
        raise _not_understood(text, _repo_fault(rest))
    tail, revision = _split_revision(match[2])
    if not tail or tail == "/":
        return _hub_model(match[1], text, revision=revision)
    chosen = tail[1:]
    if tail[0] == "/" and revision and not _is_file(chosen):
        raise _not_understood(text, f"a slash in a branch's name is written %2F, as in @{revision}%2F{chosen[:80]}")
    if tail[0] == "/" or _is_file(chosen):
        return _hub_model(match[1], text, revision=revision, file=chosen)
    if tail[0] != ":":
        raise _not_understood(text, f"{tail[:80]!r} may not follow the repository's name")
    return _hub_model(match[1], text, revision=revision, quantization=chosen)


def _split_revision(tail: str) -> tuple[str, str | None]:
    """The tail without its `@revision`, and that revision."""
    if tail.startswith("@"):
        git_ref = GIT_REF.match(tail, 1)
        end = git_ref.end() if git_ref else min(i for i in (tail.find("/"), tail.find(":"), len(tail)) if i >= 0)
        return tail[end:], unquote(tail[1:end])
    before, at, after = tail.rpartition("@")
    if at and not _is_file(tail):
        return before, unquote(after)
    return tail, None


# -- mappings -------------------------------------------------------------------------------------------------------


def _from_mapping(source: Mapping[str, str], hosts: Collection[str]) -> Reference:
    shown = repr(dict(source))
    for key, value in source.items():
        if key not in ("repo", "file", "path", "quantization", "revision"):
            raise _not_understood(shown, f"the key {key!r} is not one of path, repo, file, quantization and revision")
        if not isinstance(value, str | os.PathLike):
            raise _not_understood(shown, f"the value of {key!r} is not a text")
    if "path" in source and source.keys() <= {"path", "quantization"}:
        return _from_path(_checked(os.fspath(source["path"])), _quantization(source.get("quantization"), shown))
    if "repo" not in source or "path" in source:
        raise _not_understood(
            shown, "it needs either a path, or a repo with or without its file, quantization and revision"
        )
    found = _from_text(_checked(source["repo"]), hosts)
    if not isinstance(found, HubModel):
        raise _not_understood(shown, "its repo is not of the form org/repo")
    given = {key: source[key] for key in ("revision", "quantization", "file") if key in source}
    known = {key: value for key in ("revision", "quantization", "file") if (value := getattr(found, key)) is not None}
    return _hub_model(found.repo, shown, **(known | given))


# -- checks ---------------------------------------------------------------------------------------------------------


def _hub_model(
    repo: str, text: str, *, revision: str | None = None, quantization: str | None = None, file: str | None = None
) -> HubModel:
    fault = _repo_fault(repo)
    if fault:
        raise _not_understood(text, fault)
    if file is not None and quantization is not None:
        raise _not_understood(text, "a file and a quantization are two answers to one question")
    if revision is not None and (not REVISION.fullmatch(revision) or ".." in revision or "//" in revision):
        raise _not_understood(text, f"{revision[:80]!r} cannot be a branch, tag or commit")
    if file is not None:
        _check_file(file, text)
    return HubModel(repo, revision, _quantization(quantization, text), file)


def _quantization(quantization: str | None, text: str) -> str | None:
    if quantization is not None and not QUANTIZATION.fullmatch(quantization):
        raise _not_understood(text, f"{quantization[:80]!r} cannot be a quantisation such as Q4_K_M")
    return _wanted(quantization)


def _wanted(quantization: str | None) -> str | None:
    """`:latest`, which other tools write by habit, asks for nothing in particular."""
    return None if quantization == "latest" else quantization


def _repo_fault(repo: str) -> str:
    """Why this is no repository's name; empty if it is one."""
    name = repo.split("@")[0].split(":")[0]
    if name.split("/")[0] in ("datasets", "spaces", "kernels", "buckets", "docs", "collections"):
        return f"it leads to {name.split('/')[0]}, and models are in repositories of models"
    if "/" not in name.strip("/"):
        return f"{name[:80]!r} lacks the owner or the repository: a model on the hub is written org/repo"
    if not REPO.fullmatch(repo) or "--" in name or ".." in name:
        return f"{name[:80]!r} cannot be a repository's name"
    return ""


def _check_file(file: str, text: str) -> None:
    if any(part in ("", ".", "..") for part in file.split("/")) or "\\" in file or not _is_file(file):
        raise _not_understood(text, f"{file[:80]!r} cannot be a file of a repository that holds a model")


def _is_file(name: str) -> bool:
    return name.lower().endswith((".gguf", ".safetensors", ".bin", ".onnx", ".pt", ".pth"))


def _checked(text: object) -> str:
    if isinstance(text, bytes):
        text = os.fsdecode(text)
    if not isinstance(text, str):
        raise ModelNotFound(f"A model is named by a text, a path or a mapping, not by {type(text).__name__}. {FORMS}")
    if len(text) > LONGEST:
        raise _not_understood(text, f"it is {len(text):,} characters long, and no name has more than {LONGEST:,}")
    if not text.strip():
        raise _not_understood(text, "it is empty")
    if CONTROL.search(text.strip()):
        raise _not_understood(text, "it has control characters in it")
    return text


def _not_understood(text: str, why: str) -> ModelNotFound:
    shown = text if len(text) <= 120 else f"{text[:120]}…"
    return ModelNotFound(f"{shown!r} names no model: {why}.\n\n{FORMS}")
