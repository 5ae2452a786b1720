import re
import shlex
import unicodedata

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from osteolib import cli
from osteolib.cohorts import FolderProblems, add_folder, list_manifests, load_cohort, state

GOOD = {
    "subject_id": ["p1", "p1", "p2"], "image": ["a.png", "b.png", "films/c.png"], "sex": ["F", "f", "male"],
    "age_years": [50, 51, 60], "t_score": [-0.5, -1.2, -3.0],
}  # fmt: skip


@pytest.fixture
def hospital(world):
    """A folder of three films of two people with its table."""

    def make(suffix=".csv", **changes):
        folder = world.data / "ward"
        for seed, image in enumerate(GOOD["image"]):
            world.film(f"ward/{image}", seed)
        table = pd.DataFrame({k: v for k, v in (GOOD | changes).items() if v is not None})
        write = table.to_csv if suffix == ".csv" else table.to_excel
        write(folder / f"people{suffix}", index=False)
        return folder

    return make


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_good_folder_becomes_a_cohort_like_any_other(hospital, world, suffix):
    manifest = add_folder(hospital(suffix), "ward")
    assert manifest == world.manifests / "ward.local.yaml"
    assert state("ward") == "present"
    assert [m.name for m in list_manifests()] == ["ward"]
    subjects = load_cohort("ward").subjects
    assert subjects.subject_id.tolist() == ["p1", "p1", "p2"]
    assert subjects.unit_id.tolist() == ["a", "b", "films.c"]
    assert subjects.sex.tolist() == ["F", "F", "M"]
    assert subjects.label.tolist() == ["normal", "osteopenia", "osteoporosis"]
    assert subjects.split_group.tolist() == ["a", "a", "films.c"]  # the films of one person stay together
    assert set(subjects.bone) == {"knee"}
    assert subjects.n_legs.tolist() == [1, 1, 1]


def test_another_bone_has_no_knees_and_other_headers_are_welcome(hospital):
    folder = hospital(t_score=None, **{"T-Wert": GOOD["t_score"]})
    add_folder(folder, "ward", bone="hip", label_rule="hip", columns={"t_score": "T-Wert"})
    subjects = load_cohort("ward").subjects
    assert subjects.unit.tolist() == ["film"] * 3
    assert subjects.label.tolist() == ["normal", "normal", "osteoporosis"]  # -1.2 is normal under the hip paper's rule
    assert "n_legs" not in subjects
    with pytest.raises(ValueError, match="unit must be one of film"):
        load_cohort("ward", unit="knee")


def test_a_column_without_values_is_as_good_as_none(hospital, world):
    add_folder(hospital(), "ward")
    without = load_cohort("ward").subjects
    add_folder(hospital(side=[None] * 3, label=["", "NA", None], bmi_kg_m2=[None] * 3, view=[None] * 3), "ward")
    with_empty = load_cohort("ward").subjects
    assert with_empty.view.isna().all() and with_empty.bmi_kg_m2.isna().all()
    same = ["subject_id", "side", "label", "t_score"]
    pd.testing.assert_frame_equal(with_empty[same], without[same])


def test_a_required_column_without_values_is_told_as_empty(hospital):
    with pytest.raises(FolderProblems, match=r"rows 2, 3, 4, subject_id: the cell is empty"):
        add_folder(hospital(subject_id=[None] * 3), "ward")


def test_labels_may_stand_in_for_t_scores(hospital):
    add_folder(hospital(t_score=None, label=["normal", "normal", "osteoporosis"]), "ward")
    subjects = load_cohort("ward").subjects
    assert subjects.t_score.isna().all()
    assert subjects.label.tolist() == ["normal", "normal", "osteoporosis"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"image": None}, "column 'image' is missing: the table has 'subject_id', 'sex', 'age_years', 't_score'"),
        ({"t_score": None}, "a column 't_score' or 'label' is needed"),
        ({"t_score": [-0.5, "-1,2", -3]}, "row 3, t_score: '-1,2' is not a number: write a decimal point, not a comma"),
        ({"t_score": [-0.5, -12, -3]}, "row 3, t_score: '-12.0' must lie between -8 and 6"),
        ({"t_score": [-0.5, None, -3]}, "row 3: neither t_score nor label is given"),
        ({"sex": ["F", "F", "x"]}, "row 4, sex: 'x' must be one of F, female, woman, M, male, man"),
        ({"sex": ["F", "M", "F"]}, "subject 'p1' has rows of both sexes"),
        ({"subject_id": ["p1", None, "p2"]}, "row 3, subject_id: the cell is empty"),
        ({"subject_id": ["p1", "<b>", "p2"]}, "row 3, subject_id: '&lt;b&gt;' may hold letters"),
        ({"image": ["a.png", "a.png", "films/c.png"]}, "rows 2, 3, image: 'a.png' appears more than once"),
        ({"image": ["a.png", "a.png", "films/c.png"]}, "image 'b.png' has no row in the table"),
        ({"image": ["a.png", "x.png", "films/c.png"]}, "row 3: there is no image 'x.png' in the folder"),
        ({"label": ["normal", "normal", "osteoporosis"]}, "row 3: label 'normal', but T-score -1.2 means 'osteopenia'"),
        ({"label": ["normal", "normal", "osteoporosis"]}, "correct one or leave one out"),
    ],
)
def test_each_problem_is_told_with_row_and_remedy_and_nothing_is_written(hospital, world, changes, problem):
    with pytest.raises(FolderProblems) as error:
        add_folder(hospital(**changes), "ward")
    assert any(problem in line for line in error.value.problems), error.value
    assert "nothing was written" in str(error.value)
    assert list(world.manifests.iterdir()) == []


def test_all_problems_come_in_one_error(hospital):
    folder = hospital(
        t_score=["-0,5", -1.2, 9],
        sex=["F", "M", "x"],
        image=["a.png", "x.png", "films/c.png"],
        label=["", "normal", ""],
    )
    (folder / "films/c.png").write_text("this is a text file")
    with pytest.raises(FolderProblems) as error:
        add_folder(folder, "Ward 7")
    told = "\n".join(error.value.problems)
    parts = ("'Ward 7'", "'-0,5'", "'9.0'", "'x' must", "'x.png'", "'b.png' has no row", "'films/c.png' cannot be used",
             "row 3: label 'normal'", "subject 'p1' has rows of both sexes")  # fmt: skip
    for part in parts:
        assert part in told
    assert len(error.value.problems) == len(parts)
    with pytest.raises(FolderProblems, match="label rule 'strict' is unknown"):
        add_folder(folder, "ward", label_rule="strict")


def test_a_truncated_film_is_named(hospital):
    folder = hospital()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 160)).astype(np.uint8))
    picture.save(folder / "d.jpg")
    data = (folder / "d.jpg").read_bytes()
    (folder / "d.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(FolderProblems, match=r"image 'd\.jpg' cannot be used: .*truncated"):
        add_folder(folder, "ward")


def test_a_film_without_a_leg_is_no_knee_but_may_be_another_bone(hospital, world):
    folder = hospital()
    noise = np.random.default_rng(0).integers(90, 110, (200, 160)).astype(np.uint8)
    Image.fromarray(noise).save(folder / "a.png")
    with pytest.raises(FolderProblems, match=r"image 'a\.png' cannot be used: a\.png: no leg found"):
        add_folder(folder, "ward")
    assert add_folder(folder, "ward", bone="hip").is_file()


def test_one_table_is_needed_and_a_name_that_is_free(hospital, world):
    folder = hospital()
    (folder / "copy.csv").write_text("a\n")
    with pytest.raises(FolderProblems, match=r"one table .* is needed, found copy\.csv, people\.csv"):
        add_folder(folder, "ward")
    (folder / "copy.csv").unlink()
    world.manifest("taken", files=[])
    with pytest.raises(FolderProblems, match="'taken' is taken"):
        add_folder(folder, "taken")
    with pytest.raises(FolderProblems, match="there is no such folder"):
        add_folder(folder / "nowhere", "ward")


def test_one_film_of_two_people_with_different_labels_is_left_out(hospital, world):
    folder = hospital()
    (folder / "films/c.png").write_bytes((folder / "a.png").read_bytes())
    add_folder(folder, "ward")
    cohort = load_cohort("ward")
    assert cohort.subjects.unit_id.tolist() == ["b"]
    assert cohort.exclusions.detail.tolist() == ["a = films.c"] * 2
    assert len(load_cohort("ward", cross_class_duplicates="keep").subjects) == 3


def test_a_dicom_is_accepted_and_nothing_in_it_that_names_the_patient_is_kept(hospital, world):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    folder = hospital(image=["a.dcm", "b.png", "films/c.png"])
    (folder / "a.png").unlink()
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"  # digital X-ray
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    film.PatientName, film.PatientID, film.Modality = "Secret^Name", "Secret-7", "DX"
    film.SamplesPerPixel, film.PhotometricInterpretation, film.PixelRepresentation = 1, "MONOCHROME2", 0
    film.Rows, film.Columns, film.BitsAllocated, film.BitsStored, film.HighBit = 200, 160, 16, 12, 11
    film.PixelData = np.random.default_rng(0).integers(0, 4095, (200, 160)).astype("<u2").tobytes()
    film.save_as(folder / "a.dcm", enforce_file_format=True)

    manifest = add_folder(folder, "ward", bone="hip")
    assert "Secret" not in manifest.read_text()
    cohort = load_cohort("ward")
    assert cohort.subjects.image_id.tolist() == ["a", "b", "films.c"]
    assert not cohort.subjects.astype(str).apply(lambda column: column.str.contains("Secret")).any(axis=None)


def test_a_table_edited_after_adding_says_what_to_run_and_that_works(hospital, world):
    folder = hospital()
    add_folder(folder, "ward", bone="hip", label_rule="hip")
    table = folder / "people.csv"
    table.write_text(table.read_text().replace("-3.0", "-1.6"))
    with pytest.raises(ValueError, match="not as they were when it was added") as error:
        load_cohort("ward")
    verified = CliRunner().invoke(cli.app, ["data", "verify", "ward"])
    assert (verified.exit_code, verified.output) == (1, f"{error.value}\n")
    command = re.search(r"run `osteolib (.*)`", str(error.value))[1]
    result = CliRunner().invoke(cli.app, shlex.split(command))
    assert result.exit_code == 0, result.output
    assert load_cohort("ward").subjects.label.tolist() == ["normal", "normal", "osteopenia"]
    folder.rename(world.data / "moved ward")
    with pytest.raises(FileNotFoundError, match="with the folder where it is now") as error:
        load_cohort("ward")
    command = re.search(r"run `osteolib (.*)`", str(error.value))[1]
    command = command.replace("FOLDER", shlex.quote(f"{world.data}/moved ward"))
    assert CliRunner().invoke(cli.app, shlex.split(command)).exit_code == 0
    assert len(load_cohort("ward").subjects) == 3


def test_after_other_headers_what_to_run_is_python(hospital):
    folder = hospital(t_score=None, **{"T-Wert": GOOD["t_score"]})
    add_folder(folder, "ward", columns={"t_score": "T-Wert"})
    (folder / "people.csv").write_text((folder / "people.csv").read_text() + "\n")
    with pytest.raises(ValueError, match="in Python") as error:
        load_cohort("ward")
    eval(re.search(r"`osteolib\.cohorts\.(.*)`", str(error.value))[1], {"add_folder": add_folder})
    assert len(load_cohort("ward").subjects) == 3


def test_what_is_strange_is_told_when_a_folder_is_added_and_with_the_cohort(hospital):
    folder = hospital(t_score=[2.7, 3.1, 1.8], weight=[70, 71, 72])
    result = CliRunner().invoke(cli.app, ["data", "add", str(folder), "--name", "ward"])
    assert "Columns that are not used: 'weight'." in result.output
    doubt = "All 3 T-scores lie above 0 (1.8 to 3.1), so nobody has bone loss: were minus signs lost?"
    assert f"To be looked at: {doubt}" in result.output and doubt in load_cohort("ward").notes


@pytest.mark.parametrize("kind", ["dcm", "png"])
def test_one_picture_stored_twice_under_two_classes_is_left_out_whatever_its_bytes(hospital, world, kind):
    folder = hospital(image=[f"a.{kind}", "b.png", "films/c.png"])
    pixels = np.asarray(Image.open(folder / "films/c.png"))
    (folder / "a.png").unlink()
    if kind == "png":
        Image.fromarray(pixels).save(folder / "a.png", compress_level=0)
        assert (folder / "a.png").read_bytes() != (folder / "films/c.png").read_bytes()
    else:
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.uid import ExplicitVRLittleEndian, generate_uid

        film = Dataset()
        film.file_meta = FileMetaDataset()
        film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
        film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        film.Modality, film.SamplesPerPixel, film.PhotometricInterpretation = "DX", 1, "MONOCHROME2"
        film.PixelRepresentation, (film.Rows, film.Columns) = 0, pixels.shape
        film.BitsAllocated, film.BitsStored, film.HighBit = 8, 8, 7
        film.PixelData = pixels.tobytes()
        film.save_as(folder / "a.dcm", enforce_file_format=True)
    add_folder(folder, "ward", bone="hand")
    cohort = load_cohort("ward")
    assert cohort.subjects.unit_id.tolist() == ["b"]
    assert cohort.exclusions.detail.tolist() == ["a = films.c"] * 2
    assert len(load_cohort("ward", cross_class_duplicates="keep").subjects) == 3


def test_where_no_film_is_left_the_remedy_works(hospital):
    folder = hospital()
    for image in ("b.png", "films/c.png"):
        (folder / image).write_bytes((folder / "a.png").read_bytes())
    add_folder(folder, "ward")
    with pytest.raises(ValueError, match="cross_class_duplicates='keep'"):
        load_cohort("ward")
    assert len(load_cohort("ward", cross_class_duplicates="keep").subjects) == 3


@pytest.mark.parametrize("column", ["t_score", "label"])
def test_the_documented_minimum_is_enough(hospital, column):
    values = {"t_score": GOOD["t_score"], "label": ["normal", "osteopenia", "osteoporosis"]}[column]
    nothing = dict.fromkeys(("sex", "age_years", "t_score"))
    folder = hospital(**nothing | {column: values})
    result = CliRunner().invoke(cli.app, ["data", "add", str(folder), "--name", "ward"])
    assert result.exit_code == 0, result.output
    cohort = load_cohort("ward")
    assert cohort.subjects.label.tolist() == ["normal", "osteopenia", "osteoporosis"]
    assert cohort.subjects[["age_years", "bmi_kg_m2", "sex"]].isna().all(axis=None) and cohort.notes == ()


def test_names_of_another_script_become_a_cohort(hospital, world):
    folder = hospital(image=["रोगी  1.png", "b.png", "films/c.png"])
    (folder / "a.png").rename(folder / unicodedata.normalize("NFD", "रोगी  1.png"))
    add_folder(folder, "ward")
    assert load_cohort("ward").subjects.image_id.tolist() == ["रोगी 1", "b", "films.c"]


@pytest.mark.parametrize("name", ["people.xls", "people.ods", "people.tsv"])
def test_a_table_of_another_kind_is_named(hospital, name):
    folder = hospital()
    (folder / "people.csv").rename(folder / name)
    with pytest.raises(FolderProblems, match=f"found none; save {name} as CSV or XLSX"):
        add_folder(folder, "ward")


def test_a_table_without_rows_is_refused(hospital):
    folder = hospital()
    (folder / "people.csv").write_text("subject_id,image,t_score\n")
    with pytest.raises(FolderProblems, match="the table has headers and no rows"):
        add_folder(folder, "ward")
