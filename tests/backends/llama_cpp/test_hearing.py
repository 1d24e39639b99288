"""Audio in prompts: the contract, and the same answers as llama.cpp's own loop over its libmtmd."""

from __future__ import annotations

import ctypes
import gc
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import attrs
import numpy as np
import pytest
from numpy.typing import NDArray

import sauropod
from sauropod import Message
from sauropod.abc import Attached, AudioFrame, Chunk, LanguageModel, LoadOptions, Source
from sauropod.backends.llama_cpp import LlamaCpp
from sauropod.backends.llama_cpp.library import library
from sauropod.testing import check_language_model, models

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

DECODERS: dict[str, Callable[..., Path]] = {
    "full attention": models.tiny_llama,
    "hybrid": models.tiny_hybrid,
    "recurrent": models.tiny_recurrent,
    "sliding window": models.tiny_windowed,
    "positions in several dimensions": models.tiny_mrope,
}
PLAIN = "full attention"
OTHERS = {"ultravox": 60, "qwen2a": 1}
"""Projectors besides Voxtral's, and how many frames they stack."""
RATE = 16_000
ASKED = "<|im_start|>user\n", "What do you hear?<|im_end|>\n<|im_start|>assistant\n"


def sound(seconds: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, round(RATE * seconds)).astype(np.float32)


def hearing(folder: Path, make: Callable[..., Path] = models.tiny_llama, kind: Any = "voxtral", **more: Any) -> Source:
    model = make(folder / "model.gguf", context_length=2048)
    projector = models.tiny_projector(folder / "mmproj-model.gguf", kind=kind, **more)
    return Source("model", (model,), projector=projector)


def load(source: Source, **options: Any) -> LanguageModel:
    return LlamaCpp().load(source, LoadOptions(device="cpu", threads=1, **options))


def heard(model: LanguageModel, samples: NDArray[np.float32]) -> Attached:
    """Ready to be computed."""
    attached = model.attach(AudioFrame(samples, RATE))
    while model.hear(attached):
        pass
    return attached


@pytest.mark.parametrize("kind", DECODERS)
def test_it_keeps_the_contract_and_hears(kind: str, tmp_path: Path) -> None:
    source = hearing(tmp_path, DECODERS[kind])
    sizes = {"slots": 4, "context_length": 256, "cache_length": 512, "step_tokens": 64}
    model = load(source, **sizes)
    assert model.info.hears
    model.close()
    check_language_model(lambda: load(source, **sizes), exact=False)


@pytest.mark.parametrize(
    ("decoder", "projector", "stack"),
    [*((name, "voxtral", 30) for name in DECODERS), *((PLAIN, kind, stack) for kind, stack in OTHERS.items())],
)
@pytest.mark.parametrize("seconds", [0.3, 31.0])
def test_its_answers_are_those_of_llama_cpps_own_loop(
    decoder: str, projector: str, stack: int, seconds: float, tmp_path: Path
) -> None:
    source = hearing(tmp_path, DECODERS[decoder], projector, stack=stack)
    samples = sound(seconds)
    expected_prompt, expected = reference(source, samples, 12)
    model = load(source, context_length=2048)
    try:
        attached = heard(model, samples)
        prompt = [*model.encode(ASKED[0], special=True), *attached.tokens, *model.encode_rest(ASKED[1])]
        assert len(prompt) == expected_prompt
        assert greedy(model, prompt, 12) == expected
    finally:
        model.close()


def greedy(model: LanguageModel, prompt: Sequence[int], count: int) -> list[int]:
    """What a model says, by the scheduler's own rules of what goes into a step."""
    from sauropod._scheduling.scheduler import Scheduler
    from sauropod._scheduling.sequence import Sequence as Tokens

    sampling = sauropod.SamplingParams(temperature=0, ignore_eos=True, max_tokens=count).over(model.info.sampling)
    scheduler, sequence = Scheduler(model), Tokens(1, list(prompt), sampling)
    scheduler.add(sequence)
    for opened in scheduler.admit(0.0):
        assert opened.slot is not None
        model.open(opened.slot, sampling, opened.prompt, [])
    while scheduler.busy:
        step = scheduler.schedule(0.0)
        scheduler.update(step, model.decode(step.chunks), 0.0)
    return sequence.generated


def reference(source: Source, samples: NDArray[np.float32], count: int) -> tuple[int, list[int]]:
    """The length of the prompt, and the answer, as `mtmd_helper_eval_chunks` has it."""
    from llama_cpp import mtmd_cpp as mtmd

    lib = library()
    model = lib.llama_model_load_from_file(str(source.files[0]).encode(), lib.llama_model_default_params())
    params = lib.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_threads, params.n_threads_batch = 2048, 512, 1, 1
    context = lib.llama_init_from_model(model, params)
    given = mtmd.mtmd_context_params_default()
    given.use_gpu, given.n_threads, given.print_timings = False, 1, False
    projector = mtmd.mtmd_init_from_file(str(source.projector).encode(), model, given)
    text = ASKED[0].encode() + mtmd.mtmd_default_marker() + ASKED[1].encode()
    bitmap = mtmd.mtmd_bitmap_init_from_audio(len(samples), samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float)))
    chunks = mtmd.mtmd_input_chunks_init()
    asked = mtmd.mtmd_input_text(text, len(text), True, True)
    bitmaps = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
    assert mtmd.mtmd_tokenize(projector, chunks, ctypes.byref(asked), bitmaps, 1) == 0
    past = ctypes.c_int32()
    assert mtmd.mtmd_helper_eval_chunks(projector, context, chunks, 0, 0, 512, True, ctypes.byref(past)) == 0
    length, vocabulary = past.value, lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
    ends = [lib.llama_vocab_is_eog(lib.llama_model_get_vocab(model), token) for token in range(vocabulary)]
    said: list[int] = []
    while len(said) < count:
        logits = np.ctypeslib.as_array(lib.llama_get_logits_ith(context, -1), shape=(vocabulary,)).copy()
        logits[ends] = -np.inf
        said.append(int(logits.argmax()))
        step = lib.llama_batch_get_one((ctypes.c_int32 * 1)(said[-1]), 1)
        assert lib.llama_decode(context, step) == 0
    mtmd.mtmd_input_chunks_free(chunks)
    mtmd.mtmd_bitmap_free(bitmap)
    mtmd.mtmd_free(projector)
    lib.llama_free(context)
    lib.llama_model_free(model)
    return length, said


def test_what_was_heard_is_not_encoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llama_cpp import mtmd_cpp as mtmd

    from sauropod.backends.llama_cpp import hearing as under_test

    model = load(hearing(tmp_path))
    encoded: list[Any] = []
    encode = mtmd.mtmd_encode_chunk

    def counting(*given: Any) -> int:
        encoded.append(given)
        return int(encode(*given))

    monkeypatch.setattr(mtmd, "mtmd_encode_chunk", counting)
    try:
        held = heard(model, sound())
        heard(model, sound())
        assert len(encoded) == 1
        monkeypatch.setattr(under_test, "KEPT_BYTES", 1)  # from now on only the last is kept
        heard(model, sound(seed=1))
        heard(model, sound())  # which somebody still holds
        assert len(encoded) == 2
        tokens = list(held.tokens)
        del held
        gc.collect()
        heard(model, sound(seed=1))
        gc.collect()
        assert len(encoded) == 3
        assert list(model.attach(AudioFrame(sound(), RATE)).tokens) == tokens
        assert len(encoded) == 3  # to know them, nothing has to be heard
        heard(model, sound())
        assert len(encoded) == 4
    finally:
        model.close()


def test_long_audio_is_heard_half_a_minute_at_a_time(tmp_path: Path) -> None:
    model = load(hearing(tmp_path))
    try:
        attached = model.attach(AudioFrame(sound(70), RATE))
        assert [model.hear(attached) for _ in range(4)] == [True, True, False, False]
        del attached
        unheard = model.attach(AudioFrame(sound(70, seed=1), RATE))
        del unheard  # its windows go with it
        gc.collect()
    finally:
        model.close()


def test_audio_that_nobody_holds_any_more_is_an_error_and_not_nonsense(tmp_path: Path) -> None:
    model = load(hearing(tmp_path))
    try:
        sampling = sauropod.SamplingParams(temperature=0).over(model.info.sampling)
        model.open(0, sampling, [-5], [])
        with pytest.raises(sauropod.BackendError, match="not held any more"):
            model.decode([Chunk(0, 0, [-5], True)])
    finally:
        model.close()


def test_a_projector_that_does_not_fit_is_told_of_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = models.tiny_llama(tmp_path / "model.gguf")
    projector = models.tiny_projector(tmp_path / "mmproj.gguf", width=128)
    with caplog.at_level(logging.WARNING, "sauropod.llama_cpp"):
        loaded = load(Source("model", (model,), projector=projector))
    assert not loaded.info.hears
    loaded.close()
    assert "The model is used without its projector, and hears nothing: " in caplog.text


@pytest.mark.anyio
async def test_an_engine_takes_the_projector_that_it_is_told_to(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    hearing(folder)
    other = models.tiny_projector(tmp_path / "ears.gguf", stack=60)
    asked = Message.user("What do you hear?", audio=AudioFrame(sound(), RATE))
    lengths = []
    for projector in (True, other):
        async with sauropod.Engine(folder, device="cpu", threads=1, projector=projector) as engine:
            lengths.append(await engine.count_tokens(asked))
    assert lengths[0] == lengths[1] + 12 + 1  # 25 tokens of audio, and 12
    async with sauropod.Engine(folder, device="cpu", threads=1, projector=False) as engine:
        assert not engine.info.hears
        with pytest.raises(sauropod.UnsupportedInput, match="hears no audio"):
            await engine.count_tokens(asked)
    with pytest.raises(sauropod.ModelNotFound):
        await sauropod.Engine(folder, device="cpu", projector=tmp_path / "none.gguf").open()
    unfitting = models.tiny_projector(tmp_path / "wide.gguf", width=128)
    with pytest.raises(sauropod.UnsupportedModel, match=r"cannot use the projector wide\.gguf with this model"):
        await sauropod.Engine(folder, device="cpu", projector=unfitting).open()
    with pytest.raises(sauropod.UnsupportedInput, match="projector is True, False, or a file's name"):
        sauropod.Engine(folder, projector=5)  # type: ignore[arg-type]


def test_what_a_projector_takes_is_counted(tmp_path: Path) -> None:
    source = hearing(tmp_path)
    whole, without = load(source), load(attrs.evolve(source, projector=None))
    assert whole.info.hears
    assert not without.info.hears
    assert whole.info.placement is not None
    assert without.info.placement is not None
    assert source.projector is not None
    more = whole.info.placement.weight_bytes - without.info.placement.weight_bytes
    assert more == source.projector.stat().st_size
    whole.close()
    without.close()


@pytest.mark.anyio
async def test_an_engine_hears_in_a_process_of_its_own_beside_others(tmp_path: Path) -> None:
    """Two questions about audio and two without it, at once: each has the answer that it has alone."""
    hearing(tmp_path)
    first = Message.user("What do you hear?", audio=AudioFrame(sound(), RATE))
    sounds = [AudioFrame(sound(seed=1), RATE), AudioFrame(sound(), RATE)]
    second = Message.user("First \ufffc, then \ufffc.", audio=sounds)
    prompts: list[sauropod.Prompt] = [first, "What is this?", second, "And that?"]
    async with sauropod.Engine(tmp_path, device="cpu", threads=1) as engine:
        assert engine.info.hears
        alone = [await engine.complete(prompt, temperature=0, max_tokens=8, seed=1) for prompt in prompts]
        together: dict[int, sauropod.Completion] = {}

        async def ask(index: int) -> None:
            together[index] = await engine.complete(prompts[index], temperature=0, max_tokens=8, seed=1)

        async with anyio.create_task_group() as tasks:
            for index in range(len(prompts)):
                tasks.start_soon(ask, index)
    for index, each in enumerate(alone):
        assert together[index].choices[0].tokens[:4] == each.choices[0].tokens[:4]
    assert alone[0].choices[0].tokens != alone[2].choices[0].tokens


@pytest.mark.anyio
async def test_audio_that_does_not_fit_is_refused_before_it_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llama_cpp import mtmd_cpp as mtmd

    def never(*given: Any) -> int:
        raise AssertionError("it was heard")

    hearing(tmp_path)
    long = Message.user("What do you hear?", audio=AudioFrame(sound(200), RATE))
    async with sauropod.Engine(tmp_path, device="cpu", threads=1, isolation="thread", context_length=128) as engine:
        monkeypatch.setattr(mtmd, "mtmd_encode_chunk", never)
        assert await engine.count_tokens(long) > 128
        with pytest.raises(sauropod.PromptTooLong):
            await engine.complete(long)


@pytest.mark.anyio
async def test_a_text_and_another_model_do_not_wait_for_what_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does anybody wait for it when nobody wants it any more: the window under way is the last."""
    from llama_cpp import mtmd_cpp as mtmd

    windows, gate, encode = [], threading.Event(), mtmd.mtmd_encode_chunk

    def slowly(*given: Any) -> int:
        windows.append(given)
        assert gate.wait(20)
        return int(encode(*given))

    hearing(tmp_path)
    long = Message.user("What do you hear?", audio=AudioFrame(sound(100), RATE))
    options: Any = {"device": "cpu", "threads": 1, "isolation": "thread"}
    async with sauropod.Engine(tmp_path, **options) as other:
        engine = await sauropod.Engine(tmp_path, **options).open()
        monkeypatch.setattr(mtmd, "mtmd_encode_chunk", slowly)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_refused, engine, long)
                while not windows:
                    await anyio.sleep(0.01)
                assert (await engine.complete("Hi", max_tokens=3, ignore_eos=True)).usage.completion_tokens == 3
                tasks.start_soon(engine.aclose)
                await anyio.sleep(0.05)
                assert (await other.complete("Hi", max_tokens=3, ignore_eos=True)).usage.completion_tokens == 3
                gate.set()
    assert len(windows) == 1


async def _refused(engine: sauropod.Engine, prompt: sauropod.Prompt) -> None:
    with pytest.raises(sauropod.ClosedError):
        await engine.complete(prompt, max_tokens=3)


@pytest.mark.anyio
async def test_a_single_sample_disturbs_nobody(tmp_path: Path) -> None:
    hearing(tmp_path)
    async with sauropod.Engine(tmp_path, device="cpu", threads=1) as engine:
        for length in (1, 2, 159, 200):
            asked = Message.user("What?", audio=AudioFrame(sound()[:length], RATE))
            assert (await engine.complete(asked, max_tokens=3, ignore_eos=True)).usage.completion_tokens == 3


@pytest.mark.parametrize("samples", [np.array([np.nan] * RATE, np.float32), np.array([np.inf] * RATE, np.float32)])
def test_samples_that_are_no_numbers_are_refused(samples: NDArray[np.float32], tmp_path: Path) -> None:
    model = load(hearing(tmp_path))
    try:
        with pytest.raises(sauropod.UnsupportedInput, match="no numbers"):
            model.attach(AudioFrame(samples, RATE))
    finally:
        model.close()
