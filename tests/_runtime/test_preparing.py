"""From a request to tokens: rendering, fitting, thinking, and what the answer has to be."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pytest

from sauropod import (
    Grammar,
    InvalidGrammar,
    Message,
    PromptTooLong,
    SamplingParams,
    Tool,
    ToolCall,
    ToolChoice,
    UnsupportedInput,
)
from sauropod._runtime.preparing import Prepared, Preparer
from sauropod._runtime.protocol import PromptText
from sauropod.abc import AudioFrame, ChatOptions, GrammarKind, ModelInfo, Syntax, SyntaxOrigin
from sauropod.testing import FakeLanguageModel, FakeOptions

CLOCK = Tool("clock", "Tells the time.", {"type": "object", "properties": {"zone": {"type": "string"}}})


class Thinker(FakeLanguageModel):
    """Its template has variables for thinking, and begins the thoughts of an answer."""

    def render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, options: Mapping[str, Any] | None = None
    ) -> str:
        options = options or {}
        text = super().render(messages, tools, options=options)
        if not options.get("add_generation_prompt", True):
            return text
        if options.get("enable_thinking") is False:
            return f"{text} <think>\n\n</think>\n\n"
        return f"{text} <think>\n"


def prepared(model: FakeLanguageModel, *messages: Message, grammar: Grammar | None = None, **chat: Any) -> Prepared:
    sampling = SamplingParams(max_tokens=chat.pop("max_tokens", None), grammar=grammar)
    return Preparer(model).prepare(PromptText(messages, ChatOptions(**chat)), sampling)


def told(model: FakeLanguageModel, found: Prepared) -> str:
    return b"".join(map(model.piece, found.tokens)).decode()


@pytest.fixture
def model() -> FakeLanguageModel:
    return FakeLanguageModel(FakeOptions(context_length=400, grammars=True))


def test_what_is_learned_of_the_template_is_part_of_the_info(model: FakeLanguageModel) -> None:
    syntax = Preparer(model).info.syntax
    assert syntax is not None
    assert syntax.calls is not None
    assert syntax.reasoning is not None
    assert (syntax.calls.head.strip(), syntax.calls.origin) == ("<tool_call>", SyntaxOrigin.TEMPLATE)
    assert (syntax.reasoning.open, syntax.reasoning.close) == ("<think>", "</think>")


def test_text_and_tokens_are_taken_as_they_are(model: FakeLanguageModel) -> None:
    preparer = Preparer(model)
    found = preparer.prepare(PromptText(text="Once"), SamplingParams())
    assert found.tokens == model.encode("Once", special=True)
    assert found.began.kept_messages == 0
    assert preparer.prepare(PromptText(tokens=(65, 66)), SamplingParams()).tokens == [65, 66]
    with pytest.raises(UnsupportedInput, match="token 100000"):
        preparer.prepare(PromptText(tokens=(100_000,)), SamplingParams())


# -- thinking ----------------------------------------------------------------------------------------------------------


def test_a_prompt_that_begins_thoughts_says_so() -> None:
    found = prepared(Thinker(FakeOptions()), Message.user("Hi"))
    assert found.thinking
    assert "<think>" in found.began.prefill


@pytest.mark.parametrize("options", [{"reasoning_effort": "none"}, {"reasoning_budget": 0}])
def test_thinking_is_turned_off_by_the_templates_own_switch(options: dict[str, Any]) -> None:
    model = Thinker(FakeOptions())
    found = prepared(model, Message.user("Hi"), **options)
    assert told(model, found).endswith("assistant: <think>\n\n</think>\n\n")
    assert not found.thinking


def test_where_there_is_no_switch_no_budget_writes_that_nothing_was_thought(model: FakeLanguageModel) -> None:
    found = prepared(model, Message.user("Hi"), reasoning_budget=0)
    assert "</think>" in told(model, found)
    assert not found.thinking
    assert prepared(model, Message.user("Hi"), reasoning_budget=5).began.prefill == ""


def test_an_effort_that_the_template_has_no_word_for_is_refused(model: FakeLanguageModel) -> None:
    with pytest.raises(UnsupportedInput, match=r"no reasoning_effort 'huge': it has none, low, medium, high"):
        prepared(Thinker(FakeOptions()), Message.user("Hi"), reasoning_effort="huge")
    with pytest.raises(UnsupportedInput, match=r"it has none\. reasoning_budget works"):
        prepared(model, Message.user("Hi"), reasoning_effort="high")


def test_the_users_own_variables_win_over_an_effort() -> None:
    model = Thinker(FakeOptions())
    options: dict[str, Any] = {"reasoning_effort": "none", "template_options": {"enable_thinking": True}}
    assert told(model, prepared(model, Message.user("Hi"), **options)).endswith("assistant: <think>\n")


def test_a_budget_does_not_go_with_log_probabilities(model: FakeLanguageModel) -> None:
    with pytest.raises(UnsupportedInput, match="logprobs"):
        Preparer(model).prepare(
            PromptText((Message.user("Hi"),), ChatOptions(reasoning_budget=5)), SamplingParams(logprobs=0)
        )


# -- tools -------------------------------------------------------------------------------------------------------------


def test_tools_are_told_of_unless_none_may_be_called(model: FakeLanguageModel) -> None:
    assert "tool: clock" in told(model, prepared(model, Message.user("Hi"), tools=[CLOCK]))
    assert "clock" not in told(model, prepared(model, Message.user("Hi"), tools=[CLOCK], tool_choice="none"))
    some = ToolChoice("auto", ["clock"])
    both = told(model, prepared(model, Message.user("Hi"), tools=[CLOCK, Tool("other")], tool_choice=some))
    assert "tool: other" in both, "what may not be called is described all the same, so that the prompt stays the same"


def test_who_cannot_be_held_to_a_call_is_not_asked_for_one(model: FakeLanguageModel) -> None:
    with pytest.raises(UnsupportedInput, match="tool_choice='auto'"):
        prepared(model, Message.user("Hi"), tools=[CLOCK], tool_choice="required")


def test_a_grammar_is_compiled_before_anything_is_computed(model: FakeLanguageModel) -> None:
    assert prepared(model, Message.user("Hi"), grammar=Grammar.choice(["a", "b"])).grammar is not None
    with pytest.raises(UnsupportedInput, match="kind json_schema"):
        prepared(model, Message.user("Hi"), grammar=Grammar.json_object())


class Lenient(FakeLanguageModel):
    """Takes any grammar for one that it can enforce."""

    def compile(self, grammar: Grammar) -> None: ...


def test_a_schema_that_nobody_could_check_is_refused_though_the_backend_takes_it() -> None:
    with pytest.raises(InvalidGrammar, match="in its /type"):
        prepared(Lenient(FakeOptions()), Message.user("Hi"), grammar=Grammar.json_schema({"type": "intger"}))


# -- audio -------------------------------------------------------------------------------------------------------------


def test_audio_stands_where_it_was_put_whatever_else_is_written() -> None:
    model = FakeLanguageModel(FakeOptions(context_length=4000, hears=True))
    sounds = [AudioFrame(np.full(1600 * length, 0.1, np.float32), 16_000) for length in (2, 3)]
    call = ToolCall("clock", {"zone": "\ufffc"}, "call_1")
    talk = [
        Message.system("\ufffc is a place."),
        Message.user("First \ufffc, then \ufffc.", audio=sounds),
        Message.assistant(tool_calls=[call]),
        Message.tool("\ufffc", call=call),
        Message.user("And this?", audio=sounds[0]),
    ]
    found = prepared(model, *talk, tools=[Tool("clock", "Tells \ufffc.")])
    runs = [(kind, list(run)) for kind, run in itertools.groupby(found.tokens, key=lambda token: token < 0)]
    assert [len(run) for kind, run in runs if kind] == [2, 3, 2]
    assert runs[1][1] == runs[5][1]
    assert b"".join(map(model.piece, runs[2][1])) == b", then "
    text = b"".join(model.piece(token) for token in found.tokens if token >= 0).decode()
    assert text.count("\ufffc") == 2  # the system's and the result's; JSON has it escaped


# -- overflow ----------------------------------------------------------------------------------------------------------


def long_talk(turns: int) -> list[Message]:
    call = ToolCall("clock", {"zone": "CET"}, "call_1")
    talk = [Message.system("Be kind.")]
    for number in range(turns):
        talk += [Message.user(f"Question {number}?"), Message.assistant(tool_calls=[call])]
        talk += [Message.tool("noon", call=call), Message.assistant(f"Answer {number}.")]
    return [*talk, Message.user("The last?")]


def test_a_conversation_that_is_too_long_is_left_as_it_is_unless_asked(model: FakeLanguageModel) -> None:
    found = prepared(model, *long_talk(5))
    assert len(found.tokens) > 400
    assert (found.began.kept_messages, found.began.dropped_messages) == (22, 0)


def test_the_oldest_turns_are_left_out_whole_and_told_of(model: FakeLanguageModel) -> None:
    talk = long_talk(9)
    found = prepared(model, *talk, overflow="truncate", max_tokens=50)
    text = told(model, found)
    assert text.startswith("system: Be kind.\nuser: Question")
    assert text.endswith("user: The last?\nassistant:")
    assert text.count("<tool_call>") == text.count("tool: noon")
    assert len(found.tokens) <= 350
    assert found.began.kept_messages + found.began.dropped_messages == len(talk)
    assert found.began.dropped_messages % 4 == 0
    whole = prepared(model, *talk)
    assert found.began.dropped_tokens == len(whole.tokens) - len(found.tokens)


def test_down_to_which_share_it_is_cut_is_said(model: FakeLanguageModel) -> None:
    """And while it grows within what is left of the context, it begins at the same place."""
    lengths = [
        len(prepared(model, *long_talk(9), overflow="truncate", max_tokens=50, retention=share).tokens)
        for share in (1.0, 0.875, 0.5, 0.0)
    ]
    assert lengths == sorted(lengths, reverse=True)
    assert 350 - 110 < lengths[0] <= 350  # one turn more would not have fitted
    assert lengths[2] <= 200
    assert lengths[3] < 80
    with pytest.raises(UnsupportedInput, match="retention"):
        prepared(model, *long_talk(9), overflow="truncate", retention=1.5)


def test_what_fits_is_not_touched(model: FakeLanguageModel) -> None:
    talk = long_talk(1)
    assert prepared(model, *talk, overflow="truncate", max_tokens=10).tokens == prepared(model, *talk).tokens


def test_a_last_turn_that_is_too_long_by_itself_is_refused_further_on(model: FakeLanguageModel) -> None:
    found = prepared(model, Message.user("Hi"), Message.user("x" * 500), overflow="truncate")
    assert len(found.tokens) > 400  # which the scheduler refuses
    assert found.began.dropped_messages == 1


class Strict(FakeLanguageModel):
    """Refuses a prompt that is hopelessly long before it is encoded."""

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        if len(text) > 1000:
            raise PromptTooLong(len(text), 400, exact=False)
        return super().encode(text, special=special)


def test_a_conversation_too_long_to_be_counted_is_cut_all_the_same() -> None:
    model = Strict(FakeOptions(context_length=400))
    found = prepared(model, *long_talk(30), overflow="truncate", max_tokens=50)
    assert len(found.tokens) <= 350
    with pytest.raises(PromptTooLong):
        prepared(model, *long_talk(30))


# -- marks -------------------------------------------------------------------------------------------------------------


class Marked(FakeLanguageModel):
    """Has a token for a mark, which adds no text."""

    MARK = 200

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        if not special:
            return super().encode(text, special=False)
        parts = text.split("<think>")
        tokens = list(super().encode(parts[0], special=True))
        for part in parts[1:]:
            tokens += [self.MARK, *super().encode(part, special=False)]
        return tokens

    def mark(self, token: int) -> str:
        return "<think>" if token == self.MARK else ""


def test_marks_that_are_tokens_are_told_from_text_and_shown() -> None:
    model = Marked(FakeOptions())
    preparer = Preparer(model)
    assert preparer.split("a<think>b") == [("a", None), ("<think>", 200), ("b", None)]
    assert preparer.split("") == []
    found = prepared(model, Message.user("Hi"))
    assert found.marks == {200: b"<think>"}


class Silent(FakeLanguageModel):
    """Its plug-in knows no calls."""

    @property
    def info(self) -> ModelInfo:
        return attrs.evolve(super().info, syntax=Syntax(), grammars=frozenset(GrammarKind))


def test_who_says_nothing_of_calls_cannot_be_made_to_call() -> None:
    model = Silent(FakeOptions(context_length=400, grammars=True))
    with pytest.raises(UnsupportedInput, match="nothing of how it writes calls"):
        prepared(model, Message.user("x"), tools=[CLOCK], tool_choice="required")
