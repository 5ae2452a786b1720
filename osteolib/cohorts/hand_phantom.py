"""``hand-phantom``: simulated films of the hand of simulated people, with the truth a real film never comes with.

person -> hip T-score -> (partly) cortical percentage and density of the hand -> tissue along the rays -> film.
Exposure, window, pose, soft tissue, metal and collimation are drawn apart from density, so that no statistic of the
whole film gives the label away.
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
from osteolib.cohorts.hand_anatomy import hand
from osteolib.cohorts.hand_foreign import foreign
from osteolib.cohorts.hand_pose import HandPose, skeleton
from osteolib.cohorts.hand_shapes import BONES, SHAFTS
from osteolib.cohorts.labels import label_from_t_score
from osteolib.cohorts.manifest import Manifest, load_manifest
from osteolib.cohorts.phantom_dicom import write_dicom
from osteolib.cohorts.phantom_people import sample_people
from osteolib.cohorts.physics import Acquisition, attenuation_per_mm, expose, optical_depth
from osteolib.runs.fingerprint import fingerprint
from osteolib.runs.store import artefact

LATENTS = ("density", "cortical_percentage", "bone_scale", "fat_mm", "muscle_scale", "joint_space_mm")
"""Whatever of a person reaches the pixels."""

FINEST = 5.0  # pixels per mm at which the anatomy is drawn at most
ASPECT = 2515 / 3588  # of a film, as in the paper
MASKS = "masks.npz"


def read(
    manifest: Manifest,
    folder: None = None,
    *,
    n_subjects: int | None = None,
    seed: int = 0,
    size: int = 640,
    preset: str | None = None,
    file_format: str = "png",
    render: bool = True,
) -> Cohort:
    """Simulate the cohort; one row per hand, one film of it.

    Parameters
    ----------
    n_subjects
        By default 400, or those of the preset.
    size
        Height of the films in pixels; 3588 gives 2515 x 3588.
    preset
        ``"lee2025"``: the paper's 192 subjects by sex and label.
    file_format
        ``"png"`` or ``"dicom"`` (DX with pixel spacing).
    render
        Make the films (or find them in the artefact store) and fill ``path`` and ``masks_path``; without, the table
        alone.

    Returns
    -------
    Cohort of kind ``phantom``. Beside the usual columns the truth: :data:`LATENTS` (``cortical_percentage`` of M2 at
    mid-shaft, 0 to 1), ``bones_present`` (names, apart by spaces), ``n_bones``, ``height_cm``, ``spacing_mm``; and how
    each film was taken.

    Raises
    ------
    ValueError
        An option is out of range.
    """
    presets = manifest.settings["presets"]
    if preset not in (None, *presets):
        raise ValueError(f"preset must be one of {', '.join(presets)}, or None: {preset!r}")
    if preset and n_subjects:
        raise ValueError(f"the preset {preset} says how many subjects there are: leave n_subjects out")
    if file_format not in ("png", "dicom"):
        raise ValueError(f"file_format must be png or dicom: {file_format!r}")
    n_subjects = n_subjects if n_subjects is not None else 400
    if not (n_subjects >= 1 and 64 <= size <= 6000):
        raise ValueError(f"n_subjects must be 1 or more and size from 64 to 6000: {n_subjects}, {size}")
    settings = with_people(manifest.settings)
    options = {"n_subjects": n_subjects, "seed": seed, "size": size, "preset": preset, "people": settings["people"]}
    people = simulate(settings, n_subjects, seed, preset)
    films = people.join(plan_films(settings, people, seed, size))
    films["label"] = label_from_t_score(films.t_score, manifest.label_rule)
    films["bones_present"] = [" ".join(present(film)) for film in films.to_dict("records")]
    films["n_bones"] = films.bones_present.str.split().str.len()
    if render:
        key = options | {"manifest": manifest.content(), "file_format": file_format}
        into = artefact(
            "hand-phantom", key, [__name__], lambda to: render_films(settings, films, seed, file_format, to)
        )
        suffix = {"png": "png", "dicom": "dcm"}[file_format]
        films["path"] = [str(into / f"{image}.{suffix}") for image in films.image_id]
        films["masks_path"] = str(into / MASKS)
    notes = (
        "Simulated: tests whether a method does what it says, never a clinical number.",
        "What the hand knows of the T-score is set in the manifest (settings, bone), at r = 0.54 for its cortex.",
    )
    code = {"code": fingerprint([__name__])}  # the content of a phantom is its code
    return make_cohort(manifest, options | code, films, notes=notes)


def with_people(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the coefficients of people filled in from the manifest that ``people: like`` names."""
    people = settings["people"]
    return {**settings, "people": load_manifest(people["like"]).settings["people"] | people}


def simulate(settings: Mapping[str, Any], n: int, seed: int, preset: str | None = None) -> pd.DataFrame:
    """People and the latents of their hands, without a film; one row each. ``settings`` as of :func:`with_people`."""
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


def plan_films(settings: Mapping[str, Any], people: pd.DataFrame, seed: int, size: int) -> pd.DataFrame:
    """How each film is taken: drawn without a look at the person, but for the name and the side."""
    rng = np.random.default_rng([seed, 11])
    film, tube, n = settings["film"], Acquisition(**settings["acquisition"]), len(people)
    width = np.exp(tube.window_width_sd * rng.normal(size=n)) * (tube.window[1] - tube.window[0])
    centre = np.mean(tube.window) + tube.window_shift_sd * rng.normal(size=n) * width
    image_id = [f"H{i:05d}" for i in range(n)]
    cut, towards = rng.random(n) < film["cut_off"], rng.integers(0, 3, n)
    # the capitate from the middle of the film, in shares of its width and height; a cut-off film lies far to one side
    x = rng.normal(0, 0.03, n) + np.where(cut & (towards < 2), (2 * towards - 1) * rng.uniform(0.25, 0.42, n), 0)
    y = rng.uniform(0.14, 0.22, n) + np.where(cut & (towards == 2), rng.uniform(0.18, 0.36, n), 0)
    edges = {f"open_{edge}": rng.uniform(-0.08, 0.045, n) for edge in ("left", "right", "top", "bottom")}
    spread = rng.normal(0, 3, n)[:, None] * (1.5, 1.2, 0, -1, -1.6) + rng.normal(0, 1.5, (n, 5))
    return pd.DataFrame({
        "subject_id": image_id, "image_id": image_id, "unit_id": image_id, "split_group": image_id,
        "side": np.where(rng.random(n) < 0.5, "right", "left"), "height": size, "width": int(size * ASPECT + 1e-6),
        "spacing_mm": rng.uniform(film["field_mm"]["low"], film["field_mm"]["high"], n) / size,
        "exposure": np.exp(tube.exposure_sd * rng.normal(size=n)),
        "window_low": centre - width / 2, "window_high": centre + width / 2,
        "x": x, "y": y, "angle": rng.normal(0, 0.09, n), "deviation": rng.normal(0, 5, n), **edges,
        **{f"spread_{k + 1}": spread[:, k] for k in range(5)},
        **{name: rng.random(n) < film[name] for name in ("ring", "plate", "cast", "marker")},
        "bone": "hand", "view": "PA", "unit": "hand", "device": "simulated", "t_score_method": "simulated",
        "t_score_site": "hip",
    }, index=people.index)  # fmt: skip


def pose_of(film: Mapping[str, Any], spacing_mm: float, shape: tuple[int, int]) -> HandPose:
    """Pose of a film's hand, on pixels of any size."""
    centre = ((0.5 + film["x"]) * shape[1], (0.5 + film["y"]) * shape[0])
    spread = tuple(film[f"spread_{k}"] for k in range(1, 6))
    thumb = 1 if film["side"] == "left" else -1
    return HandPose(shape, centre, film["bone_scale"] / spacing_mm, film["angle"], thumb, spread, film["deviation"])


def lit(film: Mapping[str, Any], x: NDArray, y: NDArray) -> NDArray[np.bool_]:
    """What the collimator leaves open; x and y in shares of width and height."""
    return (
        (x > film["open_left"]) & (x < 1 - film["open_right"]) & (y > film["open_top"]) & (y < 1 - film["open_bottom"])
    )


def present(film: Mapping[str, Any]) -> list[str]:
    """Target bones that the film shows: four fifths of a metacarpal's axis, 15 mm of a forearm bone's."""
    pose = pose_of(film, film["spacing_mm"], (film["height"], film["width"]))
    bones, shown = skeleton(pose, film["joint_space_mm"]), []
    for name in BONES:
        across, low, high = (*SHAFTS[name][1:], SHAFTS[name][2] - 15) if name in SHAFTS else (0, 0.1, 0.9)
        axis = pose.to_pixels(bones[name].to_hand(np.linspace((across, low), (across, high), 11)))
        if lit(film, *(axis / (film["width"], film["height"])).T).all():
            shown.append(name)
    return shown


def render_films(settings: Mapping[str, Any], films: pd.DataFrame, seed: int, file_format: str, folder: Path) -> None:
    """Write every film as PNG or DICOM, and their label maps as one NPZ."""
    from PIL import Image

    tube = Acquisition(**settings["acquisition"])
    seeds = np.random.SeedSequence([seed, 12]).spawn(len(films))

    def one(job: tuple) -> tuple[str, NDArray[np.uint8]]:
        film, sequence = job
        pixels, labels = render_film(film, tube, np.random.default_rng(sequence))
        if file_format == "png":
            Image.fromarray(pixels).save(folder / f"{film['image_id']}.png", compress_level=1)
        else:
            write_dicom(pixels, film["spacing_mm"], folder / f"{film['image_id']}.dcm", film["side"], "HAND", "PA")
        return film["image_id"], labels

    # a film has its own generator, so that threads may finish in any order
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        masks = dict(pool.map(one, zip(films.to_dict("records"), seeds, strict=True)))
    np.savez_compressed(folder / MASKS, **masks)


def render_film(
    film: Mapping[str, Any], tube: Acquisition, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One film and its label map, both of shape (height, width); a bone not in ``bones_present`` has no label."""
    full = film["height"], film["width"]
    coarser = max(1.0, film["bone_scale"] / film["spacing_mm"] / FINEST)
    shape = tuple(round(n / coarser) for n in full)
    pose = pose_of(film, film["spacing_mm"] * full[0] / shape[0], shape)
    tissue, labels = hand(pose, film, rng)
    soft = 24 * film["bone_scale"] * (1 + 0.5 * (film["muscle_scale"] - 1))  # the palm, which the exposure aims at
    depth = optical_depth(tissue, tube.energy_kev) - np.float32(soft * attenuation_per_mm("soft", tube.energy_kev))
    depth += foreign(film, pose, rng)
    labels[~np.isin(labels, [0, *(BONES.index(name) + 1 for name in film["bones_present"].split())])] = 0
    depth, labels = resize(depth, full, 1), resize(labels, full, 0)
    height, width = full
    rows, columns = (np.arange(height)[:, None] + 0.5) / height, (np.arange(width)[None, :] + 0.5) / width
    field = lit(film, columns, rows)
    pixels = expose(depth, film["spacing_mm"], tube, rng, film["exposure"], (film["window_low"], film["window_high"]))
    return pixels * field, labels * field


def resize(image: NDArray, shape: tuple[int, int], order: int) -> NDArray:
    """To another number of pixels; order 0 takes the nearest, 1 interpolates."""
    from PIL import Image

    how = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR)[order]
    return image if image.shape == shape else np.asarray(Image.fromarray(image).resize(shape[::-1], how))
