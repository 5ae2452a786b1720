"""The recorded cells of the knee ablations: Table 4 and ten backbones on the films of Stage 1, under one split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.cohorts import Cohort, bone_loss, load_cohort
from osteolib.runs.recorded import Recording
from osteolib.screen.copy_splits import knee_pixels, parts_by
from osteolib.screen.given import given
from osteolib.screen.knee_folds import Recipe
from osteolib.screen.knee_parts import MODULES as TRAINING
from osteolib.screen.knee_parts import OTHERS, Variant, has_head, other_backbone, train_variant, variants
from osteolib.screen.readout import read_out
from osteolib.screen.stage1_cells import scored_knees, stage1_subjects
from osteolib.screen.starts import as_started
from osteolib.stats.prediction_metrics import prediction_metrics

OWN = "EfficientNet-Lite0, ImageNet"
FROZEN = "{}, frozen"
MODULES = dict.fromkeys(("parts", "backbones"), (
    *TRAINING, __name__, "osteolib.screen.stage1_cells", "osteolib.screen.starts", "osteolib.screen.copy_splits",
    "osteolib.screen.readout"))  # fmt: skip
"""Whose code the predictions of each job depend on, beside that of readers (:mod:`osteolib.screen.given`)."""


def given_split(sizes: Mapping[str, Any], seed: int, split: str, image_size: int, **_: Any) -> dict[str, Any]:
    """What a cell trains on, as :func:`osteolib.screen.given.given` tells it."""
    subjects = stage1_subjects(load_cohort("strnet-stage1"))
    return given(subjects, lambda some: knee_pixels(some, image_size), parts_by(subjects, split, seed))


GIVEN = dict.fromkeys(("parts", "backbones"), given_split)


def parts(sizes: Mapping[str, Any], seed: int, split: str, image_size: int, epochs: int) -> Recording:
    """The stages of Table 4 and the released loss, each trained once under a split, from ImageNet if that is here."""
    recipe = as_started(Recipe(sizes["backbone"], image_size=image_size, epochs=epochs, seed=seed), "imagenet")
    return recording(load_cohort("strnet-stage1"), split, recipe, variants())


def backbones(sizes: Mapping[str, Any], seed: int, split: str, image_size: int, epochs: int) -> Recording:
    """Ten backbones from random weights, trained and frozen, beside the one whose ImageNet weights install.

    A backbone that fails is named with its error under ``failed`` of the configuration, and the others stand.
    """
    recipe = as_started(Recipe(sizes["backbone"], image_size=image_size, epochs=epochs, seed=seed), "imagenet")
    nets = {OWN: Variant()} | {name: Variant(backbone=timm) for name, timm in OTHERS.items()}
    return recording(load_cohort("strnet-stage1"), split, recipe, nets, frozen=OTHERS)


def recording(
    cohort: Cohort, split: str, recipe: Recipe, nets: Mapping[str, Variant], frozen: Mapping[str, str] | None = None
) -> Recording:
    """Every network of ``nets`` trained, or taken where it was, and the frozen ones read; test and validation knees."""
    subjects = stage1_subjects(cohort)
    images, rows = knee_pixels(subjects, recipe.image_size), parts_by(subjects, split, recipe.seed)
    tables, histories, failed = [], [], {}
    for name, variant in nets.items():
        own = recipe if not variant.backbone else replace(recipe, initialisation="none")
        try:
            folder = train_variant(subjects, images, rows, own, variant, {"cohort": cohort.fingerprint, "split": split})
        except (RuntimeError, ValueError, FloatingPointError, MemoryError) as error:
            failed[name] = f"{type(error).__name__}: {error}"
            continue
        scores = pd.read_parquet(folder / "scores.parquet")
        said = scored_knees(subjects, split, own, scores).assign(method=name)
        tables.append(said[[has_head(variant, target) for target in said["target"]]])
        histories.append(pd.read_parquet(folder / "history.parquet").assign(method=name, fold=0))
    for name, timm in (frozen or {}).items():
        scores = frozen_scores(timm, images, subjects, rows, recipe.seed)
        said = scored_knees(subjects, split, recipe, scores).assign(method=FROZEN.format(name))
        tables.append(said[said["target"] == "bone_loss"])
    if not tables:
        raise RuntimeError(f"no network could be trained: {failed}")
    predictions = pd.concat(tables)
    about = asdict(recipe) | {"split": split, "n_train": int(rows["train"].sum()), "failed": failed}
    used = {cohort.name: {"kind": cohort.kind, "fingerprint": cohort.fingerprint}}
    return Recording(predictions, pd.concat(histories), prediction_metrics(predictions), used, about)


def frozen_scores(
    timm: str, images: NDArray[np.uint8], subjects: pd.DataFrame, rows: Mapping[str, NDArray[np.bool_]], seed: int
) -> pd.DataFrame:
    """Bone loss by a logistic regression on the features of a backbone with random weights, of knees not trained on."""
    torch.manual_seed(seed)
    model, _ = other_backbone(timm, images.shape[1])
    distinct, number = np.unique(images.reshape(len(images), -1), axis=0, return_inverse=True)
    pixels = torch.from_numpy(distinct.reshape(-1, 1, *images.shape[1:])).float() / 127.5 - 1
    with torch.inference_mode():
        features = torch.cat([model.eval()(batch) for batch in pixels.split(32)]).numpy()[number]
    told = read_out(features, bone_loss(subjects["label"]).astype(int), rows["train"], ~rows["train"])
    scores = subjects.loc[~rows["train"], ["unit_id"]].assign(screen=told, severity=np.nan, t_score=np.nan)
    return scores.assign(part=np.where(rows["test"], "test", "validation")[~rows["train"]]).reset_index(drop=True)
