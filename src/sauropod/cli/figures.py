"""Numbers as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sauropod import Completion, ModelInfo

__all__ = ["as_data", "duration", "model_line", "plural", "rate", "speed_line", "tokens_per_second"]


def duration(seconds: float) -> str:
    """`"0.8 ms"`, `"12 ms"`, `"1.2 s"`, `"2 min 5 s"`."""
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    return f"{round(seconds) // 60} min {round(seconds) % 60} s"


def rate(per_second: float) -> str:
    """Tokens per second: `"1,234"`, `"56.7"`."""
    return f"{per_second:,.0f}" if per_second >= 99.95 else f"{per_second:.1f}"


def plural(count: int, noun: str) -> str:
    """`"1 token"`, `"1,024 tokens"`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def tokens_per_second(completion: Completion) -> float | None:
    """How fast the answer was written after its first token; None if there was nothing after it."""
    steps = completion.usage.completion_tokens - (completion.stop_reason != "eos")  # to end is a step as well
    seconds = completion.timings.generation
    return steps / seconds if steps > 0 and seconds > 0 else None


def speed_line(completion: Completion) -> str:
    """A completion's figures in one line."""
    usage, speed = completion.usage, tokens_per_second(completion)
    return (
        f"first token after {duration(completion.timings.first_token)} · "
        f"{plural(usage.completion_tokens, 'token')}{f' at {rate(speed)}/s' if speed else ''} · "
        f"prompt {plural(usage.prompt_tokens, 'token')}, {usage.cached_tokens:,} of them cached"
    )


def model_line(info: ModelInfo) -> str:
    """What a model is and where it was put, in one line."""
    from sauropod._sources.sizes import in_words

    placement = info.placement
    weights = in_words(placement.weight_bytes) if placement and placement.weight_bytes else ""
    where = f"on {' and '.join(placement.devices)}" if placement else f"through {info.backend}"
    what = [info.name, info.architecture, info.quantization, weights]
    return f"{' · '.join(dict.fromkeys(filter(None, what)))}, {where}"


def as_data(completion: Completion) -> dict[str, Any]:
    """A completion's figures as data, times in seconds."""
    usage, timings = completion.usage, completion.timings
    return {
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
        },
        "timings": {
            "queued": timings.queued,
            "prompt": timings.prompt,
            "generation": timings.generation,
            "first_token": timings.first_token,
            "tokens_per_second": tokens_per_second(completion),
        },
    }
