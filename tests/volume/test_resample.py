import numpy as np
import pytest

from osteolib.volume import LabelMap, Volume, resample

AFFINE = np.array([[1.0, 0, 0, -20], [0, 1.5, 0, 30], [0, 0, 3.0, 400], [0, 0, 0, 1]])


def ramp(shape=(10, 20, 30)):
    """HU that grow with the place in mm: linear interpolation is exact, wherever the new voxels lie."""
    grid = Volume(np.zeros(shape, np.float32), AFFINE, "RAS")
    mm = grid.to_mm(np.stack(np.indices(shape), -1))
    return Volume((mm @ (1, 2, 3)).astype(np.float32), AFFINE, "RAS")


@pytest.mark.parametrize("spacing", [0.75, 1.0, 2.0])
def test_a_linear_picture_has_at_every_new_place_the_value_of_that_place(spacing):
    new = resample(ramp(), spacing)
    assert new.spacing_mm == pytest.approx((spacing,) * 3)
    mm = new.to_mm(np.stack(np.indices(new.voxels.shape), -1))
    inner = tuple(slice(n // 4, -(n // 4)) for n in new.voxels.shape)  # away from the edges, where there is no beyond
    np.testing.assert_allclose(new.voxels[inner], (mm @ (1, 2, 3))[inner], rtol=1e-4)


def test_the_extent_stays_from_edge_to_edge():
    old, new = ramp(), resample(ramp(), 1.5)
    assert new.voxels.shape == (20, 20, 20)
    for edge_old, edge_new in ((np.full(3, -0.5), np.full(3, -0.5)), (np.array((9.5, 19.5, 29.5)), np.full(3, 19.5))):
        np.testing.assert_allclose(old.to_mm(edge_old), new.to_mm(edge_new))


def test_the_mean_of_noise_stays_and_its_spread_shrinks_as_larger_voxels_have_it():
    """Means over 8 voxels have an SD of 1/sqrt 8; a Gaussian of the same variance comes near."""
    noise = np.random.default_rng(0).normal(100, 20, (40, 40, 40)).astype(np.float32)
    new = resample(Volume(noise, np.eye(4), "RAS"), 2.0)
    assert new.voxels.shape == (20, 20, 20)
    assert new.voxels.mean() == pytest.approx(100, abs=0.5)
    assert new.voxels.std() == pytest.approx(20 / np.sqrt(8), rel=0.35)


def test_labels_take_the_nearest_and_never_a_new_number():
    labels = LabelMap(np.random.default_rng(0).choice(np.array([0, 21, 50], np.uint16), (10, 20, 30)), AFFINE, "RAS")
    new = resample(labels, 1.0)
    assert set(np.unique(new.voxels)) <= {0, 21, 50} and new.voxels.dtype == np.uint16
    np.testing.assert_array_equal(new.voxels[1::3, :, :][:10, ::3], labels.voxels[:, ::2])  # centres that coincide


def test_nothing_happens_where_nothing_has_to():
    cubes = Volume(np.zeros((3, 3, 3), np.float32), np.eye(4), "RAS")
    assert resample(cubes, 1.0) is cubes
    with pytest.raises(ValueError, match="spacing_mm must be above 0: 0"):
        resample(cubes, 0)
