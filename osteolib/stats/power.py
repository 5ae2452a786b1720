"""Could a sample have shown a difference of a given size? Read off the interval of the difference that it gave.

The normal approximation of any text on sample sizes: an estimate with standard error s leaves 0 outside its 95 %
interval with probability Phi(|d| / s - 1.96) + Phi(-|d| / s - 1.96), and s falls with the square root of the people.
"""

from __future__ import annotations

from typing import NamedTuple


class Power(NamedTuple):
    """``chance`` that the interval leaves 0 out; ``times``: for a chance of 80 % so many times the people are needed.

    NaN where the interval has no width.
    """

    chance: float
    times: float


def power_of(effect: float, ci: tuple[float, float]) -> Power:
    """Power to see a true ``effect`` with a difference as sure as one whose 95 % interval is ``ci``."""
    from scipy.stats import norm

    z = norm.ppf(0.975)
    standard_error = (ci[1] - ci[0]) / (2 * z)
    if not standard_error > 0:
        return Power(float("nan"), float("nan"))
    size = abs(effect) / standard_error
    times = ((z + norm.ppf(0.8)) / size) ** 2 if size else float("inf")
    return Power(float(norm.cdf(size - z) + norm.cdf(-size - z)), float(times))
