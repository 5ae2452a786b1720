"""The best prediction of a phantom person's T-score: from all that reaches the pixels, and what the network is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from osteolib.phantoms.knee.people import LATENTS, simulate
from osteolib.phantoms.settings import phantom_settings

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def known_of(people: pd.DataFrame) -> pd.DataFrame:
    """:data:`~osteolib.phantoms.knee.people.LATENTS`, age, BMI and sex of people, or of knees, as numbers."""
    told = people[["age_years", "bmi_kg_m2"]].assign(female=people["sex"] == "F")
    return people[list(LATENTS)].join(told).astype(float)


def best_t_score(acquisition: str, n_people: int = 50_000, seed: int = 0) -> Pipeline:
    """Nearly the best prediction of the T-score that an acquisition measures: quadratic in :func:`known_of`.

    Fitted on simulated people that are never rendered; call ``.predict(known_of(people))``.
    """
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    people = simulate(phantom_settings("knee-phantom"), n_people, acquisition, seed)
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), LinearRegression())
    return model.fit(known_of(people), people["t_score"])
