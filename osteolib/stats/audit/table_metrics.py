"""Metrics of a 2 x 2 table that a paper may print, beyond those of :mod:`osteolib.stats.metrics`, and their fractions.

Numerator and denominator are whole numbers, so that a table is held against a printed value without rounding. Ratios
of sums of the cells (:data:`RATIOS`) bound the cells by half-planes; kappa, likelihood ratios and the odds ratio are
ratios of products. MCC and the Fowlkes-Mallows index have a root and are compared within TOLERANCE.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from osteolib.stats.metrics import THRESHOLD_METRICS

TP, FP, FN, TN = range(4)
# metric: weights of (tp, fp, fn, tn) in its numerator and its denominator
RATIOS = {
    "accuracy": np.array([[1, 0, 0, 1], [1, 1, 1, 1]]),
    "sensitivity": np.array([[1, 0, 0, 0], [1, 0, 1, 0]]),
    "specificity": np.array([[0, 0, 0, 1], [0, 1, 0, 1]]),
    "ppv": np.array([[1, 0, 0, 0], [1, 1, 0, 0]]),
    "npv": np.array([[0, 0, 0, 1], [0, 0, 1, 1]]),
    "f1": np.array([[2, 0, 0, 0], [2, 1, 1, 0]]),
    "dice": np.array([[2, 0, 0, 0], [2, 1, 1, 0]]),
    "jaccard": np.array([[1, 0, 0, 0], [1, 1, 1, 0]]),
    "f2": np.array([[5, 0, 0, 0], [5, 1, 4, 0]]),  # F-beta: (1 + b^2) tp / ((1 + b^2) tp + fp + b^2 fn), b = 2
    "f0_5": np.array([[5, 0, 0, 0], [5, 4, 1, 0]]),  # b = 1/2
}
SIGNED = ("mcc", "youden_j", "kappa")  # from -1 on
UNBOUNDED = ("lr_positive", "lr_negative", "odds_ratio")  # may lie above 1, and are infinite where one cell is 0
FALLING = ("lr_negative",)  # with more true and fewer false positives; every other metric rises
Fraction2 = tuple[np.ndarray, np.ndarray]  # numerators and denominators


def _kappa(tp, fp, fn, tn) -> Fraction2:
    return 2 * (tp * tn - fp * fn), (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)


def _fowlkes_mallows(tp, fp, fn, tn) -> Fraction2:
    return tp / np.sqrt(np.maximum((tp + fp) * (tp + fn), 1)), np.ones(np.shape(tp))


PRODUCTS: dict[str, Callable[..., Fraction2]] = {
    "balanced_accuracy": lambda tp, fp, fn, tn: (tp * (fp + tn) + tn * (tp + fn), 2 * (tp + fn) * (fp + tn)),
    "youden_j": lambda tp, fp, fn, tn: (tp * tn - fp * fn, (tp + fn) * (fp + tn)),
    "kappa": _kappa,
    "lr_positive": lambda tp, fp, fn, tn: (tp * (fp + tn), fp * (tp + fn)),
    "lr_negative": lambda tp, fp, fn, tn: (fn * (fp + tn), tn * (tp + fn)),
    "odds_ratio": lambda tp, fp, fn, tn: (tp * tn, fp * fn),
    # six roundings, none of them of a difference: off by less than 1e-15, far inside TOLERANCE
    "mcc": lambda *cells: (THRESHOLD_METRICS["mcc"](*cells), np.ones(np.shape(cells[0]))),
    "fowlkes_mallows": _fowlkes_mallows,
}


def ratios_of(positives: int, negatives: int) -> dict[str, np.ndarray]:
    """Weights as in :data:`RATIOS` of the metrics that are ratios of sums once both classes' sizes are known."""
    p, m = positives, negatives
    return RATIOS | {
        "balanced_accuracy": np.array([[m, 0, 0, p], [2 * m, 0, 2 * m, 0]]),
        "youden_j": np.array([[m, -p, 0, 0], [m, 0, m, 0]]),
        "lr_positive": np.array([[m, 0, 0, 0], [0, p, 0, 0]]),
        "lr_negative": np.array([[0, 0, m, 0], [0, 0, 0, p]]),
    }


def fraction(name: str, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> Fraction2:
    """Numerator and denominator of a metric; whole numbers but for ``mcc`` and ``fowlkes_mallows``."""
    return tuple(RATIOS[name] @ (tp, fp, fn, tn)) if name in RATIOS else PRODUCTS[name](tp, fp, fn, tn)


def _valued(name: str) -> Callable[..., np.ndarray]:
    def metric(tp, fp, fn, tn) -> np.ndarray:
        cells = [np.asarray(cell, float) for cell in (tp, fp, fn, tn)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.divide(*fraction(name, *cells))

    return metric


TABLE_METRICS: dict[str, Callable[..., np.ndarray]] = THRESHOLD_METRICS | {
    name: _valued(name) for name in (*RATIOS, *PRODUCTS) if name not in THRESHOLD_METRICS
}
"""Metric of (tp, fp, fn, tn): NaN where it is 0 / 0, infinite where only the denominator is 0."""
