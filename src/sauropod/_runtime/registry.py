"""Which backends are installed, by the name under which they registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauropod.abc import Backend, ChatBackend
from sauropod.errors import BackendNotFound

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "backend_for_file", "installed_backends", "load_backend"]

GROUP = "sauropod.backends"


def installed_backends() -> dict[str, EntryPoint]:
    """Entry points by name, sauropod's own last, so that nobody can take over a name by accident."""
    from importlib.metadata import entry_points  # costs more than all the rest of this module

    found = sorted(entry_points(group=GROUP), key=lambda point: point.value.startswith("sauropod."))
    return {point.name: point for point in found}


def load_backend(name: str) -> Backend | ChatBackend:
    """The backend of that name. Raises `BackendNotFound` if there is none or it cannot be imported."""
    points = installed_backends()
    if name not in points:
        import difflib

        close = difflib.get_close_matches(name, points, 1)
        hint = f"Did you mean {close[0]!r}?" if close else "Install the distribution that provides it with pip."
        raise BackendNotFound(f"There is no backend {name!r}; installed are {', '.join(sorted(points))}. {hint}")
    try:
        backend = points[name].load()()
    except Exception as error:
        raise BackendNotFound(
            f"The backend {name!r} is installed but does not start ({type(error).__name__}: {error}). "
            f"Reinstall or update the distribution that provides it: {_provider(points[name])}."
        ) from error
    if not isinstance(backend, Backend | ChatBackend):
        raise BackendNotFound(f"{points[name].value} is neither a Backend nor a ChatBackend; see sauropod.abc.")
    return backend


def backend_for_file(name: str) -> str:
    """The backend that loads model files of this name, sauropod's own first. Raises `BackendNotFound` if none does."""
    points = installed_backends()
    for candidate in sorted(points, key=lambda each: not points[each].value.startswith("sauropod.")):
        try:
            backend = load_backend(candidate)
        except BackendNotFound:
            continue  # somebody else's, and broken
        if isinstance(backend, Backend) and name.endswith(tuple(backend.suffixes)):
            return candidate
    raise BackendNotFound(f"No installed backend loads files like {name!r}. Name one with backend=…")


def _provider(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
