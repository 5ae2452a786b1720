"""What the errors of a regression allow each other: MAE, RMSE, MSE, R², r, bias and the SD of the true values.

Each printed number bounds the mean squared error of the n predictions. Where two of these intervals are apart, the two
numbers cannot be of one test set; mlscorecheck (Kovács and Fazekas, Neurocomputing 2024) compares MAE, RMSE and R² so.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import inf, sqrt

from osteolib.stats.audit.arguments import Number, Roundings, Spread
from osteolib.stats.audit.limits import at_least
from osteolib.stats.audit.outcome import Outcome, judged
from osteolib.stats.audit.printed import ROUNDINGS

Ends = tuple[Fraction, Fraction | float]


def regression_errors(
    n: int, mae: Spread | None = None, rmse: Spread | None = None, mse: Spread | None = None,
    r2: Number | None = None, r: Number | None = None, sd: Spread | None = None, bias: Number | None = None,
    roundings: Roundings = ROUNDINGS,
) -> Outcome:  # fmt: skip
    """Errors of n predictions fit each other: MAE <= RMSE <= sqrt(n) MAE, RMSE^2 = SD^2 (1 - R^2), and so on.

    sd is that of the true values, as sample or population SD; bias the mean error; r Pearson's; R^2 is one minus the
    squared errors by those of the mean, at most r^2. computed: rmse_between (what all of them allow), of (the RMSE that
    each allows), disagrees (pairs that are apart).

    Example: {n: 100, mae: "0.30", r2: "0.90", sd: "1.02"}
    """
    at_least(2, n=n)
    given = {"mae": mae, "rmse": rmse, "mse": mse, "r2": r2, "r": r, "sd": sd, "bias": bias}
    ends = {name: number.bounds(roundings) for name, number in given.items() if number is not None}
    for name, least in (("r2", -inf), ("r", -1)):
        if name in ends and not least <= given[name].value <= 1:
            raise ValueError(f"{name} = {given[name].text} cannot be: write a number up to 1")
    sources = _squared_error(n, ends)
    disagrees = [f"{a} and {b}" for a, b in combinations(sources, 2) if _apart(sources[a], sources[b])]
    of_both = "r2" in ends and "r" in ends
    if of_both and ends["r2"][0] > max(end**2 for end in ends["r"]):
        disagrees.append("R2 and r")
    if len(sources) < 2 and not of_both:
        raise ValueError("nothing to compare: give two of mae, rmse, mse, bias, and r2 or r with sd; or r2 and r")
    found = {"of": {name: _root(*pair) for name, pair in sources.items()}, "disagrees": disagrees}
    if sources and not disagrees:
        lows, highs = zip(*sources.values(), strict=True)
        found["rmse_between"] = _root(max(lows), min(highs))
    return judged(not disagrees, **found)


def _squared_error(n: int, ends: dict[str, Ends]) -> dict[str, Ends]:
    """Name of a printed number, or two, to the mean squared errors that it allows."""
    found: dict[str, Ends] = {}
    sizes = {name: (max(low, Fraction(0)), high) for name, (low, high) in ends.items()}  # of what is never below 0
    if "rmse" in ends:
        found["RMSE"] = tuple(end**2 for end in sizes["rmse"])
    if "mse" in ends:
        found["MSE"] = sizes["mse"]
    if "mae" in ends:
        low, high = sizes["mae"]
        found["MAE"] = low**2, n * high**2
    if "bias" in ends:
        low, high = ends["bias"]
        found["bias"] = (Fraction(0) if low <= 0 <= high else min(low**2, high**2)), inf
    if "sd" in ends:
        low, high = sizes["sd"][0] ** 2 * Fraction(n - 1, n), sizes["sd"][1] ** 2  # sample or population
        if "r2" in ends:
            least, most = (max(1 - end, Fraction(0)) for end in ends["r2"][::-1])
            found["R2 and SD"] = low * least, high * most
        if "r" in ends:
            found["r and SD"] = low * max(1 - max(end**2 for end in ends["r"]), Fraction(0)), inf
    return found


def _apart(a: Ends, b: Ends) -> bool:
    return a[0] > b[1] or b[0] > a[1]


def _root(low: Fraction, high: Fraction | float) -> tuple[float, float]:
    return sqrt(low), sqrt(high)
