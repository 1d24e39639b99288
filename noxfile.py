"""What there is to run: `nox` runs tests, typing, lint and docs; `nox -s bench` and `nox -s train` the rest.

With `--no-venv` a session uses the environment it is started in, which then has to have what it needs.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import nox

nox.options.sessions = ["tests", "typing", "lint", "docs"]
nox.options.default_venv_backend = "uv|virtualenv"

PLUGINS = ("examples/plugins/markov", "examples/plugins/openai_chat", "examples/plugins/espeak")
LLAMA_CPP = "llama-cpp-python==0.3.36"
"""Its sources carry those of llama.cpp."""
TRAINING = ("torch==2.13.0", "tokenizers>=0.21", "gguf>=0.17")
LISTENING = ("torch==2.13.0", "tokenizers>=0.21", "onnx", "onnxscript", "misaki", "pocketsphinx", "scipy")
"""What the demo's ears, mouth and detector are trained with. They also take flite and espeak-ng, and a C compiler."""


def install(session: nox.Session, *packages: str) -> None:
    """Into the session's own environment, if it has one."""
    if session.venv_backend != "none":
        session.install(*packages)


def develop(session: nox.Session) -> None:
    """What the README's test line installs: sauropod, then the plug-ins that need it."""
    install(session, "-e", ".[all,test]")
    install(session, *PLUGINS)


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """The test suite. Arguments go to pytest."""
    develop(session)
    session.run("pytest", *session.posargs)


@nox.session
def typing(session: nox.Session) -> None:
    """mypy --strict, on the library, on code as its users write it, on tests, examples and benchmarks."""
    develop(session)
    session.run(
        "mypy",
        "src",
        "tests",
        "benchmarks",
        "noxfile.py",
        "examples/tools.py",
        "examples/extract.py",
        "examples/voice_agent.py",
        "examples/realtime_client.py",
    )
    for plugin in PLUGINS:
        session.run("mypy", f"{plugin}/sauropod_{os.path.basename(plugin)}.py")


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, as linter and as formatter."""
    install(session, "ruff>=0.12")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a broken link is an error."""
    install(session, "-e", ".[docs]")
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def templates(session: nox.Session) -> None:
    """Round trips over the chat templates of real models: those in llama.cpp's sources, or the files that are given."""
    develop(session)
    paths: Sequence[str] = session.posargs
    if not paths:
        directory = session.create_tmp()
        session.run("pip", "download", "--no-deps", "--no-binary", ":all:", "-d", directory, LLAMA_CPP, silent=True)
        with tarfile.open(next(Path(directory).glob("llama_cpp_python-*.tar.gz"))) as archive:
            wanted = [each for each in archive.getmembers() if "/models/templates/" in each.name]
            archive.extractall(directory, wanted, filter="data")
        paths = [str(next(Path(directory).glob("*/vendor/llama.cpp/models/templates")))]
    session.run("python", "tests/round_trip.py", *paths)


@nox.session
def clients(session: nox.Session) -> None:
    """What others build on OpenAI's client, against this server."""
    develop(session)
    install(session, "openai-agents", "langchain-openai", "livekit-agents", "livekit-plugins-openai")
    install(session, "pipecat-ai[openai,websocket]")
    session.run("pytest", "tests/clients", "-W", "ignore", "-p", "no:unraisableexception", *session.posargs)


@nox.session
def durability(session: nox.Session) -> None:
    """Kill a server two hundred times in the middle of its work; on Postgres too, where that is installed."""
    develop(session)
    session.run("python", "tests/server/killing.py", *session.posargs)
    session.run("python", "tests/server/killing.py", "--postgres", *session.posargs)


@nox.session
def contract(session: nox.Session) -> None:
    """schemathesis over the OpenAPI document of a running server: whatever is sent, no answer is a 5xx."""
    develop(session)
    install(session, "schemathesis>=4.32")
    session.run("python", "tests/server/contract.py", *session.posargs)


@nox.session
def flooding(session: nox.Session) -> None:
    """Attack the Realtime API while somebody talks over it."""
    develop(session)
    session.run("python", "tests/server/flooding.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """All benchmarks, each beside a peer. `nox -s bench -- --help` tells what can be chosen."""
    develop(session)
    session.run("python", "-m", "benchmarks.run", *session.posargs)


@nox.session
def train(session: nox.Session) -> None:
    """Train the demo model anew, two hours and a quarter on two cores. Then check and measure it.

    First everything, then twice on from there with more of the tools. Arguments go to all three.
    """
    install(session, "-e", ".[llama]", *TRAINING)
    model, out, more = "src/sauropod/assets/demo.gguf", "build/text", ("--begin", "0", *session.posargs)

    def script(name: str, *arguments: str) -> None:
        session.run("python", "-m", f"examples.train.text.{name}", *arguments)

    script("train", "--out", f"{out}/1", *session.posargs)
    second = ("--steps", "1300", "--rate", "0.004", "--embedding_rate", "0.002", "--tools", "0.34", "--own", "0.45")
    script("train", "--start", f"{out}/1", "--out", f"{out}/2", "--seed", "11", *second, *more)
    script("average", f"{out}/1", f"{out}/2", "--share", "0.75", "--out", f"{out}/mean")
    third = ("--steps", "420", "--rate", "0.003", "--embedding_rate", "0.0015", "--tools", "0.36", "--own", "0.6")
    script("train", "--start", f"{out}/mean", "--out", f"{out}/3", "--seed", "12", *third, *more)
    script("average", f"{out}/mean", f"{out}/3", "--share", "0.65", "--out", out)
    script("export", "--checkpoint", out, "--to", model)
    script("evaluate", model, "--count", "200", "--json", f"{out}/report.json")
    script("report", "--report", f"{out}/report.json")


@nox.session
def train_speech(session: nox.Session) -> None:
    """Train the demo's voice, detector and recogniser anew, in this order: each hears the ones before.

    Needs flite with its headers, espeak-ng and a C compiler (Debian: flite flite1-dev espeak-ng gcc). What each step
    does, and how long it takes, is in the README beside the scripts.
    """
    install(session, "-e", ".[speech,whisper]", *LISTENING)

    def script(name: str, *arguments: str) -> None:
        session.run("python", "-m", f"examples.train.{name}", *arguments)

    for step in ("voice.train", "voice.export", "voice.evaluate"):
        script(step)
    script("vad.record")
    script("vad.train", "--steps", "900")
    script("vad.train", "--start", "build/vad", "--seed", "12", "--rate", "0.002", "--steps", "700")
    script("vad.export")
    script("vad.evaluate", "src/sauropod/assets/demo-vad")
    script("ears.record", "--to", "12")
    script("ears.record", "--from", "100", "--to", "108", "--mix", "demo=1")
    for step in ("ears.train", "ears.export", "ears.evaluate"):
        script(step)
