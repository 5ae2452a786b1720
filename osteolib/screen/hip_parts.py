"""Who takes part in the hip study, and who is held out of it and of the detector that outlines its hips."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts import grouped_folds
from osteolib.cohorts.duplicates import join_groups
from osteolib.screen.sub_clusters import CLASS_CUT

FOLDS = 6
"""One sixth of the people to test (the paper: 300 of 1730), one sixth to choose the epoch, the others to train."""


def taking_part(subjects: pd.DataFrame) -> pd.DataFrame:
    """Hips without an obstacle and with a T-score, numbered from 0.

    Raises
    ------
    ValueError
        None is left.
    """
    able = ~subjects["obstructed"].astype(bool) & subjects["t_score"].notna()
    if not able.any():
        raise ValueError(f"of {len(subjects)} hips none is without an obstacle and with a T-score: nothing to train on")
    return subjects[able].reset_index(drop=True)


def parts_of(hips: pd.DataFrame, seed: int) -> pd.Series:
    """Part of each hip, by person (and duplicate group), stratified by osteoporosis of the hip."""
    fold = grouped_folds(hips, hips["t_score"] <= CLASS_CUT, FOLDS, seed)
    return pd.Series(np.where(fold == 0, "test", np.where(fold == 1, "validation", "train")), hips.index, name="part")


def held_out(subjects: pd.DataFrame, seed: int) -> NDArray[np.bool_]:
    """Which rows of a cohort, hips with metal among them, no detector may be trained on: a third of the people.

    They are those of the study's test and validation (:func:`parts_of`), so that the test hips of the pipeline are new
    to whatever outlines them; of people none of whose hips takes part, a third by chance. Whoever shares a
    ``subject_id`` or a ``split_group`` stays together.
    """
    group = join_groups(subjects["subject_id"], subjects["split_group"])
    hips = taking_part(subjects.reset_index(drop=True).assign(group=group))
    inside = set(hips["group"])
    held = set(hips.loc[parts_of(hips, seed) != "train", "group"])
    others = [one for one in pd.unique(group) if one not in inside]
    held |= {
        one for one, draw in zip(others, np.random.default_rng(seed).random(len(others)), strict=True) if draw < 1 / 3
    }
    return np.isin(group, list(held))
