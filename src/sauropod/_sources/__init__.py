"""From what a user writes as a model's name to verified local files.

What is on this machine is used without asking any network. What is not is looked up, its header read and checked while
it is still far away, and only then fetched.
"""

from sauropod._sources.finding import find_model, find_projector
from sauropod._sources.header import Header
from sauropod._sources.hub import Hub
from sauropod._sources.installed import InstalledModel, installed
from sauropod._sources.progress import Progress, ProgressCallback
from sauropod._sources.references import Reference, parse_reference
from sauropod._sources.removal import Removed, remove
from sauropod._sources.repositories import find_files
from sauropod._sources.runnable import runnable

__all__ = [
    "Header",
    "Hub",
    "InstalledModel",
    "Progress",
    "ProgressCallback",
    "Reference",
    "Removed",
    "find_files",
    "find_model",
    "find_projector",
    "installed",
    "parse_reference",
    "remove",
    "runnable",
]
