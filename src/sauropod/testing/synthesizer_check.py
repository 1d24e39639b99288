"""What every synthesizer must do, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from sauropod.abc import Mark, Phrase, SpeechInfo, Spoken, Synthesizer
from sauropod.testing.speech_conformance import Contract, Held, hold
from sauropod.testing.violation import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["check_synthesizer"]

HeldSynthesizer: TypeAlias = Held[Phrase, Spoken]

TEXTS = (
    "Good morning, this is a test.",
    "Yes.",
    "  The dinosaur sleeps - and then? It wakes up!",
    "One, two, three.",
)
NOTHING = ("", "   ", "…", "?!", "\n", "🦕")
"""Texts in which there is nothing to say."""
LITTLE = 1.0
"""Seconds that such a text may take at most."""
QUIETEST = 0.01
"""The loudest sample of speech is above this."""
COVERED = 0.9
"""The share of the sound's energy that lies within the marks, at least."""
ROUNDING = 0.02
"""How far two results may be apart that need not be exactly the same: of their length, and of their loudness."""
FASTER = 0.85
"""How long a phrase is at the speed of 2, of its length at 1, at most."""
REPEATED = 20
"""How often the first text is said in a row, which is more than most models compute at once."""


def check_synthesizer(
    make: Callable[[], Synthesizer],
    *,
    exact: bool = True,
    texts: Sequence[str] = TEXTS,
    voices: Collection[str] | None = None,
) -> None:
    """Hold a model to the contract of `sauropod.abc.Synthesizer`.

    `make` gives a newly loaded model each time it is called; the check closes it. `texts` are in a language that its
    first voice reads; there are two or more. All of its voices speak the first of them, or only those in `voices`. With
    `exact` a phrase is spoken the same, sample by sample, whoever shares its batch; without, as long and as loud.

    Raises `ContractViolation`, with what was expected, at the first breach.
    """
    contract = Contract[Phrase, Spoken](
        kind="synthesizer",
        items=partial(_phrases, texts, voices),
        bad=partial(_bad, texts[0]),
        check=_check,
        difference=partial(_difference, exact),
    )
    checks = [partial(_all_voices, texts[0], voices), partial(_speed, texts[0]), partial(_much, texts[0])]
    hold(contract, make, [*checks, partial(_blends, texts[0], voices), _says_nothing])


def _phrases(texts: Sequence[str], voices: Collection[str] | None, info: SpeechInfo) -> Sequence[Phrase]:
    """The texts, with all voices in turn, and one with nothing to say between them."""
    require(len(info.voices) > 0, "info.voices is empty; a model with one voice gives it a name")
    speaking = [voice for voice in info.voices if voices is None or voice in voices]
    said = [*texts[:1], NOTHING[0], *texts[1:]]
    return [Phrase(text, {speaking[place % len(speaking)]: 1.0}) for place, text in enumerate(said)]


def _bad(text: str, info: SpeechInfo) -> Mapping[str, Any]:
    return {
        "a voice that is not in info.voices": Phrase(text, {f"{info.voices[0]} who is not there": 1.0}),
        "a blend of a voice that is not there": Phrase(text, {info.voices[0]: 0.5, "nobody": 0.5}),
        "a phrase without a voice": Phrase(text, {}),
    }


# -- what it says ------------------------------------------------------------------------------------------------------


def _check(info: SpeechInfo, phrase: Phrase, spoken: Spoken) -> None:
    import numpy as np

    require(isinstance(spoken, Spoken), f"synthesize() gave a {type(spoken).__name__} and no Spoken")
    samples = spoken.samples
    require(
        isinstance(samples, np.ndarray) and samples.dtype == np.float32 and samples.ndim == 1,
        f"samples are float32 [n]; got {getattr(samples, 'dtype', type(samples))} {getattr(samples, 'shape', '')}",
    )
    require(bool(np.isfinite(samples).all()), "some samples are no numbers")
    loudest = float(np.abs(samples).max(initial=0.0))
    require(loudest <= 1, f"a sample is {loudest}; samples are from -1 to 1")
    _check_marks(spoken.marks, len(phrase.text), len(samples))
    if any(letter.isalnum() for letter in phrase.text):
        require(loudest > QUIETEST, f"{phrase.text!r} was not said: its loudest sample is {loudest}")
        _check_cover(spoken, phrase.text)
    else:
        seconds = len(samples) / info.sample_rate
        require(seconds <= LITTLE, f"there is nothing to say in {phrase.text!r}, and it took {seconds:.1f} s")


def _check_marks(marks: Sequence[Mark], characters: int, samples: int) -> None:
    character = sample = 0
    for mark in marks:
        require(isinstance(mark, Mark), f"among the marks is a {type(mark).__name__}")
        require(mark.start <= mark.end and mark.first <= mark.last, f"{mark} ends before it begins")
        require(
            character <= mark.start and sample <= mark.first,
            f"the marks are out of order, or one lies over another: {list(marks)}",
        )
        require(
            mark.end <= characters and mark.last <= samples,
            f"{mark} is outside of {characters} characters and {samples} samples",
        )
        character, sample = mark.end, mark.last


def _check_cover(spoken: Spoken, text: str) -> None:
    """Every letter and nearly all sound belong to a mark."""
    import numpy as np

    missing = [
        letter
        for place, letter in enumerate(text)
        if letter.isalnum() and not any(mark.start <= place < mark.end for mark in spoken.marks)
    ]
    require(not missing, f"of {text!r} no mark covers {''.join(missing)!r}")
    energy = spoken.samples.astype(np.float64) ** 2
    inside = sum(float(energy[mark.first : mark.last].sum()) for mark in spoken.marks)
    share = inside / float(energy.sum())
    require(share >= COVERED, f"of {text!r} the marks cover {share:.0%} of the sound; they are to cover what was said")


def _difference(exact: bool, info: SpeechInfo, spoken: Spoken, expected: Spoken) -> str:
    import numpy as np

    ours, theirs = spoken.samples, expected.samples
    if exact:
        if len(ours) != len(theirs):
            return f"{len(ours)} samples instead of {len(theirs)}"
        if not np.array_equal(ours, theirs):
            return f"samples that are up to {np.abs(ours - theirs).max():.2g} off"
        return "" if tuple(spoken.marks) == tuple(expected.marks) else f"{spoken.marks} instead of {expected.marks}"
    if abs(len(ours) - len(theirs)) > ROUNDING * len(theirs):
        return f"{len(ours)} samples instead of {len(theirs)}"
    loud, wanted = _loudness(ours), _loudness(theirs)
    if abs(loud - wanted) > ROUNDING * wanted:
        return f"a loudness of {loud:.3g} instead of {wanted:.3g}"
    if len(ours) == len(theirs) and (off := _loudness(ours - theirs)) > wanted / 2:
        return f"other sound, as loud as {off:.3g} where all is {wanted:.3g}"
    return ""


def _loudness(samples: NDArray[np.float32]) -> float:
    """The root of the mean square."""
    import numpy as np

    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0


# -- what only synthesizers do -----------------------------------------------------------------------------------------


def _all_voices(text: str, voices: Collection[str] | None, held: HeldSynthesizer) -> None:
    for voice in held.info.voices:
        if voices is None or voice in voices:
            phrase = Phrase(text, {voice: 1.0})
            require(held.takes(phrase), f"prepare() refused the voice {voice!r}, which is in info.voices")
            _check(held.info, phrase, held.alone(phrase))


def _blends(text: str, voices: Collection[str] | None, held: HeldSynthesizer) -> None:
    """Two voices at once are a sound, or are refused."""
    known = [voice for voice in held.info.voices if voices is None or voice in voices]
    phrase = Phrase(text, dict.fromkeys(known[:2], 0.5))
    if len(known) > 1 and held.takes(phrase):
        _check(held.info, phrase, held.alone(phrase))


def _speed(text: str, held: HeldSynthesizer) -> None:
    """A model may have one speed, but at 2 it is not to be slower, nor at 0.5 faster."""
    voice = {held.info.voices[0]: 1.0}
    usual = len(held.alone(Phrase(text, voice)).samples)
    for speed in (2.0, 0.5):
        phrase = Phrase(text, voice, speed)
        if not held.takes(phrase):
            continue
        spoken = held.alone(phrase)
        _check(held.info, phrase, spoken)
        share = len(spoken.samples) / usual
        fits = share == 1 or (share <= FASTER if speed > 1 else share >= 1 / FASTER)
        require(fits, f"at the speed of {speed:g} a phrase took {share:.2f} times as long as at 1")


def _much(text: str, held: HeldSynthesizer) -> None:
    """What is too long for the model at once is said all the same, to its end."""
    voice = {held.info.voices[0]: 1.0}
    usual = len(held.alone(Phrase(text, voice)).samples)
    phrase = Phrase(" ".join([text.strip()] * REPEATED), voice)
    if held.takes(phrase):
        spoken = held.alone(phrase)
        _check(held.info, phrase, spoken)
        share = len(spoken.samples) / usual
        require(share > REPEATED / 2, f"a text {REPEATED} times in a row took only {share:.1f} times as long as once")


def _says_nothing(held: HeldSynthesizer) -> None:
    """What cannot be said is no error."""
    for text in NOTHING:
        phrase = Phrase(text, {held.info.voices[0]: 1.0})
        require(held.takes(phrase), f"prepare() refused {text!r}; where there is nothing to say, nothing is said")
        _check(held.info, phrase, held.alone(phrase))
