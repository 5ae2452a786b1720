import numpy as np
import pandas as pd
import pytest

from osteolib.screen import ct_pool
from osteolib.screen.ct_images import WINDOW_HU, vertebra_images
from osteolib.screen.ct_pool import MEMBERS, RANGES, ROOTS, as_grey, fixed_levels, pool_images, pool_of_cube
from osteolib.views.texture import level_maps
from osteolib.volume import LabelMap, Volume, to_planes, write_nifti


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")


def cube(seed=0, size=17):
    return np.random.default_rng(seed).normal(150, 250, (size,) * 3).astype(np.float32)


def test_planes_of_slabs_are_those_of_the_maps_of_the_whole_cube():
    hu = cube()
    whole = level_maps(fixed_levels(hu))
    pool = pool_of_cube(hu)
    np.testing.assert_array_equal(pool[0], np.rint(255 * to_planes(hu, WINDOW_HU)))
    for member, name in enumerate(MEMBERS[1:], 1):
        values = whole[name].sqrt() if name in ROOTS else whole[name]
        expected = np.rint(255 * to_planes(values.numpy(), RANGES[name]))
        np.testing.assert_array_equal(pool[member], expected.astype(np.uint8))


def test_a_level_is_31_hu_wide_and_its_zero_is_the_same_for_all():
    hu = np.array([-1000, -200, -168.76, -168.74, 300, 799.9, 800, 3000])
    assert fixed_levels(hu).tolist() == [1, 1, 1, 2, 17, 32, 32, 32]


def test_a_slope_has_the_maps_that_it_must_have():
    """Ten levels of HU 100 apart by depth: neighbours differ by 0 or by one step, of 3.2 levels on average."""
    hu = np.broadcast_to(np.linspace(-200, 800, 33)[:, None, None] + 1.0, (33, 33, 33))
    levels = fixed_levels(hu)[:, 0, 0]
    assert levels.tolist() == [*range(1, 33), 32]
    pool = dict(zip(MEMBERS, pool_of_cube(hu), strict=True))
    # 9 of 13 directions step along depth: difference 1; the other 4 stay in a slice: 0
    assert (pool["difference_average"][:, 16, 16] == round(255 * 9 / 13 / 16)).all()
    assert (pool["contrast"][:, 16, 16] == round(255 * np.sqrt(9 / 13) / 16)).all()
    assert (pool["joint_average"][:, 16, 16] == round(255 * (int(levels[16]) - 1) / 31)).all()


def test_what_leaves_the_range_is_clipped_and_roots_are_taken():
    assert as_grey("contrast", np.array([0.0, 64.0, 256.0, 900.0])).tolist() == [0, 128, 255, 255]
    assert as_grey("difference_average", np.array([0.0, 8.0, 16.0, 31.0])).tolist() == [0, 128, 255, 255]


def test_pools_are_made_once_and_the_first_member_is_the_picture(tmp_path, monkeypatch):
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    mask = np.zeros((30, 30, 30), np.uint16)
    mask[5:25, 5:25, 5:25] = 1
    write_nifti(Volume(cube(1, 30), affine, "RAS"), tmp_path / "a.nii.gz")
    write_nifti(LabelMap(mask, affine, "RAS"), tmp_path / "m.nii.gz")
    rows = pd.DataFrame({"path": [str(tmp_path / "a.nii.gz")], "mask_path": [str(tmp_path / "m.nii.gz")],
                         "level": ["L3"]})  # fmt: skip
    pool = pool_images(rows, 16, 2.0)
    assert pool.shape == (1, 5, 3, 16, 16) and pool.dtype == np.uint8
    np.testing.assert_array_equal(pool[:, 0], vertebra_images(rows, 16, 2.0))
    monkeypatch.setattr(ct_pool, "pool_of_cube", None)
    np.testing.assert_array_equal(pool_images(rows, 16, 2.0), pool)


def test_what_has_no_pool_is_said():
    with pytest.raises(ValueError, match="a cube of 4 voxels is smaller than the window of a map, 5"):
        pool_of_cube(cube(size=4))
    with pytest.raises(ValueError, match="no vertebra to make a pool of: ask for more people"):
        pool_images(pd.DataFrame({"path": [], "mask_path": [], "level": []}), 16, 2.0)
