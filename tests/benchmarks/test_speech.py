"""The bare loops of the benchmark of speech compute what the library does, or a ratio to them would mean nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="the graphs run there: pip install 'sauropod[speech]'")
pytest.importorskip("onnx", reason="the synthetic models need it: pip install 'sauropod[test]'")

from benchmarks.speech_bare import BareEars, BareMouth
from benchmarks.speech_models import SENTENCES, Models, demo, realistic

from sauropod._text.phrases import Phrases
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.speech import Clip, Phrase
from sauropod.backends.onnx.kokoro import FAMILY as KOKORO
from sauropod.backends.onnx.kokoro import Kokoro
from sauropod.backends.onnx.parakeet import FAMILY as PARAKEET
from sauropod.testing.models.speech import tiny_parakeet

OPTIONS = LoadOptions(device="cpu", threads=1)


def files(root: Path) -> dict[str, Path]:
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}


def recognizer(root: Path) -> Any:
    return PARAKEET.load(Source("ears"), files(root), OPTIONS)


def voice(root: Path) -> Kokoro:
    return KOKORO.load(Source("mouth"), files(root), OPTIONS)


@pytest.fixture(scope="module")
def small() -> Iterator[Models]:
    with realistic(0.05) as models:
        yield models


@pytest.mark.parametrize("layers", [0, 2])
def test_the_bare_ears_hear_the_same_tokens(layers: int, tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path, blank=0.4, layers=layers)
    model, bare = recognizer(root), BareEars.open(root, 1)
    random = np.random.default_rng(0)
    for seconds in (0.7, 1.5, 2.0):
        sound = random.normal(0, 0.1, round(seconds * 16_000)).astype(np.float32)
        (tokens,) = model._decoder.decode(model._encoder.encode([model.prepare(Clip(sound)).features]))
        assert len(tokens) > 2
        assert bare.hear(sound) == [token.id for token in tokens]


@pytest.mark.parametrize("size", ["demo", "small"])
def test_the_bare_mouth_says_the_same_symbols(size: str, small: Models) -> None:
    models = demo() if size == "demo" else small
    model = voice(models.mouth)
    name = model.info.voices[0]
    bare = BareMouth.open(models.mouth, name, 1)
    for text in SENTENCES:
        phrases = Phrases()
        cuts = [*phrases.feed(text), *phrases.finish()]
        rows = [model.prepare(Phrase(cut.text, {name: 1.0})).rows for cut in cuts]
        assert [[row.symbols.ravel().tolist() for row in each] for each in rows] == [
            [[0, *symbols, 0]] for symbols in bare.phrases(text)
        ]
