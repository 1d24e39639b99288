"""/v1/models: what a client is told of the models there are."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

__all__ = ["Model", "ModelDeleted", "Models"]

OWNER = "sauropod"


class Model(Struct):
    """A model the server offers."""

    id: str
    created: int
    object: Literal["model"] = "model"
    owned_by: str = OWNER


class Models(Struct):
    """All of them."""

    data: list[Model]
    object: Literal["list"] = "list"


class ModelDeleted(Struct):
    """A model was taken out of memory."""

    id: str
    deleted: bool = True
    object: Literal["model"] = "model"
