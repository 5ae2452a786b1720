"""The hip pipeline when test people stand on both sides of the split: their other hip, or a changed copy of the film.

Network and pipeline are trained again for each leak, on as many hips as before and with the same settings; the hips
that choose the epoch are the honest ones.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.hip_created import Leak, copy_leak, fit_like, predicted_after, sibling_leaks
from osteolib.screen.hip_study import Fitted, StudyHips, StudyRecipe
from osteolib.screen.triplet import N_FEATURES, Hips, read_features, trained_triplet
from osteolib.views.hip_views import augmented, network_input

SIBLINGS, COPIES = "the other hip in training", "a copy of the film in training"


def with_copies(squares: Hips, rows: ArrayLike, degrees: float, seed: int) -> Hips:
    """The squares, and after them one changed copy of each of ``rows``: tilted a little, on black or on white.

    A copy's background is part of it, so that its mask is full.
    """
    rows = np.asarray(rows)
    generator = torch.Generator().manual_seed(seed)
    changed = augmented(*network_input(squares.images[rows], squares.femur[rows]), generator, degrees)
    images = (255 * changed[:, 0]).round().to(torch.uint8).numpy()
    return Hips(
        np.concatenate([squares.images, images]),
        np.concatenate([squares.femur, np.ones(images.shape, bool)]),
        np.concatenate([squares.classes, squares.classes[rows]]),
    )


def leaked_predictions(study: StudyHips, fitted: Fitted, recipe: StudyRecipe) -> pd.DataFrame:
    """Predicted T-scores of the test hips with each leak, routed and filtered as for a new patient.

    Returns
    -------
    Columns :data:`SIBLINGS` and :data:`COPIES`, one row a test hip in the order of ``study.rows("test")``; NaN where a
    person has no other hip in the study.
    """
    train, validation, test = (study.rows(part) for part in ("train", "validation", "test"))
    old = study.rows("train", "validation")
    n = len(study.hips)
    squares = with_copies(study.squares, test, recipe.triplet.degrees, recipe.seed)
    covariates = np.empty((n + len(test), fitted.x_train.shape[1] - N_FEATURES))
    covariates[old] = fitted.x_train[:, N_FEATURES:]
    covariates[test] = covariates[n:] = fitted.x_test[0][:, N_FEATURES:]
    t = study.hips["t_score"].to_numpy(float)
    t = np.concatenate([t, t[test]])
    leaks = {
        SIBLINGS: sibling_leaks(study.hips["subject_id"], study.hips["side"], train, test, recipe.seed),
        COPIES: [copy_leak(train, test, np.arange(n, n + len(test)), recipe.seed)],
    }
    calls = {
        tuple(leak.train): (squares, leak.train, validation, recipe.triplet) for one in leaks.values() for leak in one
    }
    folders = side_by_side(trained_triplet, calls)

    def describe(rows: NDArray) -> NDArray[np.float64]:
        return np.column_stack([read_features(folders[tuple(rows[: len(train)])]), covariates])

    fit = fit_like(fitted.model, recipe.clusters, recipe.search.seed)
    found = {}
    for name, each in leaks.items():
        also = [Leak(np.concatenate([leak.train, validation]), leak.tested) for leak in each]
        found[name] = predicted_after(also, describe, t, fit)[test]
    return pd.DataFrame(found)
