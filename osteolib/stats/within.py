"""AUROC within strata of many scores on the same resamples, fast: what :func:`ranks.auroc_within` gives, by matrices.

A pair of a positive and a negative counts the product of how often its two subjects were drawn, so that all replicates
of one score are one product of matrices.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteolib.stats.checks import same_length
from osteolib.stats.inputs import codes, instance, vector, zeros_and_ones
from osteolib.stats.resampling import check_settings, design_resampling, draw_counts


def aurocs_within(
    y: ArrayLike, scores: Mapping[str, ArrayLike], stratum: ArrayLike, groups: ArrayLike, n_boot: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Replicates of the AUROC within strata, of every score on the same draws of subjects.

    Parameters
    ----------
    y, stratum, groups
        Shape (n,): 0 or 1, its stratum, its subject.
    scores
        Shape (n,) each, finite.

    Returns
    -------
    By name of the score, shape (1 + n_boot,): the sample's own value first; NaN where no pair of a stratum was drawn.

    Raises
    ------
    ValueError
        An argument is not as above.
    """
    check_settings(n_boot, 0.95, "percentile")
    y = zeros_and_ones(y, "y")
    stratum = codes(stratum, y.size, "stratum")
    vectors = {name: vector(score, f"scores[{name!r}]") for name, score in instance(Mapping, scores, "scores").items()}
    same_length(y=y, **{f"scores[{name!r}]": score for name, score in vectors.items()})
    positive, negative = y == 1, y == 0
    design = design_resampling(y.size, groups)
    drawn = [np.ones((1, design.n_subjects), np.int64), *draw_counts(design, n_boot, seed)]
    weight = np.concatenate(drawn)[:, design.subject].astype(float)
    same = (stratum[positive][:, None] == stratum[negative]).astype(float)

    def pairs(worth: NDArray) -> NDArray:
        return ((weight[:, positive] @ worth) * weight[:, negative]).sum(axis=1)

    count = pairs(same)
    found = {}
    for name, s in vectors.items():
        higher = np.sign(s[positive][:, None] - s[negative]) / 2 + 0.5
        found[name] = np.divide(pairs(same * higher), count, out=np.full(count.size, np.nan), where=count > 0)
    return found
