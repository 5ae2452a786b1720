"""Known of a hip phantom beyond its pixels: masks, and the best that can be reached."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hip.joint import SITES
from osteolib.phantoms.hip.people import LATENTS, neck_bmd, scan, simulate
from osteolib.phantoms.settings import phantom_settings
from osteolib.stats.labels import label_from_t_score

FEMUR, JOINT, SCREW, NECK, PELVIS = 1, 2, 4, 8, 16
"""Bits of a mask: femur; artificial joint (stem, head, cup); screws, nails, plates; DXA's femoral neck; pelvis."""


def read_masks(masks_path: str | Path, image_id: str) -> NDArray[np.uint8]:
    """Truth of one film, shape (height, width): the bits :data:`FEMUR` to :data:`PELVIS`.

    The two femurs lie in the two halves of the film.
    """
    with np.load(masks_path) as masks:
        return masks[image_id]


def known_of(hips: pd.DataFrame, covariates: bool = False) -> pd.DataFrame:
    """What a perfect reader of the films would know of each hip, and with ``covariates`` age, sex and BMI.

    LATENTS, log density in the place of density, and the BMD of the neck that they make.
    """
    law, columns = phantom_settings("hip-phantom")["bone"]["neck_mm"], [*LATENTS]
    known = hips[columns].assign(
        density=np.log(hips.density),
        neck=neck_bmd(law, hips.density.to_numpy(), hips.cortical_thickness_mm.to_numpy(), hips.bone_scale.to_numpy()),
    )
    if covariates:
        known = known.assign(age=hips.age_years, log_bmi=np.log(hips.bmi_kg_m2), woman=hips.sex.eq("F").astype(float))
    return known


def attainable(
    preset: str | None = None, covariates: bool = False, n_subjects: int = 50_000, seed: int = 0
) -> dict[str, float]:
    """The best that any model of the films can reach, by hip: it knows every latent that reaches the pixels.

    The T-score by least squares, P(osteoporosis) by logistic regression, both on cubic polynomials of
    :func:`known_of`, fitted on half of the simulated people and judged on the other half; nothing is rendered.
    A bound from above: a drawn bone is uneven from place to place, which its latents do not say.

    Parameters
    ----------
    covariates
        Give it age, sex and BMI as well.

    Returns
    -------
    ``auroc``; ``r``, ``mae`` and ``sd`` of the differences between predicted and printed T-scores; and ``scan_r`` and
    ``scan_sd``, those of a second DXA scan of the same hip against the first.
    """
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    settings = phantom_settings("hip-phantom")
    hips = simulate(settings, n_subjects, seed, preset)
    y = label_from_t_score(hips.t_score, settings["label_rule"]).eq("osteoporosis").to_numpy()
    # joint space and turn are drawn apart from bone; fat and muscle tell BMI, which T follows, but to whoever knows the
    # bone itself that adds nothing: r changes by 0.0001 or less
    x = known_of(hips, covariates).drop(columns=["fat_mm", "muscle_scale", "joint_space_mm", "rotation_deg"])
    half = 2 * (n_subjects // 2)  # both hips of a person together
    terms = make_pipeline(StandardScaler(), PolynomialFeatures(3, include_bias=False), StandardScaler()).fit(x[:half])
    seen, new = terms.transform(x[:half]), terms.transform(x[half:])
    t_score = hips.t_score.to_numpy()
    predicted = LinearRegression().fit(seen, t_score[:half]).predict(new)
    chance = LogisticRegression(C=10, max_iter=500).fit(seen, y[:half]).predict_proba(new)[:, 1]
    rng = np.random.default_rng([seed, 33])
    sites = [scan(settings, site, hips[f"t_score_{site}_true"], rng)[0] for site in SITES]
    again = np.minimum(*sites)[half:]
    return {
        "auroc": float(roc_auc_score(y[half:], chance)),
        "r": float(np.corrcoef(predicted, t_score[half:])[0, 1]),
        "mae": float(np.mean(np.abs(predicted - t_score[half:]))),
        "sd": float(np.std(predicted - t_score[half:], ddof=1)),
        "scan_r": float(np.corrcoef(again, t_score[half:])[0, 1]),
        "scan_sd": float(np.std(again - t_score[half:], ddof=1)),
    }
