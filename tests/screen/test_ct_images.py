import numpy as np
import pandas as pd
import pytest

from osteolib.screen.ct_images import vertebra_images, vertebra_patch
from osteolib.volume import LabelMap, Volume, VolumeError, write_nifti


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")


@pytest.fixture
def files(tmp_path):
    """A scan of two vertebrae (blocks of 40 mm, 300 HU in fat), and of the lower a patch with a mask of its parts."""
    labels = np.zeros((60, 40, 40), np.uint16)
    labels[5:25, 10:30, 10:30], labels[32:52, 10:30, 10:30] = 21, 20
    voxels = np.where(labels > 0, 300, -100).astype(np.float32)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    parts = np.where(labels == 21, 1, 0)
    parts[8:22, 13:27, 13:27] = 2
    write_nifti(Volume(voxels, affine, "RAS"), tmp_path / "scan.nii.gz")
    write_nifti(LabelMap(labels, affine, "RAS"), tmp_path / "seg.nii.gz")
    write_nifti(Volume(voxels[:28], affine, "RAS"), tmp_path / "patch.nii.gz")
    write_nifti(LabelMap(parts[:28].astype(np.uint16), affine, "RAS"), tmp_path / "mask.nii.gz")
    paths = {name: str(tmp_path / f"{name}.nii.gz") for name in ("scan", "seg", "patch", "mask")}
    scan = pd.DataFrame(
        {"path": paths["scan"], "mask_path": paths["seg"], "level": ["L1", "L2"], "mask_label": [20, 21]}
    )
    return scan, pd.DataFrame({"path": [paths["patch"]], "mask_path": [paths["mask"]], "level": ["L2"]})


def test_a_vertebra_of_a_scan_and_its_patch_alone_look_the_same(files):
    scan, patch = files
    whole, alone = vertebra_images(scan, 16, 2.0), vertebra_images(patch, 16, 2.0)
    assert whole.shape == (2, 3, 16, 16) and whole.dtype == np.uint8
    np.testing.assert_array_equal(whole[1], alone[0])
    assert (whole == round(255 * 0.5)).all()  # 300 HU is the middle of the window, and the block fills the cube
    wide = vertebra_images(patch, 32, 2.0)[0]
    assert set(np.unique(wide)) == {0, round(255 * 0.1), 128} and (wide[0][6:26, 6:26] == 128).all()


def test_cubes_and_regions(files):
    cubes = vertebra_images(files[0], 16, 2.0, planes=False)
    assert cubes.shape == (2, 1, 16, 16, 16)
    regions = vertebra_patch(files[1].iloc[0].to_dict(), 16, 2.0).regions
    assert set(np.unique(regions)) == {1, 2} and regions[8, 8, 8] == 2


def test_images_are_made_once(files, monkeypatch):
    first = vertebra_images(files[1], 16, 2.0)
    monkeypatch.setattr("osteolib.screen.ct_images.vertebra_patch", None)
    np.testing.assert_array_equal(vertebra_images(files[1], 16, 2.0), first)
    with pytest.raises(TypeError):
        vertebra_images(files[1], 16, 2.0, key={"cohort": "another"})


def test_a_level_that_the_mask_does_not_show_is_named(files):
    with pytest.raises(VolumeError, match=r"^seg\.nii\.gz: no vertebra in it; it has the labels 20, 21"):
        vertebra_images(files[0].assign(mask_label=5), 16, 2.0)
