"""Cross-validation folds that no person and no duplicated image straddles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.cohorts.duplicates import join_groups


def grouped_folds(subjects: pd.DataFrame, target: ArrayLike, n_folds: int = 5, seed: int = 0) -> np.ndarray:
    """Assign each unit to a fold, stratified by the target.

    Parameters
    ----------
    subjects
        One row per unit with the columns ``subject_id`` and ``split_group``; rows that share either share a fold.
    target
        Class of each unit, shape (n,), without missing values.

    Returns
    -------
    Fold numbers 0 to ``n_folds - 1``, shape (n,), int64.

    Raises
    ------
    ValueError
        The lengths differ, a class is missing, or a class would be absent from a fold.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    target = pd.Series(np.asarray(target))
    if len(target) != len(subjects) or target.isna().any():
        raise ValueError(
            f"grouped_folds needs a class for each of the {len(subjects)} units, got {len(target)} with "
            f"{int(target.isna().sum())} missing: drop units without a target first"
        )
    groups = join_groups(subjects.subject_id, subjects.split_group)
    available = pd.Series(groups).groupby(target.to_numpy()).nunique()
    if len(available) < 2 or available.min() < n_folds:
        raise ValueError(
            f"{n_folds} folds cannot each hold every class: independent groups per class are {available.to_dict()}; "
            f"use at most {available.min() if len(available) > 1 else 0} folds"
        )
    fold = np.empty(len(subjects), np.int64)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    for number, (_, test) in enumerate(splitter.split(fold, target, groups)):
        fold[test] = number
    counts = pd.crosstab(fold, target.to_numpy()).reindex(range(n_folds), fill_value=0)
    for number, row in counts.iterrows():
        if absent := row.index[row == 0].tolist():
            raise ValueError(f"fold {number} of {n_folds} has no unit of {absent}: use fewer folds or another seed")
    return fold
