"""Bootstrap confidence intervals of a binary score's metrics, and of the difference between two scores.

Subjects are resampled, never their units one by one: two knees of one person are not two people.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; for clusters Field and Welsh, J R Stat
Soc B 2007.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.stats.checks import same_length
from osteolib.stats.exact import exact_of_calls
from osteolib.stats.inputs import each, flag, number, target, vector
from osteolib.stats.metrics import RankedScores, check_metrics, evaluate, rank_scores
from osteolib.stats.resampling import (
    Design,
    check_people,
    check_settings,
    design_resampling,
    draw_counts,
    interval,
    leave_one_out_counts,
    usual_method,
)

FEW = 5
"""Subjects of a class below which a bootstrap sees too few people to say how they vary."""


@dataclass(frozen=True, eq=False)
class BootstrapResult:
    """Estimates of the sample with their intervals, by metric name.

    Attributes
    ----------
    exact
        Of each metric in :attr:`degenerate` that is a proportion, or an AUROC of 0 or 1: the Clopper-Pearson interval
        of :func:`osteolib.stats.exact.exact_of_calls`, to stand beside an interval that resampling cannot give.
    """

    estimate: dict[str, float]
    ci: dict[str, tuple[float, float]]
    replicates: dict[str, np.ndarray] = field(repr=False)  # (n_boot,) each, NaN where undefined
    undefined: dict[str, int]  # replicates in which the metric is 0 / 0; the interval is of the others
    n: int  # units
    n_positive: int  # units
    n_subjects: int
    n_rarer: int  # subjects with a unit of the class that fewer subjects have
    n_boot: int
    threshold: float | None
    stratify: bool
    method: str
    confidence: float
    seed: int
    exact: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def degenerate(self) -> tuple[str, ...]:
        """Metrics whose interval is no measure of uncertainty: one point, or from fewer than :data:`FEW` of a class.

        A sample that is separated without error, or in which all scores are equal, holds nothing that resampling could
        vary; the truth may still lie elsewhere.
        """
        return tuple(name for name, (low, high) in self.ci.items() if low == high or self.n_rarer < FEW)

    def to_frame(self) -> pd.DataFrame:
        """One row per metric: its name, value, ci_low, ci_high, and on what they rest."""
        return pd.DataFrame(
            {
                "metric": list(self.estimate),
                "value": list(self.estimate.values()),
                "ci_low": [low for low, _ in self.ci.values()],
                "ci_high": [high for _, high in self.ci.values()],
                "n": self.n,
                "n_subjects": self.n_subjects,
                "undefined": list(self.undefined.values()),
                "degenerate": [name in self.degenerate for name in self.estimate],
                "n_boot": self.n_boot,
                "method": self.method,
                "confidence": self.confidence,
            }
        )


@dataclass(frozen=True, eq=False)
class BootstrapDifference:
    """What score b adds to score a: ``difference = estimate_b - estimate_a``, on the same resamples."""

    metric: str
    estimate_a: float
    estimate_b: float
    difference: float
    ci: tuple[float, float]
    replicates: np.ndarray = field(repr=False)  # (n_boot,) differences, NaN where undefined
    undefined: int
    n: int
    n_subjects: int
    n_boot: int
    method: str
    confidence: float
    seed: int
    n_rarer: int  # subjects with a unit of the class that fewer subjects have

    @property
    def degenerate(self) -> bool:
        """Whether the interval is no measure of uncertainty: one point, or from fewer than :data:`FEW` of a class."""
        return self.ci[0] == self.ci[1] or self.n_rarer < FEW


def bootstrap_ci(
    y_true: ArrayLike,
    y_score: ArrayLike,
    metrics: str | Iterable[str] = ("auroc", "auprc"),
    threshold: float | None = None,
    n_boot: int = 2000,
    stratify: bool = True,
    method: str | None = None,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> BootstrapResult:
    """Metrics of a score with bootstrap confidence intervals.

    Parameters
    ----------
    y_true
        Shape (n,), 0 or 1 (or booleans), both present.
    y_score
        Shape (n,), finite, higher means more likely 1. All equal is allowed: AUROC 0.5 with CI (0.5, 0.5).
    metrics
        Out of ``osteolib.stats.METRICS``.
    threshold
        ``y_score >= threshold`` is a positive call; needed by sensitivity and all metrics of a 2 x 2 table.
        It is held fixed: the interval does not include the uncertainty of having chosen it on the same data.
    n_boot
        Replicates, at least 100.
    stratify
        Draw each class's subjects separately, so that every replicate has as many subjects of each class as the
        sample. With ``groups`` a subject belongs to the stratum of its class; subjects with units of both classes
        form a third stratum of their own, and where subjects differ in size the numbers of units vary. ppv, npv
        and auprc are then conditional on the sample's prevalence.
    method
        ``percentile``, or ``bca`` (bias-corrected and accelerated; its jackknife leaves out one subject with all its
        units at a time and costs as many further replicates as there are subjects: minutes at 100,000). None:
        ``bca`` where a class has few subjects (:func:`osteolib.stats.resampling.usual_method`); the result says which.
    groups
        Shape (n,), the subject of each unit. Default: each unit is a subject.
    confidence
        Coverage of the intervals, in (0, 1).
    seed
        Same seed, labels and groups: same resamples, whatever the score.

    Raises
    ------
    ValueError
        An argument is not as above, all units are of one subject, or a metric of the whole sample is undefined (ppv
        when nobody is called positive).
    """
    check_settings(n_boot, confidence, method)
    y, (score,), design, names = _prepare(y_true, {"y_score": y_score}, metrics, threshold, groups, stratify)
    n_rarer = _rarer(y, design)
    method = method or usual_method(n_rarer)
    ranked = rank_scores(y, score, threshold)
    estimate = _estimate(names, ranked, threshold, score)
    replicates = _over(draw_counts(design, n_boot, seed), names, ranked, design)
    left_out = _over(leave_one_out_counts(design), names, ranked, design) if method == "bca" else {}

    result = BootstrapResult(
        estimate=estimate,
        ci={name: interval(estimate[name], replicates[name], left_out.get(name), design, confidence) for name in names},
        replicates=replicates,
        undefined={name: int(np.isnan(replicates[name]).sum()) for name in names},
        n=y.size,
        n_positive=int(y.sum()),
        n_subjects=design.n_subjects,
        n_rarer=n_rarer,
        n_boot=n_boot,
        threshold=threshold,
        stratify=stratify,
        method=method,
        confidence=confidence,
        seed=seed,
    )
    beside = {name: exact_of_calls(name, y, score, threshold, design.subject, confidence) for name in result.degenerate}
    return replace(result, exact={name: ends for name, ends in beside.items() if ends is not None})


def bootstrap_difference(
    y_true: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    metric: str = "auroc",
    threshold: float | None = None,
    n_boot: int = 2000,
    stratify: bool = True,
    method: str | None = None,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> BootstrapDifference:
    """Metric of score b minus metric of score a, paired: both see the same resampled subjects.

    With age as ``score_a`` and age with the image as ``score_b`` it asks what the image adds. ``score_a`` and
    ``score_b`` have shape (n,); one ``threshold`` serves both. All else as in :func:`bootstrap_ci`.

    Raises
    ------
    ValueError
        As :func:`bootstrap_ci`.
    """
    check_settings(n_boot, confidence, method)
    y, scores, design, names = _prepare(
        y_true, {"score_a": score_a, "score_b": score_b}, metric, threshold, groups, stratify, "metric"
    )
    if len(names) > 1:
        raise ValueError(f"one metric at a time, got {names}")
    (name,) = names
    n_rarer = _rarer(y, design)
    method = method or usual_method(n_rarer)

    estimate, replicates, left_out = [], [], []
    for score in scores:
        ranked = rank_scores(y, score, threshold)
        estimate.append(_estimate(names, ranked, threshold, score)[name])
        replicates.append(_over(draw_counts(design, n_boot, seed), names, ranked, design)[name])
        if method == "bca":
            left_out.append(_over(leave_one_out_counts(design), names, ranked, design)[name])

    difference = estimate[1] - estimate[0]
    differences = replicates[1] - replicates[0]
    without = left_out[1] - left_out[0] if left_out else None
    return BootstrapDifference(
        metric=name,
        estimate_a=estimate[0],
        estimate_b=estimate[1],
        difference=difference,
        ci=interval(difference, differences, without, design, confidence),
        replicates=differences,
        undefined=int(np.isnan(differences).sum()),
        n=y.size,
        n_subjects=design.n_subjects,
        n_boot=n_boot,
        method=method,
        confidence=confidence,
        seed=seed,
        n_rarer=n_rarer,
    )


def _rarer(y: np.ndarray, design: Design) -> int:
    return min(np.unique(design.subject[y == side]).size for side in (0, 1))


def _prepare(y_true, scores: dict[str, ArrayLike], metrics, threshold, groups, stratify, argument="metrics"):
    """Checked labels, scores, resampling design and metric names."""
    y = target(y_true)
    vectors = {name: vector(values, name) for name, values in scores.items()}
    same_length(y_true=y, **vectors)
    if threshold is not None:
        threshold = number(threshold, "threshold")
    if not isinstance(metrics, str):
        metrics = each(list(metrics) if isinstance(metrics, dict) else metrics, argument)  # a mapping: its names
        if strange := [name for name in metrics if not isinstance(name, str)]:
            raise ValueError(f"{argument} must be a name or names out of osteolib.stats.METRICS, got {strange[:3]}")
    try:
        names = check_metrics(metrics, threshold, *vectors.values())
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from None
    design = design_resampling(y.size, groups, y if flag(stratify, "stratify") else None)
    check_people(design, "groups")
    return y, list(vectors.values()), design, names


def _estimate(names, ranked: RankedScores, threshold: float | None, score: np.ndarray) -> dict[str, float]:
    everyone = np.ones((1, score.size), np.int64)
    estimate = {name: float(values[0]) for name, values in evaluate(names, ranked, everyone).items()}
    if undefined := [name for name, value in estimate.items() if np.isnan(value)]:  # ppv or npv
        called = "no" if ranked.n_called == 0 else "every"
        raise ValueError(
            f"{', '.join(undefined)} undefined: {called} score reaches the threshold {threshold:g}; "
            f"choose one within the scores' range, {score.min():g} to {score.max():g}"
        )
    return estimate


def _over(counts: Iterator[np.ndarray], names, ranked: RankedScores, design: Design) -> dict[str, np.ndarray]:
    """Each metric over all rows of ``counts``, (replicates, subjects) at a time."""
    subject = design.subject[ranked.order]  # a unit weighs what its subject was drawn
    pieces = [evaluate(names, ranked, piece.take(subject, axis=1)) for piece in counts]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in names}
