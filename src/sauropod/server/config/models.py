"""ModelSettings: one language model that is served under a name."""

# ruff: noqa: RUF009 (a key is attrs' own field)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from sauropod import Engine, SamplingParams
from sauropod.server.config.amounts import duration, size
from sauropod.server.config.keys import key
from sauropod.server.config.kinds import Kind, listed, number, one_of, parsed, switch, tabled, text, whole
from sauropod.server.config.naming import SOURCE, Source

__all__ = ["ENGINE", "SAMPLING", "ModelSettings"]

ENGINE = (
    "backend",
    "device",
    "isolation",
    "context_length",
    "slots",
    "cache_length",
    "step_tokens",
    "threads",
    "gpu_layers",
    "tensor_split",
    "flash_attention",
    "cache_type",
    "adapters",
    "rpc_servers",
    "pooling",
    "chat_template",
    "system_prompt",
    "snapshot_bytes",
    "options",
)
"""Keys that are options of `sauropod.Engine`, under the same names."""

SAMPLING = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repeat_penalty",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "maximum_tokens": "max_tokens",
}
"""Keys that are defaults of requests, and what they are called in `sauropod.SamplingParams`."""

ANYTHING = Kind("value", "anything", lambda value: value, parsed)
OWN = "the model file's"
WORD = text("a name", empty=False)


def _names(options: Mapping[str, Any]) -> str:
    """Without the values, which may be secrets."""
    return f"<{', '.join(options)}>"


@attrs.frozen(kw_only=True)
class ModelSettings:
    """A language model: which it is, how it is loaded, and what its requests are unless they say otherwise."""

    model: Source = key(SOURCE, "which model it is; see [Naming a model](models.md)", says="the table's own name")
    multimodal_projector: Source | None = key(
        SOURCE, "what the model hears with (`mmproj`), by its file", default=None, says="found by itself"
    )
    aliases: tuple[str, ...] = key(listed(WORD), "other names that clients may call it by", default=())
    default: bool = key(
        switch(),
        "whether it is meant by `default`, and where none is named",
        default=False,
        says="the first is",
    )
    preload: bool = key(switch(), "load it when the server starts, not when somebody asks first", default=False)
    keep_alive: float | None = key(
        duration(), "how long it stays loaded while nobody asks; `0` is not at all", default=None, says='`"forever"`'
    )
    maximum_waiting: int | None = key(
        whole(0), "requests that may wait for it", default=None, says="`maximum_waiting` of `[limits]`"
    )

    system_prompt: str | None = key(
        text(), "what the system says where a conversation does not; a template that may use `tools`", default=None
    )
    chat_template: str | None = key(
        text("a Jinja template", empty=False), "in place of the model file's own", default=None, says=OWN
    )
    temperature: float | None = key(number(0, 1000), "0 always takes the likeliest token", default=None, says=OWN)
    top_p: float | None = key(number(0, 1), "keep the likeliest that reach this probability", default=None, says=OWN)
    top_k: int | None = key(whole(0), "keep the likeliest K tokens; 0 keeps all", default=None, says=OWN)
    min_p: float | None = key(number(0, 1), "drop what is below this share of the likeliest", default=None, says=OWN)
    repeat_penalty: float | None = key(
        number(0.01, 1000), "make tokens seen before less likely; 1 is off", default=None, says=OWN
    )
    presence_penalty: float | None = key(
        number(-1000, 1000), "the same, taken off once; 0 is off", default=None, says=OWN
    )
    frequency_penalty: float | None = key(
        number(-1000, 1000), "the same, for each time; 0 is off", default=None, says=OWN
    )
    maximum_tokens: int | None = key(whole(1), "how long an answer may be", default=None, says="what the context holds")

    device: str | None = key(WORD, "`auto`, `cpu`, `cuda:1`, `vulkan`, `metal`, …", default=None, says='`"auto"`')
    context_length: int | None = key(
        whole(1), "the most tokens of one conversation", default=None, says="what the model was trained for and fits"
    )
    slots: int | None = key(whole(1), "how many requests run at once", default=None, says="8")
    threads: int | None = key(whole(1), "of the CPU", default=None, says="its physical cores")
    gpu_layers: int | None = key(whole(-1), "layers on the GPU; -1 is all", default=None, says="all that fit")
    cache_type: str | None = key(WORD, "of the KV cache: `f16`, `q8_0`, …", default=None, says='`"f16"`')
    cache_length: int | None = key(whole(1), "tokens the cache holds for all slots", default=None, says="what fits")
    snapshot_bytes: int | None = key(
        size(0), "host memory for conversations that lost their slot", default=None, says='`"512 MiB"`'
    )
    step_tokens: int | None = key(whole(1), "the most tokens of one step", default=None, says="512")
    flash_attention: bool | None = key(switch(), "as in llama.cpp", default=None, says="where it can be")
    tensor_split: tuple[float, ...] = key(
        listed(number(0)), "shares of several GPUs, as in llama.cpp", default=(), says="even"
    )
    adapters: Mapping[str, float] = key(tabled(number(-1000)), "LoRA files, each with its scale", factory=dict)
    rpc_servers: tuple[str, ...] = key(listed(WORD), "`host:port` of llama.cpp's RPC servers", default=())
    pooling: str | None = key(WORD, "how embeddings are made of tokens", default=None, says="as the model says")
    backend: str | None = key(WORD, "the plug-in that runs it", default=None, says="by the kind of file")
    isolation: str | None = key(one_of("process", "thread"), "where native code runs", default=None, says='`"process"`')
    options: Mapping[str, Any] = key(
        tabled(ANYTHING), "what only its backend knows", factory=dict, show=lambda value: f"<{', '.join(value)}>"
    )

    @property
    def source(self) -> Source:
        """The model's name, as `sauropod.Engine` takes it."""
        return self.model

    def sampling(self) -> SamplingParams:
        """What requests are sampled with, where they do not say."""
        return SamplingParams(**{name: getattr(self, mine) for mine, name in SAMPLING.items()})

    def engine_options(self, maximum_waiting: int | None = None) -> dict[str, Any]:
        """The keyword arguments of `sauropod.Engine`: those that are set. `maximum_waiting` is the server's limit."""
        chosen = {name: value for name in ENGINE if (value := getattr(self, name)) not in (None, (), {})}
        waiting = maximum_waiting if self.maximum_waiting is None else self.maximum_waiting
        if waiting is not None:
            chosen["max_waiting"] = waiting
        if self.multimodal_projector is not None:
            chosen["projector"] = self.multimodal_projector
        return {**chosen, "sampling": self.sampling()}

    def engine(self, maximum_waiting: int | None = None) -> Engine:
        """The model, not opened yet. Raises `UnsupportedInput` for what no backend could mean."""
        return Engine(self.source, **self.engine_options(maximum_waiting))
