"""What a check finds: its verdict, and its numbers by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Verdict = Literal["consistent", "inconsistent", "differs", "derived", "not checkable"]


@dataclass(frozen=True)
class Outcome:
    """``computed`` holds the numbers by name; a range is a pair (low, high), or one number where both are equal."""

    verdict: Verdict
    computed: dict[str, Any]


def judged(fits: bool, **computed: Any) -> Outcome:
    """Consistent or inconsistent."""
    return Outcome("consistent" if fits else "inconsistent", computed)


def range_of(values: Iterable[float]) -> float | tuple[float, float]:
    """The range of the values that are defined; one number where they agree, NaN where there is none."""
    defined = [float(value) for value in values if not np.isnan(value)] or [np.nan]
    ends = min(defined), max(defined)
    return ends[0] if np.isclose(*ends, rtol=1e-12, atol=0, equal_nan=True) else ends
