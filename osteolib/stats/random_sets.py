"""Would a part of the people as small as this one, drawn at random, have scored as low?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from osteolib.stats.checks import binary_target, finite_vector, same_length
from osteolib.stats.metrics import evaluate, rank_scores


def auroc_of_random_sets(
    y_true: ArrayLike,
    y_score: ArrayLike,
    groups: ArrayLike,
    n_groups: int,
    n_draws: int = 2000,
    seed: int = 0,
) -> np.ndarray:
    """AUROC in random sets of whole groups, drawn without replacement.

    Parameters
    ----------
    y_true, y_score, groups
        Shape (n,): 0 or 1, the score, the independent group of each person.
    n_groups
        Groups of a set, at least 2 and at most as many as there are.

    Returns
    -------
    Shape (n_draws,); a set of one class is NaN.

    Raises
    ------
    ValueError
        An argument is not as above.
    """
    y, score = binary_target(y_true), finite_vector(y_score, "y_score")
    same_length(y_true=y, y_score=score, groups=np.asarray(groups))
    code, names = pd.factorize(np.asarray(groups))
    if not 2 <= n_groups <= len(names):
        raise ValueError(f"a set needs 2 to {len(names)} groups, got {n_groups}")
    rng, ranked = np.random.default_rng(seed), rank_scores(y, score)
    drawn = np.zeros((n_draws, len(names)), np.int64)
    for row in drawn:
        row[rng.choice(len(names), n_groups, replace=False)] = 1
    chosen = drawn[:, code]
    positive = chosen @ y
    both = (positive > 0) & (positive < chosen.sum(1))
    found = np.full(n_draws, np.nan)
    found[both] = evaluate(["auroc"], ranked, chosen[both][:, ranked.order])["auroc"]
    return found
