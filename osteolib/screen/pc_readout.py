"""What many features of few films know: linear models of their principal components, judged out of fold.

With more features than films a linear model fits anything. So each training fold is reduced to its first principal
components, about one to ten films, and the model has no more numbers to choose than that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.cohorts.folds import grouped_folds

N_COMPONENTS = 30


def pc_scores(
    features: NDArray, targets: ArrayLike, folds: ArrayLike, n_components: int = N_COMPONENTS
) -> NDArray[np.float64]:
    """Out-of-fold predictions from the principal components of the training folds.

    Features are scaled and turned by the training folds (no target has a part in that), the components brought to one
    spread. Logistic regression with L2 penalty (C = 1) for a target of 0 and 1, which gives log-odds; least squares for
    any other.

    Parameters
    ----------
    features
        Shape (n, k), finite.
    targets
        Shape (t, n). A row whose target is NaN is scored, and no model of that target is fitted on it.
    folds
        Shape (n,), at least two.

    Returns
    -------
    Shape (t, n), float64.

    Raises
    ------
    ValueError
        Lengths differ, or a fold trains on one class only.
    """
    targets, folds = np.atleast_2d(np.asarray(targets, float)), np.asarray(folds)
    if not len(features) == targets.shape[1] == len(folds):
        raise ValueError(f"features, targets and folds differ in length: {len(features)}, {targets.shape[1]}, "
                         f"{len(folds)}")  # fmt: skip
    scores = np.empty(targets.shape)
    for fold in np.unique(folds):
        test = folds == fold
        train_pc, test_pc = components(features[~test], features[test], n_components)
        for y, out in zip(targets[:, ~test], scores, strict=True):
            out[test] = _fitted(train_pc, y, fold)(test_pc)
    return scores


def repeated_scores(
    features: NDArray, targets: ArrayLike, draws: Sequence[ArrayLike], n_components: int = N_COMPONENTS
) -> NDArray[np.float64]:
    """:func:`pc_scores` for several draws of the folds: shape (draws, targets, n)."""
    return np.stack([pc_scores(features, targets, folds, n_components) for folds in draws])


def joined_scores(
    features: NDArray,
    covariates: Mapping[str, ArrayLike],
    target: ArrayLike,
    subjects: pd.DataFrame,
    folds: ArrayLike,
    n_inner: int = 4,
    n_components: int = N_COMPONENTS,
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Covariates alone, and joined with the image: nested, so that no row is judged by a model that saw its fold.

    Within the training folds the image is scored out of (inner) fold; a logistic regression of covariates and that
    score is fitted there; the test fold gets the score of a model of all training rows.

    Parameters
    ----------
    covariates
        Sets of them by name, shape (n, c) each; what is missing takes the training rows' median.
    target
        Shape (n,), 0 and 1.
    subjects
        One row a unit, ``subject_id`` and ``split_group``: inner folds straddle neither.

    Returns
    -------
    For each set log-odds from the covariates alone and from both, shape (n,) each.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    y, folds = np.asarray(target, float), np.asarray(folds)
    known = {name: np.asarray(values, float) for name, values in covariates.items()}
    found = {name: (np.empty(y.size), np.empty(y.size)) for name in known}
    for fold in np.unique(folds):
        test = folds == fold
        train = ~test
        inner = grouped_folds(subjects[train], y[train], n_inner, int(fold))
        image = np.empty(y.size)
        image[train] = pc_scores(features[train], y[train], inner, n_components)[0]
        train_pc, test_pc = components(features[train], features[test], n_components)
        image[test] = _fitted(train_pc, y[train], fold)(test_pc)
        for name, values in known.items():
            for columns, out in zip((values, np.column_stack([values, image])), found[name], strict=True):
                model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())
                out[test] = model.fit(columns[train], y[train]).decision_function(columns[test])
    return found


def components(train: NDArray, new: NDArray, n_components: int) -> tuple[NDArray, NDArray]:
    """Principal components of unit variance: of training rows, and of new ones scaled and turned by the training rows.

    Both of shape (rows, at most ``n_components``), from the rows' inner products: there are fewer rows than features.
    """
    from scipy.linalg import eigh

    mean, sd = train.mean(0, dtype=float), train.std(0, dtype=float)
    sd[sd < 1e-12] = 1  # a feature that never moves
    x, fresh = (train - mean) / sd, (new - mean) / sd
    n, k = len(x), min(n_components, len(x) - 1, x.shape[1])
    power, turned = eigh(x @ x.T, subset_by_index=(n - k, n - 1))
    kept = power > 1e-9 * power[-1]
    power, turned = power[kept], turned[:, kept] * np.sqrt(n - 1)
    return turned, fresh @ (x.T @ (turned / power))


def shuffled_groups(target: ArrayLike, groups: ArrayLike, n: int, seed: int) -> NDArray:
    """The target dealt anew to whole groups, shape (n, len(target)): knees of one person stay alike.

    A group of several values is dealt its first one.
    """
    from osteolib.screen.baselines import shuffled_targets

    first = pd.DataFrame({"y": np.asarray(target), "g": np.asarray(groups)}).groupby("g", sort=False)["y"]
    return shuffled_targets(first.first(), n, seed)[:, first.ngroup()]


def by_person(scores: NDArray, subject_id: ArrayLike) -> NDArray[np.float64]:
    """Mean over the units of each person: shape (..., n) to (..., people), people in order of first appearance."""
    code, people = pd.factorize(np.asarray(subject_id))
    member = code[:, None] == np.arange(len(people))
    return np.asarray(scores, float) @ (member / member.sum(0))


def _fitted(x: NDArray, y: NDArray, fold: object):
    from sklearn.linear_model import LinearRegression, LogisticRegression

    known = np.isfinite(y)
    if not set(np.unique(y[known])) <= {0.0, 1.0}:
        return LinearRegression().fit(x[known], y[known]).predict
    if len(np.unique(y[known])) < 2:
        raise ValueError(f"all training rows of fold {fold} have one class: use fewer folds")
    return LogisticRegression(solver="newton-cholesky").fit(x[known], y[known]).decision_function
