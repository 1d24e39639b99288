"""What can be found out about an installation. What a check raises is a finding too: see `guarded`.

Native code is asked in other processes, so that a fault of it is a finding as well.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from typing import TYPE_CHECKING, Literal

import anyio
import attrs

from sauropod import BackendNotFound, Completion, Device, Engine, ModelNotFound, Transcriber, Voice
from sauropod.cli.figures import duration, plural
from sauropod.cli.machine import cores, cpu_name, devices_of, has_nvidia_card, version_of

if TYPE_CHECKING:
    from sauropod._sources import Hub

__all__ = ["Check", "Status", "backends", "guarded", "libraries", "models", "system", "trials"]

Status = Literal["ok", "missing", "problem"]

EXTRA = "llama"
"""The extra without which no model file can be loaded."""

INSTALL = f'pip install "sauropod[{EXTRA}]"'
REBUILD = "pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python llama-cpp-python"
WRITABLE = "export HF_HUB_CACHE=/somewhere/writable"
SHELVES = "export SAUROPOD_MODELS=/a/directory"


@attrs.frozen
class Check:
    """What was found. A `problem` has to be mended before sauropod is of use; something `missing` need not be there."""

    name: str
    status: Status
    detail: str
    fix: str = ""
    """What mends it: a command, or what to do."""


def guarded(name: str, checks: Iterable[Check], fix: str = "") -> Iterator[Check]:
    """The checks; an error that ends them becomes a problem of that name."""
    try:
        yield from checks
    except Exception as error:
        yield Check(name, "problem", str(error) or type(error).__name__, fix)


def system() -> Iterator[Check]:
    """Python, the platform and sauropod itself."""
    yield Check("sauropod", "ok", version_of("sauropod") or "not installed as a distribution")
    yield Check("Python", "ok", f"{platform.python_version()} ({platform.python_implementation()}), {sys.executable}")
    yield Check("platform", "ok", platform.platform())
    yield Check("CPU", "ok", f"{cpu_name()}, {plural(cores(), 'core')} for this process")


# -- libraries ---------------------------------------------------------------------------------------------------------


def libraries() -> Iterator[Check]:
    """What sauropod needs of other distributions, and in which versions."""
    for name, bounds, extra in _requirements():
        if extra in ("", EXTRA):
            yield _library(name, bounds, extra)


def _library(name: str, bounds: str, extra: str) -> Check:
    installed = version_of(name)
    command = INSTALL if extra else f'pip install "{name}{bounds}"'
    if installed is None:
        return Check(name, "missing" if extra else "problem", "not installed", command)
    if not _satisfies(installed, bounds):
        return Check(name, "problem", f"{installed}, but sauropod needs {bounds}", command)
    if name == "llama-cpp-python":
        return _llama(name, installed)
    return Check(name, "ok", installed)


def _llama(name: str, installed: str) -> Check:
    """What llama.cpp says it was built with, asked in a process of its own."""
    program = "from llama_cpp import llama_cpp; print(llama_cpp.llama_print_system_info().decode())"
    try:
        asked = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, encoding="utf-8", errors="replace", timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, "problem", f"{installed}, but a process that loads it fails: {error}", REBUILD)
    if asked.returncode:
        said = asked.stderr.strip().rpartition("\n")[2] or f"exit code {asked.returncode}"
        fix = INSTALL if "ModuleNotFoundError" in said else REBUILD
        return Check(name, "problem", f"{installed}, but it cannot be loaded: {said}", fix)
    built_with = ", ".join(dict.fromkeys(re.findall(r"([A-Z][A-Z0-9_]+) = 1", asked.stdout)))
    return Check(name, "ok", f"{installed}{f', built with {built_with}' if built_with else ''}")


def _requirements() -> Iterator[tuple[str, str, str]]:
    """Name, bounds and extra of what sauropod says it needs."""
    try:
        listed = requires("sauropod") or []
    except PackageNotFoundError:
        return
    for each in listed:
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?([^;]*)(?:;.*extra == ['\"]([^'\"]+))?", each)
        if match is not None:
            yield match[1], match[2].strip().replace(" ", ""), match[3] or ""


def _satisfies(version: str, bounds: str) -> bool:
    """Whether a version is within `>=` and `<` bounds, the only ones sauropod uses."""
    for bound in filter(None, bounds.split(",")):
        match = re.fullmatch(r"(>=|<)([\d.]+)", bound)
        if match and (_numbers(version) >= _numbers(match[2])) != (match[1] == ">="):
            return False
    return True


def _numbers(version: str) -> list[int]:
    leading = re.match(r"\d+(\.\d+)*", version)
    return [int(part) for part in leading[0].split(".")] if leading else []


# -- backends ----------------------------------------------------------------------------------------------------------


def backends() -> Iterator[Check]:
    """The backends that are installed, and what each can compute on."""
    from sauropod._runtime.registry import installed_backends

    for name, point in installed_backends().items():
        distribution = point.dist.name if point.dist is not None else point.value
        yield from _backend(name, distribution)


OPTIONAL = ("onnx", "onnx_asr")
"""Backends of ours that an installation need not have what they take."""


def _backend(name: str, distribution: str) -> Iterator[Check]:
    from sauropod._runtime.registry import load_backend
    from sauropod.abc import Backend

    own = distribution == "sauropod"
    try:
        backend = load_backend(name)
        devices = devices_of(name) if isinstance(backend, Backend) else []
    except Exception as error:
        needed = own and name not in OPTIONAL
        yield Check(name, "problem" if needed else "missing", str(error), _fix_in(str(error)))
        return
    files = " and ".join(backend.suffixes) if isinstance(backend, Backend) else ""
    kind = f"loads {files} files" if files else "loads no files"
    yield Check(name, "ok", f"{kind} (of {distribution})")
    yield from (_device(name, device) for device in devices)
    if name == "llama_cpp" and has_nvidia_card() and all(device.name == "cpu" for device in devices):
        detail = "there is an NVIDIA card, but llama.cpp was built without CUDA and computes on the CPU"
        yield Check(f"{name} on cuda", "missing", detail, f'CMAKE_ARGS="-DGGML_CUDA=ON" {REBUILD}')


def _device(backend: str, device: Device) -> Check:
    from sauropod._sources.sizes import in_words

    memory = f", {in_words(device.total_memory)}, {in_words(device.free_memory)} free" if device.total_memory else ""
    return Check(f"{backend} on {device.name}", "ok", f"{device.description or device.name}{memory}")


def _fix_in(message: str) -> str:
    """The command an error's message ends in."""
    match = re.search(r"(?:Run|again|it): (pip install .*)$", message)
    return match[1] if match else ""


# -- models ------------------------------------------------------------------------------------------------------------


def models() -> Iterator[Check]:
    """Where models are kept, and where they come from."""
    from sauropod._sources import Hub

    hub = Hub.from_environment()
    yield from guarded("model cache", _cache(hub), WRITABLE)
    yield from guarded("SAUROPOD_MODELS", _directories(), SHELVES)
    yield from guarded("models", _installed(hub))
    yield _hub(hub)
    yield from guarded("token", _token(hub))


def _cache(hub: Hub) -> Iterator[Check]:
    import shutil

    from sauropod._sources.sizes import in_words

    place = next(each for each in (hub.cache, *hub.cache.parents) if each.exists())
    free = in_words(shutil.disk_usage(place).free)
    if not place.is_dir() or not os.access(place, os.W_OK):
        yield Check("model cache", "missing", f"{hub.cache} cannot be written", WRITABLE)
    else:
        yield Check("model cache", "ok", f"{hub.cache}, {free} free")


def _directories() -> Iterator[Check]:
    from sauropod._sources.local_models import model_directories

    for each in model_directories():
        if each.is_dir():
            yield Check("SAUROPOD_MODELS", "ok", str(each))
        else:
            yield Check("SAUROPOD_MODELS", "missing", f"{each} is no directory", SHELVES)


def _installed(hub: Hub) -> Iterator[Check]:
    from sauropod._sources import installed

    yield Check("models", "ok", f"{plural(len(installed(hub=hub)), 'model')} on this machine")


def _hub(hub: Hub) -> Check:
    if hub.offline:
        return Check("hub", "ok", "offline: HF_HUB_OFFLINE is set, so nothing is fetched")
    scheme = hub.endpoint.partition("://")[0]
    if scheme not in ("http", "https") or not hub.host:
        return Check("hub", "missing", "HF_ENDPOINT is no address such as https://huggingface.co", "unset HF_ENDPOINT")
    return Check("hub", "ok", f"{scheme}://{hub.host}")


def _token(hub: Hub) -> Iterator[Check]:
    yield Check("token", "ok", "there is one" if hub.token() else "none: public models only")


# -- trials ------------------------------------------------------------------------------------------------------------


def trials() -> Iterator[Check]:
    """What has to work, tried."""
    yield _worker()
    yield _demo()
    yield _demo_speech()


def _worker() -> Check:
    began = time.perf_counter()
    try:
        _asked("doctor", "Are you there?", backend="fake")
    except Exception as error:
        return Check("worker process", "problem", str(error))
    return Check("worker process", "ok", f"started, answered and ended in {duration(time.perf_counter() - began)}")


def _demo() -> Check:
    try:
        loaded, completion = _asked("demo", "What is the capital of France?")
    except ModelNotFound as error:
        return Check("demo model", "missing", str(error), "pip install --force-reinstall sauropod")
    except Exception as error:
        return Check("demo model", "problem", str(error), _fix_in(str(error)))
    answer = completion.text.strip()
    if "Paris" not in answer:
        return Check("demo model", "problem", f"loaded, but it says the capital of France is {answer!r}", REBUILD)
    after = duration(completion.timings.total)
    return Check("demo model", "ok", f"loaded in {duration(loaded)}, answered {answer!r} in {after}")


def _demo_speech() -> Check:
    """The demo's voice says something, and its ears hear it."""
    began = time.perf_counter()
    try:
        heard = anyio.run(_said_and_heard, "What is the capital of France?")
    except BackendNotFound as error:
        return Check("demo speech", "missing", str(error), _fix_in(str(error)))
    except Exception as error:
        return Check("demo speech", "problem", str(error), _fix_in(str(error)))
    state: Status = "ok" if "france" in heard.lower() else "problem"
    return Check("demo speech", state, f"said and heard {heard!r} in {duration(time.perf_counter() - began)}")


async def _said_and_heard(text: str) -> str:
    async with Voice("demo") as voice, Transcriber("demo") as transcriber:
        speech = await voice.say(text)
        return (await transcriber.transcribe((speech.samples, speech.rate))).text


def _asked(model: str, question: str, backend: str | None = None) -> tuple[float, Completion]:
    """How long a model took to load, and its answer."""

    async def asked() -> tuple[float, Completion]:
        began = time.perf_counter()
        async with Engine(model, backend=backend) as engine:
            loaded = time.perf_counter() - began
            return loaded, await engine.complete(question, max_tokens=32, temperature=0)

    return anyio.run(asked)
