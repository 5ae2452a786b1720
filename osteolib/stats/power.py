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

    effect, z, standard_error = number(effect, "effect"), norm.ppf(0.975), _standard_error(ci)
    if not standard_error > 0:
        return Power(float("nan"), float("nan"))
    size = abs(effect) / standard_error
    times = ((z + norm.ppf(0.8)) / size) ** 2 if size > 1e-100 else float("inf")
    return Power(float(norm.cdf(size - z) + norm.cdf(-size - z)), float(times))


def least_effect(ci: tuple[float, float], times: float = 1.0, chance: float = 0.8) -> float:
    """Smallest true effect that a sample of ``times`` the people shows with this chance.

    The far tail of the test is left out, which is below 1 in 10,000 from a chance of 50 % on.

    Parameters
    ----------
    ci
        95 % interval of the difference in the sample at hand.
    times
        Above 0.
    chance
        From 0.5 to below 1.

    Raises
    ------
    ValueError
        An argument is not as above.
    """
    from scipy.stats import norm

    times, chance = number(times, "times", "(0, inf)"), number(chance, "chance", "[0.5, 1)")
    return float((norm.ppf(0.975) + norm.ppf(chance)) * _standard_error(ci) / times**0.5)


def _standard_error(ci: tuple[float, float]) -> float:
    from scipy.stats import norm

    ends = vector(ci, "ci")
    if ends.size != 2 or ends[0] > ends[1]:
        raise ValueError(f"ci must be a lower and an upper end, got {ends.tolist()}")
    return float((ends[1] - ends[0]) / (2 * norm.ppf(0.975)))
