"""Chat templates: rendered as transformers renders them, and stopped when they run away."""

from __future__ import annotations

import time
from typing import Any

import jinja2
import pytest
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sauropod import Message, Tool, ToolCall, UnsupportedInput
from sauropod.backends.llama_cpp.template import ChatTemplate
from sauropod.testing import models

TALK = [Message.system("Be kind."), Message.user("Hi <there> & “you”"), Message.assistant("Hello!"), Message.user("?")]
CLOCK = Tool("clock", "Tells the time.", {"type": "object", "properties": {"zone": {"type": "string"}}})


def reference(source: str, **variables: Any) -> str:
    """The environment of transformers' `apply_chat_template`, put together from its documentation."""

    def tojson(
        x: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
    ) -> str:
        import json

        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = tojson
    return environment.from_string(source).render(**variables)


@pytest.mark.parametrize("source", [models.CHATML, models.INSTRUCT], ids=["ChatML", "instruct"])
def test_it_renders_what_the_reference_renders(source: str) -> None:
    rendered = ChatTemplate(source, "<s>", "</s>").render(TALK, [CLOCK])
    function = {"name": CLOCK.name, "description": CLOCK.description, "parameters": CLOCK.parameters}
    expected = reference(
        source,
        messages=[{"role": message.role, "content": message.content} for message in TALK],
        tools=[{"type": "function", "function": function}],
        add_generation_prompt=True,
        bos_token="<s>",
        eos_token="</s>",
    )
    assert rendered == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{% for m in messages %}{% if loop.index0 == 2 %}{% break %}{% endif %}{{ m.role }};{% endfor %}",
            "system;user;",
        ),
        ("{% for m in messages %}{% if not loop.last %}{% continue %}{% endif %}{{ loop.length }}{% endfor %}", "4"),
        ("{% for m in messages %}{{ loop.previtem.role if loop.previtem }}>{% endfor %}", ">system>user>assistant>"),
        ("{% for m in messages if m.role == 'user' %}{{ loop.index }}{% endfor %}", "12"),
        ("{% generation %}{{ messages[0].content }}{% endgeneration %}", "Be kind."),
        (
            "{% for m in messages %}{{ m.content | tojson }}{% endfor %}",
            '"Be kind.""Hi <there> & “you”""Hello!""?"',
        ),
        ("{{ {'b': 1, 'a': [true, none]} | tojson(indent=1) }}", '{\n "b": 1,\n "a": [\n  true,\n  null\n ]\n}'),
        ("  {% if true %}\nx\n  {% endif %}\ny", "x\ny"),
        ("{{ strftime_now('%Y') | length }}", "4"),
        ("{{ messages[0]['content'].split(' ')[1].upper() }}", "KIND."),
        ("{% set ns = namespace(n=0) %}{% for i in range(5) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "10"),
        ("{% macro say(x) %}<{{ x }}>{% endmacro %}{{ say('a') ~ say('b') }}", "<a><b>"),
        ("{{ messages | map(attribute='role') | join(',') }}", "system,user,assistant,user"),
        ("{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "2"),
        ("{{ '%s and %d' | format('one', 2) }} {{ '{}!'.format('three') }}", "one and 2 three!"),
        ("{{ ('a' * 3) ~ (2 ** 10) ~ (7 % 4) }}", "aaa10243"),
        ("{{ bos_token }}{{ messages[1:] | length }}{{ tools is none }}{{ documents is none }}", "<s>3TrueTrue"),
    ],
)
def test_what_real_templates_use_works(source: str, expected: str) -> None:
    assert ChatTemplate(source, "<s>", "</s>").render(TALK) == expected


def test_calls_and_results_reach_the_template_as_transformers_has_them() -> None:
    call = ToolCall("clock", {"zone": "UTC"}, id="call_1")
    source = (
        "{% for m in messages %}{% for c in m.tool_calls %}"
        "{{ c.type }} {{ c.id }} {{ c.function.name }} {{ c.function.arguments | tojson }};"
        "{% endfor %}{{ m.tool_call_id }} {{ m.name }} {{ m.content }};{% endfor %}"
    )
    rendered = ChatTemplate(source).render([Message.assistant(tool_calls=[call]), Message.tool("noon", call=call)])
    assert rendered == 'function call_1 clock {"zone": "UTC"};  ;call_1 clock noon;'


def test_a_template_without_a_system_role_gets_it_in_the_users_first_words() -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "[{{ m.role }}: {{ m.content }}]{% endfor %}"
    )
    assert ChatTemplate(source).render(TALK[:2]) == "[user: Be kind.\n\nHi <there> & “you”]"
    assert ChatTemplate(source).render([Message.system("Alone")]) == "[user: Alone]"


def test_a_template_that_only_knows_parts_gets_parts() -> None:
    source = "{% for m in messages %}{% for part in m.content %}{{ part['text'] }}|{% endfor %}{% endfor %}"
    assert ChatTemplate(source).render([Message.user("Hi")]) == "Hi|"


def test_the_developer_is_the_system_where_templates_know_no_developer() -> None:
    source = "{% for m in messages %}{{ m.role }}: {{ m.content }};{% endfor %}"
    assert ChatTemplate(source).render([Message("developer", "x"), Message.user("y")]) == "system: x;user: y;"


def test_what_the_template_says_of_a_conversation_is_in_the_error() -> None:
    source = "{% if messages | length > 2 %}{{ raise_exception('Roles must alternate!') }}{% endif %}ok"
    template = ChatTemplate(source)
    assert template.render(TALK[:2]) == "ok"
    with pytest.raises(UnsupportedInput, match="Roles must alternate!"):
        template.render(TALK)


TWICE = "{% set a = [1] %}" + "{% set a = [a, a] %}" * 45
"""A list that takes two pointers a level and would be 2⁴⁵ numbers long, written out."""

RUNAWAYS = {
    "lists that hold themselves": "{% set a = [1] %}{% set _ = a.append(a) %}{{ a | tojson }}",
    "lists that grow in a list": (
        "{% set a = [0] %}{% for i in range(60) %}{% set _ = a.append(a[:]) %}{% endfor %}{{ a | tojson }}"
    ),
    "lists that grow without end": (
        "{% set a = [] %}{% for i in range(9999) %}{% for j in range(9999) %}{% set _ = a.append('x' * 1000) %}"
        "{% endfor %}{% endfor %}"
    ),
    "endless loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "endless writing": "{% for a in range(99999) %}{% for b in range(99999) %}xxxxxxxx{% endfor %}{% endfor %}",
    "doubling": "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "adding": "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "adding lists": "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "multiplying": "{{ 'a' * 10000000000 }}",
    "multiplying lists": "{{ ([1] * 10000000000) | length }}",
    "powers": "{{ 10 ** (10 ** 10) }}",
    "squaring": "{% set n = namespace(x=10 ** 20000) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "centring": "{{ 'a' | center(10000000000) }}",
    "padding": "{{ 'a'.ljust(10000000000) }}",
    "a wide field": "{{ '{:10000000000}'.format(1) }}",
    "a wide old field": "{{ '%10000000000d' % 1 }}",
    "a width as an argument": "{{ '%*d' | format(10000000000, 1) }}",
    "replacing": "{% set x = 'a' * 1000000 %}{{ x.replace('a', x) }}",
    "replacing by a filter": "{% set x = 'a' * 1000000 %}{{ x | replace('a', x) }}",
    "joining": "{% set x = 'a' * 1000000 %}{{ x | join(x) }}",
    "joining what was taken apart": "{% set x = 'é' * 8000000 %}{{ ('é' * 8).join(x) }}",
    "taking apart": "{% set x = ('漢' * 100000) * 70 %}{{ x | list | length }}",
    "taking apart for a call": "{% set x = ('漢' * 100000) * 70 %}{{ cycler(*x) }}",
    "comparing what holds itself twice": f"{{% set b = [1] %}}{TWICE}{{% set b = [a, a] %}}{{{{ a == b }}}}",
    "writing what holds itself twice": f"{TWICE}{{{{ a }}}}",
    "JSON of what holds itself twice": f"{TWICE}{{{{ a | tojson }}}}",
    "what holds itself twice by views": "{% set a = [1] %}" + "{% set a = {1: a, 2: a}.items() %}" * 40 + "{{ a }}",
    "what holds itself twice as a key": "{% set a = (1,) %}" + "{% set a = (a, a) %}" * 40 + "{{ {a: 1} }}",
    "indented JSON": "{% set a = [1] %}" + "{% set a = [a] %}" * 400 + "{{ ([a] * 1000) | tojson(indent=1000) }}",
    "keeping": "{% set n = namespace(l=[]) %}{% for i in range(99) %}"
    "{% set n.l = n.l + [('x' * 9000000) ~ i] %}{% endfor %}",
    "keeping slices": "{% set x = 'x' * 9000000 %}" + "".join(f"{{% set x{i} = x[{i}:] %}}" for i in range(1000)),
    "writing in a macro": "{% set x = 'x' * 9000000 %}{% macro f() %}{% for i in range(999) %}{{ x }}{% endfor %}"
    "{% endmacro %}{{ f() }}",
    "writing constants in a macro": "{% macro f() %}{% for i in range(99999) %}" + "x" * 90_000 + "{% endfor %}"
    "{% endmacro %}{{ f() }}",
    "writing in a block": "{% set x = 'x' * 9000000 %}{% set y %}"
    "{% for i in range(999) %}{{ x }}{% endfor %}{% endset %}",
    "joining a thousand times": "{% set x = 'x' * 9000000 %}{% set y = x" + " ~ x" * 1000 + " %}",
    "searching backwards": "{% set x = 'a' * 9000000 %}{{ x.rfind('b' ~ x[:4000000]) }}",
    "stripping": "{% set x = 'a' * 9000000 %}{{ x | trim('b' * 9000000 ~ 'a') }}",
    "tabs": "{{ ('\t' * 9000000).expandtabs(1000) }}",
    "indenting": "{{ ('\n' * 9000000) | indent(1000) }}",
    "many fields": "{{ ('%999d' * 100000) % ((1,) * 100000) }}",
    "the same field again": "{{ ('%(a)s' * 100000) % {'a': 'x' * 1000000} }}",
    "a wide field by name": "{{ '{a:10000000000}'.format(a=1) }}",
    "a width inside a field": "{{ '{:{}}'.format(1, 9999999999) }}",
    "a wide date": "{{ strftime_now('%9999999Y') }}",
    "numbers that collide": "{% set n = namespace(l=[]) %}{% for i in range(20000) %}"
    f"{{% set n.l = n.l + [(i * {2**61 - 1}, 1)] %}}{{% endfor %}}{{{{ dict(n.l) }}}}",
    "adding up lists": "{{ ([[1]] * 60000) | sum(start=[]) | length }}",
    "no loop at all": "{% set x = range(99999) | list %}{% set y = range(99999) | list %}"
    + "{% set z = x == y %}" * 3000,
    "looking without finding": "{% set x = 'a' * 9000000 %}{{ (['b'] * 90000) | select('in', x) | list }}",
    "blocks in blocks": "{% for i in [1] %}" * 30 + "{% endfor %}" * 30,
    "a number of ten thousand digits": "{{ " + "9" * 10_000 + " }}",
    "deep recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "wide recursion": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "a class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ cycler.__init__.__globals__.os.system('true') }}",
    "a function's globals": "{{ raise_exception.__globals__['json'] }}",
    "a file": "{% include '/etc/passwd' %}",
    "broken syntax": "{% if",
    "an unknown filter": "{{ 'x' | system }}",
    "nothing there": "{{ nothing.at.all }}",
    "a million characters": "x" * 1_000_000,
}


@pytest.mark.parametrize("name", RUNAWAYS)
def test_a_hostile_template_is_an_error_and_costs_little(name: str) -> None:
    began = time.monotonic()
    with pytest.raises(UnsupportedInput):
        ChatTemplate(RUNAWAYS[name], seconds=0.3).render(TALK)
    assert time.monotonic() - began < 5  # the limit is 0.3; what is between is for a busy machine


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ number | tojson }} {{ number | string }} {{ number | int }}", "1700000000 1700000000 1700000000"),
        ("{% macro say(x) %}{{ x }}{% endmacro %}{{ say(number) }}", "1700000000"),
        ("{{ text | trim }}{{ text.strip() }}", "rose 5% - {12345 of 99999}" * 2),
        ("{{ ('a' * 1000000) | length }} {{ ([1] * 100000) | length }}", "1000000 100000"),
        (
            "{{ book | length }} {{ book.split('</think>') | length }} {{ book.replace('x', 'yy') | length }}",
            "5000000 1 5000000",
        ),
        ("{{ {'b': [1]} | tojson(separators=(',', ':')) }} {{ [1, 2] | sum }}", '{"b":[1]} 3'),
        ("{% set x %}{{ text }}{% endset %}{{ x | replace('rose', 'fell') }}", "fell 5% - {12345 of 99999}"),
        ("{% set x | upper %}{{ 'ab' }}{% endset %}{{ x }}{% filter upper %}c{% endfilter %}", "ABC"),
        (
            "{{ dict(a=1) }}{{ dict([('b', 2)]) }}{{ [3, 1] | join('-') }}{{ 'ab' | list | join(' ') }}",
            "{'a': 1}{'b': 2}3-1a b",
        ),
        ("{% for m in messages %}{{ messages | length }}{% endfor %}{{ messages[-1:][0].role }}", "4444user"),
    ],
)
def test_what_only_looks_costly_is_let_through(source: str, expected: str) -> None:
    options = {"number": 1_700_000_000, "text": "rose 5% - {12345 of 99999}", "book": "word " * 1_000_000}
    assert ChatTemplate(source).render(TALK, options=options) == expected


def test_what_one_template_made_is_not_held_against_the_next_run() -> None:
    template = ChatTemplate("{% for i in range(30) %}{% set x = 'x' * 5000000 %}{% endfor %}ok")
    assert [template.render(TALK) for _ in range(3)] == ["ok"] * 3


def test_a_template_cannot_change_the_conversation() -> None:
    source = "{% set _ = messages[0].update({'content': 'x'}) %}"
    with pytest.raises(UnsupportedInput):
        ChatTemplate(source).render(TALK)


def test_a_template_may_collect_in_lists_and_changes_nobody_elses() -> None:
    source = (
        "{% set seen = [] %}{% for m in messages %}{% if seen.append(m.role) %}{% endif %}{% endfor %}"
        "{% set _ = options.append('x') %}{{ seen | join(',') }} {{ options | length }} {{ seen.pop() }}"
    )
    options = ["a"]
    template = ChatTemplate(source)
    for _ in range(2):
        rendered = template.render(TALK[1:], options={"options": options})
        assert rendered == "user,assistant,user 2 user"
    assert options == ["a"]


def test_jinja_itself_is_as_the_sandbox_expects_it() -> None:
    """Guards what the metering relies on: filters by name, a hook for operators, one for parsing."""
    environment = ImmutableSandboxedEnvironment()
    assert callable(environment._parse)
    assert callable(environment.call_binop)
    assert callable(environment.wrap_str_format)
    assert "tojson" in jinja2.filters.FILTERS
    assert jinja2.utils._PassArg.from_obj(jinja2.filters.FILTERS["map"]) is not None
    assert issubclass(type(environment.make_globals(None)["namespace"]()), jinja2.utils.Namespace)
