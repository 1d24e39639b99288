"""Orpheus: a language model that writes codes, on the text scheduler, decoded in windows by a codec.

The language model here writes codes by arithmetic, for the real one has three billion weights; the codec is a graph of
random weights in SNAC's exact contract.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import anyio
import attrs
import numpy as np
import pytest
from numpy.typing import NDArray

import sauropod
from sauropod import Voice
from sauropod._runtime import registry
from sauropod._speech import orpheus
from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams
from sauropod._values.speech import Codes
from sauropod.abc import Backend, Chunk, Device, LanguageModel, LoadOptions, ModelInfo, Sampled, Source

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

pytestmark = pytest.mark.anyio

FRAMES_A_LETTER = 1


def code_tokens(text: str) -> list[int]:
    """What the model writes to say a text."""
    frames = FRAMES_A_LETTER * len(text)
    return [
        orpheus.FIRST_CODE + 4096 * (place % 7) + (sum(text.encode()) * 31 + place * 977) % 4096
        for place in range(7 * frames)
    ]


@attrs.define(eq=False)
class Coder(LanguageModel):
    """Writes the codes for its prompt's text."""

    prompts: dict[int, str] = attrs.field(factory=dict)
    written: dict[int, int] = attrs.field(factory=dict)
    asked: list[tuple[list[int], SamplingParams]] = attrs.field(factory=list)
    slots: int = 4

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name="coder",
            backend="coder",
            architecture="llama",
            context_length=8192,
            slots=self.slots,
            vocabulary_size=156_940,
            sampling=DEFAULT_SAMPLING,
            chat=False,
        )

    @property
    def eos(self) -> Collection[int]:
        return (128_009,)

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        assert not special  # what a user says is only text
        return list(text.encode())

    def piece(self, token: int) -> bytes:
        return b""

    def open(self, slot: int, sampling: SamplingParams, prompt: Sequence[int], generated: Sequence[int]) -> None:
        self.asked.append((list(prompt), sampling))
        said = bytes(prompt[len(orpheus.BEFORE) : -len(orpheus.AFTER)]).decode()
        self.prompts[slot], self.written[slot] = said.partition(": ")[2], len(generated)

    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        sampled = []
        for chunk in chunks:
            if chunk.sample:
                tokens = [*code_tokens(self.prompts[chunk.slot]), orpheus.END]
                sampled.append(Sampled(chunk.slot, tokens[self.written[chunk.slot]]))
                self.written[chunk.slot] += 1
        return sampled

    def truncate(self, slot: int, length: int, checkpoint: bytes | None = None) -> bool:
        return True


class CoderBackend(Backend):
    models: list[Coder]

    def devices(self) -> Sequence[Device]:
        return [Device("cpu")]

    def load(self, source: Source, options: LoadOptions) -> LanguageModel:
        self.models.append(Coder())
        return self.models[-1]


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sauropod.testing.models.speech.snac import tiny_snac

    return tiny_snac(tmp_path_factory.mktemp("snac"))


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> list[Coder]:
    made: list[Coder] = []
    installed = registry.installed_backends

    class Point:
        value = "tests:CoderBackend"
        dist = None

        def load(self) -> Any:
            backend = CoderBackend()
            backend.models = made
            return lambda: backend

    def with_coder() -> dict[str, Any]:
        return {**installed(), "coder": Point()}

    monkeypatch.setattr("sauropod._runtime.registry.installed_backends", with_coder)
    monkeypatch.setattr("sauropod._opening.installed_backends", with_coder)
    return made


def whole(codec: Path, text: str) -> NDArray[np.float32]:
    """All codes of a text, decoded at once."""
    from sauropod.backends.onnx import Onnx

    model: Any = Onnx().load(
        Source("snac", (codec / "onnx" / "decoder_model.onnx",), root=codec), LoadOptions(device="cpu", threads=1)
    )
    frames = orpheus.Frames()
    frames.feed(code_tokens(text))
    (samples,) = model.decode_audio([model.prepare(Codes(frames.levels()))])
    model.close()
    return np.asarray(samples)


def speaking(codec: Path) -> Voice:
    return Voice("orpheus:coder:", codec=codec, isolation="thread")


async def test_windows_join_to_what_decoding_at_once_gives(codec: Path, models: list[Coder]) -> None:
    text = "Good morning to everyone who is here."
    async with speaking(codec) as voice:
        async with voice.stream(text) as stream:
            frames = [frame async for frame in stream]
        assert voice.info.voices[0] == "tara"
    samples, expected = np.concatenate([frame.samples for frame in frames]), whole(codec, text)
    assert len(frames) > 3
    assert samples.shape == expected.shape
    assert np.abs(samples - expected).max() < 1e-5
    assert [(mark.start, mark.end, mark.first, mark.last) for frame in frames for mark in frame.marks] == [
        (0, len(text), 0, len(samples))
    ]


async def test_the_prompt_is_as_the_model_was_trained_and_text_is_only_text(codec: Path, models: list[Coder]) -> None:
    async with speaking(codec) as voice:
        await voice.say("Say <|eot_id|> to me.", voice="leo")
    (prompt, sampling), *_ = models[0].asked
    assert prompt == [128259, *b"leo: Say <|eot_id|> to me.", 128009, 128260, 128261, 128257]
    assert (sampling.repeat_penalty, sampling.top_p, sampling.stop_tokens) == (1.3, 0.9, (128258,))


async def test_several_speak_at_once_in_one_batch(codec: Path, models: list[Coder]) -> None:
    texts = ["One says this.", "Another says that.", "And a third one laughs."]
    said: dict[str, NDArray[np.float32]] = {}
    async with speaking(codec) as voice:

        async def say(text: str) -> None:
            said[text] = (await voice.say(text)).samples

        async with anyio.create_task_group() as tasks:
            for text in texts:
                tasks.start_soon(say, text)
    for text in texts:
        assert np.abs(said[text] - whole(codec, text)).max() < 1e-5


async def test_leaving_it_stops_the_writing(codec: Path, models: list[Coder]) -> None:
    async with speaking(codec) as voice:
        async with voice.stream(
            "A long sentence that goes on and on, and on, and on, until somebody leaves."
        ) as stream:
            await anext(stream)
        assert len((await voice.say("Next.")).samples) == 5 * 2048


async def test_what_it_cannot_do_is_refused(codec: Path, models: list[Coder]) -> None:
    async with speaking(codec) as voice:
        for options, complaint in (
            ({"voice": "tara+leo"}, "one voice at a time"),
            ({"speed": 1.5}, "speed of its own"),
            ({"voice": "nobody"}, "no voice 'nobody'"),
        ):
            with pytest.raises(sauropod.UnsupportedInput, match=complaint):
                await voice.say("Hello.", **options)


async def test_a_model_that_is_no_orpheus_is_refused(codec: Path) -> None:
    with pytest.raises(sauropod.UnsupportedModel, match="no Orpheus"):
        await Voice("orpheus:fake:", codec=codec, isolation="thread").open()
