"""Known of a hand phantom beyond its pixels: masks, annotators, thresholds, the best that can be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter

from osteolib.phantoms.hand.people import LATENTS, simulate
from osteolib.phantoms.settings import phantom_settings
from osteolib.stats.labels import label_from_t_score

ANNOTATORS = phantom_settings("hand-phantom")["annotators"]
ANNOTATOR_WEIGHTS = {name: style["weight"] for name, style in ANNOTATORS.items()}


def read_masks(masks_path: str | Path, image_id: str) -> NDArray[np.uint8]:
    """Truth of one film, shape (height, width): 0 background, 1 to 7 in the order of ``BONES``."""
    with np.load(masks_path) as masks:
        return masks[image_id]


def annotate(
    labels: NDArray[np.uint8], annotator: str, rng: np.random.Generator, spacing_mm: float = 0.42
) -> NDArray[np.uint8]:
    """Draw the bones as one annotator would: a style that is always the same, and a hand that trembles a little.

    Parameters
    ----------
    labels
        True label map of shape (height, width); spacing_mm belongs to it.
    annotator
        ``"tight"``, ``"loose"``, ``"smooth"`` or ``"shafts"``, who leaves out the ends of each bone.

    Raises
    ------
    ValueError
        There is no such annotator.
    """
    if annotator not in ANNOTATORS:
        raise ValueError(f"no annotator {annotator!r}: there are {', '.join(ANNOTATORS)}")
    style = ANNOTATORS[annotator]
    drawn, best = np.zeros_like(labels), np.zeros(labels.shape, np.float32)
    margin = int(np.ceil(2 / spacing_mm)) + 2
    for value, found in enumerate(find_objects(labels), start=1):
        if found is None:
            continue
        box = tuple(slice(max(s.start - margin, 0), s.stop + margin) for s in found)
        mask = labels[box] == value
        padded = np.pad(mask, 1, mode="edge")  # at the border of the film a bone goes on
        inside = distance_transform_edt(padded) - distance_transform_edt(~padded)
        inside = (inside - np.where(padded, 0.5, -0.5))[1:-1, 1:-1] * spacing_mm  # the outline runs between pixels
        inside = gaussian_filter(inside, style["smooth_mm"] / spacing_mm) if style["smooth_mm"] else inside
        tremor = gaussian_filter(rng.standard_normal(mask.shape), 3 / spacing_mm)
        inside += style["offset_mm"] + 0.15 * tremor / max(float(tremor.std()), 1e-9)
        points = np.argwhere(mask)
        axis = np.linalg.svd(points - points.mean(0), full_matrices=False)[2][0]
        along = (np.indices(mask.shape).reshape(2, -1).T @ axis).reshape(mask.shape)
        low, high = np.quantile(along[mask], (0, 1))
        cut = style["cut"] * (high - low) - 2 * (style["cut"] == 0) * margin
        wins = (inside > best[box]) & (along >= low + cut) & (along <= high - cut)
        drawn[box][wins], best[box][wins] = value, inside[wins]
    return drawn


def threshold_check(subjects: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Sensitivity and specificity of the cortical percentage at published thresholds, beside the published.

    ``subjects`` with ``t_score`` and ``cortical_percentage``; classes by the WHO, each against normal subjects.
    """
    label, rows = label_from_t_score(subjects.t_score, "who"), []
    healthy = subjects.cortical_percentage[label == "normal"]
    for name, published in settings["thresholds"].items():
        cases, cut = subjects.cortical_percentage[label == name], published["below"]
        ours = {"sensitivity": (cases < cut).mean(), "specificity": (healthy >= cut).mean()}
        theirs = {f"published_{key}": published[key] for key in ours}
        rows.append({"class": name, "below": cut, "n_cases": len(cases), "n_normal": len(healthy)} | ours | theirs)
    return pd.DataFrame(rows)


def attainable_auroc(
    covariates: bool = False, n_subjects: int = 100_000, seed: int = 0, preset: str | None = None
) -> float:
    """The AUROC of P(osteoporosis | every latent that reaches the pixels): what no model of the films can pass.

    The reader is that of :func:`ideal_reader`, fitted on half of the simulated people and judged on the other half.
    With a ``preset`` it is judged on people mixed as there: size tells the sex and the sex the label, so what is
    attainable depends on how many of each there are.
    """
    from sklearn.metrics import roc_auc_score

    people, weight = _simulated(n_subjects, seed, preset)
    half = n_subjects // 2
    score = _fitted(people[:half], weight[:half], covariates)(people[half:])
    return float(roc_auc_score(people["ill"][half:], score, sample_weight=weight[half:]))


def ideal_reader(
    covariates: bool = False, n_subjects: int = 100_000, seed: int = 0, preset: str | None = None
) -> Callable[[pd.DataFrame], NDArray[np.float64]]:
    """P(osteoporosis | every latent that reaches the pixels), as a function of a phantom's people.

    A logistic regression on :data:`LATENTS`, their squares and products (near-normal given the T-score), fitted to
    simulated people; nothing is rendered. With ``covariates`` it knows age, sex and BMI as well. With a ``preset``
    people of each sex and label weigh as many as the preset has of them.

    Returns
    -------
    A function from the table of a cohort's subjects (n rows) to probabilities, shape (n,). On few people its AUROC
    differs from :func:`attainable_auroc` by the luck of those people, as that of every method judged on them does.
    """
    people, weight = _simulated(n_subjects, seed, preset)
    return _fitted(people, weight, covariates)


def _simulated(n_subjects: int, seed: int, preset: str | None) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    settings = phantom_settings("hand-phantom")
    people = simulate(settings, n_subjects, seed)
    ill = label_from_t_score(people.t_score, settings["label_rule"]).eq("osteoporosis")
    people, weight = people.assign(ill=ill), np.ones(n_subjects)
    if preset:
        cell = people.sex.str.cat(np.where(ill, "osteoporosis", "normal"), sep=" ")
        counts = settings["presets"][preset]
        wanted = pd.Series({f"{sex} {label}": n for sex in "FM" for label, n in counts[sex].items()})
        weight = cell.map(wanted / wanted.sum() / cell.value_counts(normalize=True)).to_numpy()
    return people, weight


def _fitted(
    people: pd.DataFrame, weight: NDArray[np.float64], covariates: bool
) -> Callable[[pd.DataFrame], NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    known = [*LATENTS, *(["age_years", "bmi_kg_m2", "is_woman"] if covariates else [])]

    def table(some: pd.DataFrame) -> pd.DataFrame:
        return some.assign(is_woman=some.sex.eq("F").astype(float), density=np.log(some.density))[known]

    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(C=10, max_iter=500))
    model.fit(table(people), people["ill"], logisticregression__sample_weight=weight)
    return lambda some: model.predict_proba(table(some))[:, 1]
