"""What frozen features know, asked with linear models of targets that should be there."""

from __future__ import annotations

import numpy as np
import pandas as pd
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


def what_bones_tell(features: np.ndarray, bones: pd.DataFrame, held: np.ndarray) -> dict[str, float]:
    """Three questions to the features of bones, answered for held-out people by models of the others.

    Parameters
    ----------
    features
        Shape (n, features).
    bones
        A row each: ``subject_id, bone, sex, cortical_percentage``.
    held
        Bones of people who did not train; shape (n,), bool.

    Returns
    -------
    ``which bone`` (accuracy), ``sex`` (AUROC of the vote of a person's bones), ``cortex of M2`` (Pearson's r).
    """
    from sklearn.metrics import roc_auc_score

    name = read_out(features, bones["bone"].to_numpy(str), ~held, held)
    woman = bones["sex"].eq("F").to_numpy(int)
    person = bones["subject_id"].to_numpy()[held]
    votes = pd.Series(read_out(features, woman, ~held, held)).groupby(person).mean()
    truth = pd.Series(woman[held]).groupby(person).first()
    m2, cortex = bones["bone"].eq("M2").to_numpy(), bones["cortical_percentage"].to_numpy(float)
    thickness = read_out(features, cortex, m2 & ~held, m2 & held)
    return {
        "which bone": float((name == bones["bone"].to_numpy(str)[held]).mean()),
        "sex": float(roc_auc_score(truth, votes)),
        "cortex of M2": float(np.corrcoef(thickness, cortex[m2 & held])[0, 1]),
    }
