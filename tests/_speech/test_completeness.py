"""Whether somebody has finished, from the words alone."""

from __future__ import annotations

import pytest

from sauropod._speech.completeness import sounds_complete


@pytest.mark.parametrize("text", ["Who are you?", "Stop", "What is that for?", "I do.", "Tell me a story.", "It is."])
def test_nothing_has_to_come_after_this(text: str) -> None:
    assert sounds_complete(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "And",
        "I want a",
        "because of the",
        "Well,",
        "I think that I'm",
        "so I\N{RIGHT SINGLE QUOTATION MARK}m",
        "um",
    ],
)
def test_something_has_to_come_after_this(text: str) -> None:
    assert not sounds_complete(text)
