"""Whether a model could run here at all, told from its header before the gigabytes are fetched."""

from __future__ import annotations

from collections.abc import Callable

from sauropod._sources.header import Header
from sauropod._sources.sizes import in_words
from sauropod.errors import OutOfMemory, UnsupportedModel

__all__ = ["runnable"]


def runnable(supports: Callable[[str], bool], memory: int) -> Callable[[Header], None]:
    """A check for `find_model`: whether the backend supports the architecture, and whether the weights fit in `memory`.

    `memory` is bytes of all devices together; 0 where nobody could tell. The check raises `UnsupportedModel` or
    `OutOfMemory`.
    """

    def check(header: Header) -> None:
        if not supports(header.architecture):
            raise UnsupportedModel(
                f"The installed llama.cpp does not know the architecture {header.architecture!r}. "
                "Update it (pip install -U llama-cpp-python), or use another model."
            )
        if memory and header.tensor_bytes > memory:
            raise OutOfMemory(
                f"The model's weights are {in_words(header.tensor_bytes)}, and all the memory of this machine is "
                f"{in_words(memory)}. Use a smaller model or a smaller quantisation."
            )

    return check
