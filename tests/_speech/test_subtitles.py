"""Transcripts as files, read back by parsers that share nothing with the writer."""

from __future__ import annotations

import html
import json
import math
import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sauropod._speech.subtitles import render, to_json, to_srt, to_text, to_vtt
from sauropod._values.speech import Segment, Transcript, Word
from sauropod.errors import UnsupportedInput

Shown = tuple[float, float, list[str]]

seconds = st.one_of(
    st.floats(-5, 100), st.floats(0, 400_000), st.sampled_from([math.nan, math.inf, -math.inf, 59.9996])
)
some_text = st.text(
    st.one_of(st.sampled_from("ab .,!?-<>&\n\r\u2028\x00\x0b。、字\ud800🦕'\""), st.characters()), max_size=120
)
plain = st.lists(st.sampled_from(["a", "word", "sentence.", "clause,", "extraordinary", "x" * 60]), max_size=40)


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    start = draw(seconds)
    end = start + draw(st.floats(-1, 60))
    if draw(st.booleans()):
        return Segment(draw(st.one_of(some_text, plain.map(" ".join))), start, end)
    words = [Word(draw(some_text.map(lambda text: text[:50])), draw(seconds), draw(seconds)) for _ in range(4)]
    glue = draw(st.sampled_from([" ", "", "  "]))
    return Segment(glue.join(word.text for word in words), start, end, tuple(words))


@st.composite
def timed(draw: st.DrawFn) -> Transcript:
    """One segment in which every word has its time, as a recogniser gives it."""
    at, words = draw(st.floats(0, 5000)), []
    for text in draw(plain):
        at += draw(st.floats(0, 3))
        words.append(Word(text, at, at := at + draw(st.floats(0.01, 1))))
    text = " ".join(word.text for word in words)
    segment = Segment(text, words[0].start if words else 0, at, tuple(words))
    return Transcript(text, (segment,), "en", at)


transcripts = st.one_of(
    timed(),
    st.builds(Transcript, some_text, st.lists(segments(), max_size=5), st.none(), seconds),
)


def read_time(text: str, point: str) -> float:
    match = re.fullmatch(rf"(\d\d+):([0-5]\d):([0-5]\d){re.escape(point)}(\d\d\d)", text)
    assert match, text
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) + int(match[4]) / 1000


def read_blocks(blocks: list[str], point: str) -> list[Shown]:
    shown = []
    for block in blocks:
        times, *lines = block.split("\n")
        start, arrow, end = times.split(" ")
        assert arrow == "-->"
        shown.append((read_time(start, point), read_time(end, point), lines))
    return shown


def read_srt(text: str) -> list[Shown]:
    """By the rules of SubRip: blocks of a number, times and lines, with an empty line between."""
    if not text:
        return []
    assert text.endswith("\n")
    blocks = text.removesuffix("\n").split("\n\n")
    numbered = [block.split("\n", 1) for block in blocks]
    assert [number for number, _ in numbered] == [str(n) for n in range(1, len(blocks) + 1)]
    return read_blocks([block for _, block in numbered], ",")


def read_vtt(text: str) -> list[Shown]:
    """By WebVTT's grammar, as far as cues without names and settings go."""
    header, *blocks = text.removesuffix("\n").split("\n\n")
    assert header == "WEBVTT"
    shown = read_blocks(blocks, ".")
    for _, _, lines in shown:
        for line in lines:
            assert "<" not in line
            assert "-->" not in line
            assert all(entity.startswith(("amp;", "lt;", "gt;")) for entity in line.split("&")[1:])
    return [(start, end, [html.unescape(line) for line in lines]) for start, end, lines in shown]


def letters(text: str) -> str:
    """All that has to be shown, whatever the line breaks."""
    text = re.sub("[\x00-\x08\x0e-\x1b\x7f]", "", text)
    return re.sub("[\ud800-\udfff]", "\ufffd", "".join(text.split()))


def spoken(transcript: Transcript) -> list[str]:
    if not transcript.segments:
        return [transcript.text]
    return ["".join(word.text for word in each.words) or each.text for each in transcript.segments]


@given(transcripts)
@settings(deadline=None, max_examples=100)
def test_cues_are_short_in_order_and_never_overlap(transcript: Transcript) -> None:
    shown = read_vtt(to_vtt(transcript))
    for start, end, lines in shown:
        assert 0 <= start < end <= start + 7.0005
        assert 1 <= len(lines) <= 2
        assert all(0 < len(line) <= 42 and line == line.strip() for line in lines)
    assert all(before[1] <= after[0] for before, after in pairwise(shown))


@given(transcripts)
@settings(deadline=None, max_examples=60)
def test_both_formats_show_the_same_at_the_same_times(transcript: Transcript) -> None:
    srt, vtt = read_srt(to_srt(transcript)), read_vtt(to_vtt(transcript))
    assert [each[:2] for each in srt] == [each[:2] for each in vtt]
    assert [each[2] for each in srt] == [[re.sub("-{2,}>", "->", line) for line in each[2]] for each in vtt]


@given(transcripts)
@settings(deadline=None, max_examples=60)
def test_everything_that_was_said_is_shown(transcript: Transcript) -> None:
    shown = "".join(line for _, _, lines in read_vtt(to_vtt(transcript)) for line in lines)
    said = [letters(text) for text in spoken(transcript)]
    assert sorted(letters(shown)) == sorted("".join(said))
    if len(said) == 1:
        assert letters(shown) == said[0]


@given(timed())
@settings(deadline=None, max_examples=50)
def test_a_timed_word_is_shown_when_it_begins(transcript: Transcript) -> None:
    shown = [(start, word) for start, _, lines in read_vtt(to_vtt(transcript)) for word in " ".join(lines).split()]
    starts = iter(shown)
    for word in transcript.words:
        first = next(starts)
        said = first[1]
        while said != word.text:  # one that is longer than a line
            said += next(starts)[1]
        assert first[0] <= word.start + 0.001 * len(shown)
        assert word.start - first[0] <= 7.001


@given(transcripts)
@settings(deadline=None, max_examples=50)
def test_json_is_json_and_says_it_all(transcript: Transcript) -> None:
    read = json.loads(to_json(transcript).encode())
    assert list(read) == ["text", "language", "duration", "segments", "words"]
    assert [each["id"] for each in read["segments"]] == list(range(len(transcript.segments)))
    assert [letters(each["text"]) for each in read["segments"]] == [letters(each.text) for each in transcript.segments]
    assert read["words"] == [word for each in read["segments"] for word in each["words"]]
    assert len(read["words"]) == len(transcript.words)
    assert all(each["start"] >= 0 and each["end"] >= 0 for each in [*read["segments"], *read["words"]])


@given(transcripts, st.sampled_from(["text", "srt", "vtt", "json"]))
@example(Transcript("\ud800"), "text")
@settings(deadline=None, max_examples=50)
def test_every_format_can_be_written_to_a_file(transcript: Transcript, format: str) -> None:
    assert render(transcript, format).encode() or format == "srt"  # type: ignore[arg-type]


def test_a_conversation_in_every_format() -> None:
    words = (Word("Hello", 0.5, 0.9, 0.98765), Word("there.", 1.0, 1.4))
    transcript = Transcript(
        "Hello there. It's < 5 & > 3 --> so.",
        (Segment("Hello there.", 0.5, 1.4, words), Segment(" ", 2, 3), Segment("It's < 5 & > 3 --> so.", 59.9996, 62)),
        "en",
        62.5,
    )
    assert to_text(transcript) == "Hello there. It's < 5 & > 3 --> so.\n"
    assert to_srt(transcript) == (
        "1\n00:00:00,500 --> 00:00:01,500\nHello there.\n\n"
        "2\n00:01:00,000 --> 00:01:02,000\nIt's < 5 & > 3 -> so.\n"
    )  # fmt: skip
    assert to_vtt(transcript) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nHello there.\n\n"
        "00:01:00.000 --> 00:01:02.000\nIt's &lt; 5 &amp; &gt; 3 --&gt; so.\n"
    )
    assert json.loads(to_json(transcript))["segments"][0] == {
        "id": 0, "start": 0.5, "end": 1.4, "text": "Hello there.",
        "words": [
            {"word": "Hello", "start": 0.5, "end": 0.9, "confidence": 0.9877},
            {"word": "there.", "start": 1.0, "end": 1.4, "confidence": 1.0},
        ],
    }  # fmt: skip


def test_cues_end_with_sentences_and_lines_with_clauses() -> None:
    text = (
        "When the rain had stopped, they went out into the garden again. "
        "Nobody said a word about the letter until the evening came."
    )
    assert [lines for _, _, lines in read_srt(to_srt(Transcript(text, (), None, 9.0)))] == [
        ["When the rain had stopped,", "they went out into the garden again."],
        ["Nobody said a word about the", "letter until the evening came."],
    ]


def test_words_are_spaced_as_in_the_text() -> None:
    words = tuple(Word(text, at, at + 0.2) for at, text in enumerate(["今日", "は", "良い", "天気", "。", "Yes", "!"]))
    [shown] = read_srt(to_srt(Transcript("", (Segment("今日は良い天気。 Yes!", 0, 7, words),))))
    assert shown[2] == ["今日は良い天気。 Yes!"]


def test_slow_speech_is_not_shown_before_it_is_said() -> None:
    words = tuple(Word("so", at, at + 0.5) for at in range(20))
    shown = read_srt(to_srt(Transcript("", (Segment("so " * 20, 0, 20, words),))))
    assert [(start, lines) for start, _, lines in shown] == [(0, ["so " * 6 + "so"]), (7, ["so " * 6 + "so"]),
                                                             (14, ["so " * 5 + "so"])]  # fmt: skip


def test_a_time_that_goes_back_does_not_change_the_order() -> None:
    words = (Word("First", 5, 6), Word("x" * 42, 6, 7), Word("y" * 42, 1, 2), Word("last.", 2, 3))
    shown = read_srt(to_srt(Transcript("", (Segment(" ".join(word.text for word in words), 5, 7, words),))))
    assert [line for _, _, lines in shown for line in lines] == ["First", "x" * 42, "y" * 42, "last."]
    assert all(start >= 5 for start, _, _ in shown)


def test_a_pause_ends_a_cue() -> None:
    words = (Word("One", 0, 0.5), Word("two.", 0.6, 1), Word("Three.", 4, 5))
    shown = read_srt(to_srt(Transcript("", (Segment("One two. Three.", 0, 5, words),))))
    assert [(start, lines) for start, _, lines in shown] == [(0, ["One two."]), (4, ["Three."])]


def test_a_short_cue_stays_for_a_second_unless_another_follows() -> None:
    spoken = (Segment("No.", 0, 0.2), Segment("Yes.", 0.5, 0.7))
    assert [each[:2] for each in read_srt(to_srt(Transcript("", spoken)))] == [(0, 0.5), (0.5, 1.5)]


def test_text_keeps_its_lines_and_an_empty_transcript_is_an_empty_file() -> None:
    assert to_text(Transcript(" One.\nTwo. ")) == "One.\nTwo.\n"
    assert to_srt(Transcript("")) == ""
    assert to_vtt(Transcript("")) == "WEBVTT\n"


def test_another_format_is_refused() -> None:
    with pytest.raises(UnsupportedInput, match="text, srt, vtt, json"):
        render(Transcript(""), "ass")  # type: ignore[arg-type]


def test_a_long_segment_is_shown_in_full() -> None:
    words = tuple(Word("word,", at * 0.8, at * 0.8 + 0.7) for at in range(5_000))
    shown = to_srt(Transcript("", (Segment("word, " * 5_000, 0, 4_000, words),)))
    assert shown.count("word,") == 5_000
