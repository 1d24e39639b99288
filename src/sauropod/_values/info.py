"""What is known of a loaded model, and where it was put."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import attrs

from sauropod._values.grammar import GrammarKind
from sauropod._values.sampling import SamplingParams
from sauropod._values.syntax import Syntax

__all__ = ["Device", "ModelInfo", "Placement"]


@attrs.frozen
class Device:
    """A device a backend can compute on.

    `name` is what `device=` takes: `"cpu"`, `"cuda:0"`, `"vulkan:1"`, `"metal"`. Memory is in bytes, 0 where the
    backend cannot tell.
    """

    name: str
    description: str = ""
    total_memory: int = 0
    free_memory: int = 0


@attrs.frozen
class Placement:
    """What was asked for and what was got."""

    requested: str
    """The `device=` of the request."""
    devices: Sequence[str]
    """The devices that hold the model's layers."""
    layers: int
    offloaded_layers: int
    """How many of the layers are on something other than the CPU."""
    weight_bytes: int
    cache_bytes: int
    """Room taken for the KV cache or recurrent state."""
    compute_bytes: int


@attrs.frozen
class ModelInfo:
    """A loaded model. Counts are of tokens, sizes in bytes."""

    name: str
    backend: str
    architecture: str
    context_length: int
    """The most tokens one sequence may hold, prompt and answer together."""
    slots: int
    """How many sequences run at once."""
    vocabulary_size: int
    sampling: SamplingParams
    """The defaults in force: the model file's own where it has any, then llama.cpp's."""
    trained_context_length: int = 0
    cache_length: int = 0
    """The cells of the KV cache, shared by all slots; 0 where the backend has no such cache."""
    step_tokens: int = 512
    """The most tokens computed in one step."""
    parameters: int = 0
    embedding_length: int = 0
    quantization: str = ""
    chat: bool = True
    """It has a chat template. A model without one continues text and knows no roles."""
    generates: bool = True
    embeds: bool = False
    pooling: str = "none"
    """How token embeddings become one vector: `"none"`, `"mean"`, `"cls"`, `"last"` or `"rank"`."""
    grammars: Collection[GrammarKind] = ()
    """The kinds of grammar its text can be held to. Tools are offered as grammars in Lark."""
    syntax: Syntax | None = None
    """How it writes thoughts and calls of tools. Found out from what it renders, unless the backend says it."""
    rewinds: bool = True
    """Whether any number of tokens can be dropped from a sequence's end (recurrent and windowed models cannot)."""
    idle_slots_cost: bool = False
    """Whether what idle slots hold slows every step down, so that it is better off in host memory while others run. So
    it is on a CPU, where llama.cpp's attention looks at every cell in use, whoever uses it."""
    audio_rate: int = 0
    """Samples a second of the audio it hears by itself; 0 if it hears none."""
    licence: str = ""
    placement: Placement | None = None

    @property
    def hears(self) -> bool:
        """Whether messages may carry audio."""
        return self.audio_rate > 0
