"""Ears and mouth beside a bare onnxruntime loop over the same graphs, alone and with eight callers; a detector's cost.

The bare loop computes one thing after another in one thread of Python, with onnxruntime's own defaults, and does
nothing else: no worker, no batches, no resampling, no text to read. What it is given was read and resampled before.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import attrs
import numpy as np
from numpy.typing import NDArray

import sauropod
from benchmarks.harness.program import run
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.rounds import interleave
from benchmarks.harness.samples import Samples
from benchmarks.harness.setup import Setup
from sauropod import Transcriber, Voice, VoiceDetector

__all__ = ["measure"]

SENTENCES = (
    "What is the capital of France?",
    "The capital of Spain is Madrid.",
    "How many days are there in a week?",
    "My favourite colour is blue, and I like the sea.",
    "What is seven plus five?",
    "It is a good day to learn something new.",
    "Who are you, and what can you do?",
    "Thank you very much. Goodbye!",
)
LONG = (
    "There is a small house by the sea, and in it lives an old man with two dogs and a cat. Every morning he walks to "
    "the harbour, buys some fish and bread, and talks to everybody he meets on his way home."
)
"""Forty words."""
CALLERS = 8
BARE = "bare loop"
ASSETS = Path(sauropod.__file__).parent / "assets"

Sound: TypeAlias = "NDArray[np.float32]"


async def measure(setup: Setup) -> Sequence[Row]:
    """The rows of ears, mouth and detector."""
    async with (
        Voice("demo") as voice,
        Transcriber("demo", vad=None) as transcriber,
        VoiceDetector("demo") as detector,
    ):
        sounds = [await resampled(voice, sentence) for sentence in SENTENCES]
        ears = await _ears(setup, transcriber, sounds)
        mouth = await _mouth(setup, voice)
        return [*ears, *mouth, *await _detector(setup, detector, sounds), *await _first_audio(setup, voice)]


async def resampled(voice: Voice, text: str) -> Sound:
    """A sentence as a recogniser hears it: float32 at 16 kHz."""
    from sauropod._audio import read_audio

    speech = await voice.say(text)
    return read_audio((speech.samples, speech.rate), rate=16_000).samples


async def _ears(setup: Setup, transcriber: Transcriber, sounds: Sequence[Sound]) -> list[Row]:
    bare = BareEars.open()

    async def alone(sound: Sound) -> None:
        await transcriber.transcribe((sound, 16_000))

    seconds = sum(len(sound) for sound in sounds) / 16_000
    one, bare_one = await _rounds(setup, lambda: _each(alone, sounds), lambda: bare.all(sounds))
    many, bare_many = await _rounds(setup, lambda: _together(alone, sounds), lambda: bare.all(sounds))
    return [
        _row("recognise, 1 caller", seconds, one, bare_one, 0.95),
        _row(f"recognise, {CALLERS} callers", seconds, many, bare_many, 1.5),
    ]


async def _mouth(setup: Setup, voice: Voice) -> list[Row]:
    bare, name = BareMouth.open(voice.info.voices[0]), voice.info.voices[0]
    given = [bare.tokens(sentence) for sentence in SENTENCES]

    async def alone(sentence: str) -> None:
        await voice.say(sentence, voice=name)

    seconds = sum([(await voice.say(sentence, voice=name)).duration for sentence in SENTENCES])
    one, bare_one = await _rounds(setup, lambda: _each(alone, SENTENCES), lambda: bare.all(given))
    many, bare_many = await _rounds(setup, lambda: _together(alone, SENTENCES), lambda: bare.all(given))
    return [
        _row("speak, 1 caller", seconds, one, bare_one, 0.95),
        _row(f"speak, {CALLERS} callers", seconds, many, bare_many, 1.5),
    ]


async def _detector(setup: Setup, detector: VoiceDetector, sounds: Sequence[Sound]) -> list[Row]:
    """Milliseconds for each second of audio, fed as a microphone gives it: 20 ms at a time, and by the second."""
    sound = np.concatenate(list(sounds))
    seconds = len(sound) / 16_000

    async def listen(size: int) -> None:
        stream = detector.stream()
        for at in range(0, len(sound), size):
            await stream.feed(sound[at : at + size])
        await stream.finish()

    async def crowd() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(CALLERS):
                tasks.start_soon(listen, 16_000)

    rows = []
    for work, action, streams in (
        ("detect, 20 ms frames", lambda: listen(320), 1),
        ("detect, 1 s blocks", lambda: listen(16_000), 1),
        (f"detect, 1 s blocks, {CALLERS} streams", crowd, CALLERS),
    ):
        taken = [await _timed(action) * 1000 / seconds / streams for _ in range(setup.rounds)]
        goal = Goal(at_most=10, relative=False) if "blocks" in work else None
        rows.append(Row(work, "for 1 s of audio", "ms", Samples(taken), None, goal))
    return rows


async def _first_audio(setup: Setup, voice: Voice) -> list[Row]:
    """How long until the first sound of forty words, and until all of them have been said."""

    async def first() -> None:
        async with voice.stream(LONG) as frames:
            await anext(frames)

    async def whole() -> None:
        await voice.say(LONG)

    early, late = await _rounds(setup, first, whole)
    return [Row("speak 40 words", "first sound, beside all of it", "s", Samples(early), Samples(late), None, "all")]


# -- how it is measured ------------------------------------------------------------------------------------------------


def _row(work: str, seconds: float, ours: Sequence[float], bare: Sequence[float], goal: float) -> Row:
    fast, peer = (Samples(seconds / taken for taken in each) for each in (ours, bare))
    return Row(work, "audio per second", "s", fast, peer, Goal(at_least=goal), BARE)


async def _rounds(
    setup: Setup, ours: Callable[[], Awaitable[Any]], theirs: Callable[[], Awaitable[Any]]
) -> list[list[float]]:
    async def one(side: Callable[[], Awaitable[Any]], _: int) -> float:
        return await _timed(side)

    for side in (ours, theirs):
        await side()
    return await interleave(setup, [ours, theirs], one)


async def _timed(action: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await action()
    return time.perf_counter() - began


async def _each(action: Callable[[Any], Coroutine[Any, Any, None]], items: Sequence[Any]) -> None:
    for item in items:
        await action(item)


async def _together(action: Callable[[Any], Coroutine[Any, Any, None]], items: Sequence[Any]) -> None:
    """All at once: one caller for each."""
    async with anyio.create_task_group() as tasks:
        for item in items:
            tasks.start_soon(action, item)


# -- the bare loops ----------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class BareEars:
    """The recogniser's graphs in a loop: features, encoder, then the joint network frame by frame."""

    encoder: Any
    joint: Any
    blank: int

    @classmethod
    def open(cls) -> BareEars:
        import onnxruntime

        folder = ASSETS / "demo-ears"
        lines = (folder / "vocab.txt").read_text("utf-8").splitlines()
        encoder, joint = (
            onnxruntime.InferenceSession(str(folder / name), providers=["CPUExecutionProvider"])
            for name in ("encoder-model.onnx", "decoder_joint-model.onnx")
        )
        return cls(encoder, joint, len(lines) - 1)

    async def all(self, sounds: Sequence[Sound]) -> None:
        for sound in sounds:
            self.hear(sound)

    def hear(self, sound: Sound) -> list[int]:
        from sauropod.backends.onnx.features import LogMel

        features = LogMel(128)(sound)
        given = {"audio_signal": features[None], "length": np.array([features.shape[1]], np.int64)}
        outputs, lengths = self.encoder.run(["outputs", "encoded_lengths"], given)
        shapes = {each.name: each.shape for each in self.joint.get_inputs()}
        states = [np.zeros((shapes[name][0], 1, shapes[name][2]), np.float32) for name in STATES]
        tokens: list[int] = []
        frame = said = 0
        while frame < lengths[0]:
            scores, *after = self.joint.run(
                ["outputs", *(name.replace("input", "output") for name in STATES)],
                {
                    "encoder_outputs": outputs[:, :, frame : frame + 1],
                    "targets": np.array([[tokens[-1] if tokens else self.blank]], np.int32),
                    "target_length": np.array([1], np.int32),
                    **dict(zip(STATES, states, strict=True)),
                },
            )
            scores = scores.reshape(-1)
            token, step = int(scores[: self.blank + 1].argmax()), int(scores[self.blank + 1 :].argmax())
            if token != self.blank:
                states, said = after, said + 1
                tokens.append(token)
            if step or token == self.blank or said == 10:
                frame, said = frame + max(step, 1), 0
        return tokens


STATES = ("input_states_1", "input_states_2")


@attrs.frozen(eq=False)
class BareMouth:
    """The voice's graph in a loop, over symbols that have been looked up before."""

    session: Any
    vocabulary: dict[str, int]
    style: Sound

    @classmethod
    def open(cls, voice: str) -> BareMouth:
        import json

        import onnxruntime

        folder = ASSETS / "demo-voice"
        session = onnxruntime.InferenceSession(str(folder / "onnx" / "model.onnx"), providers=["CPUExecutionProvider"])
        vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
        rows = np.fromfile(folder / "voices" / f"{voice}.bin", "<f4").reshape(-1, 1, 256)
        return cls(session, vocabulary, rows)

    def tokens(self, text: str) -> list[int]:
        from sauropod._phonemizers import English

        said = English().phonemize(text, "en-us")
        symbols = "".join(each.phonemes + " " * each.space for each in said)
        return [self.vocabulary[symbol] for symbol in symbols if symbol in self.vocabulary]

    async def all(self, phrases: Sequence[Sequence[int]]) -> None:
        for tokens in phrases:
            self.session.run(
                ["waveform"],
                {
                    "input_ids": np.array([[0, *tokens, 0]], np.int64),
                    "style": self.style[len(tokens) - 1],
                    "speed": np.array([1.0], np.float32),
                },
            )


if __name__ == "__main__":
    run(__doc__, measure)
