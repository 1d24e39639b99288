"""The ears and mouths that are measured: the demo's, and random ones that cost what real ones do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

import sauropod
from sauropod.testing.models.speech import KokoroOptions, tiny_kokoro, tiny_parakeet

__all__ = ["SENTENCES", "Models", "demo", "realistic"]

LAYERS = 17

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
GREETINGS = ("Hello.", "Yes, please.", "Good night.", "No idea.", "See you.", "Of course.", "Not yet.", "Thank you.")
"""Short, or a round would take minutes."""


@attrs.frozen
class Models:
    """A recogniser and a voice, each in its directory."""

    name: str
    ears: Path
    mouth: Path
    texts: Sequence[str]
    """What the voice says, one for each caller."""


def demo() -> Models:
    """Those that come with sauropod: a call takes some milliseconds, so that every hop weighs."""
    assets = Path(sauropod.__file__).parent / "assets"
    return Models("demo", assets / "demo-ears", assets / "demo-voice", SENTENCES)


@contextmanager
def realistic(scale: float) -> Iterator[Models]:
    """The contracts of Parakeet and Kokoro over random weights; speed does not depend on their values.

    The encoder and the joint have the sizes of NVIDIA's FastConformer TDT of 115 million parameters, the voice has the
    vocoder that is most of Kokoro. They are built once, 500 MB, and kept. On a smaller `scale` they are small as well,
    and forgotten.
    """
    if scale < 1:
        with TemporaryDirectory() as folder:
            yield _built(Path(folder) / "models", max(1, round(LAYERS * scale)), 64)
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    yield _built(cache / "sauropod" / "benchmarks" / f"speech-{LAYERS}", LAYERS, 512)


def _built(root: Path, layers: int, width: int) -> Models:
    if not root.exists():
        unfinished = root.with_name(f"{root.name}.{os.getpid()}")
        sizes = {"width": width, "hidden": width * 5 // 4, "pieces": 2 * width, "layers": layers}
        # with this seed and share of blanks it says some words a second, as a real one does
        tiny_parakeet(unfinished / "ears", seed=3, blank=0.7, external_data=True, **sizes)  # type: ignore[arg-type]
        tiny_kokoro(unfinished / "mouth", KokoroOptions(vocoder=layers == LAYERS))
        shutil.move(unfinished, root)
    return Models("real size", root / "ears", root / "mouth", GREETINGS)
