"""A number as a paper prints it, and everything that it may have been before it was rounded.

Trailing zeros say how a number was rounded, so it is kept as text: 0.90 stands for 0.895 to 0.905, and for up to 0.91
where the last digits were cut off. Brown and Heathers (Soc Psychol Personal Sci 2017) test means in this way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

ROUNDINGS = ("half-up", "half-even", "truncation")
NUMBER = re.compile(r"([+\-−–]?)\s*([1-9]\d{0,2}(?:,\d{3}){1,4}|\d{1,15})?(?:\.(\d{1,9}))?\s*(%?)")
# no comma of thousands: the digits are not in threes, or stand behind a 0, a sign or before a %, where it would be rare
COMMA = re.compile(r"[+\-−–]?\s*(?:0*,\d+|0\d*,\d+|\d+,(?:\d{1,2}|\d{4,}))\s*%?|[+\-−–]\s*\d+,\d+\s*%?|\d+,\d+\s*%")

# A float within TOLERANCE * max(1, |bound|) of a bound counts as on it. No honest value is lost: a result of m float
# operations on numbers of the bound's size is off by less than m * 2^-53 * |bound|, so m may be 9,000. None is let in
# either: k/n off a bound of d decimals is off it by at least 1 / (2 n 10^d), more than TOLERANCE up to n 10^d = 5e11.
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Printed:
    """A printed number; make it with :func:`printed`. A count (no decimals, no %) is exact."""

    text: str
    value: Fraction  # 97.2 % is 972/1000
    decimals: int  # of the fraction: 97.2 % has 3

    def bounds(self, roundings: Sequence[str] = ROUNDINGS) -> tuple[Fraction, Fraction]:
        """The smallest and largest number, exact and both included, that one of ``roundings`` prints like this.

        "half-up" and "half-even" differ only in a tie, and which way a tie goes hangs on the binary number behind it:
        both allow ``value`` ± half a unit of the last digit. "truncation" goes toward zero and allows up to a whole
        unit further out, included because a computer may cut it: ``int(100 * 0.29)`` is 28.

        Raises
        ------
        ValueError
            No rounding, or one that is not in :data:`ROUNDINGS`.
        """
        if not roundings or not set(roundings) <= set(ROUNDINGS):
            raise ValueError(f"unknown roundings {list(roundings)}: name some of {', '.join(ROUNDINGS)}")
        if self.decimals == 0:
            return self.value, self.value
        unit = Fraction(1, 10**self.decimals)
        nearest = unit / 2 if set(roundings) - {"truncation"} else Fraction(0)
        outward = unit if "truncation" in roundings else nearest
        below = outward if self.value <= 0 else nearest
        above = outward if self.value >= 0 else nearest
        return self.value - below, self.value + above

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


def printed(text: str) -> Printed:
    """Read a number as printed: "0.904", ".904", "97.2 %", "1,301", "−0.5".

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
