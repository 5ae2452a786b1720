"""How the arguments of a check are written in an audit file: names of values, printed texts in quotes, whole numbers.

pydantic reads them with ``context`` = name to printed text; every message names what to write instead.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    create_model,
)

from osteolib.stats.audit.expression import did_you_mean
from osteolib.stats.audit.printed import Printed, printed
from osteolib.stats.audit.table_metrics import TABLE_METRICS

MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "list_type": "must be a list: begin each entry with '- ', indented alike",
    "dict_type": "must be a mapping: write NAME: value, indented below it",
    "model_type": "must be a mapping: write NAME: value, indented below it",
    "string_type": "must be a text: put it in quotes, trailing zeros say how a number was rounded",
}


def faults(
    error: ValidationError, hint: Callable[[tuple[str, ...]], str] = lambda place: ""
) -> list[tuple[tuple[str, ...], str]]:
    """Where each fault of an entry is, as keys and positions, what is wrong; ``hint`` of a key that is not known."""
    found = []
    for fault in error.errors():
        place = tuple(map(str, fault["loc"]))
        what = MESSAGES.get(fault["type"], fault["msg"]).replace("Value error, ", ": ")
        more = hint(place) if fault["type"] == "extra_forbidden" else ""
        found.append((place, f"{'.'.join(place) or 'the file'} {what}{more}"))
    return found


def near(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'n'?`` where a known name is much like this one."""
    likely = get_close_matches(name, list(known), 1)
    return f"; did you mean {likely[0]!r}?" if likely else ""


def _number(given: Any, info: ValidationInfo) -> Printed:
    if type(given) is int:
        return printed(str(given))
    if isinstance(given, str) and given not in info.context and given[:1].isalpha():
        raise ValueError(f"no value has the name {given!r}; {did_you_mean(given, info.context)}")
    return printed(info.context.get(given, given) if isinstance(given, str) else given)


def _share(number: Printed) -> Printed:
    if not 0 <= number.value <= 1:
        raise ValueError(f"{number.text} is no proportion: write a percentage as '97.2 %' or 0.972")
    if number.is_count:
        raise ValueError(f"{number.text} does not say how it was rounded: write {number.text}.00, with as many digits "
                         "as the numbers beside it")  # fmt: skip
    return number


def _spread(number: Printed) -> Printed:
    if number.value < 0:
        raise ValueError(f"{number.text} is no SD: it cannot be negative")
    return number


def _count(given: Any, info: ValidationInfo) -> int:
    number = _number(given, info)
    if not number.is_count or number.value < 0:
        raise ValueError(f"{number.text} is not a count: give a whole number from 0 on")
    return int(number.value)


def _exact(given: Any, info: ValidationInfo) -> Any:
    if isinstance(given, dict):
        return {key: _exact(entry, info) for key, entry in given.items()}
    if isinstance(given, list):
        return [_exact(entry, info) for entry in given]
    value = given if type(given) is float else _number(given, info).value
    if not math.isfinite(value):
        raise ValueError(f"{given} is no finite number")
    return int(value) if value == int(value) else float(value)


def _operand(given: Any, info: ValidationInfo) -> Printed | tuple[float, float]:
    ends = isinstance(given, list) and len(given) == 2 and all(type(end) in (int, float) for end in given)
    return (min(given), max(given)) if ends else _number(given, info)


Number = Annotated[Printed, PlainValidator(_number)]  # any printed number
Share = Annotated[Number, AfterValidator(_share)]  # in [0, 1]
Spread = Annotated[Number, AfterValidator(_spread)]  # an SD, 0 or more
Count = Annotated[int, PlainValidator(_count)]
Exact = Annotated[Any, PlainValidator(_exact)]  # numbers taken as they stand, also in lists and mappings
Operand = Annotated[Any, PlainValidator(_operand)]  # of an expression: a printed number, or [low, high]
Roundings = list[Literal["half-up", "half-even", "truncation", "up", "twice"]]
PLAIN = {Printed: Number, int: Count, int | None: Count | None, str: str}  # of functions that know no audit files


@cache
def _model(function: Callable[..., Any], other: Any) -> tuple[type[BaseModel], tuple[str, ...]]:
    """What reads the arguments of a function, and their names."""
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    defaults = {p.name: ... if p.default is p.empty else p.default for p in parameters}
    fields = {p.name: (PLAIN.get(p.annotation, other or p.annotation), defaults[p.name]) for p in parameters}
    config = ConfigDict(extra="forbid", strict=True)
    return create_model(function.__name__, __config__=config, **fields), tuple(fields)


def read(function: Callable[..., Any], given: Mapping[str, Any], values: Mapping[str, str], other: Any = None) -> dict:
    """The arguments of ``function``; annotations not in PLAIN are read as ``other``. ValueError names all faults."""
    model, fields = _model(function, other)
    if "reported" in fields and isinstance(given.get("reported", {}), dict):  # metrics may stand beside n
        beside = {name: given[name] for name in given if name in TABLE_METRICS and name not in fields}
        given = {name: value for name, value in given.items() if name not in beside}
        given |= {"reported": beside | given.get("reported", {})} if beside else {}
    try:
        found = model.model_validate(dict(given), context=values)
    except ValidationError as error:
        known = [*fields, *TABLE_METRICS] if "reported" in fields else list(fields)
        wrong = "; ".join(what for _, what in faults(error, lambda place: near(place[-1], known)))
        raise ValueError(f"{wrong} ({function.__name__} takes {', '.join(fields)})") from None
    return {name: getattr(found, name) for name in fields}
