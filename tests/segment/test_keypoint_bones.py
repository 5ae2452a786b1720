import numpy as np
import pytest

from osteolib.phantoms.hand.shapes import BONES
from osteolib.segment.bones import bone_images
from osteolib.segment.keypoint_bones import BEYOND, capsules
from osteolib.segment.prompts import HALF_WIDTH

AXIS = np.array([[150.0, 260.0], [150.0, 60.0]])  # x and y: upright, 200 long


def turned(axis, degrees, scale=1.0):
    a = np.radians(degrees)
    middle = axis.mean(0)
    return (axis - middle) @ (scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])).T + middle


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1.0), (35, 1.0), (90, 0.5), (-120, 0.7)])
def test_a_capsule_is_the_same_share_of_its_axis_whatever_its_pose_and_size(degrees, scale):
    """Its area is that of a rectangle and a disc, pi r^2 + 2 r s, with s the length between the two centres."""
    labels = capsules({"M2": turned(AXIS + 0.3, degrees, scale)}, (320, 300))  # off the lattice
    length = 200 * scale
    radius = HALF_WIDTH["M2"] * length
    straight = length * (1 + 2 * BEYOND) - 2 * radius
    assert set(np.unique(labels)) == {0, BONES.index("M2") + 1}
    assert (labels > 0).sum() == pytest.approx(np.pi * radius**2 + 2 * radius * straight, rel=0.01)


def test_every_pixel_is_within_reach_of_the_axis_and_the_axis_is_inside():
    labels = capsules({"M3": AXIS}, (320, 300))
    rows, columns = np.nonzero(labels)
    assert np.abs(columns - 150).max() < 0.14 * 200 <= np.abs(columns - 150).max() + 1
    assert rows.min() == pytest.approx(60 - BEYOND * 200, abs=1)
    assert rows.max() == pytest.approx(260 + BEYOND * 200, abs=1)


def test_where_two_capsules_meet_the_nearer_axis_wins_whatever_their_order():
    beside = AXIS + np.array([31.0, 0])  # no column is half-way
    labels = capsules({"M2": AXIS, "M3": beside}, (320, 300))
    np.testing.assert_array_equal(labels, capsules({"M3": beside, "M2": AXIS}, (320, 300)))
    middle = labels[160]
    assert set(middle[125:166]) == {BONES.index("M2") + 1} and set(middle[166:205]) == {BONES.index("M3") + 1}


def test_bones_come_out_of_the_capsules_and_those_without_keypoints_or_cut_off_are_missing():
    pixels = np.tile(np.linspace(0.1, 0.9, 300), (320, 1))
    axes = {"M2": AXIS, "M5": AXIS - np.array([140, 0]), "M4": AXIS + np.array([500, 0])}
    bones = bone_images(pixels, capsules(axes, pixels.shape), 64)
    assert tuple(bones.images) == ("M2",) and (bones.images["M2"] > 0).any()
    assert bones.missing["M5"] == "cut off by the edge of the image"
    assert bones.missing["M1"] == bones.missing["M4"] == "absent from the label map"
    top, left, side = bones.boxes["M2"]
    assert side >= 220 and top + side / 2 == pytest.approx(160, abs=1) and left + side / 2 == pytest.approx(150, abs=1)
    assert not capsules({}, (20, 20)).any()


@pytest.mark.parametrize("axis", [[[5, 5], [5, 5]], [[5, 5], [np.nan, 9]]])
def test_an_axis_without_length_is_named(axis):
    with pytest.raises(ValueError, match="M2: its axis has no length"):
        capsules({"M2": np.array(axis, float)}, (20, 20))
