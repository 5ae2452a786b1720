"""Power of a comparison: how often a score of known worth would be seen to add to one that is already there.

The people are those of the study and only the added score is simulated, so that the class sizes, the groups and the
known score's own strength are the study's. Model: the binormal one, Green and Swets 1966.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special, stats

from osteolib.stats.bootstrap import bootstrap_difference
from osteolib.stats.checks import same_length
from osteolib.stats.inputs import MOST, codes, each, target, vector, whole


def added_value_found(
    y_true: ArrayLike,
    probability: ArrayLike,
    groups: ArrayLike,
    aurocs: Iterable[float],
    n_studies: int = 100,
    n_boot: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Add simulated scores of known AUROC to a probability, and count the gains that are found.

    A simulated score is normal with SD 1 and, of positives, mean sqrt(2) probit(AUROC); within a class it knows
    nothing of ``probability``, and all units of a group share its noise. It is added as its log-likelihood ratio to the
    log-odds, which is the best way where ``probability`` is calibrated. Found: the paired bootstrap interval of the
    AUROC's gain, which draws groups, lies above 0.

    Parameters
    ----------
    y_true, probability, groups
        Shape (n,): 0 or 1, the known score in (0, 1), the independent group of each unit.
    aurocs
        Of the simulated scores alone, each in [0.5, 1).

    Returns
    -------
    One row for each: ``auroc``, ``gain`` (mean over the studies), ``found`` (share of the studies).

    Raises
    ------
    ValueError
        An argument is not as above; a probability of 0 or 1 has no log-odds to add to.
    """
    y, known = target(y_true), vector(probability, "probability")
    same_length(y_true=y, probability=known)
    if not (known.min() > 0 and known.max() < 1):
        raise ValueError(
            f"probability must lie strictly between 0 and 1, got {known.min():g} to {known.max():g}: clip it"
        )
    known, code = special.logit(known), codes(groups, y.size)
    n_studies, seed = whole(n_studies, "n_studies", 1, MOST), whole(seed, "seed", 0, 2**64)
    rows = []
    for auroc in vector(aurocs if isinstance(aurocs, np.ndarray) else each(aurocs, "aurocs"), "aurocs").tolist():
        if not 0.5 <= auroc < 1:
            raise ValueError(f"aurocs: the AUROC of an added score must lie in [0.5, 1), got {auroc:g}")
        shift, gains, found = np.sqrt(2) * stats.norm.ppf(auroc), [], []
        for study in range(n_studies):
            noise = np.random.default_rng([seed, study]).normal(size=code.max() + 1)
            added = shift * (shift * y + noise[code]) - shift**2 / 2
            d = bootstrap_difference(y, known, known + added, groups=groups, n_boot=n_boot, seed=seed + study)
            gains.append(d.difference)
            found.append(d.ci[0] > 0)
        rows.append((auroc, np.mean(gains), np.mean(found)))
    return pd.DataFrame(rows, columns=["auroc", "gain", "found"])
