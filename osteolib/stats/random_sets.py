"""Would a part of the people as small as this one, drawn at random, have scored as low?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from osteolib.stats.checks import same_length
from osteolib.stats.inputs import MOST, codes, target, vector, whole
from osteolib.stats.metrics import evaluate, rank_scores

AT_ONCE = 2**22  # numbers in a piece: 32 MiB


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
    y, score = target(y_true), vector(y_score, "y_score")
    same_length(y_true=y, y_score=score)
    code = codes(groups, y.size)
    n_groups, n_draws = whole(n_groups, "n_groups"), whole(n_draws, "n_draws", 1, MOST)
    names = int(code.max()) + 1
    if not 2 <= n_groups <= names:
        raise ValueError(f"n_groups: a set needs 2 to {names} groups, got {n_groups}")
    rng, ranked = np.random.default_rng(whole(seed, "seed", 0, 2**128)), rank_scores(y, score)
    found = np.full(n_draws, np.nan)
    at_once = max(1, AT_ONCE // y.size)
    for start in range(0, n_draws, at_once):
        drawn = np.zeros((min(at_once, n_draws - start), names), np.int64)
        for row in drawn:
            row[rng.choice(names, n_groups, replace=False)] = 1
        chosen = drawn[:, code]
        positive = chosen @ y
        both = (positive > 0) & (positive < chosen.sum(1))
        if both.any():
            place = start + np.flatnonzero(both)
            found[place] = evaluate(["auroc"], ranked, chosen[both][:, ranked.order])["auroc"]
    return found
