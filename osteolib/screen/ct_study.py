"""The study of tpswav2025_ct on simulated vertebrae: who is learned from, what is trained, in the paper's arrangement.

One cohort carries it. Vertebrae without DXA pre-train an encoder, labelled ones of the same hospitals train heads, and
the labelled ones of test patients, of A to C and of the external D, are scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts import Cohort
from osteolib.phantoms.settings import phantom_settings
from osteolib.phantoms.vertebra.people import read_again
from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.ct_images import vertebra_images
from osteolib.screen.moe_training import Recipe, train_once
from osteolib.stats.labels import label_from_t_score

SIZE, SPACING_MM = 48, 1.5
"""A patch of 72 mm, every voxel as the scan has it."""
UNLABELLED = 0.28
"""Share of the paper's vertebrae without DXA: about as many as there are with one."""
PARTS = {"train": "train", "validation": "valid", "test": "test"}
CLASS = (1.0, 0.0, 0.0)
"""Weights of the loss that the paper's baselines have: the class alone."""
FULL_EPOCHS, FAST = 400, {"lr": 1e-3, "warmup": 2}
"""As many epochs as the paper's; and what fewer have in place of 1e-5 after a warm-up of 150."""


@dataclass(frozen=True, eq=False)
class CTStudy:
    """Labelled vertebrae as a network sees them, and which of them train.

    Attributes
    ----------
    rows
        One per labelled vertebra, as the cohort has it.
    images
        Shape (n, 3, size, size), uint8: axial, coronal and sagittal plane (2.5-D).
    parts
        ``train``, ``validation`` and ``test``: bool, shape (n,) each; patients lie in one.
    without
        Rows of vertebrae without DXA whose patients are in ``train``: what an encoder may be pre-trained on.
    key
        What names the content.
    """

    rows: pd.DataFrame
    images: NDArray[np.uint8]
    parts: Mapping[str, NDArray[np.bool_]]
    without: pd.DataFrame
    key: Mapping[str, Any]


def pace(epochs: int) -> dict[str, Any]:
    """Rate and warm-up of a :class:`Recipe`: the paper's where epochs are as many as it has, else :data:`FAST`."""
    return {} if epochs >= FULL_EPOCHS else FAST


def ct_study(cohort: Cohort, size: int = SIZE, spacing_mm: float = SPACING_MM) -> CTStudy:
    """Pictures and parts of a ``vertebra-phantom``.

    Raises
    ------
    ValueError
        A part has no labelled vertebra, or those that train are all of one class.
    """
    labelled = cohort.subjects["labelled"].astype(bool)
    rows = cohort.subjects[labelled].reset_index(drop=True)
    parts = {name: (rows["split"] == split).to_numpy() for name, split in PARTS.items()}
    if empty := [name for name, part in parts.items() if not part.any()]:
        raise ValueError(f"no labelled vertebra in {', '.join(empty)} of {len(rows)}: ask for more people (n_subjects)")
    if rows["label"].eq("osteoporosis")[parts["train"]].nunique() < 2:
        raise ValueError("the vertebrae of train are all of one class: ask for more people (n_subjects)")
    key = {"cohort": cohort.fingerprint}
    images = vertebra_images(rows, size, spacing_mm, key=key)
    without = cohort.subjects[~labelled & cohort.subjects["split"].eq("train")].reset_index(drop=True)
    return CTStudy(rows, images, parts, without, key | {"size": size, "spacing_mm": spacing_mm})


def dealt_anew(study: CTStudy, preset: str, seed: int) -> CTStudy:
    """The same people, scans and parts, read by the DXA machines of another preset; see :func:`read_again`."""
    rows = read_again(phantom_settings("vertebra-phantom"), study.rows, preset, seed)
    rows["label"] = label_from_t_score(rows["t_score"], "who")
    return replace(study, rows=rows, key={**study.key, "dealt": preset, "deal": seed})


def trained(study: CTStudy, recipes: Mapping[str, Recipe]) -> dict[str, Path]:
    """The artefact of each recipe (:func:`osteolib.screen.moe_training.train_once`), trained side by side."""
    given = study.rows, study.images, study.parts
    return side_by_side(train_once, {name: (*given, recipe, study.key) for name, recipe in recipes.items()})


def scored_test(study: CTStudy, folder: Path) -> pd.DataFrame:
    """Test vertebrae with what a network says of them.

    Returns
    -------
    Columns of the study's rows; ``y`` (0 or 1), ``score`` (probability of osteoporosis), ``bmd_predicted``,
    ``level_predicted``, ``told`` and ``gate_1`` ...
    """
    scores = pd.read_parquet(folder / "scores.parquet").query("part == 'test'").drop(columns="part")
    scores = scores.rename(
        columns={"osteoporosis": "score", "bmd_g_cm2": "bmd_predicted", "level": "level_predicted"}
    )  # fmt: skip
    rows = study.rows[study.parts["test"]].merge(scores, on="unit_id", validate="one_to_one")
    return rows.assign(y=rows["label"].eq("osteoporosis").astype(int))
