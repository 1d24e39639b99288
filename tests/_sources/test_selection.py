"""Which file of several is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod._sources.selection import (
    PREFERENCE,
    File,
    candidates,
    choose,
    choose_file,
    choose_projector,
    fits,
    quantization_of,
)
from sauropod.errors import ModelNotFound, UnsupportedModel


def files(*paths: str) -> list[File]:
    return [File(path, 1_000_000) for path in paths]


def chosen(*paths: str, quantization: str | None = None, mixed: bool = False) -> str:
    return choose(files(*paths), quantization, "org/repo", mixed=mixed).path


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "Q4_K_M"),
        ("llama-2-7b.Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2-0_5b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("model_Q8_0.gguf", "Q8_0"),
        ("model.i1-IQ2_XXS.gguf", "IQ2_XXS"),
        ("Model-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("UD-Q2_K_XL/DeepSeek-R1-UD-Q2_K_XL-00002-of-00005.gguf", "UD-Q2_K_XL"),
        ("BF16/Model-00001-of-00002.gguf", "BF16"),
        ("model-fp16.gguf", "F16"),
        ("Phi-3-mini-4k-instruct-q4.gguf", "Q4"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("gpt-oss-20b-MXFP4_MOE.gguf", "MXFP4_MOE"),
        ("model-TQ1_0.gguf", "TQ1_0"),
        ("model-nvfp4.gguf", "NVFP4"),
        ("Q8_0/model-Q4_0.gguf", "Q4_0"),
        ("q8-chat-model.gguf", "Q8"),
        ("model.gguf", ""),
        ("Qwen3-8B.gguf", ""),
        ("tinyQ4_K_M.gguf", ""),
    ],
)
def test_a_name_says_its_quantisation(path: str, label: str) -> None:
    assert quantization_of(path) == label


def test_without_a_wish_q4_k_m_is_taken_then_its_neighbours_and_full_precision_last() -> None:
    order = ["Q4_K_M", "UD-Q4_K_XL", "Q4_K_S", "IQ4_XS", "MXFP4", "Q5_K_M", "Q6_K", "Q8_0", "Q4_0", "Q3_K_M", "IQ2_M"]
    paths = [f"model-{label}.gguf" for label in [*order, "IQ1_S"]] + ["model.gguf", "model-BF16.gguf", "model-F16.gguf"]
    found = [each.path for each in candidates(files(*reversed(paths), "model-f32.gguf"))]
    assert found == [*paths, "model-f32.gguf"]


@given(st.permutations([f"m-{label}.gguf" for label in PREFERENCE if label]))
def test_the_order_of_a_listing_does_not_matter(paths: list[str]) -> None:
    assert [each.quantization for each in candidates(files(*paths))] == [label for label in PREFERENCE if label]


def test_files_that_go_with_a_model_are_never_taken_for_it() -> None:
    others = [
        "mmproj-model-Q4_K_M.gguf",
        "Model-mmproj-f16.gguf",
        "imatrix.gguf",
        "Model-imatrix.gguf",
        "draft-Q4_K_M.gguf",
        "mtp-Model-Q4_K_M.gguf",
        "eagle3-Model-Q4_K_M.gguf",
        "README.md",
        "Model-Q4_K_M.bin",
    ]
    assert chosen(*others, "Model-Q8_0.gguf") == "Model-Q8_0.gguf"
    with pytest.raises(ModelNotFound, match="only files that go with one"):
        chosen(*others)


def test_adapters_and_drafts_are_taken_only_where_there_is_nothing_else() -> None:
    assert chosen("Model-lora-Q4_K_M.gguf", "adapter.gguf", "Model-Q8_0.gguf") == "Model-Q8_0.gguf"
    assert chosen("Model-DRAFT-0.5B-Q4_K_M.gguf", "Model-24B-Q8_0.gguf") == "Model-24B-Q8_0.gguf"
    assert chosen("alpaca-lora-7b-Q4_K_M.gguf", "alpaca-lora-7b-Q8_0.gguf") == "alpaca-lora-7b-Q4_K_M.gguf"


def test_a_quantisation_is_matched_whole_and_in_any_case() -> None:
    paths = ["m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-UD-Q4_K_XL.gguf", "m-Q8_0.gguf", "F16/m-00001-of-00001.gguf"]
    assert chosen(*paths, quantization="q8_0") == "m-Q8_0.gguf"
    assert chosen(*paths, quantization="Q4_K_XL") == "m-UD-Q4_K_XL.gguf"
    assert chosen(*paths, quantization="ud-q4_k_xl") == "m-UD-Q4_K_XL.gguf"
    assert chosen(*paths, quantization="fp16") == "F16/m-00001-of-00001.gguf"
    for wish in ("Q4_K", "Q4", "Q4_K_", "K_M", "UD-Q4_K_M"):
        with pytest.raises(ModelNotFound, match=f"org/repo has no {wish} file. It has:\n  m-Q4_K_M.gguf  \\(1.0 MB\\)"):
            chosen(*paths, quantization=wish)


def test_a_plain_quantisation_comes_before_a_dynamic_one() -> None:
    paths = ["m-UD-Q4_K_M.gguf", "m-Q4_K_M.gguf"]
    assert chosen(*paths) == chosen(*paths, quantization="Q4_K_M") == "m-Q4_K_M.gguf"
    assert all(fits(each, "Q4_K_M") for each in candidates(files(*paths)))


def test_the_parts_of_a_split_model_are_gathered_in_order() -> None:
    names = [f"Q4_K_M/m-Q4_K_M-{part:05}-of-00003.gguf" for part in (3, 1, 2)]
    found = choose(files(*names, "m-Q8_0.gguf"), None, "org/repo")
    assert [each.path for each in found.files] == sorted(names)
    assert (found.size, found.quantization, found.is_complete) == (3_000_000, "Q4_K_M", True)


def test_missing_parts_are_named() -> None:
    with pytest.raises(
        ModelNotFound, match=r"lacks 2 of the 4 parts .* m-00002-of-00004\.gguf, m-00004-of-00004\.gguf\."
    ):
        chosen("m-00001-of-00004.gguf", "m-00003-of-00004.gguf")
    with pytest.raises(ModelNotFound, match=r"lacks 99998 of the 99999 parts .*, …\."):
        chosen("m-00001-of-99999.gguf")


def test_parts_of_different_models_are_kept_apart() -> None:
    found = candidates(files("a-00001-of-00002.gguf", "b-00002-of-00002.gguf", "a-00001-of-00003.gguf"))
    assert [len(each.files) for each in found] == [1, 1, 1]


def test_several_models_of_the_same_rank_must_be_told_apart() -> None:
    paths = ["small-Q4_K_M.gguf", "large-Q4_K_M.gguf", "large-Q8_0.gguf"]
    with pytest.raises(ModelNotFound, match=r"holds several models\. Name the file that is meant:\n  large-Q4_K_M"):
        chosen(*paths)
    assert chosen(*paths, quantization="Q8_0") == "large-Q8_0.gguf"


def test_a_directory_of_unrelated_models_is_not_guessed_at() -> None:
    paths = ["llama-8b-Q4_K_M.gguf", "qwen-7b-Q8_0.gguf"]
    assert chosen(*paths) == "llama-8b-Q4_K_M.gguf"
    with pytest.raises(ModelNotFound, match="several models"):
        chosen(*paths, mixed=True)
    assert chosen(*paths, mixed=True, quantization="Q8_0") == "qwen-7b-Q8_0.gguf"
    assert chosen("m-Q8_0.gguf", "m.Q4_K_M.gguf", "Q2_K/m_Q2_K.gguf", mixed=True) == "m.Q4_K_M.gguf"


def test_weights_in_other_formats_are_said_to_be_so() -> None:
    with pytest.raises(UnsupportedModel, match="conversion is not supported yet"):
        chosen("config.json", "model-00001-of-00002.safetensors")
    with pytest.raises(ModelNotFound, match="no GGUF file"):
        chosen("README.md")


def test_any_file_may_be_named() -> None:
    there = files("mmproj-f16.gguf", "sub/m-00002-of-00002.gguf", "sub/m-00001-of-00002.gguf", "config.json")
    assert choose_file(there, "mmproj-f16.gguf", "org/repo").path == "mmproj-f16.gguf"
    whole = choose_file(there, "sub/m-00002-of-00002.gguf", "org/repo")
    assert [each.path for each in whole.files] == ["sub/m-00001-of-00002.gguf", "sub/m-00002-of-00002.gguf"]
    with pytest.raises(ModelNotFound, match=r"no file 'm-00001-of-00002\.gguf'\. It has:\n  sub/m-00001"):
        choose_file(there, "m-00001-of-00002.gguf", "org/repo")
    with pytest.raises(UnsupportedModel, match="not a GGUF"):
        choose_file(there, "config.json", "org/repo")


def projector(*paths: str, model: str) -> str | None:
    there = files(*paths, model)
    found = choose_projector(there, choose_file(there, model, "org/repo"))
    return found.path if found else None


def test_a_projector_is_found_beside_its_model() -> None:
    all_kinds = ["mmproj-F32.gguf", "mmproj-Q8_0.gguf", "mmproj-BF16.gguf", "mmproj-F16.gguf"]
    for count in range(4, 0, -1):
        assert projector(*all_kinds[:count], model="m-Q4_K_M.gguf") == all_kinds[count - 1]
    assert projector(model="m-Q4_K_M.gguf") is None
    assert projector("mmproj-F16.gguf", "Q8_0/mmproj-F32.gguf", model="Q8_0/m.gguf") == "Q8_0/mmproj-F32.gguf"
    assert projector("mmproj-F16.gguf", model="Q8_0/m.gguf") == "mmproj-F16.gguf"
    assert projector("other/mmproj-F16.gguf", model="Q8_0/m.gguf") is None


def test_among_several_models_a_projector_must_be_named_for_its_own() -> None:
    there = ["mmproj-gemma-3-4b-it-f16.gguf", "Qwen2.5-VL-7B.mmproj-f16.gguf", "llama-8b-Q8_0.gguf"]
    assert projector(*there, model="gemma-3-4b-it-Q4_K_M.gguf") == "mmproj-gemma-3-4b-it-f16.gguf"
    assert projector(*there, model="Qwen2.5-VL-7B-Instruct.Q4_K_M.gguf") == "Qwen2.5-VL-7B.mmproj-f16.gguf"
    assert projector(*there, model="mistral-7b.gguf") is None
    assert projector("mmproj-f16.gguf", "llama-8b-Q8_0.gguf", model="mistral-7b.gguf") is None


names = st.text(st.sampled_from("aQ480_KMmproj-./12of"), max_size=30).map(lambda text: f"{text}.gguf")


@given(st.lists(names, max_size=8), st.one_of(st.none(), st.sampled_from(["Q4_K_M", "Q8_0", "x"])))
def test_any_names_give_a_model_or_a_reason(paths: list[str], quantization: str | None) -> None:
    try:
        found = choose(files(*paths), quantization, "org/repo")
    except (ModelNotFound, UnsupportedModel):
        return
    assert {each.path for each in found.files} <= set(paths)
    choose_projector(files(*paths), found)
