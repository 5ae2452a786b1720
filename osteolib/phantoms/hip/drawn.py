"""What a page asks of drawn hips: one film with some things changed, mineral and width of a drawn neck."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hip.anatomy import pelvis
from osteolib.phantoms.hip.film import femurs_of, people_of, plan_films, pose_of, render_film
from osteolib.phantoms.hip.people import simulate
from osteolib.phantoms.hip.pose import SIDES
from osteolib.phantoms.hip.shapes import NECK_ROI_MM
from osteolib.phantoms.hip.truth import NECK
from osteolib.phantoms.physics import Acquisition


def one_film(
    settings: Mapping[str, Any], width: int, seed: int, **changes: Any
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Film and mask, both of shape (3/4 width, width), of one simulated person without metal, straight and open.

    Parameters
    ----------
    settings
        Those of ``hip-phantom``.
    changes
        Columns of :func:`osteolib.phantoms.hip.film.plan_films` with another value; a latent or ``obstacle`` without
        its side is changed on both.
    """
    hips = simulate(settings, 1, seed)
    film = plan_films(settings, hips, seed, width).iloc[0].to_dict()
    low, high = settings["acquisition"]["window"]
    film |= {f"closed_{edge}": -0.1 for edge in ("left", "right", "top", "bottom")}
    film |= {"window_low": low, "window_high": high, "exposure": 1.0, "angle": 0.0, "turn": 0.0, "tilt": 0.0}
    film |= {f"obstacle_{side}": "none" for side in SIDES}
    for name, value in changes.items():
        film |= {name: value} if name in film else {f"{name}_{side}": value for side in SIDES}
    tube, rng = Acquisition(**settings["acquisition"]), np.random.default_rng(seed)
    return render_film(film, settings["film"]["magnification"], tube, rng)


def drawn_necks(settings: Mapping[str, Any], films: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """What DXA would find in the region of the neck on drawn tissue, without noise: two rows per film, right and left.

    ``films`` of :func:`osteolib.phantoms.hip.film.plan_films`; a hip with an artificial joint has no neck: NaN.

    Returns
    -------
    ``bmd_g_cm2``, mineral per area, and ``width_mm``, the mean width of the neck within the region.
    """
    rows = []
    law = settings["bone"]["neck_mm"]["g_cm2_per_mm"]
    for number, film in enumerate(films.to_dict("records")):
        pose = pose_of(film, settings["film"]["magnification"], (film["height"], film["width"]))
        rng = np.random.default_rng([seed, number])
        tissue, mask = pelvis(pose, people_of(film), femurs_of(film), rng)
        half, size = film["width"] // 2, film["bone_scale_right"]
        for part in (np.s_[:, :half], np.s_[:, half:]):
            neck = mask[part] & NECK > 0
            mineral = tissue["cortical"][part][neck].mean() if neck.any() else np.nan
            area = neck.sum() * (size / pose.scale) ** 2  # mm2 at the bone
            rows.append({"bmd_g_cm2": law * mineral, "width_mm": area / (NECK_ROI_MM * size) if neck.any() else np.nan})
    return pd.DataFrame(rows)


def estimated_cortex(bmd_g_cm2: NDArray, width_mm: NDArray) -> NDArray:
    """Cortical thickness in mm as analysis of hip structure estimates it from a DXA scan.

    The neck as a ring of cortical bone of 1.05 g/cm3 with 60 % of the mineral (Beck et al., J Bone Miner Res 15:2297,
    2000, doi:10.1359/jbmr.2000.15.12.2297).
    """
    radius = width_mm / 20  # cm
    area = 0.6 * bmd_g_cm2 * width_mm / 10 / 1.05
    return 10 * (radius - np.sqrt(radius**2 - area / np.pi))
