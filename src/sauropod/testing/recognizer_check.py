"""What every recogniser must do, whoever wrote it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from sauropod.abc import Clip, Recognized, Recognizer, SpeechInfo, Word
from sauropod.testing.sounds import no_sounds, noise, sounds
from sauropod.testing.speech_conformance import Contract, Held, hold
from sauropod.testing.violation import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["check_recognizer"]

HeldRecognizer: TypeAlias = Held[Clip, Recognized]

LONGEST = 600.0
"""Seconds; clips longer than this are too large to try them."""
AGREE = 0.9
"""The share of words that are the same in any company, where not all need be."""
NEAR = 0.1
"""Seconds that the times of such a word may be apart, if the recogniser's frames are not longer."""
SURE = 0.1
"""How far confidences may be apart then."""


def check_recognizer(
    make: Callable[[], Recognizer], *, exact: bool = True, clips: Sequence[NDArray[np.float32]] = ()
) -> None:
    """Hold a model to the contract of `sauropod.abc.Recognizer`.

    `make` gives a newly loaded model each time it is called; the check closes it. `clips`, float32 [n] each at the
    model's rate, are speech that it understands; without, it hears vowels, noise and tones. With `exact` a clip is
    heard the same, word by word, whoever shares its batch; without, nine words of ten, as native kernels round
    differently for different batches.

    Raises `ContractViolation`, with what was expected, at the first breach.
    """
    contract = Contract[Clip, Recognized](
        kind="recognizer", items=partial(_clips, clips), bad=_bad, check=_check, difference=partial(_difference, exact)
    )
    hold(contract, make, [_hears, _short_and_long])


def _clips(given: Sequence[NDArray[np.float32]], info: SpeechInfo) -> Sequence[Clip]:
    most = int(info.max_seconds * info.sample_rate) or None
    return [Clip(samples[:most]) for samples in (*given, *sounds(info.sample_rate))]


def _bad(info: SpeechInfo) -> Mapping[str, Any]:
    import numpy as np

    found = {what: Clip(samples) for what, samples in no_sounds().items()}
    found["a clip without samples"] = Clip(np.zeros(0, np.float32))
    if 0 < info.max_seconds <= LONGEST:
        found["a clip longer than info.max_seconds"] = Clip(
            np.zeros(math.floor((info.max_seconds + 0.1) * info.sample_rate), np.float32)
        )
    return found


# -- what it hears -----------------------------------------------------------------------------------------------------


def _check(info: SpeechInfo, clip: Clip, heard: Recognized) -> None:
    require(isinstance(heard, Recognized), f"recognize() gave a {type(heard).__name__} and no Recognized")
    require(isinstance(heard.text, str), f"the text is a {type(heard.text).__name__}")
    require(heard.text == heard.text.strip(), f"the text {heard.text!r} begins or ends with a space")
    require(
        heard.language is None or isinstance(heard.language, str),
        f"the language is {heard.language!r}; it is a tag such as 'en', or None",
    )
    if heard.words:
        said = "".join("".join(word.text.split()) for word in heard.words)
        require(
            said == "".join(heard.text.split()), f"the text {heard.text!r} does not consist of the words {heard.words}"
        )
    _check_words(heard.words, len(clip.samples) / info.sample_rate)


def _check_words(words: Sequence[Word], duration: float) -> None:
    earlier = Word("", 0.0, 0.0)
    for word in words:
        require(isinstance(word, Word), f"among the words is a {type(word).__name__}")
        require(word.text == word.text.strip() != "", f"a word is {word.text!r}")
        require(word.start <= word.end, f"{word} ends before it begins")
        require(
            earlier.start <= word.start and earlier.end <= word.end, f"the words are out of order: {earlier}, {word}"
        )
        require(word.start >= 0 and word.end <= duration + 1e-6, f"{word} is outside of a clip of {duration:.3f} s")
        require(0 <= word.confidence <= 1, f"the confidence of {word} is not from 0 to 1")
        earlier = word


def _difference(exact: bool, info: SpeechInfo, heard: Recognized, expected: Recognized) -> str:
    if exact:
        return "" if heard == expected else f"{heard} instead of {expected}"
    if heard.language != expected.language:
        return f"the language {heard.language!r} instead of {expected.language!r}"
    ours, theirs = ([word.text for word in each.words] or each.text.split() for each in (heard, expected))
    same = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    if same.ratio() < AGREE:
        return f"{heard.text!r} instead of {expected.text!r}"
    if heard.words and expected.words:
        near = max(NEAR, info.frame / info.sample_rate)
        for block in same.get_matching_blocks():
            pairs = zip(heard.words[block.a :][: block.size], expected.words[block.b :][: block.size], strict=True)
            for word, other in pairs:
                if abs(word.start - other.start) > near or abs(word.end - other.end) > near:
                    return f"{word} instead of {other}"
                if abs(word.confidence - other.confidence) > SURE:
                    return f"{word} instead of {other}"
    return ""


# -- what only recognisers do ------------------------------------------------------------------------------------------


def _hears(held: HeldRecognizer) -> None:
    """Who hears nothing in anything would pass all other checks."""
    heard = any(held.alone(item).text for item in held.items)
    require(heard, "nothing was heard in any clip; give check_recognizer() some clips= of speech")


def _short_and_long(held: HeldRecognizer) -> None:
    """A clip may be as short as it likes, if it is not refused, and as long as the model says."""
    info = held.info
    for count in (1, 2, info.sample_rate // 100, info.sample_rate // 10):
        clip = Clip(noise(count / info.sample_rate, info.sample_rate, seed=count))
        if held.takes(clip):
            _check(info, clip, held.alone(clip))
    if 0 < info.max_seconds <= LONGEST:
        whole = Clip(noise(info.max_seconds, info.sample_rate, seed=0)[: int(info.max_seconds * info.sample_rate)])
        require(held.takes(whole), f"prepare() refused a clip of {info.max_seconds} s, which is info.max_seconds")
