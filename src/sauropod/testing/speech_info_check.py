"""What every model that hears or speaks must say of itself."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Mapping

from sauropod.abc import (
    AudioCodec,
    Recognizer,
    SpeechInfo,
    SpeechKind,
    SpeechModel,
    Synthesizer,
    TurnDetector,
    VoiceDetector,
)
from sauropod.testing.violation import require

__all__ = ["METHODS", "TAG", "check_info"]

METHODS: Mapping[SpeechKind, tuple[type[SpeechModel], str]] = {
    "recognizer": (Recognizer, "recognize"),
    "synthesizer": (Synthesizer, "synthesize"),
    "voice_detector": (VoiceDetector, "detect"),
    "turn_detector": (TurnDetector, "judge"),
    "audio_codec": (AudioCodec, "decode_audio"),
}
"""For each kind, what a model of it is, and the method that computes a batch."""

TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
"""A BCP-47 tag in small letters."""
SLOWEST, FASTEST = 4_000, 192_000
"""Samples a second."""


def check_info(model: SpeechModel, kind: SpeechKind) -> None:
    """Raise `ContractViolation` where what a model says of itself is not whole, or not what a model of `kind` says."""
    info = model.info
    require(isinstance(info, SpeechInfo), f"info is a {type(info).__name__} and no SpeechInfo")
    require(info == model.info, "info changed between two looks")
    require(info.kind == kind, f"info.kind is {info.kind!r}, and the model is checked as a {kind}")
    for other, (protocol, method) in METHODS.items():
        can = isinstance(model, protocol)
        require(can or other != kind, f"a {kind} has the method {method}(), and this model has not")
        require(not can or other == kind, f"the model has {method}() too, so a worker could take it for a {other}")
    for name in ("name", "backend", "architecture"):
        require(isinstance(getattr(info, name), str) and getattr(info, name) != "", f"info.{name} is empty")
    _numbers(info)
    _names(info)
    require(pickle.loads(pickle.dumps(info)) == info, "info is not the same after it was pickled")


def _numbers(info: SpeechInfo) -> None:
    lowest = {"sample_rate": SLOWEST, "batch": 1, "parameters": 0, "weight_bytes": 0}
    lowest["frame"] = 1 if info.kind in ("voice_detector", "audio_codec") else 0
    for name, least in lowest.items():
        value = getattr(info, name)
        require(type(value) is int and value >= least, f"info.{name} is {value!r}; it must be an int, {least} or more")
    require(info.sample_rate <= FASTEST, f"info.sample_rate is {info.sample_rate}; it must be {FASTEST} or less")
    require(
        math.isfinite(info.max_seconds) and (info.max_seconds == 0 or info.max_seconds >= 1),
        f"info.max_seconds is {info.max_seconds!r}; it must be 0 for no limit, or a second or more",
    )


def _names(info: SpeechInfo) -> None:
    for tag in info.languages:
        require(
            isinstance(tag, str) and TAG.fullmatch(tag) is not None,
            f"info.languages has {tag!r}, which is no BCP-47 tag in small letters, such as 'en-us'",
        )
    for voice in info.voices:
        require(
            isinstance(voice, str) and voice.strip() == voice != "" and not set(voice) & set("+:"),
            f"info.voices has {voice!r}; + and : are for blending voices",
        )
    require(len(set(info.voices)) == len(info.voices), f"info.voices has one twice: {list(info.voices)}")
