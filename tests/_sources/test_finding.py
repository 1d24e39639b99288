"""Finding models on this machine, and looking after those that are there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gguf_files
from sauropod._sources import Removed, find_model, find_projector, installed, local_models, remove
from sauropod._sources.header import Header
from sauropod._sources.hub import Hub
from sauropod._values.loading import Source
from sauropod.errors import LoadError, ModelNotFound, UnsupportedModel


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of our own to be in, with no hub to reach and nothing cached."""
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    for name in ("SAUROPOD_MODELS", "HF_ENDPOINT", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(local_models, "demo_path", lambda: tmp_path / "assets" / "demo.gguf")
    return directory


def put(path: Path | str, content: bytes | None = None) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf_files.model() if content is None else content)
    return path.absolute()


# -- paths -------------------------------------------------------------------------------------------------------------


def test_a_file_is_found_however_its_path_is_written(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    path = put(here / "models" / "tiny-Q8_0.gguf")
    for written in ("models/tiny-Q8_0.gguf", "./models/tiny-Q8_0.gguf", "~/models/tiny-Q8_0.gguf", path, str(path)):
        found = find_model(written)
        assert found.name == "tiny-Q8_0"
        assert found.files == (path,)
    assert find_model({"path": str(path)}).files == (path,)


def test_a_file_needs_no_particular_ending(here: Path) -> None:
    path = put("blob")
    assert find_model("./blob").files == (path,)


def test_a_directory_stands_for_the_model_in_it(here: Path) -> None:
    put("models/tiny-Q8_0.gguf")
    best = put("models/Q4_K_M/tiny-Q4_K_M.gguf")
    put("models/.cache/tiny-Q4_K_M.gguf", b"not looked at")
    put("models/imatrix.gguf", b"nor this")
    assert find_model("./models").files == (best,)
    assert find_model({"path": "models", "quantization": "q8_0"}).name == "tiny-Q8_0"
    with pytest.raises(ModelNotFound, match="models has no Q2_K file"):
        find_model({"path": "models", "quantization": "Q2_K"})


def test_a_projector_beside_a_model_is_named(here: Path) -> None:
    put("models/tiny-Q8_0.gguf")
    there = put("models/mmproj-F16.gguf", gguf_files.projector())
    assert find_model("./models").projector == there
    assert find_model("./models/tiny-Q8_0.gguf").projector == there


def test_a_projector_is_named_by_its_file(here: Path) -> None:
    there = put("models/ears.gguf", gguf_files.projector(hears=True))
    model = put("models/tiny.gguf")
    assert find_projector("models/ears.gguf") == find_projector(there) == there
    with pytest.raises(ModelNotFound, match="A projector is named by its file"):
        find_projector("./models")
    with pytest.raises(UnsupportedModel, match="is none"):
        find_projector(model)


@pytest.mark.parametrize(
    "content", [gguf_files.model(), gguf_files.projector()[:100], b""], ids=["a model", "half a projector", "nothing"]
)
def test_what_is_only_named_like_a_projector_is_in_nobodys_way(
    here: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sauropod")
    path = put("models/tiny-Q8_0.gguf")
    put("models/mmproj-F16.gguf", content)
    assert find_model("./models") == Source("tiny-Q8_0", (path,))
    assert "The model is used without a projector: " in caplog.text


def test_a_directory_may_hold_any_number_of_other_files(here: Path) -> None:
    path = put("models/zebra.gguf")
    for number in range(20_001):
        (here / "models" / f"{number}.jpg").touch()
    assert find_model("./models/zebra.gguf").files == (path,)
    assert find_model("./models").files == (path,)


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_what_cannot_be_looked_at_below_a_directory_is_passed_over(here: Path) -> None:
    path = put("models/tiny.gguf")
    (here / "models" / "loop.gguf").symlink_to("loop.gguf")
    (here / "models" / "loop").symlink_to("loop")
    assert find_model("./models").files == (path,)


def test_a_split_model_is_found_by_any_of_its_parts(here: Path) -> None:
    paths = [put(f"tiny-{n:05}-of-00003.gguf", raw) for n, raw in enumerate(gguf_files.parts(3), 1)]
    for name in [*paths, here]:
        assert [each.name for each in find_model(name).files] == [each.name for each in paths]
    paths[1].unlink()
    with pytest.raises(ModelNotFound, match=r"lacks 1 of the 3 parts of a split model: tiny-00002-of-00003\.gguf\."):
        find_model(paths[0])


def test_parts_that_were_mixed_up_are_refused(here: Path) -> None:
    one, two = gguf_files.parts(2)
    put("tiny-00001-of-00002.gguf", two)
    put("tiny-00002-of-00002.gguf", one)
    with pytest.raises(UnsupportedModel, match=r"calls itself part 2 of 2: the parts come from different models"):
        find_model(here)
    put("renamed.gguf", one)
    with pytest.raises(UnsupportedModel, match="says it is part 1 of 2, and its name says 1"):
        find_model("./renamed.gguf")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gguf_files.model()[:1200], "it was cut short"),
        (b"<!doctype html>", "web page"),
        (gguf_files.projector(), "a projector beside it is found by itself"),
        (gguf_files.adapter(), "is an adapter"),
    ],
)
def test_a_file_that_is_no_whole_model_is_refused(here: Path, content: bytes, said: str) -> None:
    put("model.gguf", content)
    with pytest.raises(UnsupportedModel, match=said):
        find_model("./model.gguf")


def test_the_check_sees_the_header_and_may_refuse(here: Path) -> None:
    seen: list[Header] = []
    put("model.gguf")
    find_model("./model.gguf", check=seen.append)
    assert [each.architecture for each in seen] == ["llama"]

    def refuse(header: Header) -> None:
        raise MemoryError(header.tensor_bytes)

    with pytest.raises(MemoryError):
        find_model("./model.gguf", check=refuse)


def test_a_path_that_leads_nowhere_says_what_is_near(here: Path) -> None:
    put("models/llama-8b-Q4_K_M.gguf")
    with pytest.raises(ModelNotFound, match=r"Did you mean llama-8b-Q4_K_M\.gguf\?"):
        find_model("./models/lama-8b-q4_k_m.gguf")
    with pytest.raises(ModelNotFound, match="not even a directory"):
        find_model("/nowhere/at/all.gguf")
    with pytest.raises(ModelNotFound, match="user who is not known"):
        find_model("~nobody-of-this-name/model.gguf")
    with pytest.raises(ModelNotFound):
        find_model("./" + "x" * 4000)
    with pytest.raises(ModelNotFound, match="cannot be chosen"):
        find_model({"path": "models/llama-8b-Q4_K_M.gguf", "quantization": "Q8_0"})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_read(here: Path) -> None:
    os.mkfifo("model.gguf")
    with pytest.raises(ModelNotFound, match="neither a file nor a directory"):
        find_model("./model.gguf")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read_says_so(here: Path) -> None:
    put("model.gguf").chmod(0)
    with pytest.raises(ModelNotFound, match="cannot be read: Permission denied"):
        find_model("./model.gguf")


def test_a_path_wins_over_a_repository_of_the_same_name(here: Path) -> None:
    path = put("org/repo/tiny-Q8_0.gguf")
    assert find_model("org/repo").files == (path,)
    assert find_model("org/repo:Q8_0").files == (path,)
    assert find_model("org/repo/tiny-Q8_0.gguf").files == (path,)
    with pytest.raises(ModelNotFound, match="HF_HUB_OFFLINE"):
        find_model("hf:org/repo")
    with pytest.raises(ModelNotFound, match="Nor is there a file or directory 'org/other' here"):
        find_model("org/other")


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.setenv("SAUROPOD_MODELS", os.pathsep.join([str(first), str(tmp_path / "missing"), str(second)]))
    return first, second


def test_a_name_is_looked_up_on_the_shelves_in_order(shelves: tuple[Path, Path]) -> None:
    first, second = shelves
    in_second = put(second / "llama.gguf")
    assert find_model("llama").files == (in_second,)
    assert find_model("llama.gguf").files == (in_second,)
    in_first = put(first / "Llama.gguf")
    assert find_model("llama").files == (in_first,)
    assert find_model("llama").name == "Llama"


def test_a_name_may_leave_the_quantisation_out(shelves: tuple[Path, Path]) -> None:
    first, second = shelves
    put(first / "other-Q4_K_M.gguf")
    q8, q4 = put(second / "Llama-3.2-1B-Q8_0.gguf"), put(second / "Llama-3.2-1B-Q4_K_M.gguf")
    assert find_model("Llama-3.2-1B").files == (q4,)
    assert find_model("llama-3.2-1b:q8_0").files == (q8,)
    assert find_model("Llama-3.2-1B-Q8_0").files == (q8,)


def test_a_name_may_be_that_of_a_directory(shelves: tuple[Path, Path]) -> None:
    q8, q4 = put(shelves[0] / "vision" / "m-Q8_0.gguf"), put(shelves[0] / "vision" / "m-Q4_K_M.gguf")
    there = put(shelves[0] / "vision" / "mmproj-F16.gguf", gguf_files.projector())
    assert find_model("vision") == Source("m-Q4_K_M", (q4,), there)
    assert find_model("vision:Q8_0") == Source("m-Q8_0", (q8,), there)


def test_a_name_here_comes_before_the_shelves(here: Path, shelves: tuple[Path, Path]) -> None:
    put(shelves[0] / "llama" / "a-Q4_K_M.gguf")
    (here / "llama").mkdir()
    assert find_model("llama").name == "a-Q4_K_M"
    put(here / "llama" / "b-Q4_K_M.gguf")
    assert find_model("llama").name == "b-Q4_K_M"


def test_a_name_that_is_not_there_says_where_was_looked_and_what_is_near(shelves: tuple[Path, Path]) -> None:
    put(shelves[0] / "Llama-3.2-1B-Q8_0.gguf")
    with pytest.raises(ModelNotFound) as caught:
        find_model("lama-3.2-1b")
    assert str(shelves[1]) in str(caught.value)
    assert "Did you mean Llama-3.2-1B-Q8_0?" in str(caught.value)
    assert str(caught.value).endswith("such as ./model.gguf, and a repository on the hub as org/repo.")
    assert "\n" not in str(caught.value)


def test_a_quantisation_that_the_demo_lacks_is_not_answered_with_itself() -> None:
    with pytest.raises(ModelNotFound, match=r"There is no model 'demo:Q8_0' in .* Did you mean demo\?"):
        find_model("demo:Q8_0")


def test_a_name_without_shelves_says_how_to_have_some() -> None:
    with pytest.raises(ModelNotFound, match="SAUROPOD_MODELS, which may list directories of models, is not set"):
        find_model("llama")


def test_the_demo_comes_with_the_package() -> None:
    with pytest.raises(ModelNotFound, match="lacks its demo model"):
        find_model("demo")
    path = put(local_models.demo_path())
    assert find_model("demo") == Source("demo", (path,))


# -- what is installed -------------------------------------------------------------------------------------------------


def test_what_is_on_the_shelves_is_listed_by_names_that_load_it(shelves: tuple[Path, Path]) -> None:
    put(local_models.demo_path())
    put(shelves[0] / "Llama-Q8_0.gguf")
    put(shelves[0] / "sub" / "Qwen-Q4_K_M.gguf")
    put(shelves[0] / "mmproj-F16.gguf", gguf_files.projector())
    put(shelves[0] / "broken.gguf", b"GGUF")
    put(shelves[0] / "photos" / "a.gguf", b"hi")
    like_the_demo = put(shelves[0] / "demo.gguf")
    put(shelves[1] / "Llama-Q8_0.gguf")
    for n, raw in enumerate(gguf_files.parts(2), 1):
        put(shelves[1] / f"split-{n:05}-of-00002.gguf", raw)
    put(shelves[1] / "half-00001-of-00002.gguf")
    found = {each.name: each for each in installed()}
    assert set(found) == {"demo", str(like_the_demo), "Llama-Q8_0", "Qwen-Q4_K_M", "broken", "split"}
    assert found["Llama-Q8_0"].path == shelves[0] / "Llama-Q8_0.gguf"
    assert found["Llama-Q8_0"].bytes == len(gguf_files.model())
    assert (found["Llama-Q8_0"].quantization, found["demo"].quantization) == ("Q8_0", "Q4_K_M")
    assert (found["split"].architecture, found["broken"].architecture) == ("llama", "")
    assert len(found["split"].files) == 2
    for name in set(found) - {"broken"}:
        assert tuple(find_model(name).files) == tuple(found[name].files)


def test_a_model_on_a_shelf_is_removed_with_its_projector(shelves: tuple[Path, Path]) -> None:
    one, two = put(shelves[0] / "v" / "m-Q8_0.gguf"), put(shelves[0] / "v" / "m-Q4_K_M.gguf")
    there = put(shelves[0] / "v" / "mmproj-F16.gguf", gguf_files.projector())
    size = one.stat().st_size
    assert remove("m-Q8_0") == Removed([one], size)
    assert (one.exists(), two.exists(), there.exists()) == (False, True, True)
    assert remove("v") == Removed([two, there], size + len(gguf_files.projector()))
    assert list((shelves[0] / "v").iterdir()) == []
    with pytest.raises(ModelNotFound, match="no model m-Q8_0"):
        remove("m-Q8_0")


def test_a_projector_stays_for_a_model_in_another_directory(shelves: tuple[Path, Path]) -> None:
    there = put(shelves[0] / "mmproj-tiny.gguf", gguf_files.projector())
    put(shelves[0] / "a" / "tiny-Q8_0.gguf")
    put(shelves[0] / "b" / "tiny-Q4_K_M.gguf")
    remove("tiny:Q8_0")
    assert there.exists()
    remove("tiny")
    assert not there.exists()


@pytest.mark.parametrize("name", ["notes.txt", "photos", "photos/a.gguf", "a", "mmproj-only.gguf", "imatrix", "half"])
def test_what_is_not_listed_is_not_removed(shelves: tuple[Path, Path], name: str) -> None:
    put(shelves[0] / "notes.txt", b"remember the milk")
    put(shelves[0] / "photos" / "a.gguf", b"hi")
    put(shelves[0] / "mmproj-only.gguf", gguf_files.projector())
    put(shelves[0] / "imatrix.gguf")
    put(shelves[0] / "half-00001-of-00002.gguf")
    with pytest.raises(LoadError):
        remove(name)
    assert len([each for each in shelves[0].rglob("*") if each.is_file()]) == 5


def test_a_name_that_several_models_share_removes_none(shelves: tuple[Path, Path]) -> None:
    paths = [put(shelves[0] / "llama-Q4_K_M.gguf"), put(shelves[0] / "llama-Q8_0.gguf")]
    with pytest.raises(ModelNotFound, match=r"llama stands for several models\. Name one of them") as caught:
        remove("llama")
    assert all(str(path) in str(caught.value) and path.exists() for path in paths)
    put(shelves[1] / "pair" / "a-Q8_0.gguf")
    put(shelves[1] / "pair" / "b-Q8_0.gguf")
    for name in ("pair", "pair:Q8_0"):
        with pytest.raises(ModelNotFound, match="stands for several models"):
            remove(name)
    assert remove("llama:q8_0").files == [paths[1]]
    assert remove("llama").files == [paths[0]]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may delete everything")
def test_a_file_that_may_not_be_deleted_says_so(shelves: tuple[Path, Path]) -> None:
    put(shelves[0] / "llama.gguf")
    shelves[0].chmod(0o500)
    try:
        with pytest.raises(LoadError, match=r"llama\.gguf cannot be deleted: Permission denied"):
            remove("llama")
    finally:
        shelves[0].chmod(0o700)


def test_only_what_is_kept_for_models_is_removed(here: Path, shelves: tuple[Path, Path]) -> None:
    put(local_models.demo_path())
    path = put(here / "llama.gguf")
    for name in ("demo", "./llama.gguf", str(path)):
        with pytest.raises(LoadError, match="not sauropod's to remove"):
            remove(name)
    with pytest.raises(ModelNotFound):
        remove("llama.gguf")
    with pytest.raises(ModelNotFound, match="org/repo is not in the cache"):
        remove("org/repo")
    assert path.exists()


def test_an_empty_machine_has_no_models() -> None:
    assert installed() == []


# -- surroundings ------------------------------------------------------------------------------------------------------


def test_the_environment_is_read_when_it_is_needed() -> None:
    assert Hub.from_environment({}).cache == Path("~/.cache/huggingface/hub").expanduser()
    assert Hub.from_environment({"XDG_CACHE_HOME": "/x"}).cache == Path("/x/huggingface/hub")
    assert Hub.from_environment({"HF_HOME": "/h", "XDG_CACHE_HOME": "/x"}).cache == Path("/h/hub")
    assert Hub.from_environment({"HF_HUB_CACHE": "/c", "HF_HOME": "/h"}).cache == Path("/c")
    assert Hub.from_environment({"HUGGINGFACE_HUB_CACHE": "/old"}).cache == Path("/old")
    assert Hub.from_environment({"HF_ENDPOINT": "https://hub.example/"}).host == "hub.example"
    assert [Hub.from_environment({"HF_HUB_OFFLINE": each}).offline for each in ("1", "true", "0", "")] == [
        True,
        True,
        False,
        False,
    ]
    assert Hub.from_environment({"HF_HUB_DOWNLOAD_TIMEOUT": "60"}).timeout == 60
    assert Hub.from_environment({"HF_HUB_DOWNLOAD_TIMEOUT": "²"}).timeout == 20
    assert Hub.from_environment({"HF_ENDPOINT": "http://[::1"}).host == ""


@pytest.mark.parametrize("name", ["HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "SAUROPOD_MODELS"])
def test_a_directory_in_nobodys_home_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv(name, "~nobody-of-this-name/x")
    with pytest.raises(LoadError, match=f"is in a home that is not known here. Set {name} to another directory"):
        find_model("llama")


def test_the_cache_is_where_huggingface_hub_has_it(tmp_path: Path) -> None:
    code = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE, constants.ENDPOINT)"
    for chosen in ({}, {"HF_HOME": "$HOME/h"}, {"XDG_CACHE_HOME": "/x"}, {"HF_HUB_CACHE": "~/c", "HF_HOME": "/h"}):
        environment = {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "HF_ENDPOINT": "http://hub.example/",
            **chosen,
        }
        theirs = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True
        )
        ours = subprocess.run(
            [
                sys.executable,
                "-c",
                "from sauropod._sources.hub import Hub; h = Hub.from_environment(); print(h.cache, h.endpoint)",
            ],
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        )
        assert ours.stdout == theirs.stdout


def test_a_model_on_this_machine_needs_no_huggingface_hub(here: Path) -> None:
    put("model.gguf")
    code = (
        "import sys; from sauropod._sources import find_model, installed;"
        "find_model('./model.gguf'); installed();"
        "print([name for name in ('huggingface_hub', 'httpx', 'httpx2', 'tqdm') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
