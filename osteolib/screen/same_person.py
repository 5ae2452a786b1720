"""How well can features tell people apart? That is what a split by parts of people rewards."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def person_in_features(features: np.ndarray, person: ArrayLike, bone: ArrayLike) -> tuple[float, float]:
    """Share of the variance that a person's bones have in common, and in how many directions people differ.

    Features are scaled to unit variance and centred bone by bone, so that being an ulna is nobody's trait.

    Parameters
    ----------
    features
        Shape (n, d): a row a bone.
    person, bone
        Whose and which it is, shape (n,).

    Returns
    -------
    The intraclass correlation of one-way analysis of variance, pooled over the features and at least 0, with the mean
    number of bones of a person for groups of unequal size; and the participation ratio of the people's means,
    (sum of eigenvalues)^2 / sum of their squares.
    """
    person = np.unique(np.asarray(person), return_inverse=True)[1]
    scale = features.std(0)
    frame = pd.DataFrame((features - features.mean(0)) / np.where(scale > 0, scale, 1))
    frame -= frame.groupby(np.asarray(bone)).transform("mean")
    means = frame.groupby(person).mean().to_numpy()
    k, n = len(frame) / len(means), len(means)
    between = k * (means**2).sum() / (n - 1)
    within = ((frame - means[person]) ** 2).to_numpy().sum() / (len(frame) - n)
    rho = max(0.0, (between - within) / (between + (k - 1) * within))
    power = np.linalg.svd(means - means.mean(0), compute_uv=False) ** 2
    return float(rho), float(power.sum() ** 2 / (power**2).sum())
