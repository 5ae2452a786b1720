"""One film with things changed, and what DXA would say of drawn necks."""

import numpy as np
import pytest

from osteolib.cohorts import DataNotFound, load_cohort
from osteolib.phantoms.hip.drawn import drawn_necks, estimated_cortex, neck_width, one_film
from osteolib.phantoms.hip.film import plan_films
from osteolib.phantoms.hip.people import simulate
from osteolib.phantoms.hip.pose import FemurShape
from osteolib.phantoms.hip.truth import JOINT, SCREW
from osteolib.phantoms.settings import phantom_settings

SETTINGS = phantom_settings("hip-phantom")


def test_the_estimated_cortex_is_that_of_real_dxa_files():
    """Oracle: the column of a hospital's own program, from its BMD and width; two decimals of a millimetre."""
    try:
        people = load_cohort("dxa-korea969").subjects
    except DataNotFound:
        pytest.skip("the data of dxa-korea969 are not here")
    found = estimated_cortex(people["bmd_neck_g_cm2"].to_numpy(), 10 * people["neck_width_cm"].to_numpy())
    np.testing.assert_allclose(found, 10 * people["neck_cortical_thickness_cm"], atol=0.011)


def test_a_ring_of_known_thickness_has_that_thickness():
    """By hand: radius 1.5 cm, wall 0.2 cm holds pi (1.5^2 - 1.3^2) cm2 of bone, which is 60 % of the mineral."""
    area = np.pi * (1.5**2 - 1.3**2)
    bmd = area / 0.6 * 1.05 / 3.0
    assert estimated_cortex(np.array([bmd]), np.array([30.0]))[0] == pytest.approx(2.0)


def test_what_is_changed_changes_on_both_sides_or_on_one():
    plain, mask = one_film(SETTINGS, 96, 0)
    again, _ = one_film(SETTINGS, 96, 0)
    assert (plain == again).all() and not (mask & (JOINT | SCREW)).any() and plain.shape == (72, 96)
    _, one_side = one_film(SETTINGS, 96, 0, obstacle_right="joint")
    assert (one_side[:, :48] & JOINT).any() and not (one_side[:, 48:] & JOINT).any()
    _, both = one_film(SETTINGS, 96, 0, obstacle="screw")
    assert (both[:, :48] & SCREW).any() and (both[:, 48:] & SCREW).any()
    dense, _ = one_film(SETTINGS, 96, 0, density=1.6, marker=False)
    thin, _ = one_film(SETTINGS, 96, 0, density=0.2, marker=False)
    assert dense.astype(int).sum() > thin.sum()


def test_drawn_necks_are_in_the_order_of_the_hips_and_missing_where_a_joint_is():
    hips = simulate(SETTINGS, 3, 0)
    films = plan_films(SETTINGS, hips, 0, 200)
    films[["obstacle_right", "obstacle_left"]] = "none"
    films.loc[1, "obstacle_left"] = "joint"
    necks = drawn_necks(SETTINGS, films)
    assert necks.isna().all(axis=1).tolist() == [False, False, False, True, False, False]
    film = films.iloc[2]
    shape = FemurShape(*(film[f"{name}_left"] for name in ("rotation_deg", "neck_shaft", "neck_width", "spread")))
    assert necks["width_mm"][5] == pytest.approx(neck_width(shape) * film["bone_scale_left"])
    kept = necks["bmd_g_cm2"].notna()
    np.testing.assert_allclose(necks["bmd_g_cm2"][kept], hips["bmd_neck_g_cm2"][kept], atol=0.2)


def test_every_neck_that_is_drawn_has_a_width_near_the_drawn_one():
    """34.4 mm times the factor asked for; a neck of a turned leg is drawn up to 17 % narrower."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        wide = np.exp(rng.normal(0, 0.05))
        shape = FemurShape(rng.uniform(-20, 40), rng.normal(0, 4.5), wide, rng.normal(0, 3))
        assert neck_width(shape) / (34.4 * wide) == pytest.approx(0.95, abs=0.13)
