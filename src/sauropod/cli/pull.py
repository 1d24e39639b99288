"""Fetch a model, or see to it that the newest version is here.

What is fetched is kept in huggingface_hub's cache. A download that was stopped goes on where it was. Whether this
machine can run the model is found out before the gigabytes are fetched.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from sauropod.cli.options import add_json, add_model
from sauropod.cli.parser import usage_error
from sauropod.cli.terminal import note, print_json, print_text, status

if TYPE_CHECKING:
    from sauropod._sources import Header
    from sauropod._values.loading import Source

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "MODEL [options]"
EXAMPLES = """\
  sauropod pull Qwen/Qwen3-0.6B-GGUF
  sauropod pull hf:org/repo:Q4_K_M
  sauropod pull hf:org/repo/file.gguf
  HF_TOKEN=... sauropod pull org/private-repo
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from sauropod._sources import find_model

    _require_files(options.model)
    with status(f"Looking for {options.model} ..."):
        check = _runnable()
    found = find_model(options.model, check=check, refresh=True)
    _tell(found, options)
    return 0


def _require_files(model: str) -> None:
    """Refuses a model of a backend that reads no files."""
    from sauropod._runtime.registry import installed_backends, load_backend

    name, colon, _ = model.partition(":")
    if colon and name in installed_backends() and not getattr(load_backend(name), "suffixes", ()):
        usage_error(f"The backend {name} reads no model files, so there is nothing to fetch for {model}.")


def _runnable() -> Callable[[Header], None]:
    """Raises for a model that could not run here. Without the library that would run it, none can be ruled out."""
    from sauropod import BackendError, BackendNotFound
    from sauropod._runtime.registry import backend_for_file, load_backend
    from sauropod._sources import runnable
    from sauropod.abc import Backend
    from sauropod.cli.machine import devices_of

    name = backend_for_file("model.gguf")
    backend = load_backend(name)
    assert isinstance(backend, Backend)  # backend_for_file gives no other
    try:
        memory = sum(device.total_memory for device in devices_of(name))
    except (BackendNotFound, BackendError):
        memory = 0
    return runnable(backend.supports, memory)


def _tell(found: Source, options: argparse.Namespace) -> None:
    from sauropod._sources.sizes import in_words

    size = sum(file.stat().st_size for file in found.files)
    if options.json:
        print_json({"name": found.name, "files": [str(file) for file in found.files], "bytes": size})
    else:
        print_text(f"{found.files[0]}\n")
        note(f"{found.name} is here, {in_words(size)}. To talk to it:\n  sauropod chat {options.model}")
