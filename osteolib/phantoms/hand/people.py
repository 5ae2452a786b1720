"""Simulated people and what their hands have of it: hip T-score -> (partly) cortical percentage and density."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.people import sample_people
from osteolib.stats.labels import label_from_t_score

LATENTS = ("density", "cortical_percentage", "bone_scale", "fat_mm", "muscle_scale", "joint_space_mm")
"""Whatever of a person reaches the pixels."""


def simulate(settings: Mapping[str, Any], n: int, seed: int, preset: str | None = None) -> pd.DataFrame:
    """People and the latents of their hands, without a film; one row each. ``settings`` with people filled in."""
    rng = np.random.default_rng([seed, 10])
    if preset:
        people = fill_cells(settings, settings["presets"][preset], rng)
        n = len(people)
    else:
        people = sample_people(settings["people"], n, rng)
    bone, man, bmi = settings["bone"], people.sex == "M", people.bmi_kg_m2 - 27
    z = (people.t_score - bone["t_score_mean"]) / bone["t_score_sd"]
    e = rng.normal(size=(8, n))

    def tied(correlation: float, noise: NDArray) -> pd.Series:
        return correlation * z + np.sqrt(1 - correlation**2) * noise

    cortex, space, height = bone["cortical_percentage"], bone["joint_space_mm"], bone["height_cm"]
    own_cortex = bone["shared"] * e[0] + np.sqrt(1 - bone["shared"] ** 2) * e[1]
    percentage = cortex["mean"] + cortex["sd"] * tied(cortex["t_correlation"], own_cortex)
    tall = np.where(man, height["M"], height["F"]) + height["sd"] * e[2]
    return people.assign(
        density=np.exp(bone["density_sd"] * tied(bone["density_correlation"], e[0])).clip(0.35, 2.0),
        cortical_percentage=percentage.clip(cortex["low"], cortex["high"]),
        height_cm=tall.round(1),
        bone_scale=bone["scale_per_cm"] * tall * np.exp(bone["scale_sd"] * e[3]),
        fat_mm=((2 + 0.08 * bmi).clip(1) * np.where(man, 0.8, 1.1) * np.exp(0.35 * e[4])).clip(0.7, 6),
        muscle_scale=(np.where(man, 1.06, 0.97) + 0.004 * bmi + 0.09 * e[5]).clip(0.7),
        joint_space_mm=(space["mean"] + space["sd"] * e[6]).clip(1.2),
    )


def fill_cells(settings: Mapping[str, Any], cells: Mapping[str, Any], rng: np.random.Generator) -> pd.DataFrame:
    """People of the model in the numbers of a table, by sex and label of the hand rule, in random order."""
    pool = sample_people(settings["people"] | {"women": cells["women"]}, 40_000, rng)
    label = label_from_t_score(pool.t_score, "hand")
    picked = [
        pool[(pool.sex == sex) & (label == name)].head(count)
        for sex in ("F", "M")
        for name, count in cells[sex].items()
    ]
    everyone = pd.concat(picked)
    return everyone.iloc[rng.permutation(len(everyone))].reset_index(drop=True)
