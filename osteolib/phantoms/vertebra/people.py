"""Simulated people with CT and DXA of the spine: hospitals, vertebrae, true BMD, what a maker's DXA reads of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.vertebra.hospitals import patients_of

LATENTS = ("spongy_mg_cm3", "cortex_mm", "marrow_fat", "scale", "level_number")
"""Whatever of a vertebra reaches the pixels, beside how it was scanned; its level is seen on them, too."""


def simulate(settings: Mapping[str, Any], n: int | None, seed: int, preset: str | None = None) -> pd.DataFrame:
    """People and the latents of their vertebrae, without a picture; one row per vertebra on the CT.

    Parameters
    ----------
    settings
        Those of ``vertebra-phantom.yaml``.
    n
        People; None: as many as the paper has (3,897).
    preset
        One of ``settings["presets"]``; None is ``"default"``.

    Returns
    -------
    ``bmd_true_g_cm2`` (standardised) and ``t_score_true`` of every vertebra; ``bmd_g_cm2`` and ``t_score`` as the DXA
    of the person's hospital reads them, missing where ``labelled`` is False; :data:`LATENTS`.
    """
    rng = np.random.default_rng([seed, 30])
    ill = partial(chance_of_osteoporosis, settings)
    people = patients_of(settings, n, preset or "default", rng, ill)
    people = people.assign(
        subject_id=[f"V{k:05d}" for k in range(len(people))], **_bones_of_people(settings, people, rng)
    )
    rows = people.loc[people.index.repeat(people.level_names.str.len())].reset_index(drop=True)
    rows["level"] = np.concatenate(people.level_names.to_numpy())
    rows["labelled"] = np.concatenate(people.level_labelled.to_numpy())
    rows = _vertebrae(settings, rows, rng).drop(columns=["level_names", "level_labelled"])
    return rows.assign(image_id=rows.subject_id.str.cat(rows.level, sep="-"))


def read_again(settings: Mapping[str, Any], vertebrae: pd.DataFrame, preset: str, seed: int) -> pd.DataFrame:
    """The same people and scans with their DXA dealt anew, by the hospitals' machines of another preset.

    Each hospital spreads its makers evenly over its patients, and a reading errs as before, anew. What a CT shows does
    not change, so that two presets can be compared on the same pictures.

    Returns
    -------
    ``vertebrae`` with another ``device, bmd_g_cm2, t_score``.
    """
    rng, dxa, rule = np.random.default_rng([seed, 33]), settings["dxa"], settings["presets"][preset]["devices"]
    people = vertebrae.drop_duplicates("subject_id").set_index("subject_id")[["site"]]
    for site, here in people.groupby("site"):
        makers = list(dxa["makers"]) if rule == "crossed" else rule[site]
        people.loc[here.index, "device"] = rng.permutation(np.resize(makers, len(here)))
    people["error"] = dxa["person_cv"] * rng.normal(size=len(people))
    own = people.loc[vertebrae.subject_id].reset_index(drop=True)
    rows = vertebrae.reset_index(drop=True).assign(device=own.device)
    seen = rows.bmd_true_g_cm2 * (1 + own.error + dxa["vertebra_cv"] * rng.normal(size=len(rows)))
    for maker, about in dxa["makers"].items():
        here = (rows.device == maker) & rows.labelled
        bmd = as_read(about, dxa["anchor"], seen[here])
        rows.loc[here, "bmd_g_cm2"] = bmd.clip(0.15, 2.5).round(4)
        rows.loc[here, "t_score"] = t_score_of(settings, maker, rows.level[here], bmd).clip(-7, 7).round(2)
    return rows


def standardised(maker: Mapping[str, Any], anchor: float, bmd: ArrayLike) -> NDArray:
    """sBMD of a maker's reading, both in g/cm2: the line of Hui et al."""
    return anchor + maker["slope"] * (np.asarray(bmd, float) - maker["at"])


def as_read(maker: Mapping[str, Any], anchor: float, sbmd: ArrayLike) -> NDArray:
    """What a maker's machine reads of an sBMD, both in g/cm2: the inverse of :func:`standardised`."""
    return maker["at"] + (np.asarray(sbmd, float) - anchor) / maker["slope"]


def t_score_of(settings: Mapping[str, Any], maker: str, level: ArrayLike, bmd: ArrayLike) -> NDArray:
    """T-score of a reading (g/cm2) against the maker's young women at that level.

    A maker prints a reference for L1 to L4 together; at one level mean (as sBMD) and SD are multiplied by ``areal``.
    """
    dxa = settings["dxa"]
    about, share = dxa["makers"][maker], _by_level(settings, level, "areal")
    mean = as_read(about, dxa["anchor"], share * standardised(about, dxa["anchor"], about["reference"]["mean"]))
    return (np.asarray(bmd, float) - mean) / (about["reference"]["sd"] * share)


def sbmd_of_person(settings: Mapping[str, Any], t_score: ArrayLike) -> NDArray:
    """sBMD of L1 to L4 in g/cm2 of people whose T-score is that of NHANES, Hologic's."""
    hologic = settings["dxa"]["makers"]["Hologic"]
    bmd = hologic["reference"]["mean"] + hologic["reference"]["sd"] * np.asarray(t_score, float)
    return standardised(hologic, settings["dxa"]["anchor"], bmd)


def chance_of_osteoporosis(settings: Mapping[str, Any], t_score: ArrayLike, maker: str) -> NDArray:
    """Probability that a vertebra of a person with this T-score is read at -2.5 or below by a maker's machine."""
    from scipy.stats import norm

    dxa, own = settings["dxa"], sbmd_of_person(settings, t_score)
    about = dxa["makers"][maker]
    spread = np.sqrt(settings["bone"]["vertebra"]["areal_cv"] ** 2 + dxa["person_cv"] ** 2 + dxa["vertebra_cv"] ** 2)
    mean = (own - standardised(about, dxa["anchor"], about["reference"]["mean"])) / about["slope"]
    sd = spread * own / about["slope"]
    return norm.cdf((-2.5 * about["reference"]["sd"] - mean) / sd)


def _bones_of_people(settings: Mapping[str, Any], people: pd.DataFrame, rng: np.random.Generator) -> dict[str, NDArray]:
    """What all vertebrae of a person share: residuals of density and cortex, marrow, size, and the error of its DXA."""
    bone, dxa, e = settings["bone"], settings["dxa"], rng.normal(size=(6, len(people)))
    z = (people.t_score - bone["t_mean"]) / bone["t_sd"]
    fat, scale = bone["marrow_fat"], bone["scale"]
    marrow = fat["at_60"] + fat["per_year"] * (people.age_years - 60) + fat["per_z"] * z + fat["sd"] * e[0]
    shared = bone["cortex_mm"]["shared"]
    machines = people.site.str.cat(people.device, sep=" ")
    names, of = np.unique(machines, return_inverse=True)
    own = rng.normal(size=(3, len(names))) * [[dxa["machine"][key]] for key in
                                              ("gain_sd", "offset_sd_g_cm2", "drift_sd_per_year")]  # fmt: skip
    years = rng.uniform(0, dxa["years"], len(people))
    return {
        "person_t": people.t_score.to_numpy(), "dxa_year": years.round(2),
        "spongy_own": e[1], "cortex_own": shared * e[1] + np.sqrt(1 - shared**2) * e[2],
        "marrow_fat": marrow.clip(fat["low"], fat["high"]).to_numpy(),
        "scale": np.where(people.sex == "M", scale["M"], scale["F"]) + scale["sd"] * e[3],
        "dxa_gain": dxa["person_cv"] * e[4] + own[0][of] + own[2][of] * (years - dxa["years"] / 2),
        "dxa_offset": own[1][of],
    }  # fmt: skip


def _vertebrae(settings: Mapping[str, Any], rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Truth and reading of each vertebra."""
    bone, dxa, n = settings["bone"], settings["dxa"], len(rows)
    e = rng.normal(size=(4, n))
    share = _by_level(settings, rows.level, "areal")
    true = sbmd_of_person(settings, rows.person_t) * share * (1 + bone["vertebra"]["areal_cv"] * e[0])
    hologic = dxa["makers"]["Hologic"]
    t_true = t_score_of(settings, "Hologic", rows.level, as_read(hologic, dxa["anchor"], true))
    z, spongy, cortex = (t_true - bone["t_mean"]) / bone["t_sd"], bone["spongy"], bone["cortex_mm"]
    r, r_cortex = spongy["t_correlation"], cortex["t_correlation"]
    log_density = spongy["log_sd"] * (r * z + np.sqrt(1 - r**2) * rows.spongy_own)
    log_density += bone["vertebra"]["spongy_log_sd"] * e[1]
    log_cortex = cortex["log_sd"] * (r_cortex * z + np.sqrt(1 - r_cortex**2) * rows.cortex_own)
    seen = true * (1 + rows.dxa_gain + dxa["vertebra_cv"] * e[2])
    reading, t_score = np.full(n, np.nan), np.full(n, np.nan)
    for maker, about in dxa["makers"].items():
        here = ((rows.device == maker) & rows.labelled).to_numpy()
        bmd = as_read(about, dxa["anchor"], seen[here]) + rows.dxa_offset[here]
        reading[here], t_score[here] = bmd, t_score_of(settings, maker, rows.level[here], bmd)
    density = spongy["at_mean_mg_cm3"] * _by_level(settings, rows.level, "spongy") * np.exp(log_density)
    return rows.drop(columns=["spongy_own", "cortex_own", "dxa_gain", "dxa_offset", "person_t"]).assign(
        bmd_true_g_cm2=true.clip(0.15, 2.5).round(4), t_score_true=t_true.round(3),
        bmd_g_cm2=reading.clip(0.15, 2.5).round(4), t_score=t_score.clip(-7, 7).round(2),
        level_number=[list(settings["levels"]).index(v) + 1 for v in rows.level],
        spongy_mg_cm3=density.clip(15, 420),
        cortex_mm=(cortex["mean"] * np.exp(log_cortex)).clip(0.15, 1.2), scale=rows.scale.clip(0.75, 1.3),
    )  # fmt: skip


def _by_level(settings: Mapping[str, Any], level: ArrayLike, name: str) -> NDArray:
    return (
        pd.Series(np.atleast_1d(level)).map({key: value[name] for key, value in settings["levels"].items()}).to_numpy()
    )
