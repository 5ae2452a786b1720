"""Films of simulated knees: tissue along the rays -> film, and the masks that a real film never comes with.

Exposure, window, pose, soft tissue and artefacts are drawn apart from density, so that no statistic of the whole film
gives the label away.
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

from osteolib.phantoms.knee.anatomy import Pose, knee
from osteolib.phantoms.physics import Acquisition, attenuation_per_mm, expose, optical_depth

METAL_PER_MM = 5.0  # steel and lead are opaque at these energies; the figure only has to be large
MASKS = "masks.npz"


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
