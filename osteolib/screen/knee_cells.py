"""The recorded cells of the knee chapters: STR-Net on the real knees, and on the phantom, at sizes that take hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from osteolib.cohorts import bone_loss, grouped_folds, load_cohort
from osteolib.phantoms.knee.truth import attainable_auroc
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen.baselines import film_brightness, out_of_fold
from osteolib.screen.given import given
from osteolib.screen.knee_folds import MODULES as TRAINING
from osteolib.screen.knee_folds import Recipe, cross_validate, knee_images
from osteolib.screen.phantom_control import phantom_control
from osteolib.screen.starts import as_started
from osteolib.stats.prediction_metrics import prediction_metrics

METHOD = "STR-Net"
MODULES = {
    "real_folds": (*TRAINING, "osteolib.screen.starts"),
    "phantom": (*TRAINING, "osteolib.screen.phantom_control", "osteolib.screen.baselines",
                "osteolib.phantoms.knee.people", "osteolib.phantoms.knee.film"),
}  # fmt: skip
"""Whose code the predictions of each job depend on, beside that of readers (:mod:`osteolib.screen.given`)."""


def given_real_folds(sizes: Mapping[str, Any], seed: int, **_: Any) -> dict[str, Any]:
    """What :func:`real_folds` trains on, as :func:`osteolib.screen.given.given` tells it."""
    subjects = load_cohort("knee-wani").subjects
    folds = grouped_folds(subjects, bone_loss(subjects["label"]), sizes["n_folds"], seed)
    return given(subjects, lambda some: knee_images(some, sizes["image_size"]), folds)


GIVEN = {"real_folds": given_real_folds}


def real_folds(sizes: Mapping[str, Any], seed: int, initialisation: str = "none") -> Recording:
    """STR-Net on ``knee-wani`` in grouped folds, as the page that trains it live does: each knee scored out of fold."""
    cohort = load_cohort("knee-wani")
    recipe = as_started(_recipe(sizes, seed), initialisation)
    images = knee_images(cohort.subjects, recipe.image_size)
    scores, history, _ = cross_validate(cohort.subjects, images, recipe, sizes["n_folds"], cohort.fingerprint)
    test = scores[scores["part"] == "test"].assign(split="out-of-fold")
    return _recording(
        cohort.subjects, test.assign(method=METHOD), history, recipe, seed, [cohort], {"n_folds": sizes["n_folds"]}
    )


def phantom(sizes: Mapping[str, Any], seed: int) -> Recording:
    """STR-Net on acquisition A of ``knee-phantom``, tested on other people of A and on B."""
    a = load_cohort("knee-phantom", n_subjects=sizes["n_phantoms"], seed=seed)
    b = load_cohort("knee-phantom", n_subjects=sizes["n_phantoms"] // 2, seed=seed + 1, acquisition="B")
    recipe = _recipe(sizes, seed)
    everyone, _, parts, folder = phantom_control(a, b, recipe)
    scores = pd.read_parquet(folder / "scores.parquet").assign(fold=0)
    test = scores[scores["part"] != "validation"].rename(columns={"part": "split"})
    history = pd.read_parquet(folder / "history.parquet").assign(fold=0)
    scores = pd.concat([test.assign(method=METHOD), _brightness(everyone, parts)])
    known = {f"attainable_{name}": attainable_auroc(name, seed=seed) for name in "AB"}
    sizes_too = {"n_phantoms": sizes["n_phantoms"], "n_train": int(parts["train"].sum())} | known
    return _recording(everyone, scores, history, recipe, seed, [a, b], sizes_too)


def _recipe(sizes: Mapping[str, Any], seed: int) -> Recipe:
    return Recipe(backbone=sizes["backbone"], image_size=sizes["image_size"], epochs=sizes["epochs"], seed=seed)


def _brightness(subjects: pd.DataFrame, parts: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """What a regression on whole-film statistics says of the same knees, fitted on those that trained the network."""
    grey, y, fitted = film_brightness(subjects["path"]), bone_loss(subjects["label"]), []
    for part in ("test, A", "external, B"):
        rows = np.flatnonzero(parts["train"] | parts[part])
        held = parts[part][rows]
        score = out_of_fold(grey.iloc[rows], y[rows], held)[held]
        fitted.append(
            pd.DataFrame({"unit_id": subjects["unit_id"].to_numpy()[rows][held], "screen": score, "split": part})
        )
    return pd.concat(fitted).assign(method="whole-film brightness", fold=0)


def _recording(subjects, test, history, recipe: Recipe, seed: int, cohorts: list, more: dict) -> Recording:
    units = test.rename(columns={"t_score": "predicted_t_score"}).merge(subjects, on="unit_id", validate="many_to_one")
    units = units.assign(cohort=cohorts[0].name, seed=seed)
    with_t = units.dropna(subset=["predicted_t_score", "t_score"])
    targets = [
        units.assign(target="bone_loss", y_true=bone_loss(units["label"]), y_score=units["screen"]),
        with_t.assign(target="t_score", y_true=with_t["t_score"], y_score=with_t["predicted_t_score"]),
    ]
    predictions = pd.concat(targets)[[*PREDICTION_COLUMNS, "split_group"]]
    used = {f"{c.name}, {i}" if len(cohorts) > 1 else c.name: {"kind": c.kind, "fingerprint": c.fingerprint}
            for i, c in enumerate(cohorts)}  # fmt: skip
    return Recording(predictions, history, prediction_metrics(predictions), used, asdict(recipe) | more)
