"""What is asked of a load, and what is got."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import sauropod
from sauropod.abc import Chunk, LoadOptions, Source
from sauropod.testing import models

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams
from sauropod.backends.llama_cpp import LlamaCpp
from sauropod.backends.llama_cpp.model import LlamaModel


def load(path: Path, **options: object) -> LlamaModel:
    model = LlamaCpp().load(Source(path.stem, (path,)), LoadOptions(threads=1, **options))  # type: ignore[arg-type]
    assert isinstance(model, LlamaModel)
    return model


def greedy(model: LlamaModel, text: str, count: int = 8) -> list[int]:
    prompt = list(model.encode(text, special=True))
    model.truncate(0, 0)
    model.open(0, SamplingParams(temperature=0).over(DEFAULT_SAMPLING), prompt, [])
    said = [model.decode([Chunk(0, 0, prompt, True)])[0].token]
    while len(said) < count:
        said.append(model.decode([Chunk(0, len(prompt) + len(said) - 1, [said[-1]], True)])[0].token)
    return said


def alike(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    """Whether each vector points where its counterpart does, as far as rounding goes."""
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return bool((cosines > 0.9999).all())


def test_what_is_asked_for_is_what_is_got(tmp_path: Path) -> None:
    path = models.tiny_llama(tmp_path / "m.gguf", context_length=4096)
    model = load(path, context_length=700, slots=3, cache_length=1500, step_tokens=100, device="cpu")
    info = model.info
    model.close()
    assert (info.context_length, info.slots, info.cache_length, info.step_tokens) == (700, 3, 1536, 100)
    assert info.trained_context_length == 4096
    assert info.placement is not None
    assert (info.placement.requested, info.placement.devices) == ("cpu", ("cpu",))
    assert info.placement.offloaded_layers == 0
    bytes_per_cell = 2 * 2 * 32 * 2  # keys and values, layers, one head of 32, 16 bits
    assert info.placement.cache_bytes == pytest.approx(1536 * bytes_per_cell, abs=2 * 1024**2 / 100)


def test_unasked_the_context_is_what_the_model_was_trained_for(tmp_path: Path) -> None:
    model = load(models.tiny_llama(tmp_path / "m.gguf", context_length=4096))
    info = model.info
    model.close()
    assert info.context_length == 4096
    assert info.cache_length == 32768


def test_the_files_own_sampling_is_the_default(tmp_path: Path) -> None:
    path = models.tiny_llama(tmp_path / "m.gguf", sampling={"temp": 0.0, "top_k": 7, "penalty_repeat": 1.25})
    model = load(path)
    sampling = model.info.sampling
    model.close()
    assert (sampling.temperature, sampling.top_k, sampling.repeat_penalty) == (0.0, 7, 1.25)
    assert sampling.top_p == DEFAULT_SAMPLING.top_p


def test_sampling_no_sampler_could_use_is_passed_over(tmp_path: Path) -> None:
    path = models.tiny_llama(tmp_path / "m.gguf", sampling={"temp": -3.0, "top_p": 0.5})
    model = load(path)
    sampling = model.info.sampling
    model.close()
    assert (sampling.temperature, sampling.top_p) == (DEFAULT_SAMPLING.temperature, 0.5)


@pytest.mark.parametrize("cache_type", ["f32", "bf16", "q8_0", "q8_0,q4_0"])
def test_the_cache_can_be_of_many_types(cache_type: str, tiny_model: Path) -> None:
    model = load(tiny_model, cache_type=cache_type, flash_attention=True, context_length=256, cache_length=2048)
    said, size = greedy(model, "Hello there"), model.info.placement
    model.close()
    assert len(said) == 8
    assert size is not None
    assert size.cache_bytes > 0


@pytest.mark.parametrize("flash", [True, False])
def test_flash_attention_can_be_chosen(flash: bool, tiny_model: Path) -> None:
    model = load(tiny_model, flash_attention=flash, context_length=256)
    assert len(greedy(model, "Hello there")) == 8
    model.close()


def test_a_split_model_says_what_the_whole_one_says(tmp_path: Path) -> None:
    path = models.tiny_llama(tmp_path / "m.gguf")
    whole = load(path)
    expected = greedy(whole, "Hello there")
    whole.close()
    parts = models.shard(path, 3)
    split = LlamaCpp().load(Source("split", tuple(parts)), LoadOptions(threads=1))
    assert isinstance(split, LlamaModel)
    assert greedy(split, "Hello there") == expected
    split.close()


def test_an_adapter_changes_what_is_said_as_much_as_asked(tmp_path: Path) -> None:
    path = models.tiny_llama(tmp_path / "m.gguf")
    adapter = models.tiny_lora(tmp_path / "lora.gguf", path)
    said = []
    for adapters in ({}, {str(adapter): 0.0}, {str(adapter): 1.0}):
        model = load(path, adapters=adapters)
        said.append(greedy(model, "Hello there", 20))
        model.close()
    assert said[0] == said[1] != said[2]


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    path = models.tiny_llama(tmp_path / "m.gguf")
    other = models.tiny_llama(tmp_path / "wide.gguf", width=128)
    with pytest.raises(sauropod.UnsupportedModel, match="adapter"):
        load(path, adapters={str(models.tiny_lora(tmp_path / "lora.gguf", other)): 1.0})


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"slots": 1000}, "slots"),
        ({"step_tokens": 2, "slots": 4}, "step_tokens"),
        ({"context_length": -1}, "context_length"),
        ({"cache_type": "q9"}, "cache_type"),
        ({"pooling": "sum"}, "pooling"),
        ({"extra": {"swa_ful": True}}, "swa_full"),
        ({"extra": {"load_mode": "fast"}}, "load_mode"),
        ({"chat_template": "{% if"}, "template"),
        ({"step_tokens": 2**30}, "step_tokens"),
        ({"extra": {"ubatch_tokens": 0}}, "ubatch_tokens"),
        ({"extra": {"ubatch_tokens": "x"}}, "ubatch_tokens"),
        ({"extra": {"embedding_slots": 300}}, "embedding_slots"),
        ({"extra": {"swa_full": "no"}}, "swa_full"),
        ({"extra": {"load_mode": 5}}, "load_mode"),
        ({"extra": {"rope_freq_base": float("nan")}}, "rope_freq_base"),
        ({"extra": {"rope_freq_scale": -1.0}}, "rope_freq_scale"),
    ],
)
def test_options_out_of_range_are_refused_by_name(options: dict[str, object], match: str, tiny_model: Path) -> None:
    with pytest.raises(sauropod.UnsupportedInput, match=match):
        load(tiny_model, **options)


def test_more_threads_than_the_library_can_have_are_refused(tiny_model: Path) -> None:
    with pytest.raises(sauropod.UnsupportedInput, match="threads"):
        LlamaCpp().load(Source("x", (tiny_model,)), LoadOptions(threads=1000))


@pytest.mark.parametrize("device", ["cuda", "vulkan:3", "metal", "tpu", "cpu,cuda"])
def test_a_device_that_is_not_there_is_refused_and_the_ones_there_are_named(device: str, tiny_model: Path) -> None:
    with pytest.raises(sauropod.DeviceUnavailable, match="cpu"):
        load(tiny_model, device=device)


def test_rpc_needs_a_build_that_has_it(tiny_model: Path) -> None:
    from sauropod.backends.llama_cpp.library import library

    if library().llama_supports_rpc():
        pytest.skip("this build has RPC")
    with pytest.raises(sauropod.DeviceUnavailable, match="GGML_RPC"):
        load(tiny_model, rpc_servers=["127.0.0.1:50052"])


def test_a_file_that_is_no_model_is_refused_with_the_librarys_reason(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + b"\x00" * 100)
    with pytest.raises(sauropod.UnsupportedModel, match=r"m\.gguf"):
        load(path)


def test_a_cache_beyond_all_memory_is_refused(tiny_model: Path) -> None:
    with pytest.raises(sauropod.OutOfMemory, match="context_length"):
        load(tiny_model, context_length=2_000_000_000, cache_length=2_000_000_000)


def test_a_template_that_cannot_be_read_leaves_a_model_that_continues_text(tmp_path: Path) -> None:
    model = load(models.tiny_llama(tmp_path / "m.gguf", chat_template="{% if"))
    assert not model.info.chat
    with pytest.raises(sauropod.UnsupportedInput, match="chat_template"):
        model.render([sauropod.Message.user("Hi")])
    assert len(greedy(model, "Once upon a time")) == 8
    model.close()


def test_a_template_of_ones_own_is_used(tiny_model: Path) -> None:
    model = load(tiny_model, chat_template="{% for m in messages %}<{{ m.content }}>{% endfor %}")
    assert model.render([sauropod.Message.user("Hi")]) == "<Hi>"
    model.close()


def test_a_template_for_tools_is_used_where_there_are_some(tmp_path: Path) -> None:
    plain, with_tools = ("{% for m in messages %}<{{ m.content }}>{% endfor %}" + mark for mark in ("", "tools"))
    metadata = {"tokenizer.chat_template.tool_use": with_tools}
    path = models.tiny_llama(tmp_path / "m.gguf", chat_template=plain, metadata=metadata)
    model = load(path)
    assert model.render([sauropod.Message.user("Hi")]) == "<Hi>"
    assert model.render([sauropod.Message.user("Hi")], [sauropod.Tool("clock")]) == "<Hi>tools"
    model.close()
    broken = models.tiny_llama(
        tmp_path / "b.gguf", chat_template=plain, metadata={"tokenizer.chat_template.tool_use": "{% if"}
    )
    model = load(broken)
    assert model.render([sauropod.Message.user("Hi")], [sauropod.Tool("clock")]) == "<Hi>"
    model.close()


def test_closing_gives_the_memory_back(tmp_path: Path) -> None:
    path = models.tiny_llama(tmp_path / "m.gguf", context_length=32768)

    def resident() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc to ask")
    load(path, slots=1).close()
    before = resident()
    for _ in range(10):
        load(path, slots=1, context_length=32768, cache_length=65536).close()  # 16 MiB of cache each
    assert resident() - before < 32 * 1024**2


def test_pieces_put_together_are_the_text(tmp_path: Path) -> None:
    text = "Größe, 漢字, 🦕 and\n\ttabs <|im_end|> as text"
    for tokenizer in ("bpe", "spm", "bytes"):
        model = load(models.tiny_llama(tmp_path / f"{tokenizer}.gguf", tokenizer=tokenizer))
        tokens = model.encode(text, special=False)
        assert b"".join(model.piece(token) for token in tokens).decode().strip() == text
        model.close()


def test_a_beginning_mark_is_there_once_whoever_writes_it(tmp_path: Path) -> None:
    model = load(models.tiny_llama(tmp_path / "m.gguf", tokenizer="spm"))
    bos = model.encode("x", special=True)[0]
    rendered = model.render([sauropod.Message.user("Hi")])
    assert rendered.startswith("<s>")
    assert list(model.encode(rendered, special=True)).count(bos) == 1
    assert list(model.encode("Hi", special=True)).count(bos) == 1
    assert bos not in model.encode("Hi", special=False)
    model.close()


def test_a_hopeless_text_is_refused_before_it_is_tokenised(tiny_model: Path) -> None:
    model = load(tiny_model, context_length=256)
    with pytest.raises(sauropod.PromptTooLong) as refused:
        model.encode("word " * 1_000_000, special=True)
    assert not refused.value.exact
    assert refused.value.tokens > 256
    model.close()


def test_half_a_surrogate_pair_is_refused(tiny_model: Path) -> None:
    model = load(tiny_model)
    with pytest.raises(sauropod.UnsupportedInput, match="surrogate"):
        model.encode("a\ud83e", special=True)
    model.close()


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_many_texts_embed_as_each_does_alone(pooling: str, tmp_path: Path) -> None:
    model = load(models.tiny_embedding(tmp_path / "m.gguf", pooling=pooling))  # type: ignore[arg-type]
    inputs = [list(model.encode_input(f"text number {number} " * (1 + number % 7))) for number in range(90)]
    together = model.embed(inputs)
    alone = np.concatenate([model.embed([tokens]) for tokens in inputs])
    assert model.info.pooling == pooling
    assert not model.info.generates
    assert together.shape == (90, model.info.embedding_length)
    assert alike(together, alone)
    assert len({tuple(np.round(vector, 3)) for vector in alone}) > 80
    model.close()


@pytest.mark.parametrize("pooling", ["none", "mean", "last"])
def test_a_model_that_writes_embeds_too(pooling: str, tiny_model: Path) -> None:
    model = load(tiny_model, pooling=pooling, context_length=256)
    expected = greedy(model, "Hello there")
    inputs = [list(model.encode_input(text)) for text in ("one", "two three", "four five six")]
    together = model.embed(inputs)
    alone = np.concatenate([model.embed([tokens]) for tokens in inputs])
    assert alike(together, alone)
    assert greedy(model, "Hello there") == expected
    model.close()


def test_a_reranker_scores_pairs(tmp_path: Path) -> None:
    model = load(models.tiny_reranker(tmp_path / "m.gguf"))
    pairs = [("what is a dinosaur", text) for text in ("a large animal", "a kind of bread", "green")]
    scores = model.embed([list(model.encode_input(*pair)) for pair in pairs])
    assert model.info.pooling == "rank"
    assert scores.shape[0] == 3
    assert len(set(scores[:, 0].tolist())) == 3
    model.close()


@pytest.mark.parametrize("pooling", ["last", "none"])
def test_a_text_is_embedded_in_pieces_where_its_last_token_is_all_that_counts(pooling: str, tiny_model: Path) -> None:
    vectors = []
    for tokens in (16, 512):
        model = load(tiny_model, pooling=pooling, context_length=512, extra={"ubatch_tokens": tokens})
        inputs = [list(model.encode_input(text)) for text in ("one", "two three " * 15, "four " * 60)]
        vectors.append(model.embed(inputs))
        model.close()
    assert alike(*vectors)


def test_a_long_context_does_not_make_embedding_dear(tmp_path: Path) -> None:
    """What is computed at once takes memory by the square of it."""
    model = load(models.tiny_llama(tmp_path / "m.gguf", context_length=100_000), context_length=100_000, slots=1)
    try:
        assert model._embedder.longest == 8192
        with pytest.raises(sauropod.PromptTooLong, match="8,192"):
            model.encode_input("word " * 10_000)
    finally:
        model.close()


def test_what_cannot_be_embedded_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    """The context may be longer than what the model was trained for; embedding may not."""
    model = load(models.tiny_llama(tmp_path / "m.gguf", context_length=256), context_length=1024)
    try:
        with pytest.raises(sauropod.PromptTooLong) as refused:
            model.encode_input("word " * 300)
        assert (refused.value.limit, refused.value.embedded) == (256, True)
        assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
        assert "in parts" in str(refused.value)
        with pytest.raises(sauropod.UnsupportedInput, match="reranker"):
            model.encode_input("a query", "a document")
        with pytest.raises(sauropod.UnsupportedInput, match="nothing"):
            model.encode_input("")
    finally:
        model.close()
