"""A folder of one's own whose films are turned, negative, blank, or say another side than the table."""

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image

from osteolib.cohorts import FolderProblems, add_folder, find_data, load_cohort, load_manifest, verify
from osteolib.cohorts.own import describe
from osteolib.phantoms.dicom import write_dicom
from osteolib.radiograph import read_radiograph


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


@pytest.fixture
def stated(world):
    """A folder of three films of one leg, the first a negative and the second in a bright frame, with what is said."""

    def make(said):
        films = [np.asarray(Image.open(world.film(f"ward/{name}.png", i))) for i, name in enumerate("abc")]
        framed = np.pad(films[1], 40, constant_values=230)
        framed[0] = 255  # bright, not saturated
        shown = [255 - films[0], framed, films[2]]
        for name, pixels in zip("abc", shown, strict=True):
            Image.fromarray(pixels).save(world.data / "ward" / f"{name}.png")
        table = {
            "subject_id": ["p1", "p2", "p3"],
            "image": ["a.png", "b.png", "c.png"],
            "t_score": [-0.5, -1.5, -3],
            "Bone is": said,
        }
        pd.DataFrame(table).to_csv(world.data / "ward" / "people.csv", index=False)
        return films, shown, world.data / "ward", {"bone": "hand", "columns": {"polarity": "Bone is"}}

    return make


def test_a_film_is_read_as_its_polarity_says_whatever_its_picture_looks_like(stated, world, monkeypatch):
    films, shown, folder, how = stated([None, None, None])
    remedy = r"a negative, .*'dark bone' \(it is then inverted\) or 'bright bone'.*in a column polarity of its table"
    with pytest.raises(
        FolderProblems, match=rf"'a\.png' cannot be used: .*{remedy}\n.*'b\.png' cannot be used: .*{remedy}"
    ):
        add_folder(folder, "ward", **how)
    assert not list(world.manifests.glob("ward*"))
    stated(["Dark bone", "bright  bone", None])
    add_folder(folder, "ward", **how)
    first = load_cohort("ward")
    monkeypatch.setattr("osteolib.runs.store.STORE", world.data.parent / "another store")
    again = load_cohort("ward")
    assert first.fingerprint == again.fingerprint
    note = (
        "By the column polarity of the table films are 1 with bright bone and 1 with dark bone, whatever their pictures"
    )
    for cohort in (first, again):
        assert any(text.startswith(note) for text in cohort.notes)
        for path, bright in zip(cohort.subjects.path, (films[0], shown[1], films[2]), strict=True):
            np.testing.assert_array_equal(read_radiograph(path).pixels, bright)
    assert first.subjects.polarity.fillna("").tolist() == ["dark bone", "bright bone", ""]
    assert verify("ward", deep=True).ok
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "a.png")), 255 - films[0])  # the folder stays as it is
    means = [pixels.mean() for pixels in (films[0], shown[1], films[2])]
    np.testing.assert_allclose(first.subjects.intensity_mean, means)


def test_another_word_for_the_polarity_is_refused_with_its_row(stated, world):
    *_, folder, how = stated(["negative", "bright bone", None])
    with pytest.raises(FolderProblems, match=r"row 2, Bone is: 'negative' must be one of bright bone, dark bone"):
        add_folder(folder, "ward", **how)
    assert not list(world.manifests.glob("ward*"))


def test_a_dicom_of_stated_polarity_keeps_its_side(ward, world):
    """Stored as MONOCHROME1, it is shown dark; that its elements contradict each other does no harm then."""
    how = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "IDENTITY"}
    folder = ward(dicom="left", **how)
    pixels = pydicom.dcmread(folder / "a.dcm").pixel_array
    pd.DataFrame({"subject_id": ["p1"], "image": ["a.dcm"], "t_score": [-1], "polarity": ["dark bone"]}).to_csv(
        folder / "people.csv", index=False
    )
    add_folder(folder, "ward")
    (knee,) = load_cohort("ward").subjects.itertuples()
    assert knee.side == "left"
    np.testing.assert_array_equal(read_radiograph(knee.path).pixels, pixels)
