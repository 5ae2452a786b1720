"""Simulated people and what their knees have of it: T-score -> (partly) density and cortex of the knee."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.people import sample_people

LATENTS = ("density", "cortical_thickness_mm", "bone_scale", "fat_mm", "muscle_scale", "joint_space_mm")
"""Whatever of a person reaches the pixels."""


def simulate(settings: Mapping[str, Any], n: int, acquisition: str, seed: int) -> pd.DataFrame:
    """People and the latents of their knees, without a film; one row each."""
    rng = np.random.default_rng([seed, ord(acquisition), 0])
    people = sample_people(settings["people"], n, rng)
    bone, label = settings["bone"], settings["labels"][acquisition]
    z = (people.t_score - bone["t_score_mean"]) / bone["t_score_sd"]
    e = rng.normal(size=(8, n))

    def tied(correlation: float, noise: NDArray) -> pd.Series:
        return correlation * z + np.sqrt(1 - correlation**2) * noise

    man, bmi = people.sex == "M", people.bmi_kg_m2 - 27
    own_cortex = bone["shared"] * e[0] + np.sqrt(1 - bone["shared"] ** 2) * e[1]
    cortex, space, scale = bone["cortical_thickness_mm"], bone["joint_space_mm"], bone["scale"]
    method_t = bone["t_score_mean"] + bone["t_score_sd"] * tied(label["t_correlation"], e[2])
    fat = (9 + 0.55 * bmi).clip(4) * np.where(man, 0.75, 1.15)  # mm beside the knee; assumption
    return people.assign(
        hip_t_score=people.t_score,
        t_score=method_t.clip(-6, 5).round(2),
        density=np.exp(bone["density_sd"] * tied(bone["density_correlation"], e[0])).clip(0.35, 2.0),
        cortical_thickness_mm=(cortex["mean"] + cortex["sd"] * tied(bone["cortex_correlation"], own_cortex)).clip(1.8),
        bone_scale=np.where(man, scale["M"], scale["F"]) + scale["sd"] * e[3],
        fat_mm=(fat * np.exp(0.45 * e[4])).clip(2, 32),
        muscle_scale=(1 + 0.006 * bmi + 0.07 * e[5]).clip(0.75),
        joint_space_mm=(space["mean"] + space["sd"] * e[6]).clip(1.5),
    )
