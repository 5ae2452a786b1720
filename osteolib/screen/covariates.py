"""What sets of covariates reach out of fold, beside what one drawing of the folds finds in shuffled targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.screen.baselines import out_of_fold, shuffled_targets
from osteolib.stats import bootstrap_ci, bootstrap_statistic

COLUMNS = ("value", "ci_low", "ci_high", "null_low", "null_high")


def pearson_r(target: ArrayLike, predicted: ArrayLike) -> float:
    """Correlation of a target and its prediction, shape (n,) each."""
    return float(np.corrcoef(target, predicted)[0, 1])


def sets_beside_shuffles(
    films: pd.DataFrame,
    covariates: Mapping[str, Sequence[str]],
    target: ArrayLike,
    scores: Mapping[str, ArrayLike],
    fold: ArrayLike,
    *,
    n_boot: int,
    n_shuffles: int,
    seed: int,
) -> pd.DataFrame:
    """How well each set of covariates predicts, with its interval and the range of shuffled targets.

    Parameters
    ----------
    films
        One row a film, with ``split_group`` (what is drawn together) and the columns that ``covariates`` names.
    target
        Shape (n,): 0 and 1 are measured by AUROC, anything else by Pearson's r.
    scores
        The out-of-fold score of each set, shape (n,).
    fold
        The folds in which the shuffled targets are predicted, shape (n,).

    Returns
    -------
    One row a set: :data:`COLUMNS`, the last two the range that holds 95 % of the shuffles.
    """
    from sklearn.metrics import roc_auc_score

    y, groups = np.asarray(target), films["split_group"]
    binary = set(np.unique(y)) <= {0, 1}

    measure = roc_auc_score if binary else pearson_r

    rows = {}
    shuffled = shuffled_targets(y, n_shuffles, seed)
    for name, columns in covariates.items():
        if binary:
            found = bootstrap_ci(y, scores[name], metrics="auroc", n_boot=n_boot, groups=groups, seed=seed)
            value = found.estimate["auroc"], *found.ci["auroc"]
        else:
            found = bootstrap_statistic(pearson_r, y, scores[name], n_boot=n_boot, groups=groups, seed=seed)
            value = found.estimate, *found.ci
        predicted = out_of_fold(films[list(columns)], shuffled, fold)
        nothing = [measure(*pair) for pair in zip(shuffled, predicted, strict=True)]
        rows[name] = [*value, *np.percentile(nothing, (2.5, 97.5))]
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))
