"""Synthetic models are what they promise, by what llama.cpp makes of them."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod.testing.models import (
    CHATML,
    INSTRUCT,
    shard,
    tiny_embedding,
    tiny_hybrid,
    tiny_llama,
    tiny_lora,
    tiny_moe,
    tiny_recurrent,
    tiny_reranker,
    tiny_windowed,
)

pytest.importorskip("gguf", reason="writing model files needs the gguf package")

Builder = Callable[..., Path]
DECODERS: Sequence[Builder] = (tiny_llama, tiny_moe, tiny_hybrid, tiny_recurrent, tiny_windowed)
BUILDERS: Sequence[Builder] = (*DECODERS, tiny_embedding, tiny_reranker)
PROMPTS = ("The weather in Paris is", "What is the time in London?", "hello", "A man and a woman go to the sea because")
PARTIAL = 1
BYTE_LEVEL: Sequence[Literal["bpe", "bytes"]] = ("bpe", "bytes")

decoder = pytest.mark.parametrize("build", DECODERS)
builder = pytest.mark.parametrize("build", BUILDERS)


class Loaded:
    """A model file in llama.cpp, with a context of four slots in one cache."""

    def __init__(self, library: ModuleType, path: Path, **options: Any) -> None:
        self.library = library
        self.model = library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
        assert self.model, f"llama.cpp does not load {path}"
        params = library.llama_context_default_params()
        defaults = {"n_ctx": 1024, "n_seq_max": 4, "kv_unified": True, "n_threads": 1, "n_threads_batch": 1}
        for name, value in {**defaults, **options}.items():
            setattr(params, name, value)
        self.context = library.llama_init_from_model(self.model, params)
        assert self.context, f"llama.cpp makes no context for {path}"
        self.vocabulary = library.llama_model_get_vocab(self.model)
        self.size = library.llama_vocab_n_tokens(self.vocabulary)
        self.memory = library.llama_get_memory(self.context)

    def close(self) -> None:
        self.library.llama_free(self.context)
        self.library.llama_model_free(self.model)

    def encode(self, text: str, *, special: bool = True) -> list[int]:
        data = text.encode()
        tokens = (self.library.llama_token * (len(data) + 8))()
        count = self.library.llama_tokenize(self.vocabulary, data, len(data), tokens, len(tokens), special, special)
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(64)
        count = self.library.llama_token_to_piece(self.vocabulary, token, buffer, len(buffer), 0, False)
        return buffer.raw[:count]

    def metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(16384)
        count = self.library.llama_model_meta_val_str(self.model, key.encode(), buffer, len(buffer))
        return buffer.raw[: max(count, 0)].decode()

    def compute(self, *chunks: tuple[int, int, Sequence[int]]) -> list[int]:
        """Compute chunks of (slot, start, tokens); the row of the last token of each."""
        rows, batch = [], self.library.llama_batch_init(sum(len(tokens) for *_, tokens in chunks), 0, 1)
        for slot, start, tokens in chunks:
            for place, token in enumerate(tokens):
                row, batch.n_tokens = batch.n_tokens, batch.n_tokens + 1
                batch.token[row], batch.pos[row], batch.logits[row] = token, start + place, True
                batch.n_seq_id[row], batch.seq_id[row][0] = 1, slot
            rows.append(batch.n_tokens - 1)
        assert self.library.llama_decode(self.context, batch) == 0
        self.library.llama_batch_free(batch)
        return rows

    def step(self, *chunks: tuple[int, int, Sequence[int]]) -> list[NDArray[np.float32]]:
        """Compute chunks; the logits after the last token of each."""
        rows = self.compute(*chunks)
        return [self._numbers(self.library.llama_get_logits_ith(self.context, row), self.size) for row in rows]

    def answer(self, prompt: str, length: int = 32, *, slot: int = 0) -> list[int]:
        """The most likely tokens after a prompt."""
        assert self.truncate(slot, 0)
        tokens = self.encode(prompt)
        [logits] = self.step((slot, 0, tokens))
        chosen: list[int] = []
        while len(chosen) < length:
            chosen.append(int(logits.argmax()))
            [logits] = self.step((slot, len(tokens) + len(chosen) - 1, chosen[-1:]))
        return chosen

    def vectors(self, *texts: str) -> list[NDArray[np.float32]]:
        """One vector or score for each text."""
        library, context = self.library, self.context
        chunks = [(slot, 0, self.encode(text)) for slot, text in enumerate(texts)]
        self.compute(*chunks)
        ranks = library.llama_pooling_type(context) == library.LLAMA_POOLING_TYPE_RANK
        length = (library.llama_model_n_cls_out if ranks else library.llama_model_n_embd)(self.model)
        return [self._numbers(library.llama_get_embeddings_seq(context, slot), length) for slot, *_ in chunks]

    def truncate(self, slot: int, length: int) -> bool:
        return bool(self.library.llama_memory_seq_rm(self.memory, slot, length or -1, -1))

    def first(self, slot: int) -> int:
        return int(self.library.llama_memory_seq_pos_min(self.memory, slot))

    def state(self, slot: int, flags: int) -> bytes:
        size = self.library.llama_state_seq_get_size_ext(self.context, slot, flags)
        buffer = (ctypes.c_uint8 * size)()
        return bytes(buffer[: self.library.llama_state_seq_get_data_ext(self.context, buffer, size, slot, flags)])

    def restore(self, slot: int, state: bytes, flags: int) -> bool:
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        return bool(self.library.llama_state_seq_set_data_ext(self.context, buffer, len(state), slot, flags))

    def _numbers(self, pointer: Any, count: int) -> NDArray[np.float32]:
        return np.ctypeslib.as_array(pointer, (count,)).copy()


Load = Callable[..., Loaded]


@pytest.fixture(scope="module")
def library() -> Iterator[ModuleType]:
    library: ModuleType = pytest.importorskip("llama_cpp.llama_cpp", reason="llama-cpp-python is not installed")
    silence = library.llama_log_callback(lambda *_: None)
    library.llama_log_set(silence, None)
    library.llama_backend_init()
    yield library
    library.llama_log_set(library.llama_log_callback(0), None)


@pytest.fixture
def load(library: ModuleType) -> Iterator[Load]:
    with ExitStack() as stack:

        def open_model(path: Path, **options: Any) -> Loaded:
            loaded = Loaded(library, path, **options)
            stack.callback(loaded.close)
            return loaded

        yield open_model


# -- files -------------------------------------------------------------------------------------------------------------


@builder
def test_the_same_arguments_give_the_same_bytes(build: Builder, tmp_path: Path) -> None:
    first, second, other = (build(tmp_path / name, seed=seed) for name, seed in (("a", 3), ("b", 3), ("c", 4)))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes() != other.read_bytes()
    assert first.stat().st_size < 1_000_000


def test_a_file_is_complete_or_not_there(tmp_path: Path) -> None:
    tiny_llama(tmp_path / "model.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]


@pytest.mark.parametrize(
    "options",
    [
        {"vocabulary": 200},
        {"vocabulary": 200, "tokenizer": "bytes"},
        {"vocabulary": 200, "tokenizer": "spm"},
        {"vocabulary": 50, "tokenizer": "wpm"},
        {"vocabulary": 90_000, "tokenizer": "bytes"},
        {"width": 40},
        {"layers": 0},
        {"heads": 3, "key_value_heads": 2},
        {"ending": 1.0},
        {"ending": 0.1, "tied": True},
        {"sampling": {"temperature": 0.5}},
    ],
)
def test_what_cannot_be_built_is_refused(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        tiny_llama(tmp_path / "model.gguf", **options)


def test_without_the_gguf_package_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "sauropod\[test\]"'):
        tiny_llama(tmp_path / "model.gguf")


def test_more_shards_than_tensors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="tensors"):
        shard(tiny_llama(tmp_path / "model.gguf"), 1000)


# -- what a model says -------------------------------------------------------------------------------------------------


@decoder
@pytest.mark.parametrize("tied", [False, True])
def test_logits_are_neither_flat_nor_certain(build: Builder, tied: bool, tmp_path: Path, load: Load) -> None:
    model = load(build(tmp_path / "model.gguf", tied=tied))
    tokens = model.encode(PROMPTS[0])
    for place, token in enumerate(tokens):
        [logits] = model.step((0, place, [token]))
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    entropy = -float((chances * np.log(chances + 1e-30)).sum())
    assert np.isfinite(logits).all()
    assert 0.5 < entropy < math.log(model.size) - 1


@decoder
def test_an_answer_is_deterministic_and_depends_on_the_prompt(build: Builder, tmp_path: Path, load: Load) -> None:
    model = load(build(tmp_path / "model.gguf"))
    answers = [model.answer(prompt) for prompt in PROMPTS]
    assert answers == [model.answer(prompt, slot=1) for prompt in PROMPTS]
    for answer in answers:
        assert len(set(answer)) > 16
        assert sum(other[:4] == answer[:4] for other in answers) == 1


@decoder
def test_a_token_far_back_matters(build: Builder, tmp_path: Path, load: Load) -> None:
    model = load(build(tmp_path / "model.gguf"))
    tokens = model.encode("The weather in Berlin is very nice today, he said")
    [one], [other] = model.step((0, 0, tokens)), model.step((1, 0, [tokens[0] + 1, *tokens[1:]]))
    assert np.abs(one - other).max() > 0.1


@decoder
def test_what_a_slot_says_does_not_depend_on_the_others(build: Builder, tmp_path: Path, load: Load) -> None:
    model = load(build(tmp_path / "model.gguf"))
    alone = [model.answer(prompt, 16) for prompt in PROMPTS]
    assert model.truncate(0, 0)
    chunks = [(slot, 0, model.encode(prompt)) for slot, prompt in enumerate(PROMPTS)]
    together: list[list[int]] = [[] for _ in PROMPTS]
    for _ in range(16):
        chosen = [int(logits.argmax()) for logits in model.step(*chunks)]
        chunks = [(slot, start + len(done), [chosen[slot]]) for slot, start, done in chunks]
        for answer, token in zip(together, chosen, strict=True):
            answer.append(token)
    assert together == alone


@decoder
def test_an_answer_is_readable_and_does_not_end_by_itself(build: Builder, tmp_path: Path, load: Load) -> None:
    model = load(build(tmp_path / "model.gguf"))
    answer = model.answer("<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n", 64)
    assert not any(model.library.llama_vocab_is_eog(model.vocabulary, token) for token in answer)
    for token in answer:
        assert model.piece(token).decode()


@decoder
def test_ending_is_about_the_chance_asked_for(build: Builder, tmp_path: Path, load: Load) -> None:
    model = load(build(tmp_path / "model.gguf", ending=0.1))
    eos = model.library.llama_vocab_eos(model.vocabulary)
    chances = []
    for place, token in enumerate(model.encode(" ".join(PROMPTS))):
        [logits] = model.step((0, place, [token]))
        chances.append(float(np.exp(logits[eos] - logits.max()) / np.exp(logits - logits.max()).sum()))
    assert 0.1 / 3 < np.mean(chances) < 0.1 * 3


@pytest.mark.parametrize("weights", ["F16", "Q8_0"])
@builder
def test_weights_come_in_other_types(
    build: Builder, weights: Literal["F16", "Q8_0"], tmp_path: Path, load: Load
) -> None:
    model = load(build(tmp_path / "model.gguf", weights=weights))
    assert model.metadata("general.file_type") == {"F16": "1", "Q8_0": "7"}[weights]
    if build in DECODERS:
        assert np.isfinite(model.step((0, 0, model.encode("hello")))[0]).all()


# -- what llama.cpp remembers ------------------------------------------------------------------------------------------


def test_llama_cpp_sees_each_for_what_it_is(tmp_path: Path, load: Load) -> None:
    models = {build: load(build(tmp_path / build.__name__)) for build in DECODERS}
    library = next(iter(models.values())).library
    assert [b for b, m in models.items() if library.llama_model_is_hybrid(m.model)] == [tiny_hybrid]
    assert [b for b, m in models.items() if library.llama_model_is_recurrent(m.model)] == [tiny_recurrent]
    assert [b for b, m in models.items() if library.llama_model_n_swa(m.model)] == [tiny_windowed]


def test_full_attention_drops_a_tail_and_shares_a_prefix(tmp_path: Path, load: Load) -> None:
    model = load(tiny_llama(tmp_path / "model.gguf"))
    tokens = model.encode(PROMPTS[0])
    [expected] = model.step((0, 0, tokens))
    assert model.truncate(0, 3)
    model.library.llama_memory_seq_cp(model.memory, 0, 1, 0, 3)
    for slot in (0, 1):
        [logits] = model.step((slot, 3, tokens[3:]))
        np.testing.assert_allclose(logits, expected, atol=1e-3)


@pytest.mark.parametrize("build", [tiny_hybrid, tiny_recurrent])
def test_recurrent_memory_comes_back_only_through_its_state(build: Builder, tmp_path: Path, load: Load) -> None:
    model = load(build(tmp_path / "model.gguf"))
    tokens = model.encode(PROMPTS[0])
    model.step((0, 0, tokens[:3]))
    state = model.state(0, PARTIAL)
    [expected] = model.step((0, 3, tokens[3:]))
    assert not model.truncate(0, 3)
    assert model.restore(0, state, PARTIAL)
    assert model.truncate(0, 3)
    [logits] = model.step((0, 3, tokens[3:]))
    np.testing.assert_allclose(logits, expected, atol=1e-3)


def test_a_window_moves_on(tmp_path: Path, load: Load) -> None:
    model = load(tiny_windowed(tmp_path / "model.gguf"), swa_full=False, n_ubatch=32, n_batch=2048)
    model.step((0, 0, [place % 200 for place in range(400)]))
    assert 0 < model.first(0) <= 400 - 16


# -- tokenizers --------------------------------------------------------------------------------------------------------

TEXT = 'Hello, world!\n  A naïve café — 你好 🦕🦕, 42% of {"it": [1, 2]} isn\'t <note:é🦕> <|im_end|>'


@pytest.mark.parametrize("tokenizer", ["bpe", "bytes", "spm", "wpm"])
def test_a_vocabulary_has_the_size_asked_for(
    tokenizer: Literal["bpe", "bytes", "spm", "wpm"], tmp_path: Path, load: Load
) -> None:
    path = tiny_llama(tmp_path / "model.gguf", tokenizer=tokenizer, vocabulary=20_000, width=32, layers=1)
    assert load(path).size == 20_000


@pytest.mark.parametrize("tokenizer", ["bpe", "bytes", "spm"])
def test_the_pieces_of_a_text_are_the_text(
    tokenizer: Literal["bpe", "bytes", "spm"], tmp_path: Path, load: Load
) -> None:
    model = load(tiny_llama(tmp_path / "model.gguf", tokenizer=tokenizer))
    pieces = [model.piece(token) for token in model.encode(TEXT, special=False)]
    space = " " if tokenizer == "spm" else ""
    assert b"".join(pieces).decode() == space + TEXT
    with pytest.raises(UnicodeDecodeError):
        "".join(piece.decode() for piece in pieces)


@pytest.fixture(scope="module")
def byte_level(library: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Loaded]]:
    folder = tmp_path_factory.mktemp("models")
    models = [Loaded(library, tiny_llama(folder / name, tokenizer=name)) for name in BYTE_LEVEL]
    yield models
    for model in models:
        model.close()


@settings(deadline=None)
@given(text=st.text())
def test_byte_level_pieces_are_any_text(byte_level: Sequence[Loaded], text: str) -> None:
    for model in byte_level:
        assert b"".join(map(model.piece, model.encode(text, special=False))).decode() == text


def test_byte_pairs_make_words_of_english(tmp_path: Path, load: Load) -> None:
    model = load(tiny_llama(tmp_path / "model.gguf", vocabulary=3000))
    text = "The weather is nice today, and most of the people went outside to enjoy the summer."
    assert len(text) / len(model.encode(text)) > 3


def test_ragged_pieces_start_and_end_inside_a_character(tmp_path: Path, load: Load) -> None:
    model = load(tiny_llama(tmp_path / "model.gguf", tokenizer="bytes"))
    pieces = [model.piece(token) for token in range(model.size)]
    broken = [piece for piece in pieces if "\ufffd" in piece.decode(errors="replace")]
    assert len(broken) > 300
    assert any(len(piece) > 1 and piece[0] & 0xC0 == 0x80 for piece in broken)
    assert any(len(piece) > 1 and piece[:1].isascii() for piece in broken)
    assert any(model.piece(token) in broken for token in model.answer("hello", 64))


def test_only_whole_prompts_read_special_tokens(tmp_path: Path, load: Load) -> None:
    model = load(tiny_llama(tmp_path / "model.gguf"))
    end = model.library.llama_vocab_eos(model.vocabulary)
    assert model.encode("<|im_end|>") == [end]
    assert end not in model.encode("<|im_end|>", special=False)
    assert model.piece(end) == b""
    assert model.piece(model.encode("<tool_call>", special=False)[0]) == b"<tool_call>"


def test_sentence_pieces_begin_with_the_token_for_it(tmp_path: Path, load: Load) -> None:
    model = load(tiny_llama(tmp_path / "model.gguf", tokenizer="spm"))
    first, second, *_ = model.encode("the man")
    assert first == model.library.llama_vocab_bos(model.vocabulary)
    assert model.piece(second) == b" the"


def test_word_pieces_stand_between_marks(tmp_path: Path, load: Load) -> None:
    model = load(tiny_embedding(tmp_path / "model.gguf"), embeddings=True)
    first, *inner, last = model.encode("The MAN 你")
    assert (first, last) == (
        model.library.llama_vocab_bos(model.vocabulary),
        model.library.llama_vocab_sep(model.vocabulary),
    )
    assert [model.piece(token) for token in inner] == [b" the", b" man", b""]


# -- what a file says about itself -------------------------------------------------------------------------------------


def test_a_file_carries_what_it_was_given(tmp_path: Path, load: Load) -> None:
    model = load(
        tiny_llama(
            tmp_path / "model.gguf",
            name="Ann",
            license="mit",
            sampling={"temp": 0, "top_k": 20, "sequence": "kt"},
            pooling="last",
            chat_template="{{ messages }}",
            context_length=128,
            metadata={"tokenizer.chat_template.tool_use": "tools", "llama.context_length": 256},
        )
    )
    assert model.metadata("general.name") == "Ann"
    assert model.metadata("general.license") == "mit"
    assert float(model.metadata("general.sampling.temp")) == 0
    assert model.metadata("general.sampling.top_k") == "20"
    assert model.metadata("general.sampling.sequence") == "kt"
    assert model.metadata("llama.pooling_type") == "3"
    assert model.metadata("tokenizer.chat_template") == "{{ messages }}"
    assert model.metadata("tokenizer.chat_template.tool_use") == "tools"
    assert model.library.llama_model_n_ctx_train(model.model) == 256


def test_each_tokenizer_has_its_template_unless_told_otherwise(tmp_path: Path, load: Load) -> None:
    templates = {
        name: load(tiny_llama(tmp_path / name, tokenizer=name)).metadata("tokenizer.chat_template")
        for name in ("bpe", "bytes", "spm", "wpm")
    }
    assert templates == {"bpe": CHATML, "bytes": CHATML, "spm": INSTRUCT, "wpm": ""}
    without = load(tiny_llama(tmp_path / "without", chat_template=False))
    assert without.metadata("tokenizer.chat_template") == ""


def test_the_chat_template_writes_tools_and_calls() -> None:
    jinja2 = pytest.importorskip("jinja2", reason="jinja2 is not installed")
    template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(CHATML)
    text = template.render(
        messages=[
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "", "tool_calls": [{"name": "look", "arguments": {"city": "Bonn"}}]},
            {"role": "tool", "content": "rain"},
        ],
        tools=[{"type": "function", "function": {"name": "look"}}],
        add_generation_prompt=True,
    )
    assert '<tools>\n{"function": {"name": "look"}, "type": "function"}\n</tools>' in text
    assert '<tool_call>\n{"name": "look", "arguments": {"city": "Bonn"}}\n</tool_call><|im_end|>\n' in text
    assert text.endswith("<tool_response>\nrain\n</tool_response><|im_end|>\n<|im_start|>assistant\n")


# -- other models ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_texts_that_differ_get_other_vectors(
    pooling: Literal["mean", "cls", "last"], tmp_path: Path, load: Load
) -> None:
    model = load(tiny_embedding(tmp_path / "model.gguf", pooling=pooling), embeddings=True, n_ctx=512)
    texts = ("the weather in paris is nice", "the weather in london is nice", "hello world")
    vectors = [vector / np.linalg.norm(vector) for vector in model.vectors(*texts)]
    alone = model.vectors(texts[0])[0]
    np.testing.assert_allclose(alone / np.linalg.norm(alone), vectors[0], atol=1e-5)
    assert vectors[0].shape == (64,)
    assert max(float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])) < 0.99


def test_without_pooling_every_token_has_a_vector(tmp_path: Path, load: Load) -> None:
    model = load(tiny_embedding(tmp_path / "model.gguf", pooling="none"), embeddings=True, n_ctx=512)
    model.compute((0, 0, model.encode("hello world")))
    assert not model.library.llama_get_embeddings_seq(model.context, 0)
    assert model.library.llama_get_embeddings_ith(model.context, 1)


def test_a_reranker_gives_each_text_a_score(tmp_path: Path, load: Load) -> None:
    model = load(tiny_reranker(tmp_path / "model.gguf"), embeddings=True, n_ctx=512)
    scores = [float(score.item()) for score in model.vectors("paris is nice", "london is nice", "hello")]
    assert len(set(scores)) == 3
    assert np.isfinite(scores).all()


def test_an_adapter_changes_what_the_model_says_and_can_be_taken_off(tmp_path: Path, load: Load) -> None:
    base = tiny_llama(tmp_path / "base.gguf")
    model = load(base)
    library, path = model.library, tiny_lora(tmp_path / "lora.gguf", base)
    adapter = library.llama_adapter_lora_init(model.model, str(path).encode())
    adapters, scales = (library.llama_adapter_lora_p_ctypes * 1)(adapter), (ctypes.c_float * 1)(1.0)
    plain = model.answer("hello")
    assert library.llama_set_adapters_lora(model.context, adapters, 1, scales) == 0
    assert model.answer("hello") != plain
    assert library.llama_set_adapters_lora(model.context, adapters, 0, scales) == 0
    assert model.answer("hello") == plain


def test_an_adapter_needs_a_base_with_layers_to_adapt(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="adapt"):
        tiny_lora(tmp_path / "lora.gguf", tiny_recurrent(tmp_path / "base.gguf"))


def test_shards_are_the_same_model(tmp_path: Path, load: Load) -> None:
    whole = tiny_llama(tmp_path / "model.gguf", weights="Q8_0")
    shards = shard(whole, 3)
    assert [path.name for path in shards] == [f"model-0000{index}-of-00003.gguf" for index in (1, 2, 3)]
    assert load(shards[0]).answer("hello") == load(whole).answer("hello")
