"""Made-up studies whose truth is known, and how their authors worked: one way of working each.

A study tests three models on one test set of 40 to 200 people, a third to a half of them positive. Scores are normal,
positive calls those above 0, sensitivity and specificity between 0.6 and 0.95. What is printed is rounded exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from statistics import NormalDist

import numpy as np

from osteolib.stats.audit.printed import ROUNDINGS, Printed, printed
from osteolib.stats.audit.table_metrics import RATIOS

MODELS = ("I", "II", "III")
COLUMNS = ("accuracy", "sensitivity", "specificity", "f1")
Scores = tuple[np.ndarray, np.ndarray]  # of the positives, of the negatives
Values = dict[str, Fraction]  # metric to its exact value, ``auc`` among them
Printing = Callable[[Fraction], Printed]


def draw_test_set(rng: np.random.Generator) -> tuple[int, int]:
    """A number of people and of positives among them."""
    n = int(rng.integers(40, 201))
    return n, int(n * rng.uniform(1 / 3, 1 / 2))


def draw_runs(n: int, positives: int, rng: np.random.Generator, runs: int = 5) -> list[Scores]:
    """Scores of one model in so many runs on one test set."""
    sens, spec = map(NormalDist().inv_cdf, rng.uniform(0.6, 0.95, 2))
    return [(rng.normal(sens, 1, positives), rng.normal(-spec, 1, n - positives)) for _ in range(runs)]


def counts(scores: Scores, cut: float = 0.0) -> tuple[int, int, int, int]:
    """tp, fp, fn, tn of the calls above ``cut``."""
    (tp, fp), (p, n) = (int((side > cut).sum()) for side in scores), (side.size for side in scores)
    return tp, fp, p - tp, n - fp


def ratio(name: str, cells: Sequence[int]) -> Fraction:
    """A metric of :data:`COLUMNS`, PPV or NPV; 0 / 0 is 0, as scikit-learn prints it."""
    top, bottom = (RATIOS[name] @ np.array(cells)).tolist()
    return Fraction(top, bottom) if bottom else Fraction(0)


def values_of(scores: Scores) -> Values:
    """What one run on one test set gives; the AUC is the share of pairs in the right order."""
    cells, (ill, well) = counts(scores), scores
    pairs = int(np.searchsorted(np.sort(well), ill).sum())
    return {name: ratio(name, cells) for name in COLUMNS} | {"auc": Fraction(pairs, ill.size * well.size)}


def mean_of(parts: Sequence[Values]) -> Values:
    """Metric by metric."""
    return {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}


def median_of(parts: Sequence[Values]) -> Values:
    """Metric by metric, of an odd number of runs."""
    return {name: sorted(part[name] for part in parts)[len(parts) // 2] for name in parts[0]}


def over_classes(scores: Scores, only: str = "", weighted: bool = False) -> Values:
    """Macro averages of all metrics but accuracy and AUC, or of ``only`` one, which may be weighted by class sizes."""
    cells, values = counts(scores), values_of(scores)
    other = cells[::-1]
    share = Fraction(scores[0].size, scores[0].size + scores[1].size) if weighted else Fraction(1, 2)
    for name in [only] if only else ["sensitivity", "specificity", "f1"]:
        values[name] = share * ratio(name, cells) + (1 - share) * ratio(name, other)
    return values


def of_hard_calls(scores: Scores) -> Values:
    """The AUC is computed from calls instead of scores."""
    values = values_of(scores)
    return values | {"auc": (values["sensitivity"] + values["specificity"]) / 2}


def without(scores: Scores, failed: int, rng: np.random.Generator) -> Scores:
    """As many films fail, whoever they are of."""
    kept = np.sort(rng.permutation(scores[0].size + scores[1].size)[failed:])
    ill = kept < scores[0].size
    return scores[0][kept[ill]], scores[1][kept[~ill] - scores[0].size]


def over_folds(scores: Scores, k: int, stratified: bool, rng: np.random.Generator) -> Values:
    """Means over k folds of one test set."""
    sizes = [side.size for side in scores]
    fold = [rng.permutation(np.arange(size) % k) for size in sizes]
    if not stratified:
        together = rng.permutation(np.arange(sum(sizes)) % k)
        fold = [together[: sizes[0]], together[sizes[0] :]]
    parts = [tuple(side[of == i] for side, of in zip(scores, fold, strict=True)) for i in range(k)]
    return mean_of([values_of(part) for part in parts if all(side.size for side in part)])


def over_resamples(scores: Scores, rng: np.random.Generator, draws: int = 50) -> Values:
    """The mean of a bootstrap, printed instead of the value."""
    return mean_of([values_of(tuple(rng.choice(side, side.size) for side in scores)) for _ in range(draws)])


def at_another_threshold(scores: Scores) -> Values:
    """Accuracy at the threshold that is best for it, the rest at 0."""
    best = max(np.concatenate(scores), key=lambda cut: ratio("accuracy", counts(scores, cut)))
    return values_of(scores) | {"accuracy": ratio("accuracy", counts(scores, best))}


def by_patient(scores: Scores) -> Values:
    """Two films a patient: sensitivity counts patients with a film called, the rest counts films."""
    half = scores[0].size // 2
    pairs = np.maximum(scores[0][:half], scores[0][half : 2 * half])
    return values_of(scores) | {"sensitivity": Fraction(int((pairs > 0).sum()), half)}


def print_as(value: Fraction, decimals: int, rounding: str, percent: bool = False) -> Printed:
    """A value from 0 on, rounded exactly; "twice" is half-up to one digit more and then half-up."""
    if rounding == "twice":
        return print_as(print_as(value, decimals + 1, "half-up").value, decimals, "half-up", percent)
    scaled = value * 10**decimals
    whole = {"half-up": (scaled + Fraction(1, 2)) // 1, "half-even": round(scaled), "truncation": scaled // 1,
             "up": -(-scaled // 1)}[rounding]  # fmt: skip
    digits = decimals - 2 * percent
    return printed(f"{whole / 10**digits:.{digits}f}{' %' * percent}")


def draw_printing(rng: np.random.Generator) -> Printing:
    """One of the usual ways: 2 to 4 decimals or per cent, to the nearest or cut off."""
    decimals, percent, rounding = int(rng.integers(2, 5)), bool(rng.integers(2)), str(rng.choice(ROUNDINGS))
    return lambda value: print_as(value, decimals, rounding, percent)
