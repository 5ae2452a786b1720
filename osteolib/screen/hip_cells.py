"""The recorded cell of the hip chapter: the X1AI pipeline on the phantom at the paper's 224 pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from osteolib.cohorts import load_cohort
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen.hip_baselines import ridge
from osteolib.screen.hip_created import fit_like
from osteolib.screen.hip_study import fit_study, study_hips, study_recipe, trained_networks
from osteolib.screen.triplet import HISTORY, N_FEATURES
from osteolib.stats.prediction_metrics import prediction_metrics

PIPELINE, RIDGE = "X1AI-Osteo", "one ridge, 131 numbers"
NO_FILM = "age, BMI, sex alone"
"""The pipeline behind the network, fitted without the network's features."""
MODULES = {
    "pipeline": (
        "osteolib.screen.hip_study", "osteolib.screen.triplet", "osteolib.screen.x1ai", "osteolib.screen.sub_clusters",
        "osteolib.screen.mlp_search", "osteolib.screen.imputation", "osteolib.screen.hip_baselines",
        "osteolib.screen.hip_created", "osteolib.views.hip_views", "osteolib.phantoms.hip.people",
        "osteolib.phantoms.hip.film", "osteolib.train",
    ),
}  # fmt: skip
"""Whose code the predictions depend on."""
GIVEN: dict[str, Any] = {}  # nothing comes from outside


def pipeline(sizes: Mapping[str, Any], seed: int) -> Recording:
    """The pipeline on ``hip-phantom`` as its page runs it, without the two open networks, and with one imputed table.

    Beside it one ridge regression on the same 131 numbers, and the pipeline without the numbers of the film.
    """
    cohort = load_cohort("hip-phantom", preset="chen2024", seed=seed, n_subjects=sizes["n_hip_people"],
                         film_width=sizes["film_width"])  # fmt: skip
    recipe = study_recipe(sizes["roi_size"], sizes["hip_epochs"], sizes["ga_generations"], 1, seed)
    recipe = replace(recipe, networks=())
    study = study_hips(cohort, recipe.image_size, seed)
    networks = trained_networks(study, recipe)
    fitted = fit_study(study, networks.features, recipe)
    old, new = study.rows("train", "validation"), study.rows("test")
    t, person = study.hips["t_score"].to_numpy(), study.hips["subject_id"].to_numpy()
    (x,) = fitted.x_test
    blind = fit_like(fitted.model, recipe.clusters, seed)(fitted.x_train[:, N_FEATURES:], t[old])
    said = {PIPELINE: fitted.model.predict(x), NO_FILM: blind.predict(x[:, N_FEATURES:])}
    t_scores = {name: answer["t_score"] for name, answer in said.items()}
    t_scores[RIDGE] = ridge(fitted.x_train, t[old], person[old]).predict(x)
    hips = study.hips.iloc[new].assign(cohort=cohort.name, split="test", fold=0, seed=seed)
    tables = [
        hips.assign(method=name, target="osteoporosis", y_true=(hips["t_score"] <= -2.5).astype(float),
                    y_score=np.asarray(answer["score"], float)) for name, answer in said.items()
    ] + [
        hips.assign(method=name, target="t_score", y_true=hips["t_score"], y_score=np.asarray(value, float))
        for name, value in t_scores.items()
    ]  # fmt: skip
    predictions = pd.concat(tables)[[*PREDICTION_COLUMNS, "split_group"]]
    about = {"image_size": recipe.image_size, "epochs": recipe.triplet.epochs, "n_phantoms": sizes["n_hip_people"],
             "film_width": sizes["film_width"], "generations": recipe.search.generations, "n_train": len(old),
             "n_test": len(new), "backbone": "compact CNN", "initialisation": "none"}  # fmt: skip
    used = {cohort.name: {"kind": cohort.kind, "fingerprint": cohort.fingerprint}}
    history = pd.read_parquet(networks.folder / HISTORY).assign(fold=0)
    return Recording(predictions, history, prediction_metrics(predictions), used, about)
