import numpy as np
import pytest

from osteolib.cohorts import DataNotFound, find_data, load_manifest
from osteolib.volume import (
    LEVELS,
    LabelMap,
    Volume,
    VolumeError,
    body_core,
    cut_vertebra,
    find_vertebrae,
    read_labels,
    read_volume,
    to_cube,
    to_planes,
    write_nifti,
)

NUMBERS = {"L1": 31, "L2": 30, "L3": 29}
SPACING = (3.0, 1.5, 1.0)


def spine(spacing=SPACING, order=(29, 30, 31)):
    """Three cylinders of 15 mm radius and 21 mm height, 33 mm apart up the body, each with a rod to the back.

    The body has 100 HU within a cortex of 500 HU, the rod 300, all else 20 and a little fat.
    """
    extent = np.array([126.0, 90.0, 60.0])
    shape = tuple(np.rint(extent / spacing).astype(int))
    affine = np.diag([*spacing[::-1], 1.0])
    affine[:3, 3] = (-30, -45, 200)
    z, y, x = ((np.arange(n) + 0.5) * mm for n, mm in zip(shape, spacing, strict=True))
    z, y, x = np.meshgrid(z, y, x, indexing="ij")
    voxels, labels = np.full(shape, 20.0, np.float32), np.zeros(shape, np.uint16)
    voxels[:, -3:] = -100
    for at, label in zip((30, 63, 96), order, strict=True):
        radius, up = np.hypot(y - 60, x - 30), np.abs(z - at)
        inside, rod = (radius < 15) & (up < 10.5), (np.abs(x - 30) < 3) & (y > 15) & (y < 50) & (up < 4)
        voxels[rod], voxels[inside] = 300, 500
        voxels[(radius < 13) & (up < 8)] = 100
        labels[rod | inside] = label
    return Volume(voxels, affine, "RAS"), LabelMap(labels, affine, "RAS")


def test_levels_are_the_papers_eighteen():
    assert len(LEVELS) == 18 and LEVELS[0] == "T1" and LEVELS[12] == "L1" and LEVELS[-1] == "L6"


def test_vertebrae_come_from_the_neck_down_with_box_centre_and_volume():
    volume, labels = spine()
    found = find_vertebrae(volume, labels, NUMBERS)
    assert [v.level for v in found] == ["L1", "L2", "L3"] and [v.label for v in found] == [31, 30, 29]
    assert not any(v.problem for v in found)
    for v, at in zip(found, (96, 63, 30), strict=True):
        assert v.centre_mm[2] == pytest.approx(200 + at - 1.5, abs=1.5)  # the first voxel's middle lies at 200
        np.testing.assert_array_equal(np.argwhere(labels.voxels == v.label).min(0), [side.start for side in v.box])
        assert v.volume_mm3 == pytest.approx((labels.voxels == v.label).sum() * 4.5)
    only = find_vertebrae(volume, labels, {"L2": 30, "T12": 32})
    assert [v.level for v in only] == ["L2"]


def test_the_written_phantom_takes_the_same_path(tmp_path):
    volume, labels = spine()
    write_nifti(volume, tmp_path / "ct.nii.gz")
    write_nifti(labels, tmp_path / "mask.nii.gz")
    again, mask = read_volume(tmp_path / "ct.nii.gz"), read_labels(tmp_path / "mask.nii.gz")
    assert find_vertebrae(again, mask, NUMBERS) == find_vertebrae(volume, labels, NUMBERS)
    a, b = (cut_vertebra(v, m, find_vertebrae(v, m, NUMBERS)[1]) for v, m in ((volume, labels), (again, mask)))
    np.testing.assert_array_equal(a.voxels, b.voxels)


def test_a_cut_a_tiny_and_a_metal_vertebra_are_named():
    volume, labels = spine()
    voxels, numbers = volume.voxels.copy(), labels.voxels.copy()
    where = np.argwhere(numbers == 30)
    for z, y, x in where[:4]:
        voxels[z, y, x] = 3071
    shiny = Volume(voxels, volume.affine, "RAS")
    assert not find_vertebrae(shiny, labels, NUMBERS)[1].problem  # four bright voxels are not a screw
    for z, y, x in where[:5]:
        voxels[z, y, x] = 3071
    numbers[numbers == 29] = 0
    numbers[2:4, 5:8, 5:8] = 29
    cut = LabelMap(np.where(np.arange(len(numbers))[:, None, None] < 30, numbers, 0), labels.affine, "RAS")
    top = Volume(voxels[:30], volume.affine, "RAS")
    problems = {v.level: v.problem for v in find_vertebrae(top, LabelMap(cut.voxels[:30], cut.affine, "RAS"), NUMBERS)}
    assert problems == {"L1": "cut", "L2": "metal", "L3": "tiny"}


@pytest.mark.parametrize(
    ("numbers", "change", "reason"),
    [
        ({"S1": 26}, None, "^seg: level S1 is not one of T1 to T12 and L1 to L6; leave it out"),
        ({"L1": 5}, None, r"^seg: no vertebra in it; it has the labels 29, 30, 31: give numbers by level"),
        ({"L1": 29, "L2": 30}, None, "^seg: L2 lies above L1: the scan is flipped head to foot, or the numbers"),
        (NUMBERS, lambda v: v[:20], "^seg: 20 x 60 x 60 voxels where the CT has 42 x 60 x 60; resample the labels"),
    ],
)
def test_a_wrong_level_number_or_mask_is_refused(numbers, change, reason):
    volume, labels = spine()
    labels = LabelMap(change(labels.voxels), labels.affine, "RAS") if change else labels
    with pytest.raises(VolumeError, match=reason):
        find_vertebrae(volume, labels, numbers, "seg")


def test_a_header_that_turns_the_head_to_the_foot_is_found_out(tmp_path):
    """Voxels stored from the head down under a header that says up, as a lost sign writes them."""
    volume, labels = spine()
    wrong = [type(grid)(grid.voxels[::-1], grid.affine, "RAS") for grid in (volume, labels)]
    with pytest.raises(VolumeError, match="flipped head to foot"):
        find_vertebrae(*wrong, NUMBERS)


def test_slices_too_thick_for_a_vertebra():
    with pytest.raises(VolumeError, match=r"voxels of 6 x 1.5 x 1 mm are too coarse .* 5 mm or less"):
        find_vertebrae(*spine((6.0, 1.5, 1.0)), NUMBERS)


# patches


def test_a_patch_is_the_box_and_a_margin_in_cubic_voxels():
    volume, labels = spine()
    v = find_vertebrae(volume, labels, NUMBERS)[1]
    patch = cut_vertebra(volume, labels, v, margin_mm=6)
    assert patch.spacing_mm == 1.0 and patch.level == "L2" and not patch.regions.any()
    assert np.array(patch.voxels.shape) * 1.0 == pytest.approx([21 + 12, 60 + 12, 30 + 12], abs=3.1)
    assert patch.mask.sum() == pytest.approx(v.volume_mm3, rel=0.03)
    assert patch.voxels.dtype == np.float32 and patch.mask.dtype == bool


@pytest.mark.parametrize("spacing", [(1.5, 1.5, 1.5), (3.0, 1.5, 1.0), (2.0, 1.0, 1.5)])
def test_whatever_the_spacing_of_the_scan_the_patch_shows_the_same(spacing):
    volume, labels = spine(spacing)
    vertebra = find_vertebrae(volume, labels, NUMBERS)[1]
    patch = cut_vertebra(volume, labels, vertebra, spacing_mm=1.5)
    core = body_core(patch.mask)
    assert patch.voxels[core].mean() == pytest.approx(100, abs=2)
    assert core.sum() * 1.5**3 > 500
    assert patch.mask.sum() * 1.5**3 == pytest.approx(vertebra.volume_mm3, rel=0.06)


def test_regions_of_this_vertebra_alone():
    volume, labels = spine()
    parts = np.where(labels.voxels > 0, np.where(volume.voxels == 100, 50, 49), 0).astype(np.uint16)
    regions = LabelMap(parts, labels.affine, "RAS")
    patch = cut_vertebra(volume, labels, find_vertebrae(volume, labels, NUMBERS)[1], margin_mm=30, regions=regions)
    assert set(np.unique(patch.regions)) == {0, 49, 50}
    np.testing.assert_array_equal(patch.regions > 0, patch.mask)
    assert patch.voxels[patch.regions == 50].mean() == pytest.approx(100, abs=40)
    nothing = LabelMap(np.where(labels.voxels == 30, 0, parts).astype(np.uint16), labels.affine, "RAS")
    with pytest.raises(VolumeError, match=r"none lies in L2 \(label 30\); give that of the same scan"):
        cut_vertebra(volume, labels, find_vertebrae(volume, labels, NUMBERS)[1], regions=nothing)


def test_the_cube_is_centred_on_the_body_and_filled_with_air():
    volume, labels = spine()
    patch = cut_vertebra(volume, labels, find_vertebrae(volume, labels, NUMBERS)[1], margin_mm=3, spacing_mm=1.0)
    cube = to_cube(patch, 64)
    assert cube.voxels.shape == cube.mask.shape == cube.regions.shape == (64, 64, 64)
    axis = np.argwhere(cube.voxels == 500)
    assert np.abs(np.argwhere(body_core(cube.mask)).mean(0) - 31.5).max() <= 1
    assert (cube.voxels[:5] == -1024).all() and len(axis)
    small = to_cube(patch, 8)
    assert small.mask.all() and small.voxels.mean() == pytest.approx(100, abs=1)
    np.testing.assert_array_equal(cube.voxels[28:36, 28:36, 28:36], small.voxels)
    empty = type(patch)("L2", patch.voxels, np.zeros_like(patch.mask), patch.regions, 1.0)
    assert not body_core(empty.mask).any()
    with pytest.raises(VolumeError, match=r"^L2: the mask of the patch is empty; cut it with"):
        to_cube(empty, 64)


def test_three_planes_by_hand():
    cube = np.zeros((4, 4, 4), np.float32)
    cube[2, 3, 1] = 1000  # at the middle's depth, in front
    cube[3, 2, 0] = 300  # at the middle's height, on top
    planes = to_planes(cube, (0, 500))
    assert planes.shape == (3, 4, 4) and planes.dtype == np.float32
    assert planes[0, 0, 1] == 1 and planes[0].sum() == 1  # front up
    assert planes[1, 0, 0] == np.float32(0.6) and planes[1].sum() == np.float32(0.6)  # head up
    assert planes[2].sum() == 0
    np.testing.assert_array_equal(to_planes(np.stack([cube, cube]), (0, 500))[1], planes)


# the two real scans


def real(name, ct, mask):
    try:
        folder = find_data(load_manifest(name))
    except DataNotFound:
        pytest.skip(f"the data of {name} are not here")
    return read_volume(folder / ct), read_labels(folder / mask), folder


def test_the_real_vertebra_has_its_core_where_the_expert_map_has_the_body():
    """Oracle: regions 49 and 50 (cortex and inside of the body) of the file that was made with it."""
    volume, labels, folder = real(
        "ct-vertebra-tptbox", "sub-ct_label-22_ct.nii.gz", "sub-ct_seg-vert_label-22_msk.nii.gz"
    )
    regions = read_labels(folder / "sub-ct_seg-subreg_label-22_msk.nii.gz")
    found = {v.level: v for v in find_vertebrae(volume, labels, {"L2": 21, "L3": 22, "L4": 23})}
    assert {level: v.problem for level, v in found.items()} == {"L2": "cut", "L3": "", "L4": "cut"}
    patch = cut_vertebra(volume, labels, found["L3"], regions=regions)
    core, body = body_core(patch.mask), np.isin(patch.regions, (49, 50))
    assert (patch.regions[core] == 50).mean() == 1
    np.testing.assert_allclose(np.argwhere(core).mean(0), np.argwhere(body).mean(0), atol=0.5)
    assert patch.voxels[core].mean() == pytest.approx(patch.voxels[patch.regions == 50].mean(), abs=3)


def test_the_real_trunk_has_five_whole_lumbar_vertebrae():
    volume, labels, _ = real("ct-totalsegmentator", "ct.nii.gz", "segmentation.nii.gz")
    numbers = {"T11": 33, "T12": 32, "L1": 31, "L2": 30, "L3": 29, "L4": 28, "L5": 27}
    found = find_vertebrae(volume, labels, numbers)
    assert [v.level for v in found if not v.problem] == ["L1", "L2", "L3", "L4", "L5"]
    assert [v.problem for v in found[:2]] == ["cut", "cut"]
    gaps = -np.diff([v.centre_mm[2] for v in found[2:]])
    assert (gaps > 25).all() and (gaps < 45).all()  # lumbar bodies with their discs
    liver, spleen = (labels.to_mm(np.argwhere(labels.voxels == number).mean(0))[0] for number in (5, 1))
    assert liver > found[-1].centre_mm[0] > spleen  # the patient's right is on the right
