"""From a table of predictions to its metrics: what a recorded run says, computed from its predictions alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from osteolib.stats.bootstrap import bootstrap_ci
from osteolib.stats.bootstrap_any import bootstrap_statistic
from osteolib.stats.inputs import frame, vector
from osteolib.stats.resampling import check_settings

KEYS = ["method", "target", "split"]


def prediction_metrics(predictions: pd.DataFrame, n_boot: int = 2000, seed: int = 0) -> pd.DataFrame:
    """AUROC and AUPRC of every target that is 0 or 1, Pearson's r and the mean absolute error of every other.

    Parameters
    ----------
    predictions
        One row a unit: ``method, target, split, y_true, y_score`` and ``split_group``, which intervals resample.

    Returns
    -------
    ``method, target, split, metric, value, ci_low, ci_high, n, n_groups``; intervals are 95 % percentile bootstraps.

    Raises
    ------
    ValueError
        A column is missing or has missing values, or a part has no such metric: one class, one group, constant values.
    """
    check_settings(n_boot, 0.95, "percentile")
    frame(predictions, "predictions", [*KEYS, "y_true", "y_score", "split_group"])
    rows = []
    for key, part in predictions.groupby(KEYS, sort=False, observed=True):
        try:
            rows += [(*key, *row) for row in _metrics(part, n_boot, seed)]
        except (ValueError, TypeError) as error:
            raise ValueError(f"predictions of {', '.join(map(str, key))}: {error}") from None
    return pd.DataFrame(rows, columns=[*KEYS, "metric", "value", "ci_low", "ci_high", "n", "n_groups"])


def _metrics(part: pd.DataFrame, n_boot: int, seed: int) -> list[tuple]:
    """``metric, value, ci_low, ci_high, n, n_groups`` of one method, target and split."""
    y, score = vector(part["y_true"], "y_true"), vector(part["y_score"], "y_score")
    how = {"groups": part["split_group"].to_numpy(str), "n_boot": n_boot, "seed": seed}
    if set(y) <= {0.0, 1.0}:
        r = bootstrap_ci(y, score, ("auroc", "auprc"), method="percentile", **how)  # as all records have it
        found = {name: (r.estimate[name], *r.ci[name]) for name in ("auroc", "auprc")}
    else:
        both = {"pearson_r": _pearson_r, "mae": _mae}
        each = {name: bootstrap_statistic(statistic, y, score, **how) for name, statistic in both.items()}
        found = {name: (r.estimate, *r.ci) for name, r in each.items()}
    n_groups = part["split_group"].nunique()
    return [(name, *values, len(part), n_groups) for name, values in found.items()]


def _pearson_r(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1]) if x.std() > 0 and y.std() > 0 else np.nan


def _mae(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.abs(x - y).mean())
