"""Films of simulated pelves with both hips: tissue along the rays -> film, and the masks a real film never comes with.

Exposure, window, position, tilt, collimation, metal and the marker are drawn apart from density, so that no statistic
of the whole film gives the label away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.films import developed, write_films
from osteolib.phantoms.hip.anatomy import pelvis
from osteolib.phantoms.hip.obstacles import marker_depth, metal
from osteolib.phantoms.hip.people import LATENTS
from osteolib.phantoms.hip.pose import SIDES, FemurShape, HipPose
from osteolib.phantoms.hip.shapes import TRUNK
from osteolib.phantoms.physics import Acquisition, attenuation_per_mm, detect, optical_depth

OWN = ("neck_shaft", "neck_width", "spread")  # of each femur, drawn with the film: FemurShape
FINEST = 5.0  # pixels per mm of the drawn hip at which the anatomy is drawn at most
ASPECT = 3 / 4  # height of a film by its width, as of a detector of 4000 x 3000 pixels


def plan_films(settings: Mapping[str, Any], hips: pd.DataFrame, seed: int, film_width: int) -> pd.DataFrame:
    """How each film is taken, drawn without a look at the person; one row per film, two hips on each.

    Parameters
    ----------
    hips
        Two rows per person, the right hip and the left in any order, people one after the other: ``side`` and
        :data:`LATENTS`.

    Returns
    -------
    ``image_id`` (also ``subject_id`` and ``split_group``), ``height``, ``width``, ``spacing_mm`` at the detector,
    exposure, window, position, collimation, and for each side what ends in ``_right`` or ``_left``: ``obstacle``
    (``none``, ``screw`` or ``joint``), :data:`LATENTS`, :data:`OWN`.

    Raises
    ------
    ValueError
        The rows are not pairs of a right and a left hip.
    """
    if sorted(hips["side"]) != sorted([*SIDES] * (len(hips) // 2)) or len(hips) % 2:
        raise ValueError("hips must come in pairs, one row 'right' and one 'left' of each person: look at `side`")
    rng = np.random.default_rng([seed, 31])
    film, tube, n = settings["film"], Acquisition(**settings["acquisition"]), len(hips) // 2
    width = np.exp(tube.window_width_sd * rng.normal(size=n)) * (tube.window[1] - tube.window[0])
    centre = np.mean(tube.window) + tube.window_shift_sd * rng.normal(size=n) * width
    image_id = [f"P{i:05d}" for i in range(n)]
    films = pd.DataFrame({
        "subject_id": image_id, "image_id": image_id, "split_group": image_id,
        "height": round(film_width * ASPECT), "width": film_width,
        "spacing_mm": rng.uniform(film["field_mm"]["low"], film["field_mm"]["high"], n) / film_width,
        "exposure": np.exp(tube.exposure_sd * rng.normal(size=n)),
        "window_low": centre - width / 2, "window_high": centre + width / 2,
        "energy_kev": rng.normal(tube.energy_kev, film["energy_sd_kev"], n).clip(40, 70),
        "detail": tube.detail * np.exp(film["detail_log_sd"] * rng.normal(size=n)),
        "x": 0.5 + rng.normal(0, 0.012, n), "y": 0.55 + rng.normal(0, 0.03, n),
        "angle": rng.normal(0, film["angle_sd"], n), "turn": rng.normal(0, film["turn_sd"], n),
        "tilt": rng.normal(0, film["tilt_sd"], n),
        # were the pelvis's own bone that of the femurs, brightness of the whole film would tell the label
        "pelvis_density": np.exp(rng.normal(np.log(film["pelvis"]["density"]), film["pelvis"]["log_sd"], n)),
        "pelvis_cortical_thickness_mm": np.exp(
            rng.normal(np.log(film["pelvis"]["cortical_thickness_mm"]), 0.5 * film["pelvis"]["log_sd"], n)
        ),
        **{f"closed_{edge}": rng.uniform(*film["closed"][edge], n) for edge in ("left", "right", "top", "bottom")},
        "marker": rng.random(n) < film["marker"], "bone": "hip", "view": "AP", "unit": "hip", "device": "simulated",
        "t_score_method": "simulated",
    })  # fmt: skip
    for side in SIDES:
        chance = rng.random(n)
        screw = chance < film["screw"]
        joint = ~screw & (chance < film["screw"] + film["joint"])
        films[f"obstacle_{side}"] = np.select([screw, joint], ["screw", "joint"], "none")
        films[f"neck_shaft_{side}"] = rng.normal(0, film["neck_shaft_sd"], n)
        films[f"neck_width_{side}"] = np.exp(rng.normal(0, film["neck_width_sd"], n))
        films[f"spread_{side}"] = rng.normal(0, film["spread_sd"], n)
        of_side = hips[hips["side"] == side]
        films = films.join(of_side[list(LATENTS)].reset_index(drop=True).add_suffix(f"_{side}"))
    return films


def to_hips(films: pd.DataFrame, hips: pd.DataFrame) -> pd.DataFrame:
    """One row per hip, in the order of ``hips``, with what is known of its film.

    By the convention of radiography the patient's right hip stands at the image's left: ``x0, y0, x1, y1`` is that half
    of the film in pixels, ends excluded. ``hips`` are those that the films were planned for.
    """
    parts = []
    for side in SIDES:
        other = [name for name in films if name.endswith(("_right", "_left"))]
        rows = films.drop(columns=[name for name in other if not name.endswith("closed")]).join(
            films[[f"closed_{edge}" for edge in SIDES]]
        )
        kept = films[[f"{name}_{side}" for name in ("obstacle", *OWN)]].set_axis(["obstacle", *OWN], axis=1)
        half = films["width"] // 2
        rows = rows.join(kept).assign(
            side=side, unit_id=films["image_id"] + f"-{side}", obstructed=kept["obstacle"] != "none",
            x0=0 if side == "right" else half, y0=0, x1=half if side == "right" else films["width"],
            y1=films["height"],
        )  # fmt: skip
        index = hips.index[hips["side"] == side]
        parts.append(rows.set_index(index))
    spread = pd.concat(parts).loc[hips.index]
    return spread.join(hips[[name for name in hips if name not in spread]])


def render_films(settings: Mapping[str, Any], films: pd.DataFrame, seed: int, file_format: str, folder: Path) -> None:
    """Write every film as PNG (8 bits) or DICOM (16 bits), and their masks as one NPZ."""
    tube, bits = Acquisition(**settings["acquisition"]), {"png": 8, "dicom": 16}[file_format]

    def render(film: Mapping[str, Any], rng: np.random.Generator) -> tuple[NDArray, NDArray[np.uint8]]:
        return render_film(film, settings["film"]["magnification"], tube, rng, bits)

    write_films(films, render, [seed, 32], folder, file_format, {"body_part": "PELVIS", "view": "AP"})


def pose_of(film: Mapping[str, Any], magnification: float, shape: tuple[int, int]) -> HipPose:
    """Pose of a film's pelvis, on pixels of any size; magnified as it lies above the detector."""
    scale = magnification * film["bone_scale_right"] / film["spacing_mm"] * shape[1] / film["width"]
    centre = film["x"] * shape[1], film["y"] * shape[0]
    return HipPose(shape, centre, scale, film["angle"], film["turn"], film["tilt"])


def femurs_of(film: Mapping[str, Any]) -> dict[str, FemurShape]:
    """The shape of each femur of a film."""
    return {side: FemurShape(film[f"rotation_deg_{side}"], *(film[f"{name}_{side}"] for name in OWN)) for side in SIDES}


def people_of(film: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Latents and obstacle of each hip of a film, and bone of the pelvis."""
    hips = {side: {name: film[f"{name}_{side}"] for name in (*LATENTS, "obstacle")} for side in SIDES}
    return hips | {"pelvis": {name: film[f"pelvis_{name}"] for name in ("density", "cortical_thickness_mm")}}


def render_film(
    film: Mapping[str, Any], magnification: float, tube: Acquisition, rng: np.random.Generator, bits: int = 8
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], NDArray[np.uint8]]:
    """One film and its mask (bits of :mod:`osteolib.phantoms.hip.truth`), both of shape (height, width)."""
    full = film["height"], film["width"]
    finest = magnification * film["bone_scale_right"] / film["spacing_mm"] / FINEST
    shape = tuple(round(n / max(1.0, finest)) for n in full)
    pose, femurs, people = pose_of(film, magnification, shape), femurs_of(film), people_of(film)
    tissue, mask = pelvis(pose, people, femurs, rng)
    tube = replace(tube, energy_kev=film["energy_kev"], detail=film["detail"])
    depth = optical_depth(tissue, tube.energy_kev) - aimed_at(people["right"], tube.energy_kev)
    thickness, bits_of_metal = metal(pose, people, femurs, rng)
    depth += thickness
    mask |= bits_of_metal
    depth += marker_depth(film, shape, rng)
    depth, mask = resize(depth, full, 1), resize(mask, full, 0)
    photons = detect(depth, film["spacing_mm"], tube, rng, film["exposure"])
    pixels = developed(photons, film["spacing_mm"], tube, (film["window_low"], film["window_high"]), bits)
    field = lit(film, full)
    return pixels * field, mask * field


def aimed_at(latent: Mapping[str, Any], energy_kev: float) -> np.float32:
    """Optical depth of the soft tissue between the hips, which the automatic exposure looks at."""
    rows, _, deep = np.array(TRUNK).T
    muscle = 2 * np.interp(0, rows, deep) * latent["bone_scale"] * (1 + 0.6 * (latent["muscle_scale"] - 1))
    fat = 2 * latent["fat_mm"] + 0.08 * muscle
    soft = attenuation_per_mm("soft", energy_kev) * 0.92 * muscle
    return np.float32(soft + attenuation_per_mm("fat", energy_kev) * fat)


def lit(film: Mapping[str, Any], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """What the collimator leaves open."""
    rows, columns = ((np.arange(n) + 0.5) / n for n in shape)
    across = (columns > film["closed_left"]) & (columns < 1 - film["closed_right"])
    down = (rows > film["closed_top"]) & (rows < 1 - film["closed_bottom"])
    return down[:, None] & across


def resize(image: NDArray, shape: tuple[int, int], order: int) -> NDArray:
    """To another number of pixels; order 0 takes the nearest, 1 interpolates."""
    from PIL import Image

    how = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR)[order]
    return image if image.shape == shape else np.asarray(Image.fromarray(image).resize(shape[::-1], how))
