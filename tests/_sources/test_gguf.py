"""Reading GGUF headers: what is right is read right, and nothing that is wrong gets through or costs much."""

from __future__ import annotations

import random
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gguf_files
from gguf_files import Typed, Weights
from sauropod._sources.ggml import DROPPED_TYPES, FILE_TYPES, TENSOR_TYPES
from sauropod._sources.gguf import HEADER_LIMIT, read_header
from sauropod._sources.header import Header, Omitted
from sauropod._sources.inspection import joined, require_model
from sauropod._sources.memory import cache_bytes
from sauropod._sources.sizes import in_words
from sauropod.errors import UnsupportedModel


def reader(raw: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, length: raw[offset : offset + length]


def read(raw: bytes) -> Header:
    return read_header(reader(raw), len(raw), "model.gguf")


def fault(raw: bytes) -> str:
    with pytest.raises(UnsupportedModel) as caught:
        read(raw)
    message = str(caught.value)
    assert message.startswith("model.gguf ")
    assert message.endswith((".", "'."))
    return message


# -- what is right -----------------------------------------------------------------------------------------------------


def test_a_header_says_what_the_model_is() -> None:
    header = read(gguf_files.model("Tiny Llama"))
    assert (header.version, header.architecture) == (3, "llama")
    assert (header.context_length, header.layers, header.embedding_length) == (2048, 2, 32)
    assert (header.quantization, header.tensor_bytes) == ("Q4_K_M", 4 * 32 * 11)
    assert (header.is_projector, header.is_adapter, header.split_count) == (False, False, 0)


def test_a_header_agrees_with_the_gguf_package(tmp_path: Path) -> None:
    import numpy as np

    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("from the package")
    writer.add_block_count(3)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_token_list([f"token {n}" for n in range(3000)])
    writer.add_array("llama.attention.head_count_kv", [1, 2, 0])
    weights = np.arange(64 * 4, dtype=np.float32).reshape(4, 64)
    packed = gguf.quants.quantize(weights, gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("a.weight", packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("b.weight", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    header = read(path.read_bytes())
    theirs = gguf.GGUFReader(path)
    assert [(each.name, each.shape, each.size) for each in header.tensors] == [
        (each.name, tuple(int(n) for n in each.shape), each.n_bytes) for each in theirs.tensors
    ]
    assert header.data_offset == theirs.data_offset
    assert header.quantization == "Q8_0"
    assert header.metadata["llama.attention.head_count_kv"] == (1, 2, 0)
    assert header.metadata["tokenizer.ggml.tokens"] == Omitted(3000)


def test_tensor_types_take_what_the_gguf_package_says_they_take() -> None:
    for kind, sizes in gguf.GGML_QUANT_SIZES.items():
        known = TENSOR_TYPES[int(kind)]
        if kind.name != "Q8_1":  # which is in no file; the package has its old layout
            assert (known.name, known.block, known.block_bytes) == (kind.name, *sizes)
    assert not TENSOR_TYPES.keys() & DROPPED_TYPES.keys()


def test_file_types_are_named_as_the_gguf_package_names_them() -> None:
    for kind in gguf.LlamaFileType:
        if int(kind) in FILE_TYPES:
            assert FILE_TYPES[int(kind)] == kind.name.removeprefix("MOSTLY_").removeprefix("ALL_")


@pytest.mark.parametrize("kind", list(gguf_files.KINDS))
def test_every_kind_of_number_is_read(kind: str) -> None:
    one = {"?": True, "f": 1.0, "d": 1.0}.get(kind, 1)
    header = read(gguf_files.gguf({"one": Typed(kind, one), "many": [Typed(kind, one)] * 3}))
    assert (header.metadata["one"], header.metadata["many"]) == (one, (one,) * 3)


def test_long_values_are_passed_over() -> None:
    metadata = {"text": "x" * 300_000, "numbers": [1] * 5000, "texts": ["ab"] * 5000, "mixed": ["x" * 300_000, "y"]}
    header = read(gguf_files.gguf({**metadata, "after": "all"}))
    assert [header.metadata[key] for key in metadata] == [Omitted(300_000), Omitted(5000), Omitted(5000), Omitted(2)]
    assert header.metadata["after"] == "all"


def test_version_2_is_read() -> None:
    assert read(gguf_files.gguf({"general.architecture": "llama"}, version=2)).version == 2


def test_the_commonest_type_names_a_file_that_does_not() -> None:
    tensors = [Weights("small", (32,)), Weights("large", (256, 64), type=12, size=144 * 64)]
    assert read(gguf_files.gguf({"general.architecture": "llama"}, tensors)).quantization == "Q4_K"


def test_odd_metadata_has_answers_all_the_same() -> None:
    odd = {"general.architecture": "llama", "llama.context_length": "many", "llama.block_count": Typed("i", -1)}
    header = read(gguf_files.gguf({**odd, "general.type": 7}))
    assert (header.context_length, header.layers, header.is_projector, header.quantization) == (0, 0, False, "")


def test_names_cannot_steer_a_terminal() -> None:
    assert read(gguf_files.gguf({"general.architecture": "ll\x1b[2Ja\nma\u202e"})).architecture == "ll[2Jama"


def test_a_large_vocabulary_costs_little_memory_and_few_reads() -> None:
    raw = gguf_files.gguf(
        {
            "general.architecture": "llama",
            "tokenizer.ggml.tokens": [b"token"] * 150_000,
            "tokenizer.ggml.merges": [b"to ken"] * 150_000,
            "tokenizer.ggml.token_type": [1] * 150_000,
        }
    )
    reads: list[int] = []

    def counted(offset: int, length: int) -> bytes:
        reads.append(length)
        return raw[offset : offset + length]

    tracemalloc.start()
    header = read_header(counted, len(raw))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert header.metadata["tokenizer.ggml.tokens"] == Omitted(150_000)
    assert len(reads) <= 5
    assert peak < 25_000_000


def test_no_more_is_read_than_the_header_and_a_bit() -> None:
    raw = gguf_files.gguf({"general.architecture": "llama"}, [Weights("a", (1 << 21,))])
    reads: list[int] = []
    read_header(lambda offset, length: reads.append(length) or raw[offset : offset + length], len(raw))  # type: ignore[func-returns-value]
    assert sum(reads) <= 1 << 20 < len(raw)


# -- what is wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("beginning", "said"),
    [
        (b"", "is empty"),
        (b"\0" * 100, "only zeros"),
        (struct.pack("<Q", 80) + b'{"__metadata__":{}}', "safetensors file. Conversion is not supported yet"),
        (b"PK\x03\x04 and so on", "zip archive"),
        (b"\x80\x02}q\x00", "pickle"),
        (b"\x1f\x8b\x08", "compressed. Unpack it"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n  <HTML>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"lmgg\x01", "older than GGUF"),
        (b'{"model_type": "llama"}', "JSON"),
        (b"ID3\x04", "it begins with b'ID3\\x04'"),
        (b"GGU", "is not a GGUF file"),
        (b"GGUF", "within its own header"),
        (gguf_files.gguf(version=1), "version 1"),
        (gguf_files.gguf(version=4), "version 4"),
        (gguf_files.gguf(version=0), "big-endian"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
    ],
)
def test_what_is_no_gguf_is_called_what_it_is(beginning: bytes, said: str) -> None:
    assert said in fault(beginning)


def test_a_download_that_was_cut_short_is_named_as_such() -> None:
    raw = gguf_files.gguf({"general.architecture": "llama"}, [Weights("a", (1 << 18,)), Weights("b", (1 << 18,))])
    assert fault(raw[:1_300_000]) == (
        "model.gguf is 1.3 MB but its header describes 2.1 MB: it was cut short. If it was downloaded, remove it and "
        "fetch it again; if it is so where it comes from, take another file."
    )


def lying(
    *, keys: int = 0, tensors: int = 0, body: bytes = b"", alignment: int | None = None, size: int = 4096
) -> bytes:
    if alignment is not None:
        keys, body = 1, gguf_files.text("general.alignment") + struct.pack("<II", 4, alignment)
    return (b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + body).ljust(size, b"\0")


def keyed(body: bytes, key: str = "k") -> bytes:
    return lying(keys=1, body=gguf_files.text(key) + body)


def tensor(name: str | bytes = "t", shape: tuple[int, ...] = (32,), kind: int = 0, offset: int = 0) -> bytes:
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return gguf_files.text(name) + dimensions + struct.pack("<IQ", kind, offset)


HUGE = (1 << 64) - 1

LIES: dict[str, tuple[bytes, str]] = {
    "too many keys": (lying(keys=1 << 40), "metadata keys"),
    "too many tensors": (lying(tensors=HUGE), "tensors"),
    "a key longer than the file": (lying(keys=1, body=struct.pack("<Q", HUGE)), "length"),
    "a key without a name": (lying(keys=1), "not a text"),
    "a key of no text": (gguf_files.gguf([(b"k\xff", 1)]), "not a text"),
    "a text longer than the file": (keyed(struct.pack("<IQ", 8, HUGE)), "within its own header"),
    "a text that overflows": (keyed(struct.pack("<IQ", 8, HUGE - 7)), "within its own header"),
    "an array longer than the file": (keyed(struct.pack("<IIQ", 9, 0, HUGE)), "within its own header"),
    "an array of texts that overflows": (keyed(struct.pack("<IIQ", 9, 8, HUGE // 8)), "within its own header"),
    "a text of an array longer than the file": (
        keyed(struct.pack("<IIQQ", 9, 8, 400, HUGE)), "within its own header"),
    "an array of arrays": (keyed(struct.pack("<IIQ", 9, 9, 1)), "unknown type 9"),
    "an unknown type": (keyed(struct.pack("<I", 13)), "unknown type 13"),
    "a key twice": (gguf_files.gguf([("a", 1), ("a", 1)]), "there twice"),
    "an alignment of no power of two": (lying(alignment=24), "power of two"),
    "an alignment of nothing": (lying(alignment=0), "power of two"),
    "a gigantic alignment": (lying(alignment=1 << 31), "power of two"),
    "an alignment that is a text": (gguf_files.gguf({"general.alignment": "32"}), "alignment"),
    "a tensor twice": (gguf_files.gguf({}, [Weights("t", (32,)), Weights("t", (32,))]), "there twice"),
    "a tensor over another": (gguf_files.gguf({}, [Weights("t", (32,)), Weights("u", (32,), offset=0)]), "where"),
    "a tensor after a hole": (gguf_files.gguf({}, [Weights("t", (32,)), Weights("u", (32,), offset=256)]), "where"),
    "a tensor at no multiple": (lying(tensors=1, body=tensor(offset=1)), "where"),
    "a tensor past the end": (lying(tensors=1, body=tensor(shape=(1 << 20,))), "cut short"),
    "a tensor with a long name": (lying(tensors=1, body=tensor(name="t" * 64)), "length of 64"),
    "a tensor of many dimensions": (lying(tensors=1, body=tensor(shape=(1,) * 5)), "5 dimensions"),
    "dimensions whose product overflows": (lying(tensors=1, body=tensor(shape=(1 << 32, 1 << 32))), "claims"),
    "a dimension below nothing": (lying(tensors=1, body=tensor(shape=(HUGE,))), "claims"),
    "a row of half a block": (lying(tensors=1, body=tensor(shape=(16,), kind=2)), "whole blocks of Q4_0"),
    "a dropped type": (lying(tensors=1, body=tensor(kind=31)), "Q4_0_4_4, which llama.cpp no longer reads"),
    "a type of the future": (lying(tensors=1, body=tensor(kind=99)), "newer sauropod"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_found_out(lie: str) -> None:
    raw, said = LIES[lie]
    assert said in fault(raw)


def test_a_header_without_an_end_is_given_up() -> None:
    """A file, sparse perhaps, that is all header costs no more than the limit."""
    endless = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_files.text("k") + struct.pack("<IIQ", 9, 8, 1 << 24)
    asked = 0

    def sparse(offset: int, length: int) -> bytes:
        nonlocal asked
        asked += length
        return endless.ljust(length, b"\0") if offset == 0 else bytes(length)

    with pytest.raises(UnsupportedModel, match="claims to be longer than 134 MB"):
        read_header(sparse, 1 << 40)
    assert asked <= HEADER_LIMIT


def test_an_unknown_size_ends_where_reading_ends() -> None:
    raw = gguf_files.model()
    assert read_header(reader(raw), None).architecture == "llama"
    with pytest.raises(UnsupportedModel, match="within its own header"):
        read_header(reader(raw[:200]), None)


@pytest.mark.parametrize("item", [Typed("B", 7), "x", Typed("d", 0.5)], ids=["bytes", "texts", "numbers"])
def test_many_short_arrays_are_not_all_kept(item: Any) -> None:
    array = gguf_files.value([item] * 1024)[1]
    pairs = [gguf_files.text(f"key {n}") + struct.pack("<I", 9) + array for n in range(1_500_000 // len(array))]
    raw = lying(keys=len(pairs), body=b"".join(pairs), size=0)
    tracemalloc.start()
    header = read(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(isinstance(value, tuple) for value in header.metadata.values()) == 64
    assert peak < 8_000_000


def test_many_texts_are_not_all_kept() -> None:
    header = read(gguf_files.gguf({f"key {n}": b"x" * 200_000 for n in range(100)}))
    assert sum(isinstance(value, str) for value in header.metadata.values()) == (1 << 24) // 200_000


def test_what_reading_raises_passes_through() -> None:
    def broken(offset: int, length: int) -> bytes:
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        read_header(broken, 100)


# -- every way to be wrong ---------------------------------------------------------------------------------------------


def survives(raw: bytes) -> bool:
    """It is read or refused, and if read then of a piece."""
    try:
        header = read(raw)
    except UnsupportedModel:
        return False
    assert header.end <= len(raw)
    assert header.tensor_bytes <= len(raw)
    assert cache_bytes(header, 4096) >= 0
    for each in (header.architecture, header.quantization):
        assert isinstance(each, str)
    for number in (header.context_length, header.layers, header.split_count):
        assert number >= 0
    return True


def test_a_file_cut_off_anywhere_is_refused() -> None:
    raw = gguf_files.model()
    end = read(raw).end
    for length in range(end):
        assert not survives(raw[:length])
    assert survives(raw[:end])


def test_any_byte_may_be_flipped() -> None:
    raw = gguf_files.model()
    for position in range(read(raw).data_offset):
        for bits in (0x01, 0x80, 0xFF):
            survives(raw[:position] + bytes([raw[position] ^ bits]) + raw[position + 1 :])


def test_ten_thousand_mutations_are_read_or_refused() -> None:
    chance = random.Random(20240229)
    seeds = [gguf_files.model(), gguf_files.parts(2)[0], gguf_files.projector(), gguf_files.gguf({"a": ["b"] * 40})]
    survived = 0
    for _ in range(10_000):
        raw = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 5))):
            _mutate(raw, chance)
        survived += survives(bytes(raw))
    assert 0 < survived < 10_000


def _mutate(raw: bytearray, chance: random.Random) -> None:
    position = chance.randrange(min(len(raw), 600))
    kind = chance.randrange(4)
    if kind == 0:
        raw[position] = chance.randrange(256)
    elif kind == 1:
        raw[position : position + 8] = struct.pack("<Q", chance.choice((0, 1, 255, 1 << 31, 1 << 63, HUGE)))
    elif kind == 2:
        del raw[position : position + chance.randrange(1, 20)]
    else:
        raw[position:position] = chance.randbytes(chance.randrange(1, 20))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=400))
def test_any_bytes_after_the_magic_are_read_or_refused(rest: bytes) -> None:
    survives(b"GGUF\x03\0\0\0" + rest)


keys = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1, max_size=20)
text = st.text(st.characters(codec="utf-8"), max_size=20)
simple = st.one_of(text, st.booleans(), st.integers(0, (1 << 32) - 1), st.lists(text, min_size=1, max_size=5))


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(keys, simple, max_size=8))
def test_metadata_is_read_as_it_was_written(metadata: dict[str, Any]) -> None:
    metadata.pop("general.alignment", None)
    header = read(gguf_files.gguf(metadata))
    assert header.metadata == {key: tuple(each) if isinstance(each, list) else each for key, each in metadata.items()}


# -- parts -------------------------------------------------------------------------------------------------------------


def headers(count: int, name: str = "tiny") -> list[Header]:
    return [read(raw) for raw in gguf_files.parts(count, name)]


def test_parts_make_one_header() -> None:
    whole = joined(headers(3), "model")
    assert [each.name for each in whole.tensors] == ["tiny.0", "tiny.1", "tiny.2"]
    assert whole.architecture == "llama"


@pytest.mark.parametrize(
    ("given_headers", "said"),
    [
        (headers(3)[:2], "part 1 of 3"),
        (headers(3)[1:], "part 2 of 3"),
        ([headers(3)[0], headers(3)[2], headers(3)[1]], "calls itself part 3 of 3"),
        ([headers(2)[0], headers(3)[1]], "calls itself part 2 of 3"),
        ([headers(2)[0], headers(2)[0]], "calls itself part 1 of 2"),
        ([read(gguf_files.model())] * 2, "part 1 of 1"),
    ],
)
def test_parts_of_different_models_are_refused(given_headers: list[Header], said: str) -> None:
    with pytest.raises(UnsupportedModel, match=said):
        joined(given_headers, "model")


def test_what_is_no_model_is_called_what_it_is() -> None:
    for raw, said in (
        (gguf_files.projector(), "projector"),
        (gguf_files.adapter(), "adapter"),
        (gguf_files.gguf({"general.type": "imatrix"}), "importance matrix"),
        (gguf_files.gguf({}, [Weights("a", (32,))]), "architecture"),
        (gguf_files.gguf({"general.architecture": "llama"}), "vocabulary"),
    ):
        with pytest.raises(UnsupportedModel, match=said):
            require_model(read(raw), "model.gguf")


# -- words -------------------------------------------------------------------------------------------------------------


def test_sizes_are_said_for_people() -> None:
    said = [in_words(count) for count in (0, 1, 999, 1000, 1_250_000, 3_900_000_000, 99_960_000_000, 1_500_000_000_000)]
    assert said == ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "1.2 MB", "3.9 GB", "100 GB", "1.5 TB"]
