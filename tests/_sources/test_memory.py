"""How much memory a model is reckoned to take, and what llama.cpp says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gguf_files
from sauropod._sources.gguf import read_header
from sauropod._sources.header import Header
from sauropod._sources.inspection import local_header
from sauropod._sources.memory import cache_bytes


def header_of(metadata: dict[str, Any]) -> Header:
    raw = gguf_files.gguf(metadata)
    return read_header(lambda offset, length: raw[offset : offset + length], len(raw))


def architecture(name: str, **own: Any) -> Header:
    metadata = {f"{name}.{key.replace('__', '.')}": value for key, value in own.items()}
    return header_of({"general.architecture": name, **metadata})


def test_the_cache_of_a_plain_transformer() -> None:
    """Llama 3.1 8B: 32 layers of 8 heads of 128, so 128 KiB a token in f16."""
    plain = architecture(
        "llama", block_count=32, embedding_length=4096, attention__head_count=32, attention__head_count_kv=8
    )
    assert cache_bytes(plain, 8192) == 8192 * 128 * 1024


def test_layers_without_attention_have_no_cache() -> None:
    hybrid = architecture(
        "jamba", block_count=4, embedding_length=512, attention__head_count=8, attention__head_count_kv=[0, 2, 0, 0]
    )
    assert cache_bytes(hybrid, 100) == 100 * 2 * 128 * 2
    every_fourth = architecture(
        "qwen3next",
        block_count=8,
        embedding_length=512,
        attention__head_count=8,
        attention__head_count_kv=2,
        full_attention_interval=4,
    )
    assert cache_bytes(every_fourth, 100) == 2 * 100 * 2 * 128 * 2
    assert cache_bytes(architecture("mamba", block_count=8, embedding_length=512), 100) == 0


def test_sliding_windows_hold_no_more_than_themselves() -> None:
    """gpt-oss-20b: 24 layers, every other one looking back 128 tokens."""
    windowed = architecture(
        "gpt-oss",
        block_count=24,
        embedding_length=2880,
        attention__head_count=64,
        attention__head_count_kv=8,
        attention__key_length=64,
        attention__value_length=64,
        attention__sliding_window=128,
    )
    token = 8 * 128 * 2
    assert cache_bytes(windowed, 131_072) == 12 * 131_072 * token + 12 * 768 * token


def test_latent_attention_keeps_no_values() -> None:
    """DeepSeek V2 Lite: 27 layers keep 512 + 64 numbers a token."""
    latent = architecture(
        "deepseek2",
        block_count=27,
        embedding_length=2048,
        attention__head_count=16,
        attention__head_count_kv=1,
        attention__key_length=576,
        attention__value_length=512,
        attention__key_length_mla=192,
        attention__value_length_mla=128,
    )
    assert cache_bytes(latent, 1000) == 27 * 576 * 1000 * 2


def test_an_encoder_keeps_nothing() -> None:
    encoder = architecture(
        "bert", block_count=12, embedding_length=384, attention__head_count=12, attention__causal=False
    )
    assert cache_bytes(encoder, 512) == 0


ASK_LLAMA_CPP = """
import json, re, sys
import llama_cpp

said = []

@llama_cpp.llama_log_callback
def keep(level, text, data):
    said.append(text.decode(errors="replace"))

llama_cpp.llama_log_set(keep, None)
answers = {}
for path in sys.argv[1:]:
    options = llama_cpp.llama_model_default_params()
    options.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(path.encode(), options)
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx, settings.n_seq_max, settings.n_batch, settings.n_ubatch = 8192, 1, 512, 512
    settings.kv_unified, settings.swa_full = True, False
    context = llama_cpp.llama_init_from_model(model, settings)
    found = re.findall(r"KV buffer size = +([0-9.]+) MiB", "".join(said))
    said.clear()
    answers[path] = [llama_cpp.llama_model_size(model), sum(map(float, found))]
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
print(json.dumps(answers))
"""


def test_the_reckoning_is_what_llama_cpp_allocates(tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp")
    models = pytest.importorskip("sauropod.testing.models")
    kinds = ("tiny_llama", "tiny_moe", "tiny_hybrid", "tiny_recurrent", "tiny_windowed", "tiny_embedding")
    paths = [getattr(models, kind)(tmp_path / f"{kind}.gguf") for kind in kinds]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    asked = [sys.executable, "-c", ASK_LLAMA_CPP, *map(str, paths)]
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    answers: dict[str, Any] = json.loads(done.stdout)
    for path in paths:
        header = local_header(path)
        size, cache = answers[str(path)]
        assert header.tensor_bytes == size
        assert cache_bytes(header, 8192) / 2**20 == pytest.approx(cache, abs=0.011), path.name
