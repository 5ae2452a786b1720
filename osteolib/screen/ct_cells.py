"""The recorded cells of the CT chapter: networks that are told the maker or not, and the paper's two backbones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from osteolib.cohorts import Cohort, load_cohort
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen.ct_devices import CROSSED, PAPER, PRESETS, arms, trained_on
from osteolib.screen.ct_study import CLASS, UNLABELLED, CTStudy, ct_study, dealt_anew, pace, scored_test, trained
from osteolib.screen.moe_training import Recipe
from osteolib.stats.prediction_metrics import prediction_metrics

OSTEOPOROSIS, BMD = "osteoporosis", "bmd"
ENCODER = "resnet18-half"
BACKBONES = {"Swin-T": "swin_t", "ResNet-34": "resnet34", "ResNet-18 of half width": ENCODER}
ABOUT = ("site", "device", "bmd_true_g_cm2")
"""What a record keeps of a test vertebra beside the columns of the contract."""
STUDY = (
    "osteolib.screen.ct_study", "osteolib.screen.ct_images", "osteolib.screen.moe_training", "osteolib.screen.moe",
    "osteolib.phantoms.vertebra.people", "osteolib.phantoms.vertebra.scanner", "osteolib.train",
)  # fmt: skip
MODULES = {"experts": ("osteolib.screen.ct_devices", *STUDY), "backbones": STUDY}
"""Whose code the predictions depend on."""
GIVEN: dict[str, Any] = {}  # nothing comes from outside


def experts(sizes: Mapping[str, Any], seed: int) -> Recording:
    """One head, one head that is told, experts and their two controls, and the first three with makers crossed.

    Predictions are of test vertebrae: the probability of osteoporosis and the BMD that the machine reads, ``split`` the
    arrangement of the makers, and :data:`ABOUT`.
    """
    cohort, study = _study(sizes, seed)
    crossed = dealt_anew(study, PRESETS[CROSSED], seed)
    base = Recipe(ENCODER, epochs=sizes["ct_epochs"], seed=seed, **pace(sizes["ct_epochs"]))
    jobs = {(PAPER, name): (study, recipe) for name, recipe in arms(base).items()}
    jobs |= {(CROSSED, name): (crossed, recipe) for name, recipe in arms(base, controls=False).items()}
    return _recording(sizes, cohort, study, jobs, trained_on(jobs), (OSTEOPOROSIS, BMD))


def backbones(sizes: Mapping[str, Any], seed: int, epochs: int) -> Recording:
    """Swin-T, ResNet-34 and the encoder of the pages, all from random weights and asked for the class alone.

    Predictions as those of :func:`experts`, without the BMD.
    """
    cohort, study = _study(sizes, seed)
    recipes = {name: Recipe(encoder, n_experts=1, loss_weights=CLASS, epochs=epochs, seed=seed, **pace(epochs))
               for name, encoder in BACKBONES.items()}  # fmt: skip
    jobs = {(PAPER, name): (study, recipe) for name, recipe in recipes.items()}
    folders = {(PAPER, name): folder for name, folder in trained(study, recipes).items()}
    return _recording(sizes, cohort, study, jobs, folders, (OSTEOPOROSIS,))


def _study(sizes: Mapping[str, Any], seed: int) -> tuple[Cohort, CTStudy]:
    cohort = load_cohort("vertebra-phantom", n_subjects=sizes["n_ct_study"], seed=seed, preset=PRESETS[PAPER],
                         unlabelled=UNLABELLED)  # fmt: skip
    return cohort, ct_study(cohort)


def _recording(
    sizes: Mapping[str, Any], cohort: Cohort, study: CTStudy, jobs: Mapping[tuple[str, str], tuple[CTStudy, Recipe]],
    folders: Mapping[tuple[str, str], Path], targets: tuple[str, ...],
) -> Recording:  # fmt: skip
    """Of trainings by arrangement and network, each with the study and the recipe that it had."""
    tables, histories = [], []
    for (arrangement, name), folder in folders.items():
        of, recipe = jobs[arrangement, name]
        rows = scored_test(of, folder).assign(
            cohort=cohort.name, split=arrangement, fold=0, seed=recipe.seed, method=name
        )
        known = {OSTEOPOROSIS: ("y", "score"), BMD: ("bmd_g_cm2", "bmd_predicted")}
        tables += [
            rows.assign(target=target, y_true=rows[known[target][0]].astype(float),
                        y_score=rows[known[target][1]].astype(float)) for target in targets
        ]  # fmt: skip
        history = pd.read_parquet(folder / "history.parquet")
        histories.append(history.assign(fold=0, method=name, split=arrangement))
    predictions = pd.concat(tables, ignore_index=True)[[*PREDICTION_COLUMNS, "split_group", *ABOUT]]
    recipe = next(iter(jobs.values()))[1]
    about = {name: value for name, value in asdict(recipe).items() if name not in ("encoder", "n_experts", "start")}
    about |= {
        "encoders": {name: of.encoder for (_, name), (_, of) in jobs.items()}, "image_size": study.key["size"],
        "n_phantoms": sizes["n_ct_study"], "initialisation": "none",
        **{f"n_{part}": int(rows.sum()) for part, rows in study.parts.items()},
    }  # fmt: skip
    used = {cohort.name: {"kind": cohort.kind, "fingerprint": cohort.fingerprint}}
    return Recording(predictions, pd.concat(histories), prediction_metrics(predictions), used, about)
