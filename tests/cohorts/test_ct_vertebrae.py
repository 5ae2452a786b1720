import nibabel as nib
import numpy as np
import pytest
import yaml

from osteolib.cohorts import DataNotFound, find_data, load_cohort, load_manifest
from osteolib.cohorts.cohort import flow
from osteolib.cohorts.manifest import FOLDER
from osteolib.volume import VolumeError, cut_vertebra, find_vertebrae, read_labels, read_volume

NAMES = ("ct-totalsegmentator", "ct-vertebra-tptbox")
REAL = {name: yaml.safe_load((FOLDER / f"{name}.yaml").read_text()) for name in NAMES}


@pytest.fixture
def scan(world):
    """Write a scan like the real ones: L1, whole, above L2, which the edge cuts, in blocks of 40 mm at 2 mm."""

    def make(regions=True, change=lambda voxels, labels: (voxels, labels)):
        folder = world.data / "ct-vertebra-tptbox"
        folder.mkdir()
        voxels, labels = np.full((30, 30, 44), -100, np.int16), np.zeros((30, 30, 44), np.uint8)
        labels[5:25, 5:25, 22:42], labels[5:25, 5:25, :18] = 20, 21
        voxels[labels > 0] = 150
        voxels, labels = change(voxels, labels)
        files = {"ct.nii.gz": voxels, "vert.nii.gz": labels} | ({"parts.nii.gz": labels * 0 + 50} if regions else {})
        for name, array in files.items():
            nib.save(nib.Nifti1Image(array, np.diag([-2, -2, 2, 1])), folder / name)
        settings = {"subject": "p1", "ct": "ct.nii.gz", "vertebrae": "vert.nii.gz", "numbers": {"L2": 21, "L1": 20}}
        settings |= {"regions": "parts.nii.gz"} if regions else {}
        world.manifest("ct-vertebra-tptbox", reader="ct_vertebrae", settings=settings)
        return folder

    return make


def test_one_row_per_vertebra_with_its_files_and_without_a_label(scan):
    folder = scan()
    cohort = load_cohort("ct-vertebra-tptbox")
    rows = cohort.subjects
    assert rows.unit_id.tolist() == ["p1-L1", "p1-L2"] and rows.level.tolist() == ["L1", "L2"]
    assert rows.mask_label.tolist() == [20, 21] and rows.problem.tolist() == ["", "cut"]
    assert (rows.path == str(folder / "ct.nii.gz")).all() and (rows.mask_path == str(folder / "vert.nii.gz")).all()
    assert (rows.region_path == str(folder / "parts.nii.gz")).all() and (rows.spacing_mm == 2).all()
    assert rows.volume_mm3.tolist() == [40 * 40 * 40, 40 * 40 * 36]
    assert rows[["t_score", "bmd_g_cm2", "label", "device", "sex", "age_years"]].isna().all(axis=None)
    assert (rows.split_group == "p1").all() and (rows.unit == "vertebra").all()
    assert cohort.exclusions.to_dict("records") == [
        {"subject_id": "p1", "action": "flagged", "reason": "the edge of the scan cuts through it", "detail": "L2"}
    ]
    assert flow(cohort).subjects.tolist() == [1, 1]
    assert "44 x 30 x 30 voxels of 2 x 2 x 2 mm" in cohort.notes[1] and "stored LPS" in cohort.notes[1]


def test_a_row_leads_to_its_patch(scan):
    scan(regions=False)
    row = load_cohort("ct-vertebra-tptbox").subjects.iloc[0]
    assert row.region_path is None or row.isna().region_path
    volume, labels = read_volume(row.path), read_labels(row.mask_path)
    (vertebra,) = find_vertebrae(volume, labels, {row.level: row.mask_label})
    patch = cut_vertebra(volume, labels, vertebra)
    assert patch.mask.sum() * 8 == row.volume_mm3 and (patch.voxels[patch.mask] == 150).all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda v, m: (v, m[:-1]), r"^vert\.nii\.gz: 44 x 30 x 29 voxels where the CT has 44 x 30 x 30"),
        (lambda v, m: (v, m * 0), r"^vert\.nii\.gz: the mask is empty"),
        (lambda v, m: (v + 1024, m), r"^ct\.nii\.gz: \d+% of its voxels lie between 900"),
        (lambda v, m: (v, np.where(m == 20, 21, np.where(m == 21, 20, 0)).astype(np.uint8)), "L2 lies above L1"),
    ],
)
def test_files_that_do_not_fit_are_named(scan, change, reason):
    scan(change=change)
    with pytest.raises(VolumeError, match=reason):
        load_cohort("ct-vertebra-tptbox")


@pytest.mark.parametrize(
    ("name", "whole", "cut"),
    [
        ("ct-totalsegmentator", ["L1", "L2", "L3", "L4", "L5"], ["T11", "T12"]),
        ("ct-vertebra-tptbox", ["L3"], ["L2", "L4"]),
    ],
)
def test_the_real_scans_have_these_vertebrae(name, whole, cut):
    try:
        find_data(load_manifest(name))
    except DataNotFound:
        pytest.skip(f"the data of {name} are not here")
    rows = load_cohort(name).subjects
    assert rows.level[rows.problem == ""].tolist() == whole and rows.level[rows.problem == "cut"].tolist() == cut
    assert rows.mask_label.tolist() == [REAL[name]["settings"]["numbers"][level] for level in rows.level]
