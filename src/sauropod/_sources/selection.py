"""Which of several files is the model that was meant. Pure: it looks at names only.

A repository or directory often holds one model in many quantisations, some of them split into parts, beside files that
are no models at all: multimodal projectors, LoRA adapters, importance matrices, draft models.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Sequence
from itertools import islice

import attrs

from sauropod._sources.sizes import in_words
from sauropod.errors import ModelNotFound, UnsupportedModel

__all__ = [
    "PREFERENCE",
    "Candidate",
    "File",
    "bare_name",
    "candidates",
    "choose",
    "choose_file",
    "choose_projector",
    "fits",
    "is_weights",
    "parts_with",
    "quantization_of",
]

PREFERENCE = (
    "Q4_K_M", "Q4_K_XL", "Q4_K_L", "Q4_K_S", "IQ4_NL", "IQ4_XS", "MXFP4_MOE", "MXFP4", "NVFP4",
    "Q5_K_M", "Q5_K_XL", "Q5_K_L", "Q5_K_S", "Q6_K", "Q6_K_XL", "Q6_K_L", "Q8_0", "Q8_K_XL",
    "Q4_1", "Q4_0", "Q5_1", "Q5_0", "Q3_K_XL", "Q3_K_L", "Q3_K_M", "Q3_K_S", "IQ3_M", "IQ3_S", "IQ3_XS", "IQ3_XXS",
    "Q2_K_XL", "Q2_K_L", "Q2_K", "Q2_K_S", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S",
    "TQ2_0", "TQ1_0", "Q2_0", "Q1_0", "", "BF16", "F16", "F32",
)  # fmt: skip
"""What is taken when nothing was asked for, the best first. `""` stands for any other name."""

WEIGHTS = (".gguf", ".safetensors", ".bin", ".pth", ".pt")

PROJECTOR_PREFERENCE = ("F16", "BF16", "Q8_0", "F32")

LABEL = re.compile(
    r"(?<![A-Za-z0-9])(?:UD[-_])?"
    r"(?:I?Q[1-8](?:_(?:[0-9]|K|NL|XXS|XS|S|M|L|XL|XXL)(?![A-Za-z0-9]))*|TQ[12]_0|BF16|F16|F32|FP16|FP32|MXFP4(?:_MOE)?|NVFP4)"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})", re.DOTALL)
SEPARATORS = re.compile(r"[-_. ]+")


def _word(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(words)})(?![a-z])", re.IGNORECASE)


PROJECTOR = _word("mmproj")
NEVER = re.compile(
    _word("mmproj", "imatrix", "ggml-vocab", "control-vector").pattern
    + r"|(?:^|/)(?:draft|mtp|eagle3|dflash|dspark)[-_]",
    re.IGNORECASE,
)
RATHER_NOT = _word("lora", "adapters?", "draft", "mtp", "eagle3", "dflash", "dspark")
"""Words of adapters and draft models, and of some models that can be used alone: taken where there is nothing else."""


@attrs.frozen
class File:
    """A file by its path below the repository or directory, with `/` between the parts, and its size if known."""

    path: str
    size: int | None = None


@attrs.frozen
class Candidate:
    """One model: its file, or those of its `parts` that are there, in order."""

    files: tuple[File, ...]
    quantization: str
    """As the name has it, in capitals: `"Q4_K_M"`, `"UD-Q4_K_XL"`; empty where the name has none."""
    parts: int = 1

    @property
    def path(self) -> str:
        return self.files[0].path

    @property
    def stem(self) -> str:
        """The path without the number of the part and the ending."""
        return _stem(self.path)

    @property
    def is_complete(self) -> bool:
        return len(self.files) == self.parts

    @property
    def size(self) -> int:
        return sum(file.size or 0 for file in self.files)

    @property
    def model(self) -> str:
        """The name without quantisation and part: what two quantisations of one model have in common."""
        return bare_name(self.stem)


def candidates(files: Iterable[File]) -> list[Candidate]:
    """The models among `files`, the preferred first: see `PREFERENCE`, then plain before `UD-`, short before long."""
    whole: dict[tuple[str, int], dict[int, File]] = {}
    for file in files:
        if not _is_gguf(file.path) or NEVER.search(file.path):
            continue
        stem, part, count = _split(file.path)
        whole.setdefault((stem, count), {})[part] = file
    found = [_candidate(stem, count, parts) for (stem, count), parts in whole.items()]
    return sorted([each for each in found if not RATHER_NOT.search(each.path)] or found, key=_rank)


def choose(files: Sequence[File], quantization: str | None, where: str, *, mixed: bool = False) -> Candidate:
    """The model meant by a repository's or directory's name, and perhaps a quantisation.

    Raises `ModelNotFound` if there is none, if it lacks parts, or if different models come first equally; in a `mixed`
    place, which may hold unrelated ones, if there are different models at all. `UnsupportedModel` if there are only
    files of other kinds. `where` is what messages call the place.
    """
    found = candidates(files)
    if not found:
        raise _nothing_in(files, where)
    fitting = [each for each in found if fits(each, quantization)]
    if not fitting:
        raise ModelNotFound(f"{where} has no {quantization} file. It has:\n{_listed(found)}")
    equal = fitting if mixed else [each for each in fitting if _label_rank(each) == _label_rank(fitting[0])]
    if len({each.model for each in equal}) > 1:
        raise ModelNotFound(f"{where} holds several models. Name the file that is meant:\n{_listed(equal)}")
    return _complete(fitting[0], where)


def choose_file(files: Sequence[File], path: str, where: str) -> Candidate:
    """The model that the file at `path` is, or is a part of. Any file may be named, also one `choose` never takes."""
    stem, _, count = _split(path)
    parts = {_split(each.path)[1]: each for each in parts_with(files, path)}
    if not any(each.path == path for each in files):
        raise ModelNotFound(f"{where} has no file {path!r}. {_alternatives(files, path)}")
    if not _is_gguf(path):
        raise UnsupportedModel(f"{path!r} is not a GGUF file. {_alternatives(files, path)}")
    return _complete(_candidate(stem, count, parts), where)


def parts_with(files: Iterable[File], path: str) -> list[File]:
    """Those of `files` that are the one at `path`, or parts of the same split model."""
    return [each for each in files if _split(each.path)[0::2] == _split(path)[0::2]]


def choose_projector(files: Sequence[File], model: Candidate) -> File | None:
    """The multimodal projector that belongs to `model`: in its directory or one above, the nearest first.

    Where there are several models, only a projector whose name has the model's in it, or is had by it.
    """
    folder = os.path.dirname(model.path)
    near = [
        each
        for each in files
        if _is_gguf(each.path) and PROJECTOR.search(each.path) and f"{folder}/".startswith(_folder(each.path))
    ]
    named = [each for each in near if _is_named_for(each, model)]
    alone = len({each.model for each in candidates(files)} | {model.model}) == 1
    return min(named or (near if alone else []), key=_projector_rank, default=None)


def quantization_of(path: str) -> str:
    """The quantisation a path names, in capitals; empty if none. The file's name counts before its directories'."""
    for part in reversed(_stem(path).split("/")):
        labels = LABEL.findall(part)
        if labels:
            label = str(labels[-1]).upper().replace("UD_", "UD-")
            return {"FP16": "F16", "FP32": "F32"}.get(label, label)
    return ""


def bare_name(stem: str) -> str:
    """What is left of a name, in small letters, without its directories, its quantisation and `mmproj`."""
    name = LABEL.sub("", os.path.basename(stem)) or LABEL.sub("", stem)
    return SEPARATORS.sub("-", PROJECTOR.sub("", name)).strip("-").lower()


# -- names ----------------------------------------------------------------------------------------------------------


def is_weights(path: str) -> bool:
    """Whether a file may hold a model's weights, in whatever format."""
    return path.lower().endswith(WEIGHTS)


def _is_gguf(path: str) -> bool:
    return path.lower().endswith(".gguf")


def _folder(path: str) -> str:
    folder = os.path.dirname(path)
    return f"{folder}/" if folder else ""


def _split(path: str) -> tuple[str, int, int]:
    """The path without part and ending, which part it is, of how many: `("a/m-Q8_0", 2, 3)`."""
    stem = path[: -len(".gguf")] if _is_gguf(path) else path
    match = PART.fullmatch(stem)
    if match is None or not 1 <= int(match[2]) <= int(match[3]):
        return stem, 1, 1
    return match[1], int(match[2]), int(match[3])


def _stem(path: str) -> str:
    return _split(path)[0]


def _candidate(stem: str, count: int, parts: dict[int, File]) -> Candidate:
    files = tuple(parts[part] for part in sorted(parts))
    return Candidate(files, quantization_of(files[0].path), count)


def _is_named_for(projector: File, model: Candidate) -> bool:
    names = sorted((bare_name(_stem(projector.path)), model.model), key=len)
    return len(names[0]) > len("model") and names[0] in names[1]


# -- order ----------------------------------------------------------------------------------------------------------


def _label_rank(candidate: Candidate) -> int:
    plain = candidate.quantization.removeprefix("UD-")
    return PREFERENCE.index(plain if plain in PREFERENCE else "")


def _rank(candidate: Candidate) -> tuple[int, bool, int, str]:
    dynamic = candidate.quantization.startswith("UD-")
    return _label_rank(candidate), dynamic, len(candidate.path), candidate.path


def _projector_rank(file: File) -> tuple[int, int, int, str]:
    label = quantization_of(file.path)
    liked = PROJECTOR_PREFERENCE.index(label) if label in PROJECTOR_PREFERENCE else len(PROJECTOR_PREFERENCE)
    return -len(_folder(file.path)), liked, len(file.path), file.path


def fits(candidate: Candidate, quantization: str | None) -> bool:
    """Whether this is the quantisation asked for. `Q4_K_XL` is also `UD-Q4_K_XL`, never `Q4_K`."""
    if quantization is None:
        return True
    asked = quantization.upper().replace("UD_", "UD-")
    asked = {"FP16": "F16", "FP32": "F32"}.get(asked, asked)
    return asked in (candidate.quantization, candidate.quantization.removeprefix("UD-"))


# -- messages -------------------------------------------------------------------------------------------------------


def _complete(candidate: Candidate, where: str) -> Candidate:
    if candidate.is_complete:
        return candidate
    stem, _, count = _split(candidate.path)
    there = {_split(file.path)[1] for file in candidate.files}
    absent = (
        f"{os.path.basename(stem)}-{part:05}-of-{count:05}.gguf" for part in range(1, count + 1) if part not in there
    )
    raise ModelNotFound(
        f"{where} lacks {count - len(there)} of the {count} parts of a split model: {', '.join(islice(absent, 3))}"
        f"{', …' if count - len(there) > 3 else ''}. All parts belong in one directory, under the names they were "
        f"published with."
    )


def _listed(found: Sequence[Candidate]) -> str:
    lines = [f"  {each.path}" + (f"  ({in_words(each.size)})" if each.size else "") for each in found[:40]]
    return "\n".join(lines + ([f"  and {len(found) - 40} more"] if len(found) > 40 else []))


def _alternatives(files: Sequence[File], path: str) -> str:
    found = [_candidate(stem, 1, {1: each}) for each in files if _is_gguf(each.path) and (stem := _stem(each.path))]
    near = [each for each in found if os.path.basename(each.path).lower() == os.path.basename(path).lower()]
    return f"It has:\n{_listed(near or found)}" if found else "It has no GGUF file at all."


def _nothing_in(files: Sequence[File], where: str) -> ModelNotFound | UnsupportedModel:
    others = [each for each in files if _is_gguf(each.path)]
    if others:
        listed = _listed([_candidate(_stem(each.path), 1, {1: each}) for each in others])
        return ModelNotFound(
            f"{where} has no model, only files that go with one. If one of these is meant, name it:\n{listed}"
        )
    if any(is_weights(each.path) for each in files):
        return UnsupportedModel(
            f"{where} has its weights in another format than GGUF, and conversion is not supported yet. Look for a "
            f"repository of the same model with GGUF in its name; most models have several."
        )
    return ModelNotFound(f"{where} has no GGUF file in it.")
