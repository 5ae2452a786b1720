"""The sentence of a finding, filled in with what its check computed.

Sentences may come from anybody: they name numbers, calculate with + - * / %, format, and use a few filters, and nothing
else. Neither a loop, nor a function, nor a long text made from a short one is within reach.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Number
from typing import Any

import numpy as np
from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

TABLES = ("rows", "sizes", "hypotheses", "fits_if")  # for figures, or told apart, not for a sentence
MOST_WRITTEN, MOST_SAID = 6_000, 20_000  # characters of a sentence, as written and filled in
FILTERS = ("abs", "first", "float", "int", "join", "last", "length", "list", "map", "max", "min", "select",
           "selectattr", "sort", "sum", "unique")  # fmt: skip
FORMAT = re.compile(r"%(?:%|[-+ 0]?\d{0,2}(?:\.\d{1,2})?[dfgeis])")  # no width of more than 99
ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.List,
    nodes.Filter, nodes.Keyword, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.Mod, nodes.Neg, nodes.Pos,
    nodes.Compare, nodes.Operand, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Call, nodes.Slice,
)  # fmt: skip


def show(value: Any) -> str:
    """A computed value in words: four digits, a pair as a range, a list with commas."""
    if isinstance(value, bool | np.bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"
    if isinstance(value, dict):
        return "; ".join(f"{str(name).replace('_', ' ')} {show(item)}" for name, item in value.items()) or "none"
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(item, float) for item in value):
        return f"{show(value[0])} to {show(value[1])}"
    if isinstance(value, tuple | list):
        return ", ".join(map(show, value)) or "none"
    return str(value)


class Sentences(ImmutableSandboxedEnvironment):
    """Arithmetic is of numbers; a text is formatted with narrow widths; of functions only a mapping's ``values``."""

    intercepted_binops = frozenset("+-*/%")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, str):
            if re.sub(FORMAT, "", left).count("%"):
                raise ValueError(f"{left[:40]!r} is no format that a sentence may use: write '%.1f' or '%d'")
        elif not (isinstance(left, Number) and isinstance(right, Number)):
            raise ValueError(
                f"a sentence calculates with numbers only, not {show(left)[:40]} {operator} {show(right)[:40]}"
            )
        return super().call_binop(context, operator, left, right)


SANDBOX = Sentences(undefined=StrictUndefined, finalize=show)
SANDBOX.globals.clear()
SANDBOX.filters = {name: SANDBOX.filters[name] for name in FILTERS}
SANDBOX.filters["round"] = lambda number, digits=0: round(float(number), min(int(digits), 15))
SANDBOX.filters["percent"] = lambda share: f"{100 * share:.1f} %"
SANDBOX.filters["thousands"] = lambda count: f"{count:,}"


def say(sentence: str, computed: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """The author's sentence with the numbers in it, or else the first numbers as they are.

    Raises
    ------
    ValueError
        The sentence does more than name, calculate and format, quotes what was not computed, or is too long.
    """
    if not sentence:
        first = {name: value for name, value in list(computed.items())[:8] if name not in TABLES}
        return computed.get("note") or show(first)
    if len(sentence) > MOST_WRITTEN:
        raise ValueError(f"the sentence has {len(sentence):,} characters, at most {MOST_WRITTEN:,}: write less")
    try:
        for node in SANDBOX.parse(sentence).find_all(nodes.Node):
            _check(node)
        said = " ".join(SANDBOX.from_string(sentence).render(computed, values=values).split())
    except (TemplateError, SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"cannot fill in the sentence: {str(error)[:300]}; computed: {', '.join(computed)}") from None
    if len(said) > MOST_SAID:
        raise ValueError(f"the sentence becomes {len(said):,} characters, at most {MOST_SAID:,}: quote less")
    return said


def _check(node: nodes.Node) -> None:
    if not isinstance(node, ALLOWED):
        raise ValueError(f"a sentence must not loop or take powers or set names: {type(node).__name__.lower()}")
    if isinstance(node, nodes.Call) and not (
        isinstance(node.node, nodes.Getattr) and node.node.attr == "values" and not (node.args or node.kwargs)
    ):
        raise ValueError("a sentence must not call a function, other than NAME.values(): let a check compute it")
    if isinstance(node, nodes.Const) and isinstance(node.value, int | float) and abs(node.value) > 1e15:
        raise ValueError("a sentence has a number that is too large: let a check compute it")
