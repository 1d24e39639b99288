"""Whether a model could run here at all, told from its header before the gigabytes are fetched."""

from __future__ import annotations

from collections.abc import Callable

from sauropod._sources.header import Header
from sauropod._sources.memory import cache_bytes
from sauropod._sources.sizes import in_words
from sauropod.errors import OutOfMemory, UnsupportedModel

__all__ = ["runnable"]

SHORTEST = 2048
"""Tokens of context that a model must have room for; less, if it was trained for less."""


def runnable(supports: Callable[[str], bool], memory: int) -> Callable[[Header], None]:
    """A check for `find_model`: whether the backend supports the architecture, and whether the model fits in `memory`.

    It must hold the weights and a short context. `memory` is bytes of all devices together; 0 where nobody could tell.
    The check raises `UnsupportedModel` or `OutOfMemory`.
    """

    def check(header: Header) -> None:
        if not supports(header.architecture):
            raise UnsupportedModel(
                f"The installed llama.cpp does not know the architecture {header.architecture!r}. "
                "Update it (pip install -U llama-cpp-python), or use another model."
            )
        length = min(header.context_length or SHORTEST, SHORTEST)
        cache = cache_bytes(header, length)
        if memory and header.tensor_bytes + cache > memory:
            raise OutOfMemory(
                f"The model's weights are {in_words(header.tensor_bytes)}, a context of {length:,} tokens takes "
                f"{in_words(cache)}, and all the memory of this machine is {in_words(memory)}. Use a smaller model or "
                f"a smaller quantisation."
            )

    return check
