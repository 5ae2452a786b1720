"""Splits of a set that holds its films several times, and STR-Net trained under one of them.

Films are split by image, as STR-Net splits its Stage 1 (Section 2.1), by identical bytes, by picture, or by source
film: the grades of sameness of :mod:`osteolib.cohorts.pictures`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts import bone_loss, grouped_folds
from osteolib.screen.knee_folds import Recipe, knee_images, train_once

SPLITS = {"image": "unit_id", "bytes": "bytes_group", "picture": "picture_group", "film": "source_group"}
"""What may not be torn apart under each split: the column of ``strnet-stage1`` that names it."""


def folds_by(subjects: pd.DataFrame, split: str, n_folds: int, seed: int) -> NDArray[np.int64]:
    """Fold of each knee under one of :data:`SPLITS`, stratified by bone loss; see :func:`grouped_folds`.

    Raises
    ------
    ValueError
        The split is unknown, or a class has fewer groups than there are folds.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    group = subjects[SPLITS[split]]
    return grouped_folds(
        subjects.assign(subject_id=group, split_group=group), bone_loss(subjects["label"]), n_folds, seed
    )


def each_once(subjects: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """One row for each distinct knee (content and box), and which of them each row of ``subjects`` is."""
    knee = subjects[["sha256", "x0", "y0", "x1", "y1"]].astype(str).agg(" ".join, axis=1)
    number, _ = pd.factorize(knee)
    return subjects[~knee.duplicated()], number


def knee_pixels(subjects: pd.DataFrame, size: int) -> NDArray[np.uint8]:
    """Knees prepared as in Section 2.2, shape (n, size, size): each distinct one is read once."""
    distinct, number = each_once(subjects)
    return knee_images(distinct, size)[number]


def with_rows(subjects: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Age, sex, BMI and T-score from ``knee-wani`` for the knees of its own films (Stage 2); NaN for all others.

    ``people`` are knees or films of ``knee-wani``, with ``image_id`` and the four columns. A file that is two of its
    films, whose rows may contradict each other, gets none.
    """
    columns = ["age_years", "sex", "bmi_kg_m2", "t_score"]
    known = people.drop_duplicates("image_id").set_index("image_id")[columns]
    own = subjects["wani_file"] & (subjects["wani_names"] == 1)
    rows = known.reindex(subjects["wani_id"].where(own)).set_index(subjects.index)
    return subjects.assign(**{column: rows[column] for column in columns})


def parts_by(subjects: pd.DataFrame, split: str, seed: int) -> dict[str, NDArray[np.bool_]]:
    """Test, validation and training knees in the paper's shares (224, 226, 1,120): a seventh, a seventh, the rest."""
    fold = folds_by(subjects, split, 7, seed)
    return {"test": fold == 0, "validation": fold == 1, "train": fold > 1}


def train_under(subjects: pd.DataFrame, split: str, recipe: Recipe, fingerprint: str) -> Path:
    """STR-Net trained under one split; the artefact's folder, as :func:`train_once` leaves it."""
    images = knee_pixels(subjects, recipe.image_size)
    parts = parts_by(subjects, split, recipe.seed)
    return train_once(subjects, images, parts, recipe, {"cohort": fingerprint, "split": split})
