"""A folder of one's own whose films are turned, negative, blank, or say another side than the table."""

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image

from osteolib.cohorts import FolderProblems, add_folder, find_data, load_cohort, load_manifest
from osteolib.cohorts.own import describe
from osteolib.phantoms.dicom import write_dicom


@pytest.fixture
def ward(world):
    """A folder of one film of one leg, as PNG and as DICOM with further elements, and its table."""

    def make(side=None, dicom=None, png=lambda pixels: pixels, **elements):
        pixels = np.asarray(Image.open(world.film("ward/a.png", 0)))
        rows = {"subject_id": ["p1"], "image": ["a.png"], "t_score": [-0.5]} | ({"side": [side]} if side else {})
        Image.fromarray(png(pixels)).save(world.data / "ward" / "a.png")
        if dicom:
            (world.data / "ward" / "a.png").unlink()
            path = world.data / "ward" / "a.dcm"
            write_dicom(pixels, 0.2, path, side=dicom)
            data = pydicom.dcmread(path)
            for keyword, value in elements.items():
                setattr(data, keyword, value)
            data.save_as(path)
            rows["image"] = ["a.dcm"]
        pd.DataFrame(rows).to_csv(world.data / "ward" / "people.csv", index=False)
        return world.data / "ward"

    return make


def test_the_side_comes_from_the_file_where_the_table_is_silent(ward):
    add_folder(ward(dicom="left"), "ward")
    assert load_cohort("ward").subjects.side.tolist() == ["left"]


def test_another_side_in_the_table_is_told_and_nothing_is_written(ward, world):
    with pytest.raises(
        FolderProblems, match=r"'a\.dcm' cannot be used: its laterality says left, the table right; correct"
    ):
        add_folder(ward(side="right", dicom="left"), "ward")
    assert not list(world.manifests.glob("ward*"))
    add_folder(ward(side="left", dicom="left"), "ward")
    assert load_cohort("ward").subjects.side.tolist() == ["left"]


def test_a_turned_film_is_told(ward):
    add_folder(ward(dicom="left", PatientOrientation=["R", "F"]), "ward")
    manifest = load_manifest("ward")
    told = describe(manifest, find_data(manifest))
    assert "To be looked at: a: turned to stand upright, from PatientOrientation R/F" in told


@pytest.mark.parametrize("bone", ["knee", "hand", "hip"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f: 255 - f, "a negative, with dark bone on a bright ground"),
        (lambda f: np.zeros_like(f), "every pixel is equal"),
        (lambda f: np.full_like(f, 255), "every pixel is equal"),
    ],
)
def test_negatives_and_blank_films_of_every_bone_are_refused(ward, world, bone, change, why):
    with pytest.raises(FolderProblems, match=rf"'a\.png' cannot be used: a\.png: {why}"):
        add_folder(ward(png=change), "ward", bone=bone)
    assert not list(world.manifests.glob("ward*"))
