"""Bone and soft tissue of the drawn hips, against geometry that can be computed by hand and against the manifest."""

from itertools import pairwise

import numpy as np
import pytest

from osteolib.cohorts import load_manifest
from osteolib.phantoms.hip.anatomy import pelvis
from osteolib.phantoms.hip.drawn import neck_width
from osteolib.phantoms.hip.femur import neck_region
from osteolib.phantoms.hip.people import neck_bmd
from osteolib.phantoms.hip.pose import ALONG_NECK, SIDES, FemurShape, HipPose
from osteolib.phantoms.hip.shapes import FEMUR, GROUPS, HEAD, HEAD_RADIUS, NECK_BASE, NECK_NARROWEST, SHAFT_AXIS
from osteolib.phantoms.hip.trabeculae import singh_grade, visible
from osteolib.phantoms.hip.truth import FEMUR as FEMUR_BIT
from osteolib.phantoms.hip.truth import NECK, PELVIS
from osteolib.phantoms.rays import closed_curve

LAW = load_manifest("hip-phantom").settings["bone"]["neck_mm"]
POSE = HipPose((300, 400), (200, 165), 1.07)
LATENT = {
    "density": 1.0, "cortical_thickness_mm": 6.0, "bone_scale": 1.0, "fat_mm": 20.0, "muscle_scale": 1.0,
    "joint_space_mm": 4.0, "obstacle": "none",
}  # fmt: skip


def drawn(seed: int = 0, shape: FemurShape = FemurShape(), **changes) -> tuple[dict, np.ndarray]:  # noqa: B008
    latent = LATENT | changes
    people = {s: latent for s in SIDES} | {"pelvis": {"density": 0.8, "cortical_thickness_mm": 5.4}}
    return pelvis(POSE, people, {s: shape for s in SIDES}, np.random.default_rng(seed))


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))


def test_the_drawn_femur_has_a_round_head_and_the_angle_between_neck_and_shaft():
    curve = closed_curve(np.array(FEMUR, float))
    r = np.hypot(*(curve - HEAD).T)
    beyond_neck = (curve - HEAD) @ ALONG_NECK < -2
    assert beyond_neck.sum() > 40
    np.testing.assert_allclose(r[beyond_neck], HEAD_RADIUS, atol=0.4)
    shaft = np.subtract(SHAFT_AXIS[1], SHAFT_AXIS[0])
    assert angle_between(np.subtract(HEAD, NECK_BASE), shaft) == pytest.approx(128, abs=0.5)


def test_a_femur_takes_the_shape_it_is_given():
    """A factor on the neck's width, degrees more between neck and shaft, and a head that stays in its socket."""
    plain = neck_width(FemurShape())
    assert 32 < plain < 37
    assert neck_width(FemurShape(neck_width=1.1)) / plain == pytest.approx(1.1, abs=0.02)
    points = np.array([HEAD, NECK_BASE, SHAFT_AXIS[1], (131.0, 20.0)])
    for shape in (FemurShape(neck_shaft=7), FemurShape(20, -5, 1.05, 4), FemurShape(spread=-6)):
        np.testing.assert_allclose(shape.move(points)[0], HEAD, atol=1e-9)
    base, head, far = (FemurShape(neck_shaft=7).move(points)[k] for k in (1, 0, 2))
    assert angle_between(head - base, far - base) == pytest.approx(135, abs=0.5)


def test_a_leg_turned_outwards_shows_a_shorter_neck_and_more_of_the_lesser_trochanter():
    points = np.array([HEAD, NECK_BASE, (99.5, 63.5), (122.0, 105.0)])
    length = {r: np.hypot(*np.diff(FemurShape(r).move(points)[:2], axis=0)[0]) for r in (0, 30)}
    across = np.subtract(NECK_BASE, HEAD)[0]
    assert length[0] - length[30] == pytest.approx(across * (1 - np.cos(np.radians(30))) * 0.716, rel=0.35)
    stands_out = {r: np.diff(FemurShape(r).move(points)[2:, 0])[0] for r in (-15, 0, 30)}
    assert stands_out[-15] < stands_out[0] < stands_out[30]


@pytest.mark.parametrize("side", SIDES)
def test_pixels_go_to_the_hip_and_back(side):
    pose = HipPose((300, 400), (190, 170), 1.3, 0.05, 0.03, 0.06)
    x, y = pose.to_hip((20, 40, 30, 60), side)
    back = pose.to_pixels(np.column_stack([x.ravel(), y.ravel()]), side)
    expected = np.array([(u + 0.5, v + 0.5) for v in range(40, 60) for u in range(20, 30)])
    np.testing.assert_allclose(back, expected, atol=0.35)  # the tilt is turned back at the pixel's own height


def test_each_femur_lies_in_its_half_with_its_neck_between_head_and_trochanter():
    _, mask = drawn()
    for half in (np.s_[:, :200], np.s_[:, 200:]):
        femur, neck = mask[half] & FEMUR_BIT > 0, mask[half] & NECK > 0
        assert neck.sum() / POSE.scale**2 == pytest.approx(15 * 35, rel=0.12)  # DXA's band of 15 mm
        assert (femur | ~neck).all()
    head = POSE.to_pixels(np.array([HEAD]), "left")[0].round().astype(int)
    assert mask[head[1], head[0]] & FEMUR_BIT and mask[head[1], head[0]] & PELVIS  # a wall of the socket before it
    obturator = POSE.to_pixels(np.array([(45.0, 55.0)]), "right")[0].round().astype(int)
    assert mask[obturator[1], obturator[0]] == 0
    axes = (POSE.to_pixels(np.array([np.array(HEAD) + NECK_NARROWEST * ALONG_NECK]), s)[0] for s in SIDES)
    assert all(mask[round(y), round(x)] & NECK for x, y in axes)


def test_mineral_of_the_drawn_neck_follows_the_sum_of_the_manifest():
    """Areal density is physical: what lies in the mask of the neck is what density, cortex and size make, r > 0.9."""
    rng = np.random.default_rng(1)
    made, expected = [], []
    for seed in range(12):
        density, thickness, size = rng.uniform(0.2, 1.5), rng.uniform(3, 8), rng.normal(1, 0.05)
        shape = FemurShape(rng.normal(3, 8), rng.normal(0, 4), np.exp(rng.normal(0, 0.05)))
        changes = {"density": density, "cortical_thickness_mm": thickness, "bone_scale": size}
        tissue, mask = drawn(seed, shape, **changes)
        for half in (np.s_[:, :200], np.s_[:, 200:]):
            made.append(tissue["cortical"][half][mask[half] & NECK > 0].mean() * LAW["g_cm2_per_mm"])
            expected.append(neck_bmd(LAW, *(np.array(v) for v in (density, thickness, size))))
    made, expected = np.array(made), np.array(expected)
    assert np.corrcoef(made, expected)[0, 1] > 0.95
    assert np.mean(made - expected) == pytest.approx(0, abs=0.03)


def test_denser_bone_and_thicker_cortex_add_mineral_only_where_bone_is():
    base, mask = drawn()
    for changes in ({"density": 1.5}, {"cortical_thickness_mm": 7.5}):
        more, same = drawn(**changes)
        femur = mask & FEMUR_BIT > 0
        assert more["cortical"][femur].sum() > 1.04 * base["cortical"][femur].sum()
        assert (more["cortical"][base["cortical"] == 0] == 0).all() and (same == mask).mean() > 0.995
    heavy, _ = drawn(fat_mm=45.0)
    assert heavy["fat"].sum() > 1.5 * base["fat"].sum()
    assert (heavy["soft"] >= 0).all() and heavy["soft"].dtype == np.float32


def test_an_artificial_joint_takes_head_and_neck_away():
    _, mask = drawn(obstacle="joint")
    head = POSE.to_pixels(np.array([HEAD]), "left")[0].round().astype(int)
    shaft = POSE.to_pixels(np.array([(121.0, 110.0)]), "left")[0].round().astype(int)
    assert not mask[head[1], head[0]] & FEMUR_BIT and mask[shaft[1], shaft[0]] & FEMUR_BIT
    assert not (mask & NECK).any()


def test_the_groups_of_trabeculae_fade_in_their_known_order():
    """Singh's grades: the secondary groups go first, the principal compressive one last; never up as density falls."""
    grid = np.linspace(1.5, 0.05, 200)
    grades = [singh_grade(d) for d in grid]
    assert grades[0] == 6 and grades[-1] == 1 and set(grades) == set(range(1, 7))
    assert all(a >= b for a, b in pairwise(grades))
    half = {name: group.half_at for name, group in GROUPS.items()}
    assert min(half, key=half.get) == "principal compressive"
    assert half["principal tensile"] < min(half["secondary compressive"], half["secondary tensile"])
    for name in GROUPS:
        assert visible(name, half[name]) == pytest.approx(0.5)
        assert visible(name, 1.5) > 0.99 > 0.5 > visible(name, 0.1)


def test_where_the_groups_are_gone_their_places_differ_less_from_ward_s_triangle():
    """Mineral at the crossing of groups against Ward's triangle between them."""
    spots = {"tensile": (118.0, 15.5), "ward": (114.0, 28.0)}

    def ratio(density: float) -> float:
        values = {name: [] for name in spots}
        for seed in range(4):
            tissue, _ = drawn(seed, density=density)
            for name, spot in spots.items():
                x, y = POSE.to_pixels(np.array([spot]), "left")[0].round().astype(int)
                values[name].append(tissue["cortical"][y - 2 : y + 3, x - 2 : x + 3].mean())
        return np.mean(values["tensile"]) / np.mean(values["ward"])

    assert ratio(1.2) > ratio(0.35) + 0.1


def test_the_region_of_the_neck_is_a_band_of_fifteen_millimetres():
    region = neck_region(lambda p: np.asarray(p) * 2 + 100, (0, 0, 500, 500))
    assert region.sum() / 4 == pytest.approx(15 * 50, rel=0.03)
