"""What users import: complete, documented, cheap, and the same with and without async."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from typing import get_type_hints

import attrs
import pytest

import sauropod
import sauropod.abc
import sauropod.blocking
import sauropod.errors
import sauropod.testing
from sauropod import SamplingOptions, SamplingParams
from sauropod._asking import AskOptions, PromptOptions, RunOptions
from sauropod._values.running import RunLimits
from sauropod.abc import ChatOptions

SPEECH = ("Voice", "Transcriber", "VoiceDetector", "VoiceStream", "TranscriptStream", "DetectorStream")


@pytest.mark.parametrize("module", [sauropod, sauropod.abc, sauropod.blocking, sauropod.errors, sauropod.testing])
def test_everything_public_is_there_and_says_what_it_is(module: object) -> None:
    for name in module.__all__:  # type: ignore[attr-defined]
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name


def test_every_error_is_exported_and_the_tree_names_it() -> None:
    for name in sauropod.errors.__all__:
        assert getattr(sauropod, name) is getattr(sauropod.errors, name)
        assert name in (sauropod.errors.__doc__ or "")
        assert issubclass(getattr(sauropod.errors, name), sauropod.SauropodError)


@pytest.mark.parametrize(
    "error",
    [
        sauropod.PromptTooLong(5000, 4096),
        sauropod.PromptTooLong(5000, 4096, exact=False),
        sauropod.QueueFull(3, 2),
        sauropod.BackendCrashed("x", signal="SIGSEGV", exit_code=3, output=("a", "b"), quarantined=True),
        sauropod.ModelNotFound("no such model"),
        sauropod.OutOfMemory("too big"),
    ],
)
def test_errors_survive_the_way_from_a_worker(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


@pytest.mark.parametrize("noun", ["Engine", "Transcriber", "Voice", "VoiceDetector"])
def test_options_of_nouns_are_the_same_with_and_without_async(noun: str) -> None:
    asynchronous = inspect.signature(getattr(sauropod, noun)).parameters
    blocking = inspect.signature(getattr(sauropod.blocking, noun)).parameters
    keywords = {name for name, parameter in asynchronous.items() if parameter.kind is parameter.KEYWORD_ONLY}
    assert set(getattr(sauropod.blocking, f"{noun}Options").__annotations__) == keywords
    assert asynchronous["source"] == blocking["source"]


def test_options_of_requests_are_the_same_with_and_without_async() -> None:
    methods = {
        "Engine": ("complete", "stream", "run", "count_tokens", "embed", "count_embedded", "tokenize", "detokenize"),
        "Voice": ("say", "stream"),
        "Transcriber": ("transcribe", "stream"),
        "VoiceDetector": ("detect", "stream"),
        "DetectorStream": ("feed", "finish"),
        "Session": (
            *("send", "commit", "clear", "respond", "cancel", "truncate"),
            *("add", "remove", "retrieve", "update"),
        ),
    }
    for noun, names in methods.items():
        for method in names:
            asynchronous = inspect.signature(getattr(getattr(sauropod, noun), method)).parameters
            blocking = inspect.signature(getattr(getattr(sauropod.blocking, noun), method)).parameters
            assert asynchronous == blocking


def test_settings_of_sessions_are_the_same_with_and_without_async() -> None:
    fields = {field.name for field in attrs.fields(sauropod.SessionSettings)}
    assert set(sauropod.SessionOptions.__annotations__) == fields
    asynchronous = inspect.signature(sauropod.Session.__init__).parameters
    assert asynchronous.keys() == inspect.signature(sauropod.blocking.Session.__init__).parameters.keys()


def test_options_of_requests_hold_those_of_sampling_and_of_conversations() -> None:
    chat = {field.name for field in attrs.fields(ChatOptions)}
    own = {"raw", "sampling", "priority"}
    assert set(get_type_hints(AskOptions)) == chat | own | set(get_type_hints(SamplingOptions))
    assert set(get_type_hints(AskOptions)) - set(get_type_hints(RunOptions)) == {"tools", "raw"}
    limits = {field.name for field in attrs.fields(RunLimits)}
    assert set(get_type_hints(RunOptions)) - set(get_type_hints(AskOptions)) == limits
    assert set(get_type_hints(PromptOptions)) - {"raw"} <= chat


def test_methods_are_the_same_with_and_without_async() -> None:
    renamed = {"aclose": "close", "__aenter__": "__enter__", "__aexit__": "__exit__"}
    for name in ("Engine", "Session", "TextStream", "ToolRun", *SPEECH):
        names = {renamed.get(each, each) for each in vars(getattr(sauropod, name)) if not each.startswith("_")}
        assert names <= set(dir(getattr(sauropod.blocking, name)))


def test_sampling_options_are_the_fields_of_sampling_params() -> None:
    assert set(SamplingOptions.__annotations__) == {field.name for field in attrs.fields(SamplingParams)}


def test_importing_the_library_imports_no_extra() -> None:
    heavy = {"numpy", "huggingface_hub", "llama_cpp", "jinja2", "gguf", "trio", "onnxruntime", "httpx"}
    heavy |= {"soxr", "soundfile", "msgspec", "jsonschema_rs", "docstring_parser"}
    program = f"import sauropod, sys; print(sorted({heavy} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
