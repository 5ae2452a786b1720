"""Interval arithmetic over printed numbers: what an expression may be, whatever the values were before rounding.

Every operation gives all results of operands within their intervals (Moore, Interval Analysis, 1966): exact
fractions for + - * / and whole powers, rounded outward for the functions. Where every name stands once, the
interval is the exact range. A name that stands twice counts as two numbers, which makes the interval too wide;
its range is then cut into pieces and the union taken: narrower, and never too narrow.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fractions import Fraction
from numbers import Real

from osteolib.stats.audit.printed import Printed

MAX_LENGTH, MAX_POWER, MAX_BITS, MAX_PIECES = 300, 10, 4096, 256  # a file from elsewhere cannot stall the audit
OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
RISING = {  # functions that never fall: their range lies between the values at both ends
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "floor": math.floor, "ceil": math.ceil,
    "normal_cdf": lambda x: math.erfc(-x / math.sqrt(2)) / 2,
}  # fmt: skip
OF_SEVERAL = {"min": min, "max": max, "mean": lambda ends: sum(ends) / len(ends)}
ALLOWED = f"names, numbers, + - * / **, and {', '.join(sorted([*RISING, *OF_SEVERAL, 'abs']))}"
RELATIONS = {  # what left - right, from low to high, makes of left ? right: (certain, impossible)
    ast.Eq: lambda low, high: (low == high == 0, low > 0 or high < 0),
    ast.Gt: lambda low, high: (low > 0, high <= 0),
    ast.GtE: lambda low, high: (low >= 0, high < 0),
    ast.Lt: lambda low, high: (high < 0, low >= 0),
    ast.LtE: lambda low, high: (high <= 0, low > 0),
}


def evaluate(expression: str, values: Mapping[str, Printed | Real | tuple[Real, Real]]) -> tuple[float, float]:
    """Lowest and highest value of ``expression`` that the rounding of its names allows.

    Parameters
    ----------
    expression
        Such as ``"(sens + spec) / 2"``: names, numbers, ``+ - * / **`` (whole powers up to 10), ``sqrt, exp, log,
        floor, ceil, normal_cdf, abs, min, max, mean``; at most 300 characters.
    values
        Name to :class:`Printed` (all three roundings), to an exact number, or to (low, high).

    Raises
    ------
    ValueError
        Anything else in the expression, an unknown name, a denominator that may be 0, a root of a negative number.
    """
    low, high = _range(_parse(expression), values)
    return float(low), float(high)


def compare(
    statement: str, values: Mapping[str, Printed | Real | tuple[Real, Real]]
) -> tuple[bool | None, tuple[float, float]]:
    """Whether ``"left > right"`` (one of ``== < <= > >=``) holds, and the range of left - right.

    True or False where it holds, or fails, for everything that the rounding allows; None where the printed digits do
    not decide. ``==`` is True only between exact numbers. ValueError as in :func:`evaluate`.
    """
    tree = _parse(statement)
    if not (isinstance(tree, ast.Compare) and len(tree.ops) == 1 and type(tree.ops[0]) in RELATIONS):
        raise ValueError(f"{statement!r} must compare two expressions by one of == < <= > >=, as in 'new > old'")
    low, high = _range(ast.BinOp(tree.left, ast.Sub(), tree.comparators[0]), values)
    certain, impossible = RELATIONS[type(tree.ops[0])](low, high)
    return True if certain else False if impossible else None, (float(low), float(high))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the closest known one, or all where few are known."""
    near = get_close_matches(name, known := list(known), 1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known[:40]) or 'none'}"


def _parse(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"an expression has at most {MAX_LENGTH} characters, this one has {len(text)}: split it")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(f"cannot read the expression {text!r}: write {ALLOWED}") from None


def _range(tree: ast.expr, values: Mapping) -> tuple[Fraction, Fraction]:
    """The union over the pieces of all names that stand more than once."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    count = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called)
    for name in count.keys() - values.keys():
        raise ValueError(f"the expression names {name!r}, which has no value; {did_you_mean(name, values)}")
    ends = {name: _exact(values[name]) for name in count}
    repeated = [name for name, times in count.items() if times > 1 and ends[name][0] < ends[name][1]]
    pieces = int(MAX_PIECES ** (1 / max(1, len(repeated))))
    cuts = []
    for name in repeated:
        low, width = ends[name][0], (ends[name][1] - ends[name][0]) / pieces
        cuts.append([(low + k * width, low + (k + 1) * width) for k in range(pieces)])
    parts = [_walk(tree, ends | dict(zip(repeated, cut, strict=True))) for cut in itertools.product(*cuts)]
    return min(low for low, _ in parts), max(high for _, high in parts)


def _exact(value: Printed | Real | tuple[Real, Real]) -> tuple[Fraction, Fraction]:
    """Low and high as decimal fractions: 0.1 is one tenth here, not the nearest binary number."""
    ends = value.bounds() if isinstance(value, Printed) else value if isinstance(value, tuple) else (value, value)
    return Fraction(str(ends[0])), Fraction(str(ends[1]))


def _walk(node: ast.expr, names: Mapping[str, tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    """All results of one node."""
    match node:
        case ast.Constant(value=int() | float() as number) if type(number) is not bool and math.isfinite(number):
            results = [Fraction(str(number))]
        case ast.Name(id=name):
            results = names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            results = [-end for end in _walk(operand, names)]
        case ast.BinOp(left=base, op=ast.Pow(), right=ast.Constant(value=int() as power)) if power <= MAX_POWER:
            low, high = _walk(base, names)
            results = [low**power, high**power, *([Fraction(0)] if power and low < 0 < high else [])]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
            x, y = _walk(left, names), _walk(right, names)
            if isinstance(op, ast.Div) and y[0] <= 0 <= y[1]:
                raise ValueError(f"the denominator {ast.unparse(right)!r} may be 0: no value follows from it")
            results = [OPERATIONS[type(op)](a, b) for a in x for b in y]
        case ast.Call(func=ast.Name(id=name), args=[_, *_], keywords=[]) if name in OF_SEVERAL:
            lows, highs = zip(*(_walk(argument, names) for argument in node.args), strict=True)
            results = [OF_SEVERAL[name](lows), OF_SEVERAL[name](highs)]
        case ast.Call(func=ast.Name(id="abs"), args=[argument], keywords=[]):
            low, high = _walk(argument, names)
            results = [abs(low), abs(high), *([Fraction(0)] if low < 0 < high else [])]
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in RISING:
            results = _rising(name, *_walk(argument, names))
        case _:
            raise ValueError(f"{ast.unparse(node)!r} is not allowed: write {ALLOWED} (whole powers up to {MAX_POWER})")
    if any(end.denominator.bit_length() + end.numerator.bit_length() > MAX_BITS for end in results):
        raise ValueError(f"{ast.unparse(node)[:40]!r} has too many digits: simplify the expression")
    return min(results), max(results)


def _rising(name: str, low: Fraction, high: Fraction) -> list[Fraction]:
    """The function at both ends, moved outward by more than the error of a floating-point function."""
    try:
        low = max(low, Fraction(0)) if name == "sqrt" and high >= 0 else low  # the part that has a root
        ends = [Fraction(RISING[name](end)) for end in (low, high)]
    except (ValueError, OverflowError):
        raise ValueError(f"{name} of {float(low):g} to {float(high):g} is not a finite number") from None
    slack = 0 if name in ("floor", "ceil") else Fraction(1, 10**12)
    return [ends[0] - slack * abs(ends[0]), ends[1] + slack * abs(ends[1])]
