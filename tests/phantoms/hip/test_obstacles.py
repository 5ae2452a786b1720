"""Metal: which hip has which, where it lies, and that it saturates."""

import numpy as np
import pytest

from osteolib.phantoms.hip.film import femurs_of, people_of, plan_films, pose_of, render_film
from osteolib.phantoms.hip.obstacles import METAL_PER_MM, disc, metal, painted, rod, thread
from osteolib.phantoms.hip.people import simulate
from osteolib.phantoms.hip.pose import FemurShape, HipPose
from osteolib.phantoms.hip.truth import FEMUR, JOINT, NECK, SCREW
from osteolib.phantoms.physics import Acquisition
from osteolib.phantoms.settings import phantom_settings

SETTINGS = phantom_settings("hip-phantom")
POSE = HipPose((300, 400), (200, 165), 1.07)


def film_with(right: str, left: str, width: int = 256) -> dict:
    hips = simulate(SETTINGS, 1, 0)
    film = plan_films(SETTINGS, hips, 0, width).iloc[0].to_dict()
    closed = {f"closed_{edge}": -0.1 for edge in ("left", "right", "top", "bottom")}
    low, high = SETTINGS["acquisition"]["window"]
    plain = {"marker": False, "window_low": low, "window_high": high, "exposure": 1.0}
    return film | closed | plain | {"obstacle_right": right, "obstacle_left": left}


def shoot(right: str, left: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    film, tube = film_with(right, left), Acquisition(**SETTINGS["acquisition"])
    return render_film(film, SETTINGS["film"]["magnification"], tube, np.random.default_rng(seed))


def test_a_rod_and_a_disc_have_their_size():
    """Area of the polygon, in mm of the drawn hip; painted a hundredth coarser."""
    for part, area in ((rod((0, 0), (30, 40), 6), 50 * 6), (disc((5, 5), 10, 20), np.pi * 100)):
        thick, box = painted([(part[0] + (100, 10), part[1])], POSE, "left", FemurShape())
        assert (thick > 0.5 * part[1]).sum() / POSE.scale**2 == pytest.approx(area, rel=0.06)
        assert thick.max() == pytest.approx(part[1]) and box is not None
    teeth, core = thread((0, 0), (20, 0), 8)[0], rod((0, 0), (20, 0), 8)[0]
    assert np.ptp(teeth[:, 1]) <= np.ptp(core[:, 1]) + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_the_mask_tells_which_hip_has_what_and_metal_is_white(seed):
    pixels, mask = shoot("screw", "joint", seed)
    half = mask.shape[1] // 2
    right, left = mask[:, :half], mask[:, half:]
    assert (right & SCREW).any() and not (right & JOINT).any()
    assert (left & JOINT).any() and not (left & SCREW).any()
    assert (right & NECK).any() and not (left & NECK).any()
    solid = mask & JOINT > 0
    assert np.median(pixels[solid]) > 235 > np.percentile(pixels[mask == FEMUR], 50)
    screw = right & SCREW > 0
    assert (right[screw] & FEMUR > 0).mean() > 0.4  # it sits in the bone


def test_no_metal_without_an_obstacle_and_the_other_side_stays_as_it_is():
    film = film_with("none", "none")
    pose = pose_of(film, SETTINGS["film"]["magnification"], (192, 256))
    depth, bits = metal(pose, people_of(film), femurs_of(film), np.random.default_rng(0))
    assert not depth.any() and not bits.any()
    depth, bits = metal(pose, people_of(film_with("none", "joint")), femurs_of(film), np.random.default_rng(0))
    assert not depth[:, : int(pose.centre[0])].any() and depth.max() > 10 * METAL_PER_MM
    assert ((depth > 0.8 * METAL_PER_MM * film["bone_scale_left"]) == (bits > 0)).all()
