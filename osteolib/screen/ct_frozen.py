"""A recorded cell: what an encoder that installs knows of vertebrae, beside those that the chapter pre-trains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.cohorts import load_cohort
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.runs.store import artefact
from osteolib.screen.ct_images import vertebra_patch
from osteolib.screen.ct_knows import features_of, what_vertebrae_tell
from osteolib.screen.ct_starts import start_folders
from osteolib.screen.ct_study import UNLABELLED, CTStudy, ct_study
from osteolib.ssl.ct_installed import SHA256, build_installed, embed_cubes, load_installed
from osteolib.stats.prediction_metrics import prediction_metrics

INSTALLED, UNTRAINED = "Astra, installed", "random ResNet-152"
ASKED = ("osteoporosis", "density", "size", "level")
"""The questions of :mod:`osteolib.screen.ct_knows` whose answer has an AUROC or a correlation."""
BATCH = 8
MODULES = {"compared": (
    "osteolib.screen.ct_frozen", "osteolib.screen.ct_knows", "osteolib.screen.ct_starts", "osteolib.screen.ct_study",
    "osteolib.screen.ct_images", "osteolib.ssl.ct_installed", "osteolib.ssl.ct_pretrain",
    "osteolib.phantoms.vertebra.people", "osteolib.phantoms.vertebra.scanner", "osteolib.train",
)}  # fmt: skip
"""Whose code the predictions depend on."""
GIVEN: dict[str, Any] = {}  # nothing comes from outside but weights, which have a hash


def compared(sizes: Mapping[str, Any], seed: int) -> Recording:
    """Straight lines from frozen features to :data:`ASKED`, all on the same training and test vertebrae.

    Readers: the three pre-trained encoders of the chapter and their untrained ones, the mean HU, and in cubes the
    installed encoder and its architecture with random weights.
    """
    cohort = load_cohort("vertebra-phantom", n_subjects=sizes["n_ct_study"], seed=seed, preset="tpswav2025",
                         unlabelled=UNLABELLED)  # fmt: skip
    study = ct_study(cohort)
    cubes = {name: cube_features(study, name, seed) for name in (INSTALLED, UNTRAINED)}  # it may be missing
    folders = start_folders(study, epochs=sizes["ct_ssl_epochs"], seed=seed)
    told = what_vertebrae_tell(features_of(study, folders, seed) | cubes, study).query("question in @ASKED")
    about = study.rows.set_index("unit_id")[["image_id", "split_group"]]
    predictions = told.join(about, on="unit_id").assign(
        cohort=cohort.name, split="test", fold=0, seed=seed, method=told["reader"], target=told["question"],
        y_true=told["truth"].astype(float), y_score=told["answer"].astype(float),
    )[[*PREDICTION_COLUMNS, "split_group"]]  # fmt: skip
    history = pd.concat([
        pd.read_parquet(folder / "history.parquet").assign(fold=0, method=name) for name, folder in folders.items()
    ])  # fmt: skip
    configuration = {
        "n_phantoms": sizes["n_ct_study"], "epochs": sizes["ct_ssl_epochs"], "image_size": study.key["size"],
        "weights": SHA256, **{f"n_{part}": int(rows.sum()) for part, rows in study.parts.items()},
    }  # fmt: skip
    used = {cohort.name: {"kind": cohort.kind, "fingerprint": cohort.fingerprint}}
    return Recording(predictions, history, prediction_metrics(predictions), used, configuration)


def cube_features(study: CTStudy, name: str, seed: int) -> NDArray[np.float32]:
    """Features of the cubes of all labelled vertebrae, (n, 2048), from the store if they are there.

    ``name`` is :data:`INSTALLED` or :data:`UNTRAINED`, the latter with weights drawn from ``seed``.
    """
    rows, size, spacing_mm = study.rows.to_dict("records"), study.key["size"], study.key["spacing_mm"]

    def make(folder: Path) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            encoder = load_installed() if name == INSTALLED else build_installed().eval()
        parts = []
        for k in range(0, len(rows), BATCH):
            cubes = [vertebra_patch(row, size, spacing_mm).voxels for row in rows[k : k + BATCH]]
            parts.append(embed_cubes(encoder, np.stack(cubes).astype(np.float32), spacing_mm))
        np.save(folder / "features.npy", np.concatenate(parts))

    key = {**study.key, "name": name, "seed": seed, "weights": SHA256, "rows": [row["unit_id"] for row in rows]}
    folder = artefact("cube-features", key, ("osteolib.ssl.ct_installed", "osteolib.screen.ct_images"), make)
    return np.load(folder / "features.npy", allow_pickle=False)
