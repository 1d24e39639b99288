"""What chat templates want to be told, found out by telling them."""

from __future__ import annotations

import attrs
import pytest

from sauropod import Message, Tool, ToolCall, UnsupportedInput
from sauropod.backends.llama_cpp.template import ChatTemplate, ToolTemplates

SAID = "{% for m in messages %}[{{ m.role }}: {{ m.content }}]{% endfor %}"
CALLS = (
    "{% for m in messages %}[{{ m.role }}: {{ m.content }}"
    "{% for c in m.tool_calls or [] %}<{{ c.function.name }} {{ c.function.arguments F }}>{% endfor %}]{% endfor %}"
)
CLOCK = Tool("clock", "Tells the time.", {"type": "object", "properties": {"zone": {"type": "string"}}})
CALL = ToolCall("clock", {"zone": "CET"}, id="call_1")
TALK = [Message.user("Time?"), Message.assistant(tool_calls=[CALL]), Message.tool("noon", call=CALL)]


def test_arguments_are_a_dict_to_templates_that_write_them_as_json() -> None:
    assert '<clock {"zone": "CET"}>' in ChatTemplate(CALLS.replace("F }}", "| tojson }}")).render(TALK, [CLOCK])


def test_arguments_are_json_to_templates_that_write_them_as_they_are() -> None:
    assert '<clock {"zone": "CET"}>' in ChatTemplate(CALLS.replace("F }}", "}}")).render(TALK, [CLOCK])


def test_a_call_has_no_content_where_a_template_wants_none() -> None:
    source = (
        "{% for m in messages %}{% if m.tool_calls %}{% if m.content is not none %}{{ raise_exception('both') }}"
        "{% endif %}<{{ m.tool_calls[0].function.name }} {{ m.tool_calls[0].function.arguments | tojson }}>"
        "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    assert ChatTemplate(source).render(TALK, [CLOCK]) == 'Time?<clock {"zone": "CET"}>noon'


def test_what_is_said_beside_a_call_is_left_out_where_a_template_would_leave_out_the_call() -> None:
    source = (
        "{% for m in messages %}{% if m.content %}{{ m.content }}{% elif m.tool_calls %}"
        "<{{ m.tool_calls[0].function.name }} {{ m.tool_calls[0].function.arguments | tojson }}>{% endif %}{% endfor %}"
    )
    talking = [TALK[0], attrs.evolve(TALK[1], content="Let me see."), TALK[2]]
    assert ChatTemplate(source).render(talking, [CLOCK]) == 'Time?<clock {"zone": "CET"}>noon'


def test_ids_are_as_short_as_a_template_wants_them_and_results_refer_to_them() -> None:
    source = (
        "{% for m in messages %}{% for c in m.tool_calls or [] %}{% if c.id | length != 9 %}"
        "{{ raise_exception('nine!') }}{% endif %}"
        "<{{ c.id }} {{ c.function.name }} {{ c.function.arguments | tojson }}>"
        "{% endfor %}{% if m.role == 'tool' %}({{ m.tool_call_id }}){% endif %}{% endfor %}"
    )
    text = ChatTemplate(source).render(TALK, [CLOCK])
    id = text[1:10]
    assert id.isalnum()
    assert text == f'<{id} clock {{"zone": "CET"}}>({id})'


def test_calls_without_ids_get_some_and_results_refer_to_them_in_order() -> None:
    source = (
        "{% for m in messages %}{% for c in m.tool_calls or [] %}<{{ c.id }} {{ c.function.name }} "
        "{{ c.function.arguments | tojson }}>{% endfor %}{% if m.role == 'tool' %}({{ m.tool_call_id }}){% endif %}"
        "{% endfor %}"
    )
    calls = [ToolCall("clock"), ToolCall("clock")]
    talk = [TALK[0], Message.assistant(tool_calls=calls), *[Message.tool("noon", call=call) for call in calls]]
    text = ChatTemplate(source).render(talk, [CLOCK])
    assert text == "<call00001 clock {}><call00002 clock {}>(call00001)(call00002)"


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking", "thought"])
def test_thoughts_are_told_by_whatever_name_a_template_looks_for(name: str) -> None:
    source = (
        "{% for m in messages %}{% if m." + name + " %}<{{ m." + name + " }}>{% endif %}{{ m.content }}{% endfor %}"
    )
    thinking = Message("assistant", "Yes.", reasoning="Hm.")
    assert ChatTemplate(source).render([Message.user("So?"), thinking]) == "So?<Hm.>Yes."


def test_thoughts_are_a_part_of_the_content_where_a_template_looks_for_them_there() -> None:
    source = (
        "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}"
        "{% if part.type == 'thinking' %}<{{ part.thinking }}>{% else %}{{ part.text }}{% endif %}{% endfor %}"
        "{% endif %}{% endfor %}"
    )
    thinking = Message("assistant", "Yes.", reasoning="Hm.")
    assert ChatTemplate(source).render([Message.user("So?"), thinking]) == "So?<Hm.>Yes."


def test_tools_that_belong_to_the_system_message_are_put_there() -> None:
    source = "{% for m in messages %}[{{ m.content }}{% if m.tools %}: {{ m.tools }}{% endif %}]{% endfor %}"
    text = ChatTemplate(source).render([Message.system("Be kind."), Message.user("Time?")], [CLOCK])
    assert text.startswith('[Be kind.: [{"name": "clock"')
    assert ChatTemplate(source).render([Message.user("Time?")], [CLOCK]).count("clock") == 1


def test_parameters_have_the_descriptions_a_template_insists_on() -> None:
    source = (
        "{% for t in tools or [] %}{% for n, p in t.function.parameters.properties.items() %}"
        "{{ n }}:{{ p.description.strip() }};{% endfor %}{% endfor %}" + SAID
    )
    assert ChatTemplate(source).render([Message.user("Time?")], [CLOCK]) == "zone:;[user: Time?]"


def test_a_template_that_leaves_the_system_out_gets_it_in_the_users_first_words() -> None:
    source = "{% for m in messages %}{% if m.role != 'system' %}[{{ m.content }}]{% endif %}{% endfor %}"
    text = ChatTemplate(source).render([Message.system("Be kind."), Message.user("Hi")])
    assert text == "[Be kind.\n\nHi]"


def test_no_tools_are_nothing_or_an_empty_list_as_a_template_needs() -> None:
    assert ChatTemplate("{% if tools is none %}-{% endif %}" + SAID).render([Message.user("Hi")]) == "-[user: Hi]"
    assert ChatTemplate("{{ tools | length }}" + SAID).render([Message.user("Hi")]) == "0[user: Hi]"


# -- system prompts ----------------------------------------------------------------------------------------------------

FENCE = (
    "You are Dino.{% if tools and tools != '[]' %}\n# Tools\n{{ tools | tojson }}\n"
    'Call them so:\n```tool_call\n{"name": …, "arguments": …}\n```{% endif %}'
)


def test_a_system_prompt_speaks_where_nobody_else_does() -> None:
    template = ChatTemplate(SAID, system_prompt="You are Dino.")
    assert template.render([Message.user("Hi")]) == "[system: You are Dino.][user: Hi]"
    assert template.render([Message.system("Be kind."), Message.user("Hi")]) == "[system: Be kind.][user: Hi]"


def test_a_system_prompt_that_tells_of_tools_does_it_instead_of_the_template() -> None:
    template = ChatTemplate("{% if tools %}(tools){% endif %}" + SAID, system_prompt=FENCE)
    told = template.render([Message.user("Hi")], [CLOCK])
    assert "(tools)" not in told
    assert told.startswith("[system: You are Dino.# Tools\n")
    assert '"name": "clock"' in told
    assert template.render([Message.user("Hi")]) == "[system: You are Dino.][user: Hi]"


def test_what_the_system_says_by_itself_follows_what_is_told_of_tools() -> None:
    template = ChatTemplate(SAID, system_prompt=FENCE)
    told = template.render([Message.system("Be kind."), Message.user("Hi")], [CLOCK])
    assert told.endswith("```\n\nBe kind.][user: Hi]")
    assert template.render([Message.system("Be kind."), Message.user("Hi")]) == "[system: Be kind.][user: Hi]"


def test_a_system_prompt_takes_variables_and_has_to_be_readable() -> None:
    template = ChatTemplate(SAID, system_prompt="You are {{ name | default('Dino') }}.")
    assert template.render([Message.user("Hi")], options={"name": "Rex"}) == "[system: You are Rex.][user: Hi]"
    with pytest.raises(UnsupportedInput, match=r"system prompt cannot be read.*system_prompt="):
        ChatTemplate(SAID, system_prompt="{% if")


# -- templates of their own for tools ----------------------------------------------------------------------------------


def test_a_conversation_with_tools_in_it_has_a_template_of_its_own_where_there_is_one() -> None:
    pair = ToolTemplates(ChatTemplate(SAID), ChatTemplate("tools!" + SAID))
    assert pair.render([Message.user("Hi")]) == "[user: Hi]"
    assert pair.render([Message.user("Hi")], [CLOCK]) == "tools![user: Hi]"
    assert pair.render(TALK).startswith("tools!")
