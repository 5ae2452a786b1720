import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import f1_score, jaccard_score

from osteolib.segment.overlap import (
    dice,
    distance,
    effective_modules,
    ged_squared,
    iou,
    matched_iou,
    pixel_calibration,
    surface_distance,
)  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")  # docstrings of POT, where it is compiled
RNG = np.random.default_rng(0)
MAPS = RNG.integers(0, 4, (5, 9, 8))


def test_iou_and_dice_are_those_of_scikit_learn():
    for a in (0, 1):
        for b in (2, 4):
            pair = MAPS[b].ravel(), MAPS[a].ravel()
            options = {"labels": [1, 2, 3], "average": None}
            got = iou(MAPS[[a]], MAPS[[b]], 4)[0, 0]
            assert got == pytest.approx(jaccard_score(*pair, **options))
            assert dice(got) == pytest.approx(f1_score(*pair, **options))


def test_classes_absent_from_both_maps():
    empty, one = np.zeros((1, 4, 4), int), np.eye(4, dtype=int)[None]
    assert np.isnan(iou(empty, empty, 3)).all()
    assert distance(empty, empty, 3)[0, 0] == 0  # agreement
    assert distance(one, empty, 3)[0, 0] == 0.5  # class 1 made up, class 2 absent from both
    full = np.ones((1, 4, 4), int)
    assert iou(full, one, 3)[0, 0, 0] == 4 / 16 and np.isnan(iou(full, one, 3)[0, 0, 1])


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 10_000))
def test_ged_is_never_negative_and_zero_between_equals(n, m, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 3, (n, 4, 4)), rng.integers(0, 3, (m, 4, 4))
    p, q = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    assert ged_squared(a, p, b, q, 3) >= -1e-12
    order = rng.permutation(n)
    assert ged_squared(a, p, a[order], p[order], 3) == pytest.approx(0, abs=1e-12)


def test_ged_by_hand():
    """Two maps that share nothing, one class: d = 1. Half against all: 2 * 0.5 - 0.5 - 0 = 0.5."""
    left, right = np.array([[1, 0]]), np.array([[0, 1]])
    assert ged_squared([left, right], [0.5, 0.5], [left], [1.0], 2) == pytest.approx(0.5)
    assert ged_squared([left], [1.0], [right], [1.0], 2) == pytest.approx(2)


def test_matched_iou_is_the_hungarian_one_for_equal_weights():
    """4 hypotheses and 3 annotations: repeated to 12 and 12 and assigned."""
    a, b = np.split(np.random.default_rng(0).integers(0, 3, (7, 6, 6)), [4])
    score = 1 - distance(a, b, 3)
    repeated = np.repeat(np.repeat(score, 3, 0), 4, 1)
    best = repeated[linear_sum_assignment(repeated, maximize=True)].mean()
    assert matched_iou(a, np.full(4, 1 / 4), b, np.full(3, 1 / 3), 3) == pytest.approx(best)


def test_surface_distance_of_shifted_squares_by_hand():
    """A line of one pixel's width moved by 3 rows of 0.5 mm: 1.5 mm everywhere."""
    a, b = np.zeros((20, 30), bool), np.zeros((20, 30), bool)
    a[5, 4:20] = b[8, 4:20] = True
    assert surface_distance(a, b, (0.5, 0.2)) == pytest.approx((1.5, 1.5))
    assert surface_distance(a, a, (0.5, 0.2)) == (0, 0)
    assert np.isnan(surface_distance(a, np.zeros_like(a), (1, 1))).all()
    c = np.zeros_like(a)
    c[5, 4] = True  # one way: 0; the other: columns 0 to 15 away
    assert surface_distance(a, c, (1, 1))[0] == pytest.approx((0 + sum(range(16))) / 17)


def test_surface_distance_of_circles_is_the_difference_of_their_radii():
    y, x = np.mgrid[-60:61, -60:61]
    a, b = (x**2 + y**2 < radius**2 for radius in (30, 40))
    assert surface_distance(a, b, (0.1, 0.1)) == pytest.approx((1.0, 1.0), abs=0.08)


def test_calibration_by_hand():
    """Three pixels of bone at 0.9, 0.9, 0.6, of which the annotators (0.75, 0.25) confirm 1, 0.75 and 0."""
    probability = np.array([[[0.1, 0.1, 0.4, 0.99]], [[0.9, 0.9, 0.6, 0.01]]])
    annotations = np.array([[[1, 1, 0, 0]], [[1, 0, 0, 0]]])
    error, table = pixel_calibration(probability, annotations, [0.75, 0.25])
    assert table["n"].tolist() == [1, 2] and table["right"].tolist() == [0, 0.875]
    assert error == pytest.approx(1 / 3 * 0.6 + 2 / 3 * 0.025)


def test_a_calibrated_prediction_has_no_calibration_error():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.5, 1, (200, 200))
    annotations = (rng.uniform(size=(1, 200, 200)) < p).astype(int)
    error, table = pixel_calibration(np.stack([1 - p, p]), annotations, [1.0])
    assert error < 0.01 and table["n"].sum() == 40_000  # SE of a bin's share: 0.005
    assert pixel_calibration(np.stack([1 - p, p**3 / 8 + 0.5]), annotations, [1.0])[0] > 0.1


def test_nobody_sees_bone():
    error, table = pixel_calibration(np.stack([np.ones((4, 4)), np.zeros((4, 4))]), np.zeros((2, 4, 4)), [0.5, 0.5])
    assert error == 0 and table.empty


def test_effective_modules():
    assert effective_modules([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]) == pytest.approx(4)
    assert effective_modules([[1.0, 0.0], [1.0, 0.0]]) == pytest.approx(1)
    assert effective_modules([[1.0]]) == 1  # K = 1


def test_maps_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="label maps"):
        iou(MAPS, MAPS[0], 4)
    with pytest.raises(ValueError, match="the class 3"):
        iou(MAPS, MAPS, 3)
