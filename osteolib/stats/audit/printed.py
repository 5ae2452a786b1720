"""A number as a paper prints it, and everything that it may have been before it was rounded.

Trailing zeros say how a number was rounded, so it is kept as text: 0.90 stands for 0.895 to 0.905, and for up to 0.91
where the last digits were cut off. Brown and Heathers (Soc Psychol Personal Sci 2017) test means in this way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

ROUNDINGS = ("half-up", "half-even", "truncation")
CHOICES = ("up", "twice")
"""Ways that are allowed only where they are named: to the next number above, and to the nearest of one digit more
before the nearest (0.8446 as 0.845 as 0.85, or 97.25 % from a table as 97.3 % in the text)."""
NUMBER = re.compile(r"~?\s*([+\-−–]?)\s*([1-9]\d{0,2}(?:,\d{3}){1,4}|\d{1,15})?(?:\.(\d{1,9}))?\s*(%?)")
# no comma of thousands: the digits are not in threes, or stand behind a 0, a sign or before a %, where it would be rare
COMMA = re.compile(r"[+\-−–]?\s*(?:0*,\d+|0\d*,\d+|\d+,(?:\d{1,2}|\d{4,}))\s*%?|[+\-−–]\s*\d+,\d+\s*%?|\d+,\d+\s*%")

# A float within TOLERANCE * max(1, |bound|) of a bound counts as on it. No honest value is lost: a result of m float
# operations on numbers of the bound's size is off by less than m * 2^-53 * |bound|, so m may be 9,000. None is let in
# either: k/n off a bound of d decimals is off it by at least 1 / (2 n 10^d), more than TOLERANCE up to n 10^d = 5e11.
TOLERANCE = 1e-12


# way of rounding: how far below and above a positive printed number the true one may lie, in units of its last digit
WAYS = {
    "half-up": (Fraction(1, 2), Fraction(1, 2)), "half-even": (Fraction(1, 2), Fraction(1, 2)),
    "truncation": (Fraction(0), Fraction(1)), "up": (Fraction(1), Fraction(0)),
    "twice": (Fraction(11, 20), Fraction(11, 20)),
}  # fmt: skip


@dataclass(frozen=True)
class Printed:
    """A printed number; make it with :func:`printed`. A count (no decimals, no %, no ~) is exact."""

    text: str
    value: Fraction  # 97.2 % is 972/1000
    decimals: int  # of the fraction: 97.2 % has 3

    @property
    def is_count(self) -> bool:
        """Whether it is taken as it stands: whole, and not marked as rounded ("~63", a mean age)."""
        return self.decimals == 0 and not self.text.strip().startswith("~")

    def bounds(self, roundings: Sequence[str] = ROUNDINGS) -> tuple[Fraction, Fraction]:
        """The smallest and largest number, exact and both included, that one of ``roundings`` prints like this.

        "half-up" and "half-even" differ only in a tie, and which way a tie goes hangs on the binary number behind it:
        both allow ``value`` ± half a unit of the last digit. "truncation" goes toward zero and allows up to a whole
        unit further out, included because a computer may cut it: ``int(100 * 0.29)`` is 28. Those of :data:`CHOICES`
        are allowed where they are named: "up" goes to the next number above, "twice" through one digit more.

        Raises
        ------
        ValueError
            No rounding, or one that is in neither.
        """
        if not roundings or not set(roundings) <= WAYS.keys():
            raise ValueError(f"unknown roundings {list(roundings)}: name some of {', '.join(WAYS)}")
        if self.is_count:
            return self.value, self.value
        return _bounds(*self.value.as_integer_ratio(), self.decimals, tuple(roundings))

    def interval(self, roundings: Sequence[str] = ROUNDINGS) -> tuple[float, float]:
        """:meth:`bounds` as floats, each the nearest one; :meth:`allows` decides whether a value lies inside."""
        low, high = self.bounds(roundings)
        return float(low), float(high)

    def allows(self, x: Fraction | float | np.ndarray, roundings: Sequence[str] = ROUNDINGS) -> bool | np.ndarray:
        """Whether ``x`` may be printed like this: exact for Fraction and int, within TOLERANCE for floats and arrays.

        A float NaN is never allowed. An array gives an array of bool of the same shape.
        """
        low, high = self.bounds(roundings)
        if isinstance(x, Fraction | int):
            return low <= x <= high
        slack = TOLERANCE * max(1.0, abs(low), abs(high))
        inside = (np.asarray(x, float) >= float(low) - slack) & (np.asarray(x, float) <= float(high) + slack)
        return inside if isinstance(x, np.ndarray) else bool(inside)


@lru_cache(maxsize=4096)  # a search over readings asks for the same bounds a dozen times
def _bounds(numerator: int, denominator: int, decimals: int, roundings: tuple[str, ...]) -> tuple[Fraction, Fraction]:
    value, unit = Fraction(numerator, denominator), Fraction(1, 10**decimals)
    below, above = (max(WAYS[way][side] for way in roundings) for side in (0, 1))
    if "truncation" in roundings and value <= 0:  # toward zero from below, where the others do not turn round
        below, others = Fraction(1), [WAYS[way][1] for way in roundings if way != "truncation"]
        above = Fraction(1) if value == 0 else max(others, default=Fraction(0))
    return value - below * unit, value + above * unit


def printed(text: str) -> Printed:
    """Read a number as printed: "0.904", ".904", "97.2 %", "1,301", "−0.5"; "~63" is 63, rounded to whole years.

    Raises
    ------
    ValueError
        ``text`` is not one such number: a bound ("<0.001"), a range, a ±, a decimal comma, or not a text at all.
    """
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a printed text: put it in quotes, trailing zeros say how it was rounded")
    match = NUMBER.fullmatch(text.strip())
    if COMMA.fullmatch(text.strip()):
        raise ValueError(f"cannot read {text[:60]!r}, a decimal comma: write digits with a decimal point, and "
                         "thousands that have a sign or % without comma")  # fmt: skip
    if not match or (match[2] is None and match[3] is None):
        raise ValueError(
            f"cannot read {text[:60]!r} as one printed number: write digits with a decimal point, like '0.904', "
            "'90.4 %' or '1,301'; bounds (<) are left out, ranges and ± are given as separate numbers"
        )
    sign, whole, places, percent = match.groups(default="")
    decimals = len(places) + 2 * bool(percent)
    digits = int(whole.replace(",", "") + places)
    return Printed(text, Fraction(-digits if sign not in ("", "+") else digits, 10**decimals), decimals)
