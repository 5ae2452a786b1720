"""Metrics of a binary score, computed for many bootstrap replicates at once.

A replicate is a row of weights: how often it drew each unit. With the units in descending order of score, the
cumulative sum of the weights of the positives is the number of true positives at every threshold, and that of
the negatives the number of false positives. Every metric here but the Brier score is a function of these two.
Tied scores share one threshold, so only the last unit of a tie counts.

Definitions as in scikit-learn; where a metric is 0 / 0 the value is NaN and not 0 with a warning. The one
exception is ``mcc``, 0 as in scikit-learn when all calls, or all units, are of one kind: calls that do not
vary carry no association.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class RankedScores:
    """Units in descending order of score, prepared once for all replicates."""

    order: np.ndarray  # (n,) position of each ranked unit in the caller's arrays
    positive: np.ndarray  # (n,) 0 or 1
    tie_ends: np.ndarray | slice  # last unit of each distinct score
    n_called: int  # units with score >= threshold; 0 without threshold
    squared_error: np.ndarray  # (n,) (score - y)^2


def rank_scores(y_true: np.ndarray, y_score: np.ndarray, threshold: float | None = None) -> RankedScores:
    """Sort ``y_true`` (0/1) and ``y_score`` (finite), both of shape (n,), for :func:`evaluate`."""
    order = np.argsort(-y_score, kind="stable")
    y, score = y_true[order], y_score[order]
    last = np.append(score[1:] != score[:-1], True)
    tie_ends = slice(None) if last.all() else np.flatnonzero(last)
    n_called = 0 if threshold is None else int((score >= threshold).sum())
    return RankedScores(order, y, tie_ends, n_called, (score - y) ** 2)


def evaluate(names: Iterable[str], ranked: RankedScores, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each metric for each replicate.

    Parameters
    ----------
    names
        Out of :data:`METRICS`.
    ranked
        From :func:`rank_scores`.
    weights
        Shape (replicates, n), int64 >= 0: how often each unit was drawn, units in ``ranked`` order.

    Returns
    -------
    dict
        Name to float64 array of shape (replicates,), NaN where undefined.
    """
    names = tuple(names)
    if any(name in CURVE_METRICS for name in names):
        tp_at = np.cumsum(weights * ranked.positive, axis=1)
        fp_at = np.cumsum(weights, axis=1) - tp_at
        tp_at, fp_at = tp_at[:, ranked.tie_ends], fp_at[:, ranked.tie_ends]
    units = weights.sum(axis=1)
    positives = np.vecdot(weights, ranked.positive)
    called = slice(ranked.n_called)
    tp = np.vecdot(weights[:, called], ranked.positive[called])
    fp = weights[:, called].sum(axis=1) - tp
    fn, tn = positives - tp, units - positives - fp

    result = {}
    for name in names:
        if name in CURVE_METRICS:
            result[name] = CURVE_METRICS[name](tp_at, fp_at)
        elif name in THRESHOLD_METRICS:
            result[name] = THRESHOLD_METRICS[name](tp, fp, fn, tn)
        else:
            result[name] = _ratio(weights @ ranked.squared_error, units)
    return result


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Numerator / denominator, NaN where the denominator is 0."""
    undefined = np.full(np.shape(denominator), np.nan)
    return np.divide(numerator, denominator, out=undefined, where=np.asarray(denominator) > 0)


def _steps(cumulative: np.ndarray) -> np.ndarray:
    """What each threshold adds to the ones above it; the inverse of a cumulative sum along the rows."""
    steps = cumulative.copy()
    steps[:, 1:] -= cumulative[:, :-1]
    return steps


def auroc(tp_at: np.ndarray, fp_at: np.ndarray) -> np.ndarray:
    """Area under the ROC curve by trapezoids, in which a tie between the classes counts one half."""
    twice_mean_tp = 2 * tp_at - _steps(tp_at)  # tp before the step + tp after it
    return _ratio(np.vecdot(_steps(fp_at), twice_mean_tp), 2 * tp_at[:, -1] * fp_at[:, -1])


def auprc(tp_at: np.ndarray, fp_at: np.ndarray) -> np.ndarray:
    """Average precision: sum over thresholds of (recall gained) x precision, without interpolation."""
    precision = tp_at / np.maximum(tp_at + fp_at, 1)  # nothing drawn so far: no recall gained either
    return _ratio(np.vecdot(_steps(tp_at), precision), tp_at[:, -1])


def sensitivity(tp, fp, fn, tn):
    return _ratio(tp, tp + fn)


def specificity(tp, fp, fn, tn):
    return _ratio(tn, tn + fp)


def ppv(tp, fp, fn, tn):
    return _ratio(tp, tp + fp)


def npv(tp, fp, fn, tn):
    return _ratio(tn, tn + fn)


def accuracy(tp, fp, fn, tn):
    return _ratio(tp + tn, tp + fp + fn + tn)


def balanced_accuracy(tp, fp, fn, tn):
    return (sensitivity(tp, fp, fn, tn) + specificity(tp, fp, fn, tn)) / 2


def f1(tp, fp, fn, tn):
    return _ratio(2 * tp, 2 * tp + fp + fn)


def youden_j(tp, fp, fn, tn):
    return sensitivity(tp, fp, fn, tn) + specificity(tp, fp, fn, tn) - 1


def mcc(tp, fp, fn, tn):
    tp, fp, fn, tn = (np.asarray(count, float) for count in (tp, fp, fn, tn))  # the product overflows int64
    margins = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return np.divide(tp * tn - fp * fn, margins, out=np.zeros_like(margins), where=margins > 0)


CURVE_METRICS = {"auroc": auroc, "auprc": auprc}
THRESHOLD_METRICS = {
    metric.__name__: metric
    for metric in (sensitivity, specificity, ppv, npv, accuracy, balanced_accuracy, f1, mcc, youden_j)
}
METRICS = (*CURVE_METRICS, *THRESHOLD_METRICS, "brier")


def check_metrics(names: str | Iterable[str], threshold: float | None, *scores: np.ndarray) -> tuple:
    """The names as a tuple; ValueError where one is unknown or lacks a threshold or probabilities."""
    names = (names,) if isinstance(names, str) else tuple(names)
    if unknown := [name for name in names if name not in METRICS]:
        raise ValueError(f"unknown metrics {unknown}; known: {', '.join(METRICS)}")
    if not names:
        raise ValueError(f"name at least one metric out of {', '.join(METRICS)}")
    at_threshold = [name for name in names if name in THRESHOLD_METRICS]
    if at_threshold and threshold is None:
        raise ValueError(
            f"{', '.join(at_threshold)} need a threshold: pass threshold=... (score >= threshold is positive)"
        )
    if threshold is not None and not np.isfinite(threshold):
        raise ValueError(f"threshold must be a finite number, got {threshold}")
    if "brier" in names and any(score.min() < 0 or score.max() > 1 for score in scores):
        raise ValueError("brier needs probabilities, scores in [0, 1]: calibrate first, or leave brier out")
    return names
