"""Conversations for templates that know nothing of tools, or not all."""

from __future__ import annotations

import attrs

from answers import TIME, TOOLS
from sauropod import Message, ToolCall
from sauropod._text.conversation import adapted
from sauropod._text.exceptions import GENERIC
from sauropod._values.syntax import CallSyntax, Slot, SyntaxOrigin

CALL = ToolCall("get_time", {"zone": "CET"}, "call_1")
TALK = [Message.user("Time?"), Message.assistant("Let me see.", tool_calls=[CALL]), Message.tool("noon", call=CALL)]
WRITTEN = '<tool_call>\n{"name": "get_time", "arguments": {"zone": "CET"}}\n</tool_call>'
TOLD = "<tool_response>\nnoon\n</tool_response>"


def test_what_a_template_writes_itself_it_is_given() -> None:
    calls = attrs.evolve(GENERIC, origin=SyntaxOrigin.TEMPLATE)
    assert adapted(TALK, TOOLS, calls) == (TALK, TOOLS)
    assert adapted(TALK, TOOLS, None) == (TALK, TOOLS)


def test_a_template_that_knows_no_tools_is_told_of_them_by_the_system() -> None:
    messages, tools = adapted(TALK, [TIME], GENERIC)
    assert tools == ()
    assert [message.role for message in messages] == ["system", "user", "assistant", "tool"]
    assert '{"name": "get_time", "description": "Tells the time."' in messages[0].content
    assert messages[2].content == f"Let me see.\n{WRITTEN}"
    assert not messages[2].tool_calls


def test_what_the_system_says_anyway_comes_first() -> None:
    messages, _ = adapted([Message.system("Be kind."), Message.user("Hi")], [TIME], GENERIC)
    assert messages[0].content.startswith("Be kind.\n\n# Tools")
    assert adapted([Message.user("Hi")], [], GENERIC)[0] == [Message.user("Hi")]


def test_results_are_told_by_the_user_where_there_is_no_place_for_them() -> None:
    calls = attrs.evolve(GENERIC, results=False)
    messages, _ = adapted([*TALK, TALK[2], Message.user("Thanks.")], [], calls)
    assert [message.role for message in messages] == ["user", "assistant", "user"]
    assert messages[2].content == f"{TOLD}\n{TOLD}\nThanks."
    messages, _ = adapted([*TALK, Message.assistant("Noon.")], [], calls)
    assert [(m.role, m.content) for m in messages[2:]] == [("user", TOLD), ("assistant", "Noon.")]


def test_ids_are_formed_as_the_template_needs_them_and_results_keep_to_their_calls() -> None:
    calls = CallSyntax(call=("<c>", Slot.ID, "<a>", Slot.ARGUMENTS), id_form="functions.{name}:{index}", first_index=0)
    other = attrs.evolve(CALL, id="call_2")
    talk = [
        Message.user("Times?"),
        Message.assistant(tool_calls=[CALL, other]),
        Message.tool("one", call=other),
        Message.tool("noon", call=CALL),
    ]
    messages, tools = adapted(talk, [TIME], calls)
    assert [call.id for call in messages[1].tool_calls] == ["functions.get_time:0", "functions.get_time:1"]
    assert [message.tool_call_id for message in messages[2:]] == ["functions.get_time:1", "functions.get_time:0"]
    assert tools == [TIME]
