"""What a name means."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sauropod._sources.references import Demo, HubModel, LocalModel, NamedModel, Reference, parse_reference
from sauropod.errors import ModelNotFound

REPO = "bartowski/Llama-3.2-1B-Instruct-GGUF"


def hub(**chosen: str) -> HubModel:
    return HubModel(REPO, **chosen)


MEANINGS: dict[str, Reference] = {
    "demo": Demo(),
    # paths
    "./model.gguf": LocalModel("./model.gguf"),
    "../models/model.gguf": LocalModel("../models/model.gguf"),
    "/srv/models/model.gguf": LocalModel("/srv/models/model.gguf"),
    "~/models": LocalModel("~/models"),
    "C:\\models\\model.gguf": LocalModel("C:\\models\\model.gguf"),
    "d:/models/model.gguf": LocalModel("d:/models/model.gguf"),
    "\\\\server\\share\\model.gguf": LocalModel("\\\\server\\share\\model.gguf"),
    "models/model.gguf": LocalModel("./models/model.gguf"),
    "my models/a model.gguf": LocalModel("./my models/a model.gguf"),
    "models\\model.gguf": LocalModel("./models\\model.gguf"),
    "a/b/c": LocalModel("./a/b/c"),
    "models/": LocalModel("./models/"),
    ".": LocalModel("."),
    # bare names
    "llama": NamedModel("llama"),
    "llama.gguf": NamedModel("llama.gguf"),
    "llama:q8_0": NamedModel("llama", "q8_0"),
    "llama3:latest": NamedModel("llama3"),
    # the hub
    REPO: hub(),
    f"  {REPO}\n": hub(),
    f"hf:{REPO}": hub(),
    f"HF:{REPO}": hub(),
    f"hf://{REPO}": hub(),
    f"hf://models/{REPO}": hub(),
    f"hf.co/{REPO}": hub(),
    f"huggingface.co/{REPO}": hub(),
    f"https://huggingface.co/{REPO}": hub(),
    f"https://huggingface.co/{REPO}/": hub(),
    f"http://hf.co/{REPO}": hub(),
    f"https://www.huggingface.co/{REPO}?library=llama-cpp-python#files": hub(),
    f"{REPO}:Q4_K_M": hub(quantization="Q4_K_M"),
    f"hf:{REPO}:q4_k_m": hub(quantization="q4_k_m"),
    f"hf:{REPO}:UD-Q4_K_XL": hub(quantization="UD-Q4_K_XL"),
    f"hf.co/{REPO}:latest": hub(),
    f"hf:{REPO}:model.gguf": hub(file="model.gguf"),
    f"hf:{REPO}:sub/model.gguf": hub(file="sub/model.gguf"),
    f"hf:{REPO}/model.gguf": hub(file="model.gguf"),
    f"{REPO}/model.gguf": hub(file="model.gguf"),
    f"{REPO}/sub/dir/model.GGUF": hub(file="sub/dir/model.GGUF"),
    f"hf:{REPO}@v1.0": hub(revision="v1.0"),
    f"hf:{REPO}@refs/pr/7": hub(revision="refs/pr/7"),
    f"hf:{REPO}@refs/pr/7:Q8_0": hub(revision="refs/pr/7", quantization="Q8_0"),
    f"hf:{REPO}@feature%2Fx/model.gguf": hub(revision="feature/x", file="model.gguf"),
    f"{REPO}@v1:Q8_0": hub(revision="v1", quantization="Q8_0"),
    f"{REPO}:Q8_0@v1": hub(revision="v1", quantization="Q8_0"),
    f"{REPO}/a@b.gguf": hub(file="a@b.gguf"),
    f"{REPO}/model.gguf@v1": hub(revision="v1", file="model.gguf"),
    # links from the browser
    f"https://huggingface.co/{REPO}/blob/main/model.gguf": hub(revision="main", file="model.gguf"),
    f"https://huggingface.co/{REPO}/resolve/v1/sub/model.gguf?download=true": hub(revision="v1", file="sub/model.gguf"),
    f"https://huggingface.co/{REPO}/blob/refs%2Fpr%2F1/model.gguf": hub(revision="refs/pr/1", file="model.gguf"),
    f"https://huggingface.co/{REPO}/blob/main/a%20model.gguf": hub(revision="main", file="a model.gguf"),
    f"https://huggingface.co/{REPO}/tree/main": hub(revision="main"),
    f"https://huggingface.co/{REPO}/tree/feature%2Fx": hub(revision="feature/x"),
    f"https://huggingface.co/{REPO}/blob/feature%2Fx/sub/model.gguf": hub(revision="feature/x", file="sub/model.gguf"),
    f"https://huggingface.co/{REPO}?show_file_info=a%2520b.gguf": hub(revision="main", file="a%20b.gguf"),
    f"huggingface.co/{REPO}@feature%2Fx": hub(revision="feature/x"),
    f"https://huggingface.co/{REPO}/tree/main/Q4_K_M": hub(revision="main", quantization="Q4_K_M"),
    f"https://huggingface.co/{REPO}?show_file_info=model.gguf": hub(revision="main", file="model.gguf"),
    f"hf:{REPO}/model.safetensors": hub(file="model.safetensors"),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_a_name_means_what_it_says(text: str) -> None:
    assert parse_reference(text) == MEANINGS[text]


@pytest.mark.parametrize("reference", MEANINGS.values(), ids=str)
def test_a_meaning_is_written_so_that_it_means_the_same(reference: Reference) -> None:
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("mapping", "meaning"),
    [
        ({"repo": REPO}, hub()),
        ({"repo": f"hf:{REPO}", "quantization": "Q8_0"}, hub(quantization="Q8_0")),
        ({"repo": REPO, "file": "model.gguf", "revision": "v1"}, hub(file="model.gguf", revision="v1")),
        ({"repo": f"{REPO}@v1", "quantization": "latest"}, hub(revision="v1")),
        ({"path": "model.gguf"}, LocalModel("./model.gguf")),
        ({"path": "/models", "quantization": "Q8_0"}, LocalModel("/models", "Q8_0")),
    ],
)
def test_a_mapping_names_a_model(mapping: dict[str, str], meaning: Reference) -> None:
    assert parse_reference(mapping) == meaning


def test_a_quantisation_beside_a_path_is_told_with_it() -> None:
    assert str(parse_reference({"path": "models", "quantization": "Q8_0"})) == "./models (Q8_0)"


def test_paths_are_paths() -> None:
    assert parse_reference(Path("model")) == LocalModel("./model")
    assert parse_reference(Path("/a/b c.gguf")) == LocalModel("/a/b c.gguf")
    assert parse_reference(parse_reference("demo")) == Demo()


def test_names_that_may_be_paths_remember_it() -> None:
    bare, plain = parse_reference(f"{REPO}:Q8_0"), parse_reference(f"hf:{REPO}:Q8_0")
    assert isinstance(bare, HubModel)
    assert isinstance(plain, HubModel)
    assert (bare.local, plain.local) == (f"{REPO}:Q8_0", None)


def test_links_to_another_hub_are_followed_if_it_is_ours() -> None:
    with pytest.raises(ModelNotFound, match=r"only those to huggingface\.co"):
        parse_reference(f"https://hub.example/{REPO}")
    assert parse_reference(f"https://hub.example/{REPO}", hosts={"hub.example"}) == hub()
    assert parse_reference(f"http://hub.example:80/{REPO}", hosts={"hub.example:80"}) == hub()


WRONG: list[tuple[Any, str]] = [
    ("", "empty"),
    ("  ", "empty"),
    ("a\0b", "control characters"),
    ("hf:org/re\npo", "control characters"),
    ("x" * 1_000_000, "1,000,000 characters"),
    ("hf:", "org/repo"),
    ("hf:gpt2", "lacks the owner"),
    ("https://huggingface.co", "org/repo"),
    ("https://huggingface.co/meta-llama", "lacks the owner"),
    ("hf:org/repo/../../x", "file of a repository"),
    ("hf:org/repo/../../x.gguf", "file of a repository"),
    ("hf:org/repo:../x.gguf", "file of a repository"),
    ("hf:../repo", "org/repo"),
    ("hf:org/..", "cannot be a repository"),
    ("hf:org/a--b", "cannot be a repository"),
    ("hf:-org/repo", "cannot be a repository"),
    ("hf:org/repo:Q4 K", "quantisation"),
    ("hf:org/repo:", "quantisation"),
    ("hf:org/repo@", "branch, tag or commit"),
    ("hf:org/repo@../x", "branch, tag or commit"),
    ("hf:org/repo@$(reboot)", "branch, tag or commit"),
    ("hf:org/repo; rm -rf", "may not follow"),
    ("hf:org/repo@feature/x", "a slash in a branch's name is written %2F, as in @feature%2Fx"),
    ("org/repo@feature/x:Q8_0", "as in @feature%2Fx:Q8_0"),
    ("file:///srv/a%20model.gguf", "a file is named by its path alone, here '/srv/a model.gguf'"),
    ("hf:org/repo/README.md", "file of a repository"),
    ("hf:org/repo//model.gguf", "file of a repository"),
    ("hf://datasets/org/repo", "leads to datasets"),
    ("https://huggingface.co/spaces/org/repo", "leads to spaces"),
    ("https://huggingface.co/org/repo/blob/main/README.md", "file of a repository"),
    ("https://huggingface.co/org/repo/tree/main/a/b", "quantisation"),
    ("https://huggingface.co/org/repo/blob/main/%2e%2e/x.gguf", "file of a repository"),
    ("https://huggingface.co/org/repo%00", "control characters"),
    ("https://example.com/model.gguf", "Download the file"),
    ("https://[::1", "malformed"),
    ("s3://bucket/model.gguf", "only those to huggingface.co"),
    ("ollama:llama3:8b", "no scheme"),
    (":Q4_K_M", "no scheme"),
    ({}, "either a path, or a repo"),
    ({"path": "a", "repo": REPO}, "either a path, or a repo"),
    ({"path": "a", "file": "b.gguf"}, "either a path, or a repo"),
    ({"repo": "llama"}, "org/repo"),
    ({"repo": REPO, "quantisation": "Q8_0"}, "'quantisation' is not one of"),
    ({"repo": REPO, "file": "a.gguf", "quantization": "Q8_0"}, "two answers"),
    ({"repo": REPO, "revision": 1}, "not a text"),
    ({"repo": REPO, "file": "../a.gguf"}, "file of a repository"),
    ({"path": "a", "quantization": "a b"}, "quantisation"),
    (None, "NoneType"),
    (42, "int"),
]


@pytest.mark.parametrize(("source", "why"), WRONG, ids=lambda each: repr(each)[:40])
def test_what_names_no_model_is_refused_with_the_reason(source: Any, why: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        parse_reference(source)
    message = str(caught.value)
    assert why in message
    assert "A model can be written as" in message
    assert len(message) < 2500


pieces = st.sampled_from(
    ["hf:", "hf://", "https://huggingface.co/", "org", "/", "repo", ":", "Q4_K_M", "@", "main", ".gguf", "..", "%2F",
     " ", "blob", "resolve", "tree", "refs/pr/1", "~", "\\", "C:", "demo", "-", "\0", "é", "?", "#", "datasets"]
)  # fmt: skip


@settings(max_examples=400)
@given(st.one_of(st.text(max_size=60), st.lists(pieces, max_size=9).map("".join)))
@example("./ a")
@example("a/b:c.gguf@d")
@example("hf:a/b@c%2Fd:e")
def test_any_text_is_understood_or_refused_and_written_back(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ModelNotFound:
        return
    assert parse_reference(str(reference)) == reference


@given(st.dictionaries(st.sampled_from(["repo", "file", "path", "revision", "quantization", "x"]), st.text(max_size=9)))
def test_any_mapping_is_understood_or_refused(mapping: dict[str, str]) -> None:
    with contextlib.suppress(ModelNotFound):
        assert isinstance(parse_reference(mapping), Reference)
