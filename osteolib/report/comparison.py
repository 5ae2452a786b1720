"""Many methods on the same people: estimates with intervals, paired differences, shares of the attainable.

What is found is a :class:`osteolib.report.compared.Comparison`; :func:`osteolib.report.forest.forest` draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.report.compared import DIFFERENCES, ROWS, Comparison
from osteolib.stats import BootstrapResult, bootstrap_ci, bootstrap_difference, bootstrap_statistic
from osteolib.stats.checks import binary_target, finite_vector

Reference = str | Iterable[tuple[str, str]] | None
Arrays = ArrayLike | tuple[ArrayLike, ...]


def compare_scores(
    y_true: ArrayLike,
    scores: Mapping[str, ArrayLike],
    metrics: str | Iterable[str] = "auroc",
    *,
    reference: Reference = None,
    attainable: float | None = None,
    groups: ArrayLike | None = None,
    threshold: float | None = None,
    n_boot: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Scores of a binary target, through :func:`osteolib.stats.bootstrap_ci`: all methods on the same resamples.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1, both present.
    scores
        Name of each method and its scores, shape (n,), finite, higher means more likely 1.
    metrics, groups, threshold, n_boot, seed
        As in ``bootstrap_ci``. With a threshold, PPV is left out of a method that calls nobody and NPV of one that
        calls everybody: there they do not exist. Where all resamples give one value and ``bootstrap_ci`` has an exact
        interval beside it, that one stands, marked in ``Comparison.exact``.
    reference
        The method that all others are set against, or pairs ``(method, reference)``.
    attainable
        The AUROC of the best possible reader, above 0.5.

    Raises
    ------
    ValueError
        ``y_true`` holds one class only, a method's scores are not one a unit, a reference is no method, or an
        argument is not as ``bootstrap_ci`` wants it.
    """
    y, how = binary_target(y_true), {"groups": groups, "threshold": threshold, "n_boot": n_boot, "seed": seed}
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    if attainable is not None and not (0.5 < attainable <= 1 and "auroc" in metrics):
        raise ValueError(
            f"attainable is an AUROC above 0.5 and needs the metric auroc, got {attainable} with {metrics}"
        )
    known = {method: _one_a_unit(method, score, y.size) for method, score in scores.items()}
    found: dict[str, BootstrapResult] = {}
    for method, score in known.items():
        called = np.ones(1) if threshold is None else score >= threshold
        exists = {"ppv": called.any(), "npv": threshold is None or not called.all()}
        found[method] = bootstrap_ci(y, score, [m for m in metrics if exists.get(m, True)], **how)
    exact = frozenset((m, metric) for m, r in found.items() for metric in r.exact if np.ptp(r.ci[metric]) == 0)
    rows = [
        (method, metric, value, *(r.exact if (method, metric) in exact else r.ci)[metric], r.n, r.n_subjects,
         attainable if metric == "auroc" else None)
        for method, r in found.items()
        for metric, value in r.estimate.items()
    ]  # fmt: skip
    differences = []
    for (method, other), metric in product(_pairs(reference, known), metrics):
        if metric in found[method].estimate and metric in found[other].estimate:
            d = bootstrap_difference(y, known[other], known[method], metric, **how)
            differences.append((method, other, metric, d.difference, *d.ci, d.n, d.n_subjects))
    return _comparison(rows, differences, exact)


def compare_statistics(
    statistics: Mapping[str, Callable[..., float]],
    values: Mapping[str, Arrays],
    *,
    reference: Reference = None,
    groups: ArrayLike | None = None,
    n_boot: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Any statistic (mean, correlation, MAE, Dice), through :func:`osteolib.stats.bootstrap_statistic`.

    Parameters
    ----------
    statistics
        Name of each metric and its function, called with a method's arrays.
    values
        Name of each method and its array, shape (n,), or a tuple of arrays, say ``(truth, predicted)``. A unit with
        a NaN is left out of that method's rows and of its differences; of fewer than three, or of one person, there is
        no interval.
    reference, groups, n_boot, seed
        As in :func:`compare_scores`.

    Raises
    ------
    ValueError
        The methods differ in length, a reference is no method, or a statistic of a whole sample is not finite.
    """
    known = {}  # (arrays, n) each
    for method, arrays in values.items():
        if isinstance(arrays, tuple) and len({len(a) for a in arrays}) > 1:
            raise ValueError(f"method {method!r}: its arrays differ in length")
        known[method] = np.atleast_2d(np.asarray(arrays, float))
    n = next(iter(known.values())).shape[1]
    for method, arrays in known.items():
        if arrays.shape[1] != n:
            raise ValueError(f"method {method!r} has {arrays.shape[1]} values, {next(iter(known))!r} has {n}")
    subjects = None if groups is None else np.asarray(groups)

    def found(name: str, statistic: Callable[..., float], arrays: np.ndarray) -> tuple:
        whole = np.isfinite(arrays).all(axis=0)
        own = None if subjects is None else subjects[whole]
        people = int(whole.sum()) if own is None else len(set(own.tolist()))
        if whole.sum() < 3 or people < 2:
            value = statistic(*arrays[:, whole]) if whole.any() else np.nan
            return value, np.nan, np.nan, int(whole.sum()), people
        try:
            b = bootstrap_statistic(statistic, *arrays[:, whole], groups=own, n_boot=n_boot, seed=seed)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        return b.estimate, *b.ci, b.n, b.n_subjects

    rows, differences = [], []
    for (method, arrays), (metric, statistic) in product(known.items(), statistics.items()):
        rows.append((method, metric, *found(f"{metric} of {method}", statistic, arrays), None))
    for (method, other), (metric, statistic) in product(_pairs(reference, known), statistics.items()):

        def minus(*both: np.ndarray, k: int = len(known[method]), f: Callable = statistic) -> float:
            return f(*both[:k]) - f(*both[k:])

        both = np.concatenate([known[method], known[other]])
        differences.append((method, other, metric, *found(f"{metric} of {method} − {other}", minus, both)))
    return _comparison(rows, differences)


def together(*parts: Comparison) -> Comparison:
    """Several comparisons as one, in their order: other metrics, or (under other names) other people."""
    rows = [part.rows for part in parts]
    differences = [part.differences for part in parts if len(part.differences)] or [parts[0].differences]
    frames = (pd.concat(side, ignore_index=True) for side in (rows, differences))
    return Comparison(*frames, frozenset().union(*(part.exact for part in parts)))


def _comparison(rows: list[tuple], differences: list[tuple], exact: frozenset = frozenset()) -> Comparison:
    frame = pd.DataFrame(rows, columns=ROWS).astype({"attainable": float})
    return Comparison(frame, pd.DataFrame(differences, columns=DIFFERENCES), exact)


def _one_a_unit(method: str, score: ArrayLike, n: int) -> np.ndarray:
    score = finite_vector(score, f"method {method!r}")
    if score.size != n:
        raise ValueError(f"method {method!r} has {score.size} scores for {n} units")
    return score


def _pairs(reference: Reference, methods: Mapping[str, object]) -> list[tuple[str, str]]:
    if reference is None:
        return []
    pairs = [(m, reference) for m in methods if m != reference] if isinstance(reference, str) else list(reference)
    unknown = {reference} if isinstance(reference, str) else {name for pair in pairs for name in pair}
    if unknown := sorted(unknown - set(methods)):
        raise ValueError(f"reference {unknown} is no method: there are {list(methods)}")
    return pairs
