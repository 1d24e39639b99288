"""Small random models that llama.cpp loads: one for each way it can treat a model.

Every builder writes one GGUF file in a fraction of a second, under a megabyte unless asked for more, and gives back
its path. The same arguments give the same bytes. What such a model says is nonsense, but of the useful kind: it
depends on every token before it, another prompt gives another answer, no token is near certain, and it never says a
control token, so that an answer goes on until it is stopped (see `DecoderOptions.ending`). With the default weights,
F32, the most likely tokens stay the same whatever else is in a batch; rounding can tip them in Q8_0.

    from sauropod.testing.models import tiny_llama

    path = tiny_llama(tmp_path / "model.gguf", seed=1, sampling={"temp": 0.0})

Needs the `gguf` package: `pip install "sauropod[test]"`.
"""

from __future__ import annotations

from sauropod.testing.models.adapter import tiny_lora
from sauropod.testing.models.decoders import (
    tiny_hybrid,
    tiny_llama,
    tiny_moe,
    tiny_mrope,
    tiny_recurrent,
    tiny_windowed,
)
from sauropod.testing.models.encoders import tiny_embedding, tiny_reranker
from sauropod.testing.models.projector import tiny_projector
from sauropod.testing.models.recipe import DecoderOptions, ModelOptions
from sauropod.testing.models.shards import shard
from sauropod.testing.models.templates import CHATML, INSTRUCT

__all__ = [
    "CHATML",
    "INSTRUCT",
    "DecoderOptions",
    "ModelOptions",
    "shard",
    "tiny_embedding",
    "tiny_hybrid",
    "tiny_llama",
    "tiny_lora",
    "tiny_moe",
    "tiny_mrope",
    "tiny_projector",
    "tiny_recurrent",
    "tiny_reranker",
    "tiny_windowed",
]
