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
from osteolib.phantoms.hip.pose import SIDES, FemurShape
from osteolib.phantoms.hip.shapes import FEMUR, HEAD, NECK_BASE
from osteolib.phantoms.hip.truth import NECK
from osteolib.phantoms.physics import Acquisition
from osteolib.phantoms.rays import closed_curve


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
    film |= {name: settings["acquisition"][name] for name in ("energy_kev", "detail")}
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
    ``bmd_g_cm2``, mineral per area, and ``width_mm``, the neck's width where it is narrowest.
    """
    rows = []
    law = settings["bone"]["neck_mm"]["g_cm2_per_mm"]
    for number, film in enumerate(films.to_dict("records")):
        pose = pose_of(film, settings["film"]["magnification"], (film["height"], film["width"]))
        rng = np.random.default_rng([seed, number])
        tissue, mask = pelvis(pose, people_of(film), femurs_of(film), rng)
        half, femurs = film["width"] // 2, femurs_of(film)
        for side, part in (("right", np.s_[:, :half]), ("left", np.s_[:, half:])):
            neck = mask[part] & NECK > 0
            mineral = tissue["cortical"][part][neck].mean() if neck.any() else np.nan
            width = neck_width(femurs[side]) * film[f"bone_scale_{side}"] if neck.any() else np.nan
            rows.append({"bmd_g_cm2": law * mineral, "width_mm": width})
    return pd.DataFrame(rows)


def neck_width(femur: FemurShape) -> float:
    """Width of a femur's outline where its neck is narrowest, across its axis, in mm of the drawn hip."""
    curve = femur.move(closed_curve(np.array(FEMUR, float), 2000))
    head, base = femur.move(np.array([HEAD, NECK_BASE]))
    along = (base - head) / np.hypot(*(base - head))
    t, n = (curve - head) @ along, (curve - head) @ np.array([along[1], -along[0]])
    widths = []
    for at in np.arange(15.0, 36.0):
        across = n[(np.abs(t - at) < 1) & (np.abs(n) < 30)]
        above, below = across[across > 0], across[across < 0]
        if above.size and below.size:  # of a short neck the trochanter or the head may begin here
            widths.append(above.min() - below.max())
    return float(min(widths))


def estimated_cortex(bmd_g_cm2: NDArray, width_mm: NDArray) -> NDArray:
    """Cortical thickness in mm as analysis of hip structure estimates it from a DXA scan.

    The neck as a ring of cortical bone of 1.05 g/cm3 with 60 % of the mineral (Beck et al., J Bone Miner Res 15:2297,
    2000, doi:10.1359/jbmr.2000.15.12.2297).
    """
    radius = width_mm / 20  # cm
    area = 0.6 * bmd_g_cm2 * width_mm / 10 / 1.05
    return 10 * (radius - np.sqrt(radius**2 - area / np.pi))
