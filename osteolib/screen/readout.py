"""What frozen features know, asked with linear models of targets that should be there."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def read_out(features: np.ndarray, target: ArrayLike, train: ArrayLike, ask: ArrayLike) -> np.ndarray:
    """Predictions for the rows ``ask`` of one linear model fitted on the rows ``train``; both boolean, shape (n,).

    Logistic regression (C = 0.01) for text, which gives the most probable word, and for whole numbers 0 and 1, which
    gives the probability of 1; ridge regression with its penalty chosen by leave-one-out for any other number.
    Features are scaled by the training rows.
    """
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    target, train, ask = np.asarray(target), np.asarray(train), np.asarray(ask)
    number = target.dtype.kind == "f"
    model = RidgeCV(np.logspace(0, 5, 11)) if number else LogisticRegression(C=0.01, max_iter=500)
    line = make_pipeline(StandardScaler(), model).fit(features[train], target[train])
    return line.predict_proba(features[ask])[:, 1] if target.dtype.kind in "iu" else line.predict(features[ask])
