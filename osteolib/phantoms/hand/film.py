"""Films of simulated hands: tissue along the rays -> film, and the label maps that a real film never comes with.

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

from osteolib.phantoms.dicom import write_dicom
from osteolib.phantoms.hand.anatomy import hand
from osteolib.phantoms.hand.foreign import foreign
from osteolib.phantoms.hand.pose import HandPose, skeleton
from osteolib.phantoms.hand.shapes import BONES, SHAFTS
from osteolib.phantoms.physics import Acquisition, attenuation_per_mm, expose, optical_depth

FINEST = 5.0  # pixels per mm at which the anatomy is drawn at most
ASPECT = 2515 / 3588  # of a film, as in the paper
MASKS = "masks.npz"


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
    from PIL.PngImagePlugin import PngInfo

    tube, words = Acquisition(**settings["acquisition"]), PngInfo()
    words.add_text("Polarity", "bright bone")  # a reader need not guess: few films with a bright window look negative
    seeds = np.random.SeedSequence([seed, 12]).spawn(len(films))

    def one(job: tuple) -> tuple[str, NDArray[np.uint8]]:
        film, sequence = job
        pixels, labels = render_film(film, tube, np.random.default_rng(sequence))
        if file_format == "png":
            Image.fromarray(pixels).save(folder / f"{film['image_id']}.png", compress_level=1, pnginfo=words)
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
