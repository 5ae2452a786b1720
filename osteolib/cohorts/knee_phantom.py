"""``knee-phantom``: simulated AP knees of simulated people, with the truth a real film never comes with.

person -> T-score -> (partly) density and cortex of the knee -> tissue along the rays -> film. Exposure, window, pose,
soft tissue and artefacts are drawn apart from density, so that no statistic of the whole film gives the label away.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.knee_anatomy import Pose, knee
from osteolib.cohorts.labels import LABELS, label_from_t_score
from osteolib.cohorts.manifest import Manifest, load_manifest
from osteolib.cohorts.phantom_people import sample_people
from osteolib.cohorts.physics import Acquisition, attenuation_per_mm, expose, optical_depth
from osteolib.runs.fingerprint import fingerprint
from osteolib.runs.store import artefact

LATENTS = ("density", "cortical_thickness_mm", "bone_scale", "fat_mm", "muscle_scale", "joint_space_mm")
"""Whatever of a person reaches the pixels."""

METAL_PER_MM = 5.0  # steel and lead are opaque at these energies; the figure only has to be large
MASKS = "masks.npz"


def read(
    manifest: Manifest,
    folder: None = None,
    *,
    n_subjects: int = 500,
    acquisition: str = "A",
    seed: int = 0,
    size: int = 256,
    render: bool = True,
) -> Cohort:
    """Simulate the cohort; one unit per knee, two for a film of both.

    Parameters
    ----------
    acquisition
        ``"A"`` or ``"B"``: tube, detector and label method of the manifest; their people differ as well.
    size
        Height of the films in pixels; a film of one knee is as wide, one of both half as wide again.
    render
        Make the films (or find them in the artefact store) and fill ``path`` and ``masks_path``; without, the table
        alone.

    Returns
    -------
    Cohort of kind ``phantom``. Beside the usual columns the truth: :data:`LATENTS`, ``hip_t_score``; where a knee lies
    on its film (``x0, y0, x1, y1`` in pixels, ends excluded), ``spacing_mm``, ``exposure``, ``window_low``,
    ``window_high``, ``implant``, ``artefact``.

    Raises
    ------
    ValueError
        An option is out of range.
    """
    if acquisition not in manifest.settings["acquisitions"]:
        raise ValueError(f"acquisition must be one of {', '.join(manifest.settings['acquisitions'])}: {acquisition!r}")
    if not (n_subjects >= 1 and size >= 64 and size % 8 == 0):
        raise ValueError(f"n_subjects must be 1 or more and size a multiple of 8 from 64 on: {n_subjects}, {size}")
    options = {"n_subjects": n_subjects, "acquisition": acquisition, "seed": seed, "size": size}
    people = simulate(manifest.settings, n_subjects, acquisition, seed)
    films = people.join(plan_films(manifest.settings, people, acquisition, seed, size))
    films["label"] = label_from_t_score(films.t_score, manifest.label_rule)
    if render:
        key = options | {"manifest": manifest.content()}
        into = artefact("knee-phantom", key, [__name__], lambda to: render_films(manifest.settings, films, options, to))
        films["path"] = [str(into / f"{image}.png") for image in films.image_id]
        films["masks_path"] = str(into / MASKS)
    notes = (
        "Simulated: tests whether a method does what it says, never a clinical number.",
        "What the knee knows of the T-score is an assumption of the manifest (settings, bone).",
    )
    code = {"code": fingerprint([__name__])}  # the content of a phantom is its code
    return make_cohort(manifest, options | code, to_knees(films), notes=notes)


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


def plan_films(
    settings: Mapping[str, Any], people: pd.DataFrame, acquisition: str, seed: int, size: int
) -> pd.DataFrame:
    """How each film is taken: drawn without a look at the person, but for the name and the side."""
    rng = np.random.default_rng([seed, ord(acquisition), 1])
    film, tube, n = settings["film"], Acquisition(**settings["acquisitions"][acquisition]), len(people)
    both = rng.random(n) < film["bilateral"]
    field = rng.uniform(film["field_mm"]["low"], film["field_mm"]["high"], n)
    width = np.exp(tube.window_width_sd * rng.normal(size=n)) * (tube.window[1] - tube.window[0])
    centre = np.mean(tube.window) + tube.window_shift_sd * rng.normal(size=n) * width
    image_id = [f"K{acquisition}{i:05d}" for i in range(n)]
    return pd.DataFrame({
        "subject_id": image_id, "image_id": image_id, "split_group": image_id,
        "n_legs": np.where(both, 2, 1), "film_layout": np.where(both, "bilateral", "single"),
        "side": np.where(rng.random(n) < 0.5, "right", "left"),
        "height": size, "width": np.where(both, size * 3 // 2, size), "spacing_mm": field / size,
        "exposure": np.exp(tube.exposure_sd * rng.normal(size=n)),
        "window_low": centre - width / 2, "window_high": centre + width / 2,
        "implant": rng.random(n) < film["implant"], "artefact": rng.random(n) < film["artefact"],
        "marker": rng.random(n) < film["marker"], "bone": "knee", "view": "AP", "unit": "knee",
        "device": f"simulated, acquisition {acquisition}", "t_score_method": "simulated",
        "t_score_site": settings["labels"][acquisition]["t_score_site"],
    }, index=people.index)  # fmt: skip


def to_knees(films: pd.DataFrame) -> pd.DataFrame:
    """One row per knee: by the convention of radiography the patient's right stands at the image's left."""
    right, left = films.copy(), films.copy()
    two, half = films.n_legs == 2, films.width // 2
    for knees, side, x0, x1 in ((right, "right", 0, half), (left, "left", half, films.width)):
        knees["side"] = films.side.where(~two, side)
        knees["unit_id"] = films.image_id + np.where(two, f"-{side}", "")
        knees["x0"], knees["x1"] = np.where(two, x0, 0), np.where(two, x1, films.width)
        knees["y0"], knees["y1"] = 0, films.height
    return pd.concat([right, left[two]]).sort_index(kind="stable")


def render_films(settings: Mapping[str, Any], films: pd.DataFrame, options: Mapping[str, Any], folder: Path) -> None:
    """Write every film as PNG and their masks as one NPZ."""
    from PIL import Image

    tube = Acquisition(**settings["acquisitions"][options["acquisition"]])
    seeds = np.random.SeedSequence([options["seed"], ord(options["acquisition"]), 2]).spawn(len(films))

    def one(job: tuple) -> tuple[str, NDArray[np.uint8]]:
        film, sequence = job
        pixels, mask = render_film(film, tube, np.random.default_rng(sequence))
        Image.fromarray(pixels).save(folder / f"{film['image_id']}.png", compress_level=1)
        return film["image_id"], mask

    # a film has its own generator, so that threads may finish in any order
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        masks = dict(pool.map(one, zip(films.to_dict("records"), seeds, strict=True)))
    np.savez_compressed(folder / MASKS, **masks)


def render_film(
    film: Mapping[str, Any], tube: Acquisition, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One film and its mask (bit 1 bone, bit 2 periarticular region), both of shape (height, width)."""
    shape = (film["height"], film["width"] // film["n_legs"])
    scale = film["bone_scale"] / film["spacing_mm"]
    legs = []
    for side in ("right", "left") if film["n_legs"] == 2 else (film["side"],):
        lateral = -1 if side == "right" else 1
        centre = rng.uniform(0.43, 0.57) * shape[1], rng.uniform(0.42, 0.58) * shape[0]
        pose = Pose(shape, centre, scale, rng.normal(0, 0.05), lateral, rng.normal(0, 0.035))
        tissue, mask = knee(pose, film, rng)
        legs.append((optical_depth(tissue, tube.energy_kev), mask))
    depth = np.hstack([leg[0] for leg in legs]) - aimed_at(film, tube)
    mask = np.hstack([leg[1] for leg in legs])
    depth += METAL_PER_MM * foreign_mm(film, rng, mask)
    lit = collimated(mask.shape, rng)  # drawn before the noise, whose draws depend on the object
    pixels = expose(depth, film["spacing_mm"], tube, rng, film["exposure"], (film["window_low"], film["window_high"]))
    return pixels * lit, mask


def aimed_at(film: Mapping[str, Any], tube: Acquisition) -> np.float32:
    """Optical depth of the soft tissue beside the joint, which the automatic exposure chamber looks at."""
    soft = 91 * film["bone_scale"] * (1 + 0.55 * (film["muscle_scale"] - 1))
    return np.float32(
        soft * attenuation_per_mm("soft", tube.energy_kev) + film["fat_mm"] * attenuation_per_mm("fat", tube.energy_kev)
    )


def foreign_mm(film: Mapping[str, Any], rng: np.random.Generator, mask: NDArray) -> NDArray[np.float32]:
    """Thickness of metal in the beam: side marker, screws across a bone end, a thing left on the cassette."""
    from PIL import Image, ImageDraw

    height, width = mask.shape
    sheet = Image.new("F", (width, height))
    draw, unit = ImageDraw.Draw(sheet), height / 26
    x, y = rng.uniform(0.03, 0.09) * width, rng.uniform(0.05, 0.9) * height
    if film["marker"]:
        right = film["n_legs"] == 2 or film["side"] == "right"  # the marker stands at the right of the patient
        r, l_ = ((0, 1), (0, 0), (0.5, 0.05), (0.5, 0.45), (0, 0.5), (0.55, 1)), ((0, 0), (0, 1), (0.5, 1))
        letter = r if right else l_
        draw.line([(x + unit * a, y + unit * b) for a, b in letter], 3.0, max(1, round(unit / 6)))
    rows, columns = np.nonzero(mask & 2)
    if film["implant"] and rows.size:
        at, lean, length = rng.integers(rows.size), rng.normal(0, 2), rng.uniform(2.5, 5)
        for screw in range(rng.integers(1, 4)):
            ends = [(columns[at] + s * unit * length, rows[at] + s * lean + screw * unit) for s in (-0.5, 0.5)]
            draw.line(ends, 4.0, max(2, round(unit / 3)))
    if film["artefact"]:
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), unit * rng.uniform(0.3, 1.2)
        draw.ellipse((x - size, y - size, x + size, y + size), rng.uniform(0.05, 0.4))
    return np.asarray(sheet, np.float32)


def collimated(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
    """What the collimator leaves open, the rest is shown black: up to 9 % less from each side, a little askew."""
    height, width = shape
    u, v = np.linspace(0, 1, width)[None, :], np.linspace(0, 1, height)[:, None]
    left, right, top, bottom = rng.uniform(-0.06, 0.09, 4)
    skew = rng.normal(0, 0.006, 4)
    open_field = (u > left + skew[0] * v) & (u < 1 - right + skew[1] * v)
    return open_field & (v > top + skew[2] * u) & (v < 1 - bottom + skew[3] * u)


def read_masks(masks_path: str | Path, image_id: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Truth of one film, each of shape (height, width): bone, and the periarticular region."""
    with np.load(masks_path) as masks:
        bits = masks[image_id]
    return (bits & 1).astype(bool), (bits & 2).astype(bool)


def attainable_auroc(
    acquisition: str = "A",
    positive: tuple[str, ...] = LABELS[1:],
    covariates: bool = False,
    n_subjects: int = 100_000,
    seed: int = 0,
) -> float:
    """The AUROC of P(label | every latent that reaches the pixels): what no model of the films can pass.

    A logistic regression on splines of :data:`LATENTS` and the products of the bone's, fitted on half of the simulated
    people and judged on the other half; nothing is rendered.

    Parameters
    ----------
    positive
        Labels counted as positive: by default osteopenia or osteoporosis.
    covariates
        Give it age, sex and BMI as well, as a model with clinical inputs has.
    """
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, SplineTransformer, StandardScaler

    manifest = load_manifest("knee-phantom")
    people = simulate(manifest.settings, n_subjects, acquisition, seed)
    y = label_from_t_score(people.t_score, manifest.label_rule).isin(positive).to_numpy()
    known = [*LATENTS, *(["age_years", "bmi_kg_m2", "is_woman"] if covariates else [])]
    x = people.assign(is_woman=(people.sex == "F").astype(float))[known]
    flexible = make_column_transformer(
        (SplineTransformer(5, extrapolation="linear"), known[: 6 + 2 * covariates]),
        (make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False)), known),
    )
    model = make_pipeline(flexible, LogisticRegression(C=10, max_iter=300))
    half = n_subjects // 2
    model.fit(x[:half], y[:half])
    return float(roc_auc_score(y[half:], model.predict_proba(x[half:])[:, 1]))
