"""The spoken demo: what is asked, what is shown of it, what is written to files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import attrs

from sauropod import Engine, Speech, Transcriber, Voice
from sauropod.cli.asking import require_chat
from sauropod.cli.figures import duration, model_line, plural
from sauropod.cli.options import engine_options
from sauropod.cli.picture import PARTS, timeline
from sauropod.cli.spoken import Conversation, Moments, SpokenTurn, whole
from sauropod.cli.terminal import clean, print_json, print_text, status, styled

__all__ = ["run_spoken"]

QUESTIONS = (
    "Hello! Who are you?",
    "What is the capital of France?",
    "And of Spain?",
    "What is 7 plus 5?",
    "Thank you. Goodbye!",
)

TOYS = """\
These were toys of a few megabytes each, trained from nothing for this demo: the ears know the words of the demo and
few others, the voice is a machine's, and the model between them knows a few hundred questions. What ran them is what
runs real models: llama.cpp and onnxruntime, in processes of their own, which may crash without harm.
"""


def run_spoken(options: argparse.Namespace, next_steps: str) -> int:
    """Hold the conversation, and show it."""
    turns, lines = anyio.run(_perform, options)
    files = _save(turns, Path(options.out))
    if options.json:
        told = [_as_data(turn) for turn in turns]
        print_json({"models": lines, "turns": told, "files": [str(file) for file in files]})
        return 0
    toys = f"{TOYS}\n" if options.model == "demo" else ""
    print_text(f"\n{_summary(turns)}\n\n{_listed(files)}\n\n{toys}{next_steps}")
    return 0


async def _perform(options: argparse.Namespace) -> tuple[list[SpokenTurn], list[str]]:
    async with AsyncExitStack() as stack:
        with status("Loading ears, mouth and model ..."):
            engine = await stack.enter_async_context(Engine(options.model, **engine_options(options)))
            require_chat(engine.info, options.model)
            voice = await stack.enter_async_context(Voice("demo", isolation=options.isolation or "process"))
            ears = await stack.enter_async_context(Transcriber("demo", isolation=options.isolation or "process"))
        lines = [model_line(engine.info), *(_speech_line(info) for info in (ears.info, voice.info))]
        if not options.json:
            print_text("\n".join(lines) + "\n")
        conversation = Conversation(voice, ears, engine, voice, "demo_male", "demo_female")
        turns = []
        for question in QUESTIONS:
            turns.append(await conversation.ask(question))
            if not options.json:
                _show(turns[-1])
        return turns, lines


def _speech_line(info: Any) -> str:
    from sauropod._sources.sizes import in_words

    where = " and ".join(info.placement.devices) if info.placement else info.backend
    return f"{info.name} · {info.architecture} · {in_words(info.weight_bytes)}, on {where}"


def _show(turn: SpokenTurn) -> None:
    said = f"> {turn.question}"
    print_text(f"\n{styled(said, 'bold')}{styled(f'   (spoken, {duration(turn.asked.duration)})', 'dim')}\n")
    if not turn.heard:
        print_text(styled("  nothing was heard\n", "red"))
        return
    print_text(styled(f"  heard: {clean(turn.heard)}", "dim") + "\n")
    print_text(f"{clean(turn.answer)}{styled(f'   (spoken, {duration(turn.spoken.duration)})', 'dim')}\n")
    print_text(styled(f"  {_moments(turn.moments)}", "dim") + "\n")


def _moments(moments: Moments) -> str:
    names = {"endpoint": "end of the question certain", **{name: about for name, about, _ in PARTS[1:-1]}}
    told = ((about, getattr(moments, name)) for name, about in names.items())
    return "after its last sound: " + " · ".join(f"{about} {duration(at)}" for about, at in told if at is not None)


def _summary(turns: Sequence[SpokenTurn]) -> str:
    waits = [turn.moments.first_audio for turn in turns if turn.moments.first_audio is not None]
    if not waits:
        return "Nothing was heard, so there was no answer."
    silence = [turn.moments.endpoint for turn in turns if turn.moments.endpoint is not None]
    if not silence:
        return f"{plural(len(waits), 'answer')}."
    computed = median(waits) - median(silence)
    return (
        f"{plural(len(waits), 'answer')}. Median from the last sound of a question to the first of its answer: "
        f"{duration(median(waits))}.\n{duration(median(silence))} of that is the silence that ends a question; the "
        f"rest, {duration(computed)}, is hearing, thinking and speaking."
    )


def _save(turns: Sequence[SpokenTurn], directory: Path) -> list[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    files = []
    for number, turn in enumerate(turns, 1):
        for name, speech in (("question", turn.asked), ("answer", turn.spoken)):
            if len(speech.samples):
                files.append(directory / f"{number}-{name}.wav")
                speech.save(files[-1])
    samples, rate = whole(turns)
    files.append(directory / "conversation.wav")
    Speech("", samples, rate).save(files[-1])
    files.append(directory / "timeline.svg")
    files[-1].write_text(timeline(turns), encoding="utf-8")
    return files


def _listed(files: Sequence[Path]) -> str:
    recordings = plural(len(files) - 1, "recording")
    return f"Written to {files[0].parent}/: {recordings}, {files[-2].name} among them, and {files[-1].name}."


def _as_data(turn: SpokenTurn) -> dict[str, Any]:
    return {
        "question": turn.question,
        "heard": turn.heard,
        "answer": turn.answer,
        "question_seconds": turn.asked.duration,
        "answer_seconds": turn.spoken.duration,
        "seconds_after_question": attrs.asdict(turn.moments),
    }
