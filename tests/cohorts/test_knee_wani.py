import json

import numpy as np
import pandas as pd
import pytest
import yaml

from osteolib.cohorts import flow, load_cohort
from osteolib.cohorts.manifest import FOLDER, load_manifest
from osteolib.runs.paths import ROOT, digest

REAL = yaml.safe_load((FOLDER / "knee-wani.yaml").read_text())
CLASSES = {"N": "normal", "OP": "osteopenia", "OS": "osteoporosis"}
T_SCORES = {"normal": -0.5, "osteopenia": -2.0, "osteoporosis": -2.7}


def person(patient: str, **cells) -> dict:
    """One row with the headers and spellings of the real table."""
    label = CLASSES[patient.rstrip("0123456789")]
    row = {
        "S.No": 1, "Patient Id": patient, "Joint Pain:": "yes", "Gender": "female", "Age": 50, "Menopause Age": None,
        "height  (meter)": 1.6, "Weight (KG) ": 64, "Smoker": "no", "Alcoholic": "no", "Diabetic": "no",
        "Hypothyroidism": "no", "Number of Pregnancies": None, "Seizer Disorder": "no", "Estrogen Use": "no",
        "Occupation ": "bussinesman", "History of Fracture": "no", "Dialysis:": "no",
        "Family History of Osteoporosis": "no", "Maximum Walking distance (km)": 0.5, "Daily Eating habits": "normal",
        "Medical History": "no", "T-score Value": T_SCORES[label],
        "Z-Score Value": T_SCORES[label], "BMI: ": 25.0, "Site": "knee",
        "Obesity": "over weight", "Diagnosis": label,
    }  # fmt: skip
    return row | cells


@pytest.fixture
def knees(world):
    """Write a folder like the real one; ``films`` are patient -> seed of the picture, people the rows of the table."""

    def make(people, films, legs=(), rename=None, **fields):
        for patient, seed in films.items():
            label = CLASSES[patient.rstrip("0123456789")]
            world.film(f"knee-wani/images/{label}/{patient}.png", seed, 2 if patient in legs else 1)
        summary = [{"Age": 107, "Menopause Age": word, "height  (meter)": 1.8} for word in ("max", "min", "avg")]
        table = pd.DataFrame([*people, *summary]).rename(columns=rename or {})
        (world.data / "knee-wani").mkdir(exist_ok=True)
        table.to_excel(world.data / "knee-wani" / "patient details.xlsx", sheet_name="Sheet2", index=False)
        fields = {k: REAL[k] for k in ("reader", "label_rule", "table", "settings")} | fields
        world.manifest("knee-wani", **fields)

    return make


def test_rows_become_subjects_with_our_names_units_and_words(knees):
    knees([person("N1", Gender="male"), person("OS2", Age=70)], {"N1": 0, "OS2": 1})
    cohort = load_cohort("knee-wani", unit="film")
    first = cohort.subjects.set_index("subject_id").loc["N1"]
    assert first[["sex", "label", "bone", "t_score_method", "t_score_site"]].tolist() == [
        "M", "normal", "knee", "QUS", "calcaneus"]  # fmt: skip
    assert (first.t_score, first.age_years) == (-0.5, 50)
    assert first.bmi_kg_m2 == pytest.approx(64 / 1.6**2)
    assert (first.occupation, first.obesity) == ("businessman", "overweight")
    assert "3 rows without a patient id" in cohort.notes[0]


def test_both_knees_of_a_film_share_subject_label_and_group(knees):
    knees([person("N1"), person("OP1")], {"N1": 0, "OP1": 1}, legs=["OP1"])
    subjects = load_cohort("knee-wani").subjects
    assert sorted(subjects.unit_id) == ["N1", "OP1-left", "OP1-right"]
    both = subjects[subjects.subject_id == "OP1"]
    assert both[["label", "t_score", "split_group", "path"]].drop_duplicates().shape[0] == 1
    assert sorted(both.side) == ["left", "right"]


def test_a_person_without_film_is_left_out_and_listed(knees):
    knees([person("N1"), person("N37"), person("OP1")], {"N1": 0, "OP1": 1})
    cohort = load_cohort("knee-wani", unit="film")
    assert cohort.exclusions.to_numpy().tolist() == [
        ["N37", "excluded", "no film", "the table has a row, the folder no film"]
    ]
    assert flow(cohort).subjects.tolist() == [3, -1, 2]


def test_an_implausible_age_is_set_missing_and_the_person_stays(knees):
    knees([person("OS27", Age=107), person("OP1")], {"OS27": 0, "OP1": 1})
    cohort = load_cohort("knee-wani", unit="film")
    age = cohort.subjects.set_index("subject_id").age_years
    assert np.isnan(age["OS27"])
    assert age["OP1"] == 50
    assert cohort.exclusions.iloc[0].tolist() == ["OS27", "edited", "age_years outside 10 to 100", "107 set to missing"]


def test_contradictions_are_kept_and_listed(knees):
    people = [
        person("OP72", **{"Gender": "male", "Number of Pregnancies": 4}),
        person("OS43", **{"Gender": "male", "Occupation ": "h.wife"}),
        person("OP9", **{"Menopause Age": 52}),
        person("N23", **{"Age": 35, "Z-Score Value": -2.9}),
        person("OP2", **{"BMI: ": 31.0}),
        person("OP3", Obesity="obesity "),
        person("OP4"),
    ]
    knees(people, {p["Patient Id"]: i for i, p in enumerate(people)})
    cohort = load_cohort("knee-wani", unit="film")
    flagged = cohort.exclusions.set_index("subject_id").reason
    assert len(cohort.subjects) == 7
    assert flagged.to_dict() == {
        "OP72": "a man with pregnancies",
        "OS43": "a man recorded as housewife",
        "OP9": "menopause after the present age",
        "N23": "Z-score below the T-score by more than 1 before age 40",
        "OP3": "weight class is not that of the BMI (WHO)",
        "OP2": "recorded BMI is not weight / height squared",
    }


def test_identical_films_of_two_classes_are_left_out_and_of_one_class_kept_together(knees):
    people = [person(p) for p in ("N1", "OP13", "OP2", "OP3", "OS1")]
    knees(people, {"N1": 0, "OP13": 0, "OP2": 1, "OP3": 1, "OS1": 2})
    excluded = load_cohort("knee-wani", unit="film")
    assert sorted(excluded.subjects.subject_id) == ["OP2", "OP3", "OS1"]
    assert excluded.exclusions.detail.tolist() == ["N1 = OP13", "N1 = OP13"]
    assert excluded.subjects.set_index("subject_id").split_group.to_dict() == {"OP2": "OP2", "OP3": "OP2", "OS1": "OS1"}
    kept = load_cohort("knee-wani", unit="film", cross_class_duplicates="keep")
    assert kept.subjects.set_index("subject_id").split_group[["N1", "OP13"]].tolist() == ["N1", "N1"]
    assert kept.fingerprint != excluded.fingerprint


@pytest.fixture
def copies(knees):
    """Three pairs of identical films of one class: rows alike, rows of two sexes, rows of one sex and two heights."""
    man = {"Gender": "male", "Age": 30}
    people = [person("N1"), person("N2"), person("OP1"), person("OP2", **man), person("OS1"), person("OS2")]
    people[-1] |= {"height  (meter)": 1.5, "BMI: ": 28.4}
    knees(people, {"N1": 0, "N2": 0, "OP1": 1, "OP2": 1, "OS1": 2, "OS2": 2}, legs=["OP1", "OP2"])


def test_copies_whose_rows_contradict_each_other_are_kept_and_flagged(copies):
    cohort = load_cohort("knee-wani", unit="film")
    flagged = cohort.exclusions[cohort.exclusions.reason == "film identical to one whose row says otherwise"]
    assert flagged.action.unique().tolist() == ["flagged"]
    assert dict(zip(flagged.subject_id, flagged.detail, strict=True)) == {
        "OP1": "OP1 = OP2: sex F / M; age_years 50 / 30", "OP2": "OP1 = OP2: sex F / M; age_years 50 / 30",
        "OS1": "OS1 = OS2: height_m 1.6 / 1.5", "OS2": "OS1 = OS2: height_m 1.6 / 1.5",
    }  # fmt: skip
    assert len(cohort.subjects) == 6
    assert flow(cohort).subjects.tolist() == [6, 6]


def test_they_are_left_out_on_request_and_copies_that_agree_stay(copies):
    cohort = load_cohort("knee-wani", unit="film", contradicting_copies="exclude")
    assert sorted(cohort.subjects.subject_id) == ["N1", "N2"]
    assert flow(cohort).subjects.tolist() == [6, -4, 2]
    with pytest.raises(ValueError, match="contradicting_copies must be one of keep, exclude, got 'drop'"):
        load_cohort("knee-wani", contradicting_copies="drop")


def test_copies_of_two_classes_are_left_to_the_other_option(knees):
    knees([person("N1"), person("OP1", Age=60)], {"N1": 0, "OP1": 0})
    both = {"cross_class_duplicates": "keep", "contradicting_copies": "exclude"}
    cohort = load_cohort("knee-wani", unit="film", **both)
    assert cohort.exclusions.reason.tolist() == ["film identical to one of another class"] * 2
    assert len(cohort.subjects) == 2


def test_the_new_option_at_its_default_leaves_the_fingerprint_alone(copies):
    manifest, older = load_manifest("knee-wani"), {"unit": "film", "cross_class_duplicates": "exclude"}
    files = {file.path: file.sha256 for file in manifest.files}
    before = digest({"manifest": manifest.content(), "options": older, "files": files})
    found = {how: load_cohort("knee-wani", unit="film", contradicting_copies=how) for how in ("keep", "exclude")}
    assert found["keep"].fingerprint == load_cohort("knee-wani", unit="film").fingerprint == before
    assert found["exclude"].fingerprint != before


def test_the_recorded_runs_read_the_cohort_that_the_manifest_still_names():
    manifest, older = load_manifest("knee-wani"), {"unit": "knee", "cross_class_duplicates": "exclude"}
    files = {file.path: file.sha256 for file in manifest.files}
    now = digest({"manifest": manifest.content(), "options": older, "files": files})
    recorded = ROOT / "data_manifests" / "recorded" / "knee-wani-0" / "run.json"
    assert now in json.dumps(json.loads(recorded.read_text()))


@pytest.mark.parametrize(
    ("people", "message"),
    [
        (
            [person("N1", **{"T-score Value": "-0,5"})],
            "row 2, T-score Value: '-0,5' is not a number: write a decimal point",
        ),
        ([person("N1", **{"T-score Value": None})], "row 2, T-score Value: the cell is empty"),
        ([person("N1", **{"T-score Value": -25})], "row 2, T-score Value: '-25.0' must lie between -8 and 6"),
        ([person("N1"), person("N1")], "rows 2, 3, Patient Id: 'N1' appears more than once"),
        ([person("N1", **{"Patient Id": "<img src=x>"})], "Patient Id: '&lt;img src=x&gt;' may hold letters"),
        ([person("N1", Gender="f")], "row 2, Gender: 'f' must be one of female, male"),
        (
            [person("N1"), person("OP7", **{"T-score Value": -2.5})],
            "row 3, OP7: 'osteopenia', but T-score -2.5 means 'osteopo",
        ),
    ],
)
def test_a_broken_row_is_named_with_its_remedy(knees, people, message):
    knees(people, {"N1": 0})
    with pytest.raises(ValueError, match=r"^patient details\.xlsx: .*" + message):
        load_cohort("knee-wani")


def test_a_missing_column_is_named_with_those_there(knees):
    knees([person("N1")], {"N1": 0}, rename={"T-score Value": "T"})
    with pytest.raises(ValueError, match=r"column 'T-score Value' is missing: the table has 'S\.No', 'Patient Id'"):
        load_cohort("knee-wani")


def test_a_film_without_row_or_in_the_folder_of_another_class_is_an_error(knees, world):
    knees([person("N1")], {"N1": 0, "N2": 1})
    with pytest.raises(ValueError, match=r"film images/normal/N2\.png has no row"):
        load_cohort("knee-wani")
    knees([person("N1"), person("N2", **{"T-score Value": -2.0, "Diagnosis": "osteopenia"})], {"N1": 0, "N2": 1})
    with pytest.raises(ValueError, match=r"images/normal/N2\.png lies in the folder of another class than osteopenia"):
        load_cohort("knee-wani")


def test_a_changed_film_is_named_before_anything_is_read(knees, world):
    knees([person("N1")], {"N1": 0})
    world.film("knee-wani/images/normal/N1.png", seed=9)
    with pytest.raises(ValueError, match=r"the files of knee-wani are damaged(.|\n)*changed\s+images/normal/N1\.png"):
        load_cohort("knee-wani")
