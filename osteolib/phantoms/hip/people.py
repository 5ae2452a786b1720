"""Simulated people of 50 and more and what their hips are made of: BMD of the neck -> density and cortex.

A film and a DXA scan see the same bone, so that mineral is not tied to BMD by a correlation but by a sum: what the
cortex does not give of the neck's true BMD, spongy bone gives. Size, joint space and the turn of the leg
are drawn apart from it, soft tissue after BMI and sex. The printed T-score is that of one scan, with the error of a
repeat scan, to one decimal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hip.joint import SITES, sample_hips

LATENTS = (
    "density", "cortical_thickness_mm", "bone_scale", "fat_mm", "muscle_scale", "joint_space_mm", "rotation_deg",
)  # fmt: skip
"""Whatever of a hip reaches the pixels."""
BMD = {"neck": "bmd_neck_g_cm2", "total": "bmd_total_hip_g_cm2"}


def simulate(settings: Mapping[str, Any], n: int, seed: int, preset: str | None = None) -> pd.DataFrame:
    """People and the latents of their hips, without a film; one row per hip, the right and the left of each person.

    Parameters
    ----------
    settings
        Those of ``hip-phantom``.
    n
        People; twice as many rows.
    preset
        One of ``settings["presets"]``: other people, the same bone.

    Returns
    -------
    ``side, sex, age_years, bmi_kg_m2``; of one DXA scan ``t_score_neck, t_score_total`` (one decimal), ``t_score`` (the
    lower) with its ``t_score_site`` and ``bmd_g_cm2``, ``bmd_neck_g_cm2, bmd_total_hip_g_cm2``; the truth behind it,
    ``t_score_neck_true, t_score_total_true``; and :data:`LATENTS`.

    Raises
    ------
    ValueError
        There is no such preset.
    """
    presets = settings["presets"]
    if preset not in (None, *presets):
        raise ValueError(f"preset must be one of {', '.join(presets)}, or None: {preset!r}")
    rng = np.random.default_rng([seed, 30])
    people = sample_hips(presets[preset] if preset else settings["people"], settings["sides"], n, rng)
    hips = people.loc[people.index.repeat(2), ["sex", "age_years", "bmi_kg_m2"]].reset_index(drop=True)
    hips.insert(0, "side", np.tile(["right", "left"], n))
    for site in SITES:
        true = people[[f"{site}_right", f"{site}_left"]].to_numpy().ravel().clip(-5.8, 5)
        hips[f"t_score_{site}_true"] = true
        hips[f"t_score_{site}"], hips[BMD[site]] = scan(settings, site, true, rng)
    neck_lower = hips.t_score_neck <= hips.t_score_total
    hips = hips.assign(
        t_score=hips[["t_score_neck", "t_score_total"]].min(axis=1),
        t_score_site=np.where(neck_lower, "femoral neck", "total hip"),
        bmd_g_cm2=hips[BMD["neck"]].where(neck_lower, hips[BMD["total"]]),
    )
    return hips.assign(**latents(settings, hips, rng))


def scan(
    settings: Mapping[str, Any], site: str, true_t_score: NDArray, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """One DXA scan of ``site`` (neck or total): T-scores as printed, to one decimal, and BMD in g/cm2."""
    reference, error = settings["reference"][site], settings["repeat_scan_cv"][site]
    bmd = reference["mean"] + reference["sd"] * np.asarray(true_t_score)
    bmd = bmd * (1 + error * rng.normal(size=bmd.shape))
    t_score = ((bmd - reference["mean"]) / reference["sd"]).round(1)
    return t_score + 0.0, bmd.round(4)  # no minus zero


def latents(settings: Mapping[str, Any], hips: pd.DataFrame, rng: np.random.Generator) -> dict[str, NDArray]:
    """:data:`LATENTS` of hips in pairs, from their true T-scores, sex and BMI."""
    bone, flesh, n = settings["bone"], settings["flesh"], len(hips) // 2

    def drawn(about: Mapping[str, float]) -> NDArray:
        """Of a person and, where ``side_sd`` is given, of each side: mean 0."""
        both = np.repeat(rng.normal(0, about["sd"], n), 2)
        return both + rng.normal(0, about.get("side_sd", 0), 2 * n)

    man, bmi = (hips.sex == "M").to_numpy(), hips.bmi_kg_m2.to_numpy() - 27
    cortex, space, turn = bone["cortical_thickness_mm"], bone["joint_space_mm"], bone["rotation_deg"]
    size = np.where(man, bone["scale"]["M"], bone["scale"]["F"]) + drawn(bone["scale"])
    thickness = cortex["mean"] + cortex["per_t"] * hips.t_score_total_true.to_numpy() + drawn(cortex)
    thickness = thickness.clip(cortex["low"], cortex["high"])
    reference = settings["reference"]["neck"]
    bmd = reference["mean"] + reference["sd"] * hips.t_score_neck_true.to_numpy()
    density = density_of(bone["neck_mm"], bmd, thickness, size).clip(bone["density"]["low"], bone["density"]["high"])
    fat = (flesh["fat_mm"] + flesh["fat_per_bmi"] * bmi).clip(5) * np.where(man, 0.85, 1.1)
    return {
        "density": density,
        # where there is no room for less spongy bone, the cortex gives way
        "cortical_thickness_mm": thickness_of(bone["neck_mm"], bmd, density, size),
        "bone_scale": size,
        "fat_mm": (fat * np.exp(drawn({"sd": flesh["fat_sd"]}))).clip(4, 70),
        "muscle_scale": (1 + flesh["muscle_per_bmi"] * bmi + drawn({"sd": flesh["muscle_sd"]})).clip(0.75),
        "joint_space_mm": (space["mean"] + drawn(space)).clip(1.2),
        "rotation_deg": (turn["mean"] + drawn(turn)).clip(turn["low"], turn["high"]),
    }


def neck_bmd(law: Mapping[str, Any], density: NDArray, thickness_mm: NDArray, size: NDArray) -> NDArray:
    """True BMD of the neck in g/cm2, from what it is made of.

        BMD = g s (c0 + c1 density + c2 t + c3 density t),   t = cortical thickness / s

    with s the size of the bone: the mean path through mineral in DXA's region of the neck as it is drawn, in mm of
    cortical bone, times g, the grams per cm2 in a millimetre of it.
    """
    c0, c1, c2, c3 = law["of"]
    t = thickness_mm / size
    return law["g_cm2_per_mm"] * size * (c0 + c1 * density + c2 * t + c3 * density * t)


def density_of(law: Mapping[str, Any], bmd: NDArray, thickness_mm: NDArray, size: NDArray) -> NDArray:
    """Density at which :func:`neck_bmd` is ``bmd``."""
    c0, c1, c2, c3 = law["of"]
    t = thickness_mm / size
    return (bmd / (law["g_cm2_per_mm"] * size) - c0 - c2 * t) / (c1 + c3 * t)


def thickness_of(law: Mapping[str, Any], bmd: NDArray, density: NDArray, size: NDArray) -> NDArray:
    """Cortical thickness in mm at which :func:`neck_bmd` is ``bmd``."""
    c0, c1, c2, c3 = law["of"]
    return size * (bmd / (law["g_cm2_per_mm"] * size) - c0 - c1 * density) / (c2 + c3 * density)
