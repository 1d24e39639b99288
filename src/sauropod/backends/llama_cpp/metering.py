"""Puts the sandbox's meter into a template: into each place that jinja2 would compile to plain Python.

The filters it puts there, whose names begin with `_`, are the sandbox's: `_each` for turns of a loop, `_written` for
output, `_sized` for values that were made, `_timed` for what only takes time, `_paid` for a size known beforehand.
"""

from __future__ import annotations

import sys
from typing import Any

import jinja2.nodes
import jinja2.visitor

__all__ = ["Metering"]


class Metering(jinja2.visitor.NodeTransformer):
    """Passes through the meter what jinja2 would compile to plain Python."""

    def visit_For(self, node: jinja2.nodes.For) -> jinja2.nodes.Node:
        self.generic_visit(node)
        node.iter = _through("_each", node.iter)
        return node

    def visit_Output(self, node: jinja2.nodes.Output) -> jinja2.nodes.Node:
        self.generic_visit(node)
        constant = sum(
            sys.getsizeof(child.data) for child in node.nodes if isinstance(child, jinja2.nodes.TemplateData)
        )
        node.nodes = [
            child if isinstance(child, jinja2.nodes.TemplateData) else _through("_written", child)
            for child in node.nodes
        ]
        if constant:
            size = jinja2.nodes.Const(constant, lineno=node.lineno, environment=node.environment)
            node.nodes.insert(0, _through("_paid", size))
        return node

    def visit_AssignBlock(self, node: jinja2.nodes.AssignBlock) -> jinja2.nodes.Node:
        self.generic_visit(node)
        node.filter = _filter("_sized", node.filter, node)
        return node

    def visit_Concat(self, node: jinja2.nodes.Concat) -> jinja2.nodes.Node:
        self.generic_visit(node)
        node.nodes = [_through("_written", child) for child in node.nodes]
        return _through("_sized", node)

    def visit_Call(self, node: jinja2.nodes.Call) -> jinja2.nodes.Node:
        self.generic_visit(node)
        if node.dyn_args is not None:
            node.dyn_args = _through("_each", node.dyn_args)
        return node

    def visit_Getitem(self, node: jinja2.nodes.Getitem) -> jinja2.nodes.Node:
        self.generic_visit(node)
        return _through("_sized" if isinstance(node.arg, jinja2.nodes.Slice) else "_timed", node)

    def visit_Compare(self, node: jinja2.nodes.Compare) -> jinja2.nodes.Node:
        self.generic_visit(node)
        return _through("_timed", node)

    def visit_List(self, node: jinja2.nodes.List | jinja2.nodes.Dict) -> jinja2.nodes.Node:
        self.generic_visit(node)
        return _through("_sized", node)

    visit_Dict = visit_List

    def visit_Tuple(self, node: jinja2.nodes.Tuple) -> jinja2.nodes.Node:
        self.generic_visit(node)
        return _through("_sized", node) if node.ctx == "load" else node


def _through(name: str, node: Any) -> jinja2.nodes.Filter:
    return _filter(name, node, node)


def _filter(name: str, value: Any, near: jinja2.nodes.Node) -> jinja2.nodes.Filter:
    return jinja2.nodes.Filter(value, name, [], [], None, None, lineno=near.lineno, environment=near.environment)
