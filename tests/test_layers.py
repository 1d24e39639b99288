"""Rooms import downward only, and the pure ones stay pure."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sauropod

SOURCE = Path(sauropod.__file__).parent

LAYERS = (
    ("__main__",),
    ("cli",),
    ("server",),
    ("blocking",),
    ("_session",),
    ("_transcriber", "_voice"),
    ("_hearing", "_speaking", "_orpheus", "_voxtral"),
    ("_ears", "_mouths"),
    ("_engine", "_detector"),
    ("_opening", "_iterating", "_flow"),
    ("_asking", "_handles", "_running"),
    ("_stream",),
    ("_attaching", "_writing"),
    ("_runtime",),
    ("_sources", "_audio", "_phonemizers"),
    ("_scheduling", "_text", "_typed", "_speech"),
    ("abc",),
    ("_values",),
    ("errors", "_log", "_mailbox"),
)
"""From top to bottom. A room may import from any below it, and from itself."""

RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}

BACKENDS_MAY_USE = {"_log", "abc", "_values", "errors", "_text", "_speech", "_phonemizers"}
EXTRAS = {
    "llama_cpp",
    "jinja2",
    "onnxruntime",
    "gguf",
    "huggingface_hub",
    "numpy",
    "trio",
    "soxr",
    "soundfile",
    "onnx",
    "av",
    "sounddevice",
}
EXTRAS |= {"soundfile", "onnx", "av", "sounddevice"}
EXTRAS |= {"msgspec", "jsonschema_rs", "docstring_parser"}  # which only some requests need, and which take a while
"""Never imported when a module of the base is; inside functions they may be."""

PURE = ("_values", "_scheduling", "_text", "_typed", "_speech")
IMPURE_MODULES = {
    "asyncio",
    "anyio",
    "threading",
    "time",
    "os",
    "pathlib",
    "subprocess",
    "queue",
    "socket",
    "logging",
    "importlib",
}


def modules() -> list[tuple[str, Path]]:
    """Every module of the library with the room it belongs to."""
    return [(path.relative_to(SOURCE).parts[0].removesuffix(".py"), path) for path in sorted(SOURCE.rglob("*.py"))]


def imports(path: Path, *, everywhere: bool) -> set[str]:
    """The modules a file imports: at the top only, or inside functions too. Those for type checkers do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add(node.module or "")
            if node.module == "sauropod":
                found |= {f"sauropod.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending += node.orelse
        elif everywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return found


def rooms(names: set[str]) -> set[str]:
    """The rooms of ours among imported modules."""
    parts = [name.split(".") for name in names if name.startswith("sauropod.")]
    return {part[1] for part in parts}


@pytest.mark.parametrize(("room", "path"), modules(), ids=lambda value: str(value).removeprefix(f"{SOURCE}/"))
def test_a_room_imports_only_from_below(room: str, path: Path) -> None:
    imported = rooms(imports(path, everywhere=True)) - {room}
    if room == "backends":
        assert imported <= BACKENDS_MAY_USE
    elif room in RANK:
        lower = {other for other, rank in RANK.items() if rank > RANK[room]}
        assert imported & (RANK.keys() | {"backends", "testing"}) <= lower


@pytest.mark.parametrize(("room", "path"), modules(), ids=lambda value: str(value).removeprefix(f"{SOURCE}/"))
def test_nothing_imports_the_backends(room: str, path: Path) -> None:
    if room != "backends":
        assert "backends" not in rooms(imports(path, everywhere=True))


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_neither_waits_nor_looks_around(room: str) -> None:
    for path in sorted((SOURCE / room).rglob("*.py")):
        assert not {name.split(".")[0] for name in imports(path, everywhere=True)} & IMPURE_MODULES - (
            {"pathlib"} if path.name == "loading.py" else set()
        ), path
        tree = ast.parse(path.read_text(encoding="utf-8"))
        waiting = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)
        assert not [node for node in ast.walk(tree) if isinstance(node, waiting)], path


def test_the_base_imports_no_extra_and_nothing_heavy() -> None:
    for room, path in modules():
        if room not in ("backends", "testing", "server"):
            assert not {name.split(".")[0] for name in imports(path, everywhere=False)} & EXTRAS, path
