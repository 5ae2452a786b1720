"""Ways to write honest numbers that a check does not take for granted, and that would let it hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from osteolib.stats.audit.averages import averages_that_fit
from osteolib.stats.audit.printed import CHOICES, Printed

WORDS = {"up": "numbers rounded up", "twice": "numbers rounded twice, first to one digit more"}
WEIGHTED = re.compile(r"/|\bmean\b")  # sums and differences of whole numbers are of counts, which are exact
MIXED = "numbers of one row rounded in different ways"
WHOLE = "whole numbers that were rounded"


def ways_that_fit(check: Callable[..., Any], arguments: Mapping[str, Any]) -> list[str]:
    """Of a check that these arguments fail: what else might have been done to the numbers, in words.

    Tried are the two choices of rounding (:data:`~osteolib.stats.audit.printed.CHOICES`), each for all numbers; where
    one way for the row was asked, different ones; in weighted means with a whole result that whole numbers ("63", a
    mean age) were rounded; of averages over classes that those called macro are weighted, or the other way round; and
    for metrics of one test set with so many positives the averages of :mod:`osteolib.stats.audit.averages`.
    """
    if "roundings" not in arguments:
        return []
    tried = {WORDS[way]: {"roundings": [way]} for way in CHOICES}
    if arguments.get("one_rounding"):
        tried[MIXED] = {"one_rounding": False}
    if WEIGHTED.search(arguments.get("expression", "")) and arguments["equals"].is_count:
        rounded = {name: _rounded(number) for name, number in arguments["values"].items()}
        tried[WHOLE] = {"values": rounded, "equals": _rounded(arguments["equals"])}
    reported = arguments.get("reported") or {}
    for one, other in (("macro", "weighted"), ("weighted", "macro")):
        renamed = {name.replace(f"{one}_", f"{other}_"): value for name, value in reported.items()}
        if renamed.keys() != reported.keys() and len(renamed) == len(reported):
            tried[f"{other} averages called {one}"] = {"reported": renamed}
    less = {"n_max": arguments["n"]} if "n_max" in arguments else {}  # no search for other sizes again
    fitting = []
    for words, other in tried.items():
        try:
            if check(**{**arguments, **other, **less}).verdict != "inconsistent":
                fitting.append(words)
        except ValueError:  # more solutions than can be listed, or a denominator that may be 0 now
            continue
    if arguments.get("positives") is not None and arguments.get("runs") == 1:
        one_set = (arguments[name] for name in ("n", "positives", "reported", "roundings"))
        fitting += averages_that_fit(*one_set)
    return fitting


def _rounded(number: Any) -> Any:
    return replace(number, text=f"~{number.text}") if isinstance(number, Printed) and number.is_count else number
