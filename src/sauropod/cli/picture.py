"""The timeline of a spoken conversation as a picture, in SVG: for each turn, what happened when after the question."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sauropod.cli.spoken import Moments, SpokenTurn

__all__ = ["PARTS", "timeline"]

PARTS = (
    ("endpoint", "it is certain that the question is over", "#9aa5b1"),
    ("transcript", "transcript", "#3b82f6"),
    ("first_token", "first token", "#8b5cf6"),
    ("first_phrase", "first phrase", "#ec4899"),
    ("first_audio", "first audio", "#f59e0b"),
    ("last_audio", "all of the answer's audio", "#fcd9a0"),
)
"""What is waited for, one after the other."""

WIDTH, LEFT, ROW, TOP = 960, 20, 46, 84
FONT = 'font-family="system-ui, sans-serif"'


def timeline(turns: Sequence[SpokenTurn]) -> str:
    """The picture. Times run from the last sample of the question's speech."""
    longest = max([_end(turn.moments) for turn in turns] or [1.0]) or 1.0
    scale = (WIDTH - 2 * LEFT) / longest
    height = TOP + ROW * len(turns) + 40
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="26" {FONT} font-size="16">From the end of a question to the answer</text>',
        *_legend(),
        *(line for row, turn in enumerate(turns) for line in _row(turn, TOP + ROW * row, scale)),
        *_axis(longest, scale, TOP + ROW * len(turns)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _end(moments: Moments) -> float:
    return max((value for name, *_ in PARTS if (value := getattr(moments, name)) is not None), default=0.0)


def _legend() -> list[str]:
    lines, at = [], LEFT
    for _, about, colour in PARTS:
        lines.append(f'<rect x="{at}" y="42" width="12" height="12" fill="{colour}"/>')
        lines.append(f'<text x="{at + 17}" y="52" {FONT} font-size="12">{escape(about)}</text>')
        at += 34 + round(6.6 * len(about))
    return lines


def _row(turn: SpokenTurn, top: int, scale: float) -> list[str]:
    shown = f"{turn.heard or '(nothing was heard)'} → {turn.answer}"
    shown = shown if len(shown) <= 110 else f"{shown[:109]}…"
    lines, at = [f'<text x="{LEFT}" y="{top + 10}" {FONT} font-size="12">{escape(shown)}</text>'], 0.0
    for name, about, colour in PARTS:
        moment = getattr(turn.moments, name)
        if moment is None:
            continue
        width = max(0.0, moment - at) * scale
        lines.append(
            f'<rect x="{LEFT + at * scale:.1f}" y="{top + 15}" width="{width:.1f}" height="16" fill="{colour}">'
            f"<title>{escape(about)}: {moment * 1000:.0f} ms</title></rect>"
        )
        at = max(at, moment)
    return lines


def _axis(longest: float, scale: float, top: int) -> list[str]:
    step = next(step for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0) if longest / step <= 12 or step == 60.0)
    lines = []
    for count in range(int(longest / step) + 1):
        x = LEFT + count * step * scale
        lines.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{top + 4}" stroke="#0002"/>')
        lines.append(f'<text x="{x:.1f}" y="{top + 18}" {FONT} font-size="11">{count * step:g} s</text>')
    return lines
