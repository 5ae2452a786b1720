"""Models that never look at bone: what a score is worth is read beside what these reach.

Everything that is fitted (imputation, scaling, coefficients) is fitted inside the training folds.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def out_of_fold(features: pd.DataFrame, target: ArrayLike, folds: ArrayLike) -> np.ndarray:
    """Linear predictions for every row by a model that saw neither the row nor its fold.

    Logistic regression for a binary target (the probability of 1), least squares for a continuous one. Missing values
    take the training folds' median, columns are scaled by the training folds' mean and SD.

    Parameters
    ----------
    features
        Shape (n, k), numbers or booleans; text columns are turned into indicators of the training folds' categories.
    target
        Shape (n,), or (k, n) for k questions to the same features: 0 and 1 only for classification, anything else for
        regression; no missing values.
    folds
        Shape (n,): the fold that each row is tested in, at least two.

    Returns
    -------
    The shape of ``target``, float64.

    Raises
    ------
    ValueError
        Lengths differ, the target has missing values, a feature has none, or a fold trains on one class only.
    """
    from sklearn.linear_model import LinearRegression, LogisticRegression

    targets, folds = np.atleast_2d(np.asarray(target, float)), np.asarray(folds)
    if not len(features) == targets.shape[1] == len(folds):
        raise ValueError(
            f"features, target and folds differ in length: {len(features)}, {targets.shape[1]}, {len(folds)}"
        )
    if missing := np.isnan(targets).any(0).sum():
        raise ValueError(f"the target is missing in {missing} rows: drop these first")
    if empty := [column for column in features if features[column].isna().all()]:
        raise ValueError(f"features {empty} are missing in every row: leave them out")
    predicted = np.empty(targets.shape)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        prepared = _prepared(features).fit(features[train])
        x, new = prepared.transform(features[train]), prepared.transform(features[test])
        for y, out in zip(targets, predicted, strict=True):
            binary = set(np.unique(y)) <= {0.0, 1.0}
            if binary and len(np.unique(y[train])) < 2:
                raise ValueError(f"all training rows of fold {fold} have one class: use fewer folds")
            model = (LogisticRegression(max_iter=1000) if binary else LinearRegression()).fit(x, y[train])
            out[test] = model.predict_proba(new)[:, 1] if binary else model.predict(new)
    return predicted.reshape(np.shape(target))


def film_brightness(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Mean, SD and percentiles of the grey values of whole films, one row each: all a model has that sees no bone."""
    from osteolib.radiograph import read_radiograph

    films = (read_radiograph(path).pixels for path in paths)
    return pd.DataFrame(
        [(p.mean(), p.std(), *np.percentile(p, (5, 50, 95))) for p in films],
        columns=["mean", "sd", "p05", "p50", "p95"],
    )


def _prepared(features: pd.DataFrame):
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numeric = [c for c in features if pd.api.types.is_numeric_dtype(features[c])]
    text = [c for c in features if c not in numeric]
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
        (OneHotEncoder(handle_unknown="ignore", drop="if_binary"), text),
    )


def shuffled_targets(target: ArrayLike, n: int, seed: int) -> np.ndarray:
    """The target in ``n`` random orders, shape (n, len(target)): what a procedure finds where nothing is to be found.

    Out of fold "nothing" is not 0.5: what is by chance over-represented among the cases of the training folds is by the
    same chance under-represented in the fold left out, so a feature without information tends to score in the wrong
    direction.
    """
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(np.asarray(target)) for _ in range(n)])
