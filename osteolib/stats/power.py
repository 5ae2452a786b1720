"""Could a sample have shown a difference of a given size? Read off the interval of the difference that it gave.

The normal approximation of any text on sample sizes: an estimate with standard error s leaves 0 outside its 95 %
interval with probability Phi(|d| / s - 1.96) + Phi(-|d| / s - 1.96), and s falls with the square root of the people.
"""

from __future__ import annotations

from typing import NamedTuple

from osteolib.stats.inputs import number, vector


class Power(NamedTuple):
    """``chance`` that the interval leaves 0 out; ``times``: for a chance of 80 % so many times the people are needed.

    NaN where the interval has no width, ``times`` infinite where the effect is 0.
    """

    chance: float
    times: float


def power_of(effect: float, ci: tuple[float, float]) -> Power:
    """Power to see a true ``effect`` with a difference as sure as one whose 95 % interval is ``ci``.

    Raises
    ------
    ValueError
        ``effect`` is no finite number, or ``ci`` not its lower and upper end.
    """
    from scipy.stats import norm

    effect, ends = number(effect, "effect"), vector(ci, "ci")
    if ends.size != 2 or ends[0] > ends[1]:
        raise ValueError(f"ci must be a lower and an upper end, got {ends.tolist()}")
    z = norm.ppf(0.975)
    standard_error = (ci[1] - ci[0]) / (2 * z)
    if not standard_error > 0:
        return Power(float("nan"), float("nan"))
    size = abs(effect) / standard_error
    times = ((z + norm.ppf(0.8)) / size) ** 2 if size > 1e-100 else float("inf")
    return Power(float(norm.cdf(size - z) + norm.cdf(-size - z)), float(times))
