"""How much is put where: arithmetic, and what the native log says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.abc import Device
from sauropod.backends.llama_cpp.devices import NativeDevice, _our_name, choose
from sauropod.backends.llama_cpp.placement import offloaded_layers, read_buffers
from sauropod.backends.llama_cpp.plan import layers_that_fit, plan_room
from sauropod.errors import DeviceUnavailable, OutOfMemory

sizes = st.integers(1, 200_000)


@given(st.none() | sizes, st.none() | sizes, sizes, st.integers(1, 64), st.integers(0, 10**7))
def test_a_sequence_always_fits_into_the_cache(
    context: int | None, cache: int | None, trained: int, slots: int, fitting: int
) -> None:
    room = plan_room(context, cache, trained, slots, fitting)
    assert 0 < room.context_length <= room.cache_length
    assert room.cache_length % 256 == 0
    assert room.context_length == (context or room.context_length)
    if context is None:
        assert room.context_length <= trained


@given(st.integers(1, 100), st.integers(0, 10**11), st.integers(1, 10**11), st.integers(0, 10**10))
def test_the_layers_on_the_gpu_fit_and_one_more_would_not(layers: int, free: int, weights: int, cache: int) -> None:
    each = (weights + cache) / layers
    try:
        count = layers_that_fit(layers, free, weights, cache, compute=1000)
    except OutOfMemory:
        assert each + 1000 > 0.9 * free * 0.999
    else:
        assert count * each + 1000 <= 0.9 * free * 1.001
        assert count == layers or (count + 1) * each + 1000 > 0.9 * free * 0.999


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("CPU", "cpu"),
        ("CUDA0", "cuda:0"),
        ("CUDA11", "cuda:11"),
        ("Vulkan1", "vulkan:1"),
        ("MTL0", "metal:0"),
        ("Metal", "metal"),
        ("RPC0[10.0.0.2:50052]", "rpc:0[10.0.0.2:50052]"),
    ],
)
def test_devices_have_names_users_can_type(theirs: str, ours: str) -> None:
    assert _our_name(theirs) == ours


def native(name: str) -> NativeDevice:
    return NativeDevice(Device(name), hash(name), name != "cpu")


MACHINE = [native("cuda:0"), native("cuda:1"), native("vulkan:0"), native("cpu")]


@pytest.mark.parametrize(
    ("requested", "names"),
    [
        ("cpu", []),
        ("auto", ["cuda:0", "cuda:1"]),
        ("cuda", ["cuda:0", "cuda:1"]),
        ("cuda:1", ["cuda:1"]),
        ("CUDA:1", ["cuda:1"]),
        ("cuda:1,vulkan", ["cuda:1", "vulkan:0"]),
    ],
)
def test_a_request_means_these_devices(requested: str, names: list[str]) -> None:
    assert [chosen.device.name for chosen in choose(requested, MACHINE)] == names


def test_auto_is_the_cpu_where_there_is_nothing_else() -> None:
    assert choose("auto", [native("cpu")]) == []


@pytest.mark.parametrize("requested", ["cuda:2", "metal", "gpu", "cuda:0,cuda:7", ""])
def test_what_is_not_there_is_an_error_that_names_what_is(requested: str) -> None:
    with pytest.raises(DeviceUnavailable, match="vulkan:0"):
        choose(requested, MACHINE)


def test_the_log_of_a_load_tells_what_was_put_where() -> None:
    lines = [
        "load_tensors: offloaded 20/25 layers to GPU",
        "load_tensors:        CUDA0 model buffer size =   400.00 MiB",
        "load_tensors:   CPU_Mapped model buffer size =   108.50 MiB",
        "llama_kv_cache:      CUDA0 KV buffer size =     96.00 MiB",
        "llama_kv_cache:        CPU KV buffer size =     32.00 MiB",
        "llama_memory_recurrent:        CPU RS buffer size =     1.00 MiB",
        "llama_kv_cache: size =  128.00 MiB (  1024 cells,   2 layers,  4/1 seqs), K (f16): 64 MiB",
        "sched_reserve:      CUDA0 compute buffer size =   300.00 MiB",
        "llama_context:        CPU  output buffer size =     0.50 MiB",
    ]
    buffers = read_buffers(lines)
    assert buffers.cache == 129 * 1024**2
    assert buffers.planned_cache == 128 * 1024**2
    assert buffers.compute == 300.5 * 1024**2
    assert offloaded_layers(lines) == (20, 25)
