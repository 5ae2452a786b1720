"""The recorded cells of the page on four splits: STR-Net on the films of Stage 1, split one way or another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from osteolib.cohorts import DataNotFound, bone_loss, load_cohort
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen.copies import has_copy
from osteolib.screen.copy_splits import knee_pixels, parts_by, train_under, with_rows
from osteolib.screen.given import given
from osteolib.screen.knee_folds import MODULES as TRAINING
from osteolib.screen.knee_folds import Recipe
from osteolib.screen.starts import as_started
from osteolib.stats.prediction_metrics import prediction_metrics

METHOD = "STR-Net"
MODULES = {
    "one_split": (*TRAINING, "osteolib.screen.starts", "osteolib.screen.copy_splits"),
}
"""Whose code the predictions of each job depend on, beside that of readers (:mod:`osteolib.screen.given`)."""


def given_one_split(sizes: Mapping[str, Any], seed: int, split: str, image_size: int = 224, **_: Any) -> dict[str, Any]:
    """What :func:`one_split` trains on, as :func:`osteolib.screen.given.given` tells it."""
    subjects = stage1_subjects(load_cohort("strnet-stage1"))
    return given(subjects, lambda some: knee_pixels(some, image_size), parts_by(subjects, split, seed))


GIVEN = {"one_split": given_one_split}


def one_split(
    sizes: Mapping[str, Any], seed: int, split: str, initialisation: str = "imagenet", image_size: int = 224,
    epochs: int = 8,
) -> Recording:  # fmt: skip
    """STR-Net on ``strnet-stage1`` under one of :data:`osteolib.screen.copy_splits.SPLITS`: test and validation knees.

    Targets are bone loss, osteoporosis among bone loss (``severity``), and the T-score where a row of ``knee-wani``
    gives it. The split of a prediction is ``test`` or ``validation``.
    """
    cohort, recipe = (
        load_cohort("strnet-stage1"),
        Recipe(sizes["backbone"], image_size=image_size, epochs=epochs, seed=seed),
    )
    return recording(cohort, split, as_started(recipe, initialisation))


def recording(cohort, split: str, recipe: Recipe) -> Recording:
    """Train under one split, or take what was trained, and put test and validation knees into the contract's table."""
    subjects = stage1_subjects(cohort)
    folder = train_under(subjects, split, recipe, cohort.fingerprint)
    history = pd.read_parquet(folder / "history.parquet").assign(fold=0)
    predictions = scored_knees(subjects, split, recipe, pd.read_parquet(folder / "scores.parquet"))
    used = {cohort.name: {"kind": cohort.kind, "fingerprint": cohort.fingerprint}}
    n_train = int(parts_by(subjects, split, recipe.seed)["train"].sum())
    about = asdict(recipe) | {"split": split, "n_train": n_train, "n_groups": subjects["source_group"].nunique()}
    return Recording(predictions, history, prediction_metrics(predictions), used, about)


def stage1_subjects(cohort) -> pd.DataFrame:
    """Its knees, with the rows of ``knee-wani`` for those of its films; where that set is not here nobody has one."""
    try:
        return with_rows(cohort.subjects, load_cohort("knee-wani", cross_class_duplicates="keep").subjects)
    except DataNotFound:
        return cohort.subjects


def scored_knees(subjects: pd.DataFrame, split: str, recipe: Recipe, scores: pd.DataFrame) -> pd.DataFrame:
    """Predictions in the contract's columns, with ``split_group``, and ``copied``: whether training saw the film."""
    train = parts_by(subjects, split, recipe.seed)["train"]
    seen = subjects.assign(copied=has_copy(subjects, train))
    units = scores.rename(columns={"t_score": "predicted_t_score", "part": "split"}).merge(seen, on="unit_id")
    units = units.assign(cohort="strnet-stage1", seed=recipe.seed, fold=0, method=METHOD)
    loss = units[units["label"] != "normal"]
    known = units.dropna(subset=["t_score"])
    targets = [
        units.assign(target="bone_loss", y_true=bone_loss(units["label"]), y_score=units["screen"]),
        loss.assign(target="severity", y_true=(loss["label"] == "osteoporosis").astype(int), y_score=loss["severity"]),
        known.assign(target="t_score", y_true=known["t_score"], y_score=known["predicted_t_score"]),
    ]
    table = pd.concat(targets)
    return table[[*PREDICTION_COLUMNS, "split_group", "copied"]].sort_values(["split", "target"], kind="stable")
