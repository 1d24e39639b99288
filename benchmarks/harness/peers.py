"""Which peer is there to be compared with, and how to get the one that counts."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec

from benchmarks.harness.bindings import Bindings
from benchmarks.harness.server import Server, llama_server_command, xllamacpp_command
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Side

__all__ = ["HOW_TO_BUILD", "chosen", "peer_of"]

HOW_TO_BUILD = """\
The peer that counts is llama-server from the llama.cpp that llama-cpp-python carries. To build it, in the unpacked
sdist of the installed version (pip download --no-binary llama-cpp-python --no-deps llama-cpp-python==VERSION):

    cmake -S vendor/llama.cpp -B build -DCMAKE_BUILD_TYPE=Release -DLLAMA_CURL=OFF -DLLAMA_BUILD_UI=OFF
    cmake --build build --target llama-server --parallel

and give it with --llama-server build/bin/llama-server."""


def chosen(setup: Setup) -> str:
    """The name of the peer there will be: the one asked for, or the first that is there."""
    if setup.peer != "auto":
        return setup.peer
    if setup.llama_server is not None:
        return "llama-server"
    return "xllamacpp" if find_spec("xllamacpp") else "llama-cpp-python"


def peer_of(setup: Setup, serving: Serving) -> AbstractAsyncContextManager[Side] | None:
    """The peer, to be entered; None if there is to be none."""
    match chosen(setup):
        case "none":
            return None
        case "llama-server":
            if setup.llama_server is None:
                raise SystemExit(f"Where is llama-server?\n\n{HOW_TO_BUILD}")
            command = llama_server_command(setup.llama_server, setup, serving)
            return Server("llama-server", command, setup.peer_environment)
        case "xllamacpp":
            return Server("xllamacpp", xllamacpp_command(setup, serving), setup.peer_environment)
        case _:
            return Bindings(setup, serving)
