"""From a model file to a model: devices, layers, cache and context chosen, and what was got written down."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from sauropod._log import log
from sauropod._values.grammar import GrammarKind
from sauropod.abc import LoadOptions, ModelInfo, Placement, Source
from sauropod.backends.llama_cpp.devices import NativeDevice, add_rpc_servers, choose, native_devices
from sauropod.backends.llama_cpp.embedding import Embedder
from sauropod.backends.llama_cpp.hearing import Projector, hears
from sauropod.backends.llama_cpp.library import library, listening
from sauropod.backends.llama_cpp.machine import physical_cores
from sauropod.backends.llama_cpp.metadata import Metadata
from sauropod.backends.llama_cpp.model import AbortFlag, LlamaModel
from sauropod.backends.llama_cpp.placement import offloaded_layers, read_buffers
from sauropod.backends.llama_cpp.plan import (
    LONGEST_AT_ONCE,
    Room,
    cells_that_fit,
    layers_that_fit,
    plan_room,
    threads_worth_having,
)
from sauropod.backends.llama_cpp.settings import Settings
from sauropod.backends.llama_cpp.template import ChatTemplate, ToolTemplates
from sauropod.backends.llama_cpp.vocabulary import Vocabulary
from sauropod.errors import BackendError, DeviceUnavailable, OutOfMemory, UnsupportedInput, UnsupportedModel

__all__ = ["load"]

_logger = log("sauropod.llama_cpp")

PROJECTOR_ROOM = 1.5
"""What a projector takes, by the size of its file."""

_PROBES = (1024, 2048)
"""Cells of the caches made to find out what a cell takes."""


def load(source: Source, options: LoadOptions) -> LlamaModel:
    """Make a model ready. What cannot be done raises, and leaves nothing behind."""
    settings = Settings.of(options)
    library()
    add_rpc_servers(options.rpc_servers)
    available = native_devices()
    gpus = choose(options.device, available)
    with listening() as lines:
        loading = _Loading(source, options, settings, gpus, available, lines)
        try:
            return loading.run()
        except BaseException:
            loading.undo()
            raise


@attrs.define(eq=False)
class _Loading:
    """One load, while it is under way."""

    source: Source
    options: LoadOptions
    settings: Settings
    gpus: list[NativeDevice]
    available: list[NativeDevice]
    lines: list[str]
    """The native log since the load began."""
    _undo: list[Callable[[], None]] = attrs.field(factory=list)
    _kept: list[Any] = attrs.field(factory=list)
    """Arrays that the library reads while it loads."""
    _context_lines: list[str] = attrs.field(factory=list)
    """The native log of the context that is kept."""

    def run(self) -> LlamaModel:
        model = self._load_weights(self._gpu_layers())
        metadata = Metadata(model)
        self._refuse_what_is_no_language_model(model, metadata)
        generates = metadata.is_causal and metadata.pooling != "rank"
        projector = self._projector(model) if generates else None
        room = self._room(model, metadata) if generates else Room(metadata.trained_context_length, 0)
        abort = AbortFlag()
        context = self._make_context(model, room, abort) if generates else None
        vocabulary = Vocabulary(library().llama_model_get_vocab(model), room.context_length)
        template, fault = self._template(metadata, vocabulary) if generates else (None, "This model only embeds.")
        embedder = self._embedder(model, metadata, room)
        info = self._describe(model, metadata, room, embedder, vocabulary, generates, template is not None)
        if projector is not None:
            info = _hearing(info, projector)
        return LlamaModel(
            model, context, info, vocabulary, embedder, abort, template, fault, metadata.window, projector
        )

    def undo(self) -> None:
        for step in reversed(self._undo):
            step()

    # -- weights ---------------------------------------------------------------------------------------------------

    def _gpu_layers(self) -> int:
        """How many layers go to the GPUs: as asked, else as many as fit."""
        if not self.gpus:
            if self.options.gpu_layers:
                raise DeviceUnavailable(
                    f"{self.options.gpu_layers} layers were asked to be on a GPU, and the model is to be on the CPU. "
                    "Name a GPU with device=…, or leave gpu_layers out; sauropod doctor lists the devices there are."
                )
            return 0
        if self.options.gpu_layers is not None:
            return self.options.gpu_layers
        lib = library()
        model = self._open(self._model_params(-1, dry=True))
        try:
            metadata = Metadata(model)
            layers = lib.llama_model_n_layer(model) + 1  # llama.cpp counts the output layer too
            free = sum(gpu.device.free_memory for gpu in self.gpus) - self._projector_bytes
            weights = lib.llama_model_size(model)
            if not metadata.is_causal:
                return layers_that_fit(layers, free, weights, 0, 0)
            per_cell, compute = self._probe(model)
            room = self._plan(metadata, cells_that_fit(free - weights, per_cell))
            return layers_that_fit(layers, free, weights, per_cell * room.cache_length, compute)
        finally:
            lib.llama_model_free(model)

    @property
    def _projector_bytes(self) -> int:
        """What a projector takes beside the model, with room to compute in."""
        path = self.source.projector
        return round(PROJECTOR_ROOM * path.stat().st_size) if path is not None and hears(path) else 0

    def _load_weights(self, gpu_layers: int) -> Any:
        model = self._open(self._model_params(gpu_layers))
        self._undo.append(partial(library().llama_model_free, model))
        return model

    def _open(self, params: Any) -> Any:
        lib = library()
        paths = [str(file).encode() for file in self.source.files]
        if len(paths) == 1:
            model = lib.llama_model_load_from_file(paths[0], params)
        else:
            model = lib.llama_model_load_from_splits((ctypes.c_char_p * len(paths))(*paths), len(paths), params)
        if not model:
            raise self._failure("The model could not be loaded", UnsupportedModel)
        return model

    def _model_params(self, gpu_layers: int, *, dry: bool = False) -> Any:
        params = library().llama_model_default_params()
        devices = [gpu.pointer for gpu in self.gpus]
        self._kept.append((ctypes.c_void_p * (len(devices) + 1))(*devices, None))
        params.devices = ctypes.cast(self._kept[-1], ctypes.c_void_p)
        params.n_gpu_layers = gpu_layers
        params.split_mode = self.settings.split_mode_number
        params.load_mode = 0 if dry else self.settings.load_mode_number
        params.check_tensors = self.settings.check_tensors
        params.no_alloc = dry
        if self.options.tensor_split:
            most = library().llama_max_devices()
            shares = [*self.options.tensor_split, *[0.0] * most][:most]
            self._kept.append((ctypes.c_float * most)(*shares))
            params.tensor_split = self._kept[-1]
        return params

    def _projector(self, model: Any) -> Projector | None:
        """What the model hears with. It can be used without, so what is wrong with one is told unless it was named."""
        path = self.source.projector
        if path is None:
            return None
        threads = self.settings.threads or physical_cores()
        try:
            projector = Projector.load(path, model, gpu=self._is_on_gpu, threads=threads)
        except UnsupportedModel as error:
            if self.source.projector_named:
                raise
            _logger.warning("The model is used without its projector, and hears nothing: %s", error)
            return None
        self._undo.append(projector.close)
        return projector

    def _refuse_what_is_no_language_model(self, model: Any, metadata: Metadata) -> None:
        lib = library()
        if lib.llama_model_has_encoder(model) and lib.llama_model_has_decoder(model):
            raise UnsupportedModel(
                f"{self._name} is an encoder-decoder model ({metadata.architecture}); use a decoder."
            )
        if lib.llama_model_is_diffusion(model):
            raise UnsupportedModel(f"{self._name} writes by diffusion, not token by token; use another model.")
        if lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model)) == 0:
            raise UnsupportedModel(
                f"{self._name} has no vocabulary, so it cannot read text. Use a complete model file."
            )

    # -- context ---------------------------------------------------------------------------------------------------

    def _room(self, model: Any, metadata: Metadata) -> Room:
        """The context and the cache, measured against the memory that is left."""
        devices = self.gpus or [native for native in self.available if not native.is_gpu]
        free = sum(native.device.free_memory for native in devices)
        per_cell, _ = self._probe(model)
        room = self._plan(metadata, cells_that_fit(free, per_cell))
        if per_cell * room.cache_length > free:  # the kernel would promise it, and kill us when we use it
            raise OutOfMemory(
                f"A cache of {room.cache_length:,} cells takes {per_cell * room.cache_length / 1e9:.1f} GB, and "
                f"{free / 1e9:.1f} GB are free. Ask for a shorter context_length or cache_length, or a smaller "
                "cache_type."
            )
        return room

    def _plan(self, metadata: Metadata, fitting: int) -> Room:
        options = self.options
        trained = metadata.trained_context_length or 2048
        return plan_room(options.context_length, options.cache_length, trained, self.settings.slots, fitting)

    def _probe(self, model: Any) -> tuple[float, int]:
        """The bytes each cell of the cache takes, and those of a step's intermediate results."""
        caches, compute = [], 0
        for cells in _PROBES:
            with listening() as lines:
                context = self._init_context(model, self._context_params(model, Room(cells, cells)))
                library().llama_free(context)
            buffers = read_buffers(lines)
            caches.append(buffers.planned_cache)
            compute = buffers.compute
        return (caches[1] - caches[0]) / (_PROBES[1] - _PROBES[0]), compute

    def _make_context(self, model: Any, room: Room, abort: AbortFlag) -> Any:
        params = self._context_params(model, room)
        abort.connect(params)
        with listening() as self._context_lines:
            context = self._init_context(model, params)
        self._undo.append(partial(library().llama_free, context))
        self._attach_adapters(model, context)
        return context

    def _init_context(self, model: Any, params: Any) -> Any:
        context = library().llama_init_from_model(model, params)
        if not context:
            raise self._failure("A context for the model could not be made", BackendError)
        return context

    def _context_params(self, model: Any, room: Room) -> Any:
        settings = self.settings
        threads = settings.threads or threads_worth_having(library().llama_model_size(model), physical_cores())
        params = library().llama_context_default_params()
        params.n_ctx, params.n_seq_max = room.cache_length, settings.slots
        params.n_batch, params.n_ubatch = settings.step_tokens, min(settings.step_tokens, settings.ubatch_tokens)
        params.n_outputs_max = settings.slots  # a token for each slot is all that is ever asked for
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = settings.flash_attention_number
        params.type_k, params.type_v = settings.cache_type_numbers
        params.swa_full, params.offload_kqv = settings.swa_full, settings.offload_kqv
        params.rope_freq_base, params.rope_freq_scale = settings.rope_freq_base, settings.rope_freq_scale
        params.kv_unified = params.no_perf = True
        return params

    def _attach_adapters(self, model: Any, context: Any) -> None:
        """LoRA adapters stay with the model until it is freed."""
        lib = library()
        adapters = []
        for path in self.options.adapters:
            adapter = lib.llama_adapter_lora_init(model, str(path).encode())
            if not adapter:
                raise self._failure(f"The adapter {path} could not be loaded", UnsupportedModel)
            adapters.append(adapter)
        if adapters:
            array = (lib.llama_adapter_lora_p_ctypes * len(adapters))(*adapters)
            scales = (ctypes.c_float * len(adapters))(*self.options.adapters.values())
            lib.llama_set_adapters_lora(context, array, len(adapters), scales)

    # -- embedding -------------------------------------------------------------------------------------------------

    def _embedder(self, model: Any, metadata: Metadata, room: Room) -> Embedder:
        lib = library()
        pooling = self._pooling(metadata)
        longest = min(room.context_length, metadata.trained_context_length or room.context_length)
        # What is pooled over several tokens has to be computed at once, and that takes memory by the square.
        in_pieces = metadata.is_causal and pooling in ("last", "none")
        longest = longest if in_pieces else min(longest, LONGEST_AT_ONCE)
        ubatch = min(longest, self.settings.ubatch_tokens) if in_pieces else longest
        return Embedder(
            make_context=partial(self._make_embedding_context, model, pooling, longest, ubatch),
            longest=longest,
            most=self.settings.embedding_slots,
            width=lib.llama_model_n_cls_out(model) if pooling == "rank" else lib.llama_model_n_embd_out(model),
            causal=metadata.is_causal,
            pools=pooling != "none",
        )

    def _make_embedding_context(self, model: Any, pooling: str, longest: int, ubatch: int) -> Any:
        params = self._context_params(model, Room(longest, longest))
        params.n_batch, params.n_ubatch = longest, ubatch
        params.n_seq_max, params.n_outputs_max = self.settings.embedding_slots, 0
        params.embeddings, params.pooling_type = True, Metadata.POOLING.index(pooling)
        with listening() as lines:
            self.lines = lines
            context = self._init_context(model, params)
        self._attach_adapters(model, context)
        return context

    def _pooling(self, metadata: Metadata) -> str:
        asked = self.options.pooling
        if asked is not None and asked not in Metadata.POOLING:
            raise UnsupportedInput(f"pooling is one of {', '.join(Metadata.POOLING)}; got {asked!r}.")
        return asked or metadata.pooling or "mean"

    # -- the rest --------------------------------------------------------------------------------------------------

    def _template(self, metadata: Metadata, vocabulary: Vocabulary) -> tuple[ChatTemplate | ToolTemplates | None, str]:
        """The chat template, or why there is none. A template the user gave must work."""

        def made(source: str) -> ChatTemplate:
            return ChatTemplate(source, vocabulary.bos, vocabulary.end, self.options.system_prompt or "")

        source = self.options.chat_template or metadata.chat_template
        if not source:
            return None, "This model has no chat template; give one with chat_template=…, or ask with raw=True."
        try:
            template = made(source)
        except UnsupportedInput as error:
            if self.options.chat_template or self.options.system_prompt:
                raise
            return None, str(error)
        if not self.options.chat_template and metadata.tool_template:
            with contextlib.suppress(UnsupportedInput):
                return ToolTemplates(template, made(metadata.tool_template)), ""
        return template, ""

    def _describe(
        self,
        model: Any,
        metadata: Metadata,
        room: Room,
        embedder: Embedder,
        vocabulary: Vocabulary,
        generates: bool,
        chat: bool,
    ) -> ModelInfo:
        lib = library()
        return ModelInfo(
            name=metadata.name or self.source.name,
            backend="llama_cpp",
            architecture=metadata.architecture,
            context_length=room.context_length if generates else embedder.longest,
            slots=self.settings.slots,
            vocabulary_size=vocabulary.size,
            sampling=metadata.sampling,
            trained_context_length=metadata.trained_context_length,
            cache_length=0 if metadata.is_recurrent else room.cache_length,
            step_tokens=self.settings.step_tokens,
            parameters=lib.llama_model_n_params(model),
            embedding_length=embedder.width,
            quantization=metadata.quantization,
            chat=chat,
            generates=generates,
            grammars=frozenset(GrammarKind) if generates and vocabulary.eos else frozenset(),
            embeds=True,
            pooling=self._pooling(metadata),
            rewinds=generates and metadata.rewinds,
            idle_slots_cost=not (metadata.is_recurrent or self._cache_is_on_gpu),
            licence=metadata.licence,
            placement=self._placement(model),
        )

    def _placement(self, model: Any) -> Placement:
        lib = library()
        buffers = read_buffers(self._context_lines)
        offloaded, layers = offloaded_layers(self.lines)
        used = [gpu.device.name for gpu in self.gpus] if offloaded else []
        layers = layers or lib.llama_model_n_layer(model) + 1
        return Placement(
            requested=self.options.device,
            devices=tuple(used if offloaded >= layers else [*used, "cpu"]),
            layers=layers,
            offloaded_layers=offloaded,
            weight_bytes=lib.llama_model_size(model),
            cache_bytes=buffers.cache,
            compute_bytes=buffers.compute,
        )

    @property
    def _cache_is_on_gpu(self) -> bool:
        return self.settings.offload_kqv and self._is_on_gpu

    @property
    def _is_on_gpu(self) -> bool:
        return offloaded_layers(self.lines)[0] > 0

    @property
    def _name(self) -> str:
        return self.source.files[0].name if self.source.files else self.source.name

    def _failure(self, what: str, kind: type[UnsupportedModel | BackendError]) -> Exception:
        """The native library gives no reason; its log does."""
        telling = [
            line for line in self.lines if any(word in line for word in ("error", "failed", "unable", "unknown"))
        ]
        reason = (telling or self.lines or ["its log says nothing"])[-1]
        memory = any("alloc" in line or "out of memory" in line for line in telling)
        if memory:
            return OutOfMemory(
                f"{what}: there is no room for it ({reason}). Ask for a shorter context_length or fewer slots, "
                "a smaller cache_type, or a smaller model."
            )
        return kind(f"{what} ({self._name}): {reason}.")


def _hearing(info: ModelInfo, projector: Projector) -> ModelInfo:
    """What is known of a model that hears."""
    placement = info.placement
    if placement is not None:
        placement = attrs.evolve(placement, weight_bytes=placement.weight_bytes + projector.weight_bytes)
    return attrs.evolve(info, audio_rate=projector.rate, placement=placement)
