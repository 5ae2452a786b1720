"""The recorded cells of the hip chapter: the X1AI pipeline on the phantom at 224 pixels, Mask R-CNN on its films."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from osteolib.cohorts import load_cohort
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen.hip_baselines import ridge
from osteolib.screen.hip_created import fit_like
from osteolib.screen.hip_parts import held_out
from osteolib.screen.hip_study import fit_study, study_hips, study_recipe, trained_networks
from osteolib.screen.triplet import HISTORY, N_FEATURES
from osteolib.segment.hip_instances import BITS, hip_halves
from osteolib.segment.hip_judged import judged_hips
from osteolib.segment.mask_rcnn import load_mask_rcnn, sized, trained_mask_rcnn
from osteolib.stats.prediction_metrics import prediction_metrics

PIPELINE, RIDGE = "X1AI-Osteo", "one ridge, 131 numbers"
DETECTOR, METAL = "Mask R-CNN", "metal"
OVERLAP = "IoU, "
"""Before the name of a class: the target whose truth is the overlap and whose score is the detector's."""
NO_FILM = "age, BMI, sex alone"
"""The pipeline behind the network, fitted without the network's features."""
MODULES = {
    "pipeline": (
        "osteolib.screen.hip_study", "osteolib.screen.triplet", "osteolib.screen.x1ai", "osteolib.screen.sub_clusters",
        "osteolib.screen.mlp_search", "osteolib.screen.imputation", "osteolib.screen.hip_baselines",
        "osteolib.screen.hip_created", "osteolib.views.hip_views", "osteolib.phantoms.hip.people",
        "osteolib.phantoms.hip.film", "osteolib.train",
    ),
    "outlines": (
        "osteolib.segment.mask_rcnn", "osteolib.segment.hip_judged", "osteolib.screen.hip_parts",
        "osteolib.phantoms.hip.people", "osteolib.phantoms.hip.film", "osteolib.train",
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


def outlines(sizes: Mapping[str, Any], seed: int, visits: int) -> Recording:
    """Mask R-CNN on the films of ``hip-phantom``, as its page trains it live, shown ``visits`` half films an epoch.

    Predictions are of hips of people held out. For each hip that has a femur (a joint, screws), under ``IoU, femur``
    (``IoU, joint``, ``IoU, screw``): the overlap with the true mask as ``y_true``, 0 where the thing was missed, and
    the detector's score as ``y_score``; a class of which fewer than three were found is left out. Under ``metal``:
    whether there is any, and the higher of its two scores.
    """
    cohort = load_cohort("hip-phantom", preset="chen2024", seed=seed, n_subjects=sizes["n_hip_people"],
                         film_width=sizes["film_width"])  # fmt: skip
    hips, new = cohort.subjects, held_out(cohort.subjects, seed)
    recipe = replace(sized(sizes["film_width"], sizes["backbone"], sizes["mask_epochs"], seed), visits=visits)
    folder = trained_mask_rcnn(hip_halves(cohort, recipe.columns).take(~new), recipe)
    judged = judged_hips(load_mask_rcnn(folder, recipe), hips[new], recipe.columns)
    judged = judged.assign(cohort=cohort.name, split="test", fold=0, seed=seed, method=DETECTOR)
    tables = []
    for name in BITS:
        own = judged[judged[f"there_{name}"].astype(bool)]
        if min(own[column].nunique() for column in (f"iou_{name}", f"score_{name}", "split_group")) > 2:
            overlap, score = own[f"iou_{name}"], own[f"score_{name}"]
            tables.append(own.assign(target=OVERLAP + name, y_true=overlap, y_score=score))
    tables.append(judged.assign(target=METAL, y_true=judged["obstructed"].astype(float),
                                y_score=judged[["score_joint", "score_screw"]].max(axis=1)))  # fmt: skip
    predictions = pd.concat(tables)[[*PREDICTION_COLUMNS, "split_group"]]
    about = asdict(recipe) | {
        "n_phantoms": sizes["n_hip_people"], "film_width": sizes["film_width"], "n_train": int((~new).sum()),
        "n_test": int(new.sum()), "initialisation": "none",
    }  # fmt: skip
    used = {cohort.name: {"kind": cohort.kind, "fingerprint": cohort.fingerprint}}
    history = pd.read_parquet(folder / "history.parquet").assign(fold=0)
    return Recording(predictions, history, prediction_metrics(predictions), used, about)
