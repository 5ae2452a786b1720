"""Known of a knee phantom beyond its pixels: masks, and the best that can be reached."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteolib.phantoms.knee.people import LATENTS, simulate
from osteolib.phantoms.settings import phantom_settings
from osteolib.stats.labels import LABELS, label_from_t_score


def read_masks(masks_path: str | Path, image_id: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Truth of one film, each of shape (height, width): bone, and the periarticular region."""
    with np.load(masks_path) as masks:
        bits = masks[image_id]
    return (bits & 1).astype(bool), (bits & 2).astype(bool)


def attainable_auroc(
    acquisition: str = "A",
    positive: tuple[str, ...] = LABELS[1:],
    covariates: bool = False,
    n_subjects: int = 100_000,
    seed: int = 0,
) -> float:
    """The AUROC of P(label | every latent that reaches the pixels): what no model of the films can pass.

    A logistic regression on splines of :data:`LATENTS` and the products of the bone's, fitted on half of the simulated
    people and judged on the other half; nothing is rendered.

    Parameters
    ----------
    positive
        Labels counted as positive: by default osteopenia or osteoporosis.
    covariates
        Give it age, sex and BMI as well, as a model with clinical inputs has.
    """
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, SplineTransformer, StandardScaler

    settings = phantom_settings("knee-phantom")
    people = simulate(settings, n_subjects, acquisition, seed)
    y = label_from_t_score(people.t_score, settings["label_rule"]).isin(positive).to_numpy()
    known = [*LATENTS, *(["age_years", "bmi_kg_m2", "is_woman"] if covariates else [])]
    x = people.assign(is_woman=(people.sex == "F").astype(float))[known]
    flexible = make_column_transformer(
        (SplineTransformer(5, extrapolation="linear"), known[: 6 + 2 * covariates]),
        (make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False)), known),
    )
    model = make_pipeline(flexible, LogisticRegression(C=10, max_iter=300))
    half = n_subjects // 2
    model.fit(x[:half], y[:half])
    return float(roc_auc_score(y[half:], model.predict_proba(x[half:])[:, 1]))
