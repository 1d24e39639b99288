"""What templates do not show by themselves: the few forms that are known beforehand, each with how it is recognised.

- `HARMONY`: gpt-oss writes messages in channels, and the template shows only some of the ways.
- `TOLD`: templates that leave earlier calls out, and tell the model in the prompt how to write its own.
- `GENERIC`: the form that is asked for where a template knows no tools.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from sauropod._values.syntax import ArgumentSyntax, CallSyntax, ReasoningSyntax, Slot, Syntax, SyntaxOrigin, Values

__all__ = ["GENERIC", "HARMONY", "HARMONY_CALLS", "HARMONY_PREAMBLE", "is_harmony", "told_calls"]

GENERIC = CallSyntax(call=("<tool_call>\n", Slot.OBJECT, "\n</tool_call>"), between="\n", origin=SyntaxOrigin.GENERIC)
"""As NousResearch's Hermes models and many since write calls."""

_FENCE = attrs.evolve(GENERIC, call=("```tool_call\n", Slot.OBJECT, "\n```"), origin=SyntaxOrigin.PROMPT)

_LIST = CallSyntax(open="<|tool_call|>[", call=(Slot.OBJECT,), between=", ", close="]", origin=SyntaxOrigin.PROMPT)

_PYTHONIC = CallSyntax(
    open="<|tool_call_start|>[",
    call=(Slot.NAME, "(", Slot.ARGUMENTS, ")"),
    between=", ",
    close="]<|tool_call_end|>",
    arguments=ArgumentSyntax(each=(Slot.KEY, "=", Slot.VALUE), between=", ", values=Values.LITERAL, quote='"'),
    origin=SyntaxOrigin.PROMPT,
)

TOLD: Sequence[tuple[str, CallSyntax]] = (
    ("```tool_call", _FENCE),  # system prompts of sauropod's predecessor, and Gemma's
    ("<|tool_call|>", _LIST),  # Granite 3.1 and later
    ("<|start_of_role|>available_tools", _LIST),  # Granite 3.0
    ("<|tool|>", attrs.evolve(_LIST, close="]<|/tool_call|>")),  # Phi-4-mini
    ("<|tool_list_start|>", _PYTHONIC),  # LFM2
    ("List of tools: [", _PYTHONIC),  # LFM2.5
)
"""What a prompt with tools has in it and one without has not, and how calls are written then."""

HARMONY = Syntax(
    reasoning=ReasoningSyntax(
        open="<|channel|>analysis<|message|>", close="<|end|><|start|>assistant", ending="<|end|><|start|>assistant"
    ),
    calls=CallSyntax(
        call=("<|channel|>commentary to=functions.", Slot.NAME, " <|constrain|>json<|message|>", Slot.ARGUMENTS),
        parallel=False,
    ),
    content_open="<|channel|>final<|message|>",
    harmony=True,
)
"""OpenAI's harmony format (github.com/openai/harmony)."""

HARMONY_CALLS = (
    CallSyntax(
        call=(" to=functions.", Slot.NAME, "<|channel|>commentary json<|message|>", Slot.ARGUMENTS), parallel=False
    ),
)
"""The other way to call in it."""

HARMONY_PREAMBLE = ("<|channel|>commentary<|message|>", "<|end|><|start|>assistant")
"""The marks around what is said to the user before a call."""


def is_harmony(prompt: str) -> bool:
    return "# Valid channels: analysis, commentary, final." in prompt and prompt.endswith("<|start|>assistant")


def told_calls(prompt: str, plain: str) -> CallSyntax | None:
    """How a prompt with tools in it tells the model to call them, as far as one without does not."""
    for mark, calls in TOLD:
        if mark in prompt and mark not in plain:
            return _with_keys(calls, prompt[prompt.rfind(mark) :])
    for found in re.finditer(_CALL_TAG, prompt):
        open, close = found[0], f"</{found[1]}>"
        if close in prompt and open not in plain:
            example = prompt[prompt.rfind(open) + len(open) :].partition(close)[0]
            calls = attrs.evolve(GENERIC, call=(f"{open}\n", Slot.OBJECT, f"\n{close}"), origin=SyntaxOrigin.PROMPT)
            if example.lstrip().startswith("["):
                calls = attrs.evolve(calls, open=f"{open}[", call=(Slot.OBJECT,), between=", ", close=f"]{close}")
            return _with_keys(calls, example)
    return None


_CALL_TAG = re.compile(r"<((?:tool|function)[_-]?calls?)>", re.IGNORECASE)


def _with_keys(calls: CallSyntax, told: str) -> CallSyntax:
    """With the key of arguments that an example has, in which a name is not a text but a word for one."""
    found = re.search(r'"name":\s*(?:[^"\s]|"[^"]*name)[^{}]{0,60}"(arguments|parameters)"', told)
    return attrs.evolve(calls, arguments_path=(found[1],), keys=("name", found[1])) if found else calls
