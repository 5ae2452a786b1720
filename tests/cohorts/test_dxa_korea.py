import numpy as np
import pandas as pd
import pytest
import yaml

from osteolib.cohorts import DataNotFound, find_data, load_cohort, load_manifest
from osteolib.cohorts.manifest import FOLDER

REAL = yaml.safe_load((FOLDER / "dxa-korea969.yaml").read_text())
HEADERS = {name: about["column"] for name, about in REAL["table"]["columns"].items()}


@pytest.fixture
def korea(world):
    """Eight people whose total-hip BMD is 0.9 + 0.1 T in women and 1 + 0.12 T in men; the neck's is not tied to T."""

    def make(change=None):
        neck = np.array([-2.5, -1.5, -1.4, 0.3, -3.1, -2.4, -1.0, 0.5])
        hip = np.array([-1.0, -1.5, -2.5, 0.1, -1.2, -1.4, -2.0, 1.5])
        man = np.arange(8) % 2 == 0
        frame = pd.DataFrame({
            "sex": np.where(man, 1, 2), "age_years": np.linspace(50, 93, 8).round(), "height_cm": 160.0,
            "weight_kg": 60, "bmi_kg_m2": 23.4, "t_score_neck": neck, "t_score_total_hip": hip,
            "t_score_spine": [0.5, np.nan, -2.0, -1.4, -0.8, -0.2, 0.4, -1.0],
            "bmd_neck_g_cm2": [0.7, 0.9, 0.6, 0.8, 0.75, 0.65, 0.7, 1.1],
            "bmd_total_hip_g_cm2": np.where(man, 1 + 0.12 * hip, 0.9 + 0.1 * hip).round(4),
            "bmd_spine_g_cm2": np.linspace(0.7, 1.1, 8),
            "tbs": 1.3, "neck_csa_cm2": 2.7, "neck_csmi_cm4": 2.5, "neck_width_cm": 3.4,
            "neck_cortical_thickness_cm": 0.16, "neck_section_modulus_cm3": 1.4, "neck_buckling_ratio": 12,
        }).rename(columns=HEADERS)  # fmt: skip
        (world.data / "dxa-korea969").mkdir(exist_ok=True)
        (change or (lambda x: x))(frame).to_csv(world.data / "dxa-korea969" / REAL["table"]["file"], index=False)
        world.manifest("dxa-korea969", **{k: REAL[k] for k in ("reader", "label_rule", "table", "folder")})
        return frame

    return make


def test_t_scores_are_those_printed_and_the_lower_hip_site_decides(korea):
    raw = korea()
    people = load_cohort("dxa-korea969").subjects
    for name in ("t_score_neck", "t_score_total_hip", "t_score_spine", "bmd_neck_g_cm2"):
        np.testing.assert_array_equal(people[name], raw[HEADERS[name]])  # though the neck's BMD tells another story
    assert people.t_score.tolist() == [-2.5, -1.5, -2.5, 0.1, -3.1, -2.4, -2.0, 0.5]
    assert people.t_score_site.tolist() == [
        "femoral neck", "femoral neck", "total hip", "total hip", "femoral neck", "femoral neck", "total hip",
        "femoral neck",
    ]  # fmt: skip
    assert people.bmd_g_cm2[2] == raw[HEADERS["bmd_total_hip_g_cm2"]][2]


def test_the_hip_rule_has_its_borders_at_2_5_and_1_5(korea):
    korea()
    labels = load_cohort("dxa-korea969").subjects.label.tolist()
    worst, middle, fine = "osteoporosis", "osteopenia", "normal"
    assert labels == [worst, middle, worst, fine, worst, middle, middle, fine]


def test_a_person_is_named_by_the_row_and_has_one_hip_of_unknown_side(korea):
    korea()
    people = load_cohort("dxa-korea969").subjects
    assert people.subject_id.tolist() == [f"K{row:04d}" for row in range(2, 10)]
    assert people.unit_id.equals(people.subject_id) and people.side.isna().all() and people.image_id.isna().all()
    assert people.sex.tolist() == ["M", "F"] * 4


def test_the_line_behind_the_printed_t_scores_is_told_by_sex(korea):
    """Oracle: the planted lines; the neck has none."""
    korea()
    notes = " ".join(load_cohort("dxa-korea969").notes)
    assert "total hip T-scores of sex M: BMD is 1.000 g/cm2 at T = 0 and 0.120 more" in notes
    assert "total hip T-scores of sex F: BMD is 0.900 g/cm2 at T = 0 and 0.100 more" in notes
    assert "give or take 0.000 (r = 1.000)" in notes and notes.count("r = 1.000") == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.drop(columns=HEADERS["t_score_neck"]), "column 'Femur neck T-score' is missing"),
        (lambda x: x.assign(**{HEADERS["age_years"]: 45}), "'45.0' must lie between 50 and 110"),
        (lambda x: x.assign(**{HEADERS["sex"]: 0}), "'0' must be one of 1, 2"),
        (lambda x: x.assign(**{HEADERS["t_score_total_hip"]: None}), "Total hip T-score: the cell is empty"),
        (lambda x: x.assign(**{HEADERS["bmd_total_hip_g_cm2"]: "0,9"}), "'0,9' is not a number: write a decimal"),
    ],
)
def test_a_broken_table_is_named_with_row_and_column(korea, change, message):
    korea(change)
    with pytest.raises(ValueError, match=message):
        load_cohort("dxa-korea969")


def test_the_licence_asks_for_the_article_to_be_cited():
    manifest = load_manifest("dxa-korea969")
    assert "CC BY 4.0" in manifest.licence and "doi:10.1371/journal.pone.0260924" in manifest.citation


def test_the_real_file_has_what_was_counted_by_hand():
    """969 people, 517 women; hip osteoporosis 220; the neck's T and BMD are not from one analysis."""
    try:
        find_data(load_manifest("dxa-korea969"))
    except DataNotFound:
        pytest.skip("the data of dxa-korea969 are not here")
    cohort = load_cohort("dxa-korea969")
    people = cohort.subjects
    assert (len(people), int((people.sex == "F").sum()), int((people.label == "osteoporosis").sum())) == (969, 517, 220)
    assert people.t_score_spine.isna().sum() == 2 and people.age_years.agg(["min", "max"]).tolist() == [50, 93]
    assert np.corrcoef(people.bmd_neck_g_cm2, people.bmd_total_hip_g_cm2)[0, 1] == pytest.approx(0.88, abs=0.005)
    assert "total hip T-scores of sex M: BMD is 0.956 g/cm2 at T = 0 and 0.130 more" in cohort.notes[1]
    bmi = people.weight_kg / (people.height_cm / 100) ** 2
    np.testing.assert_allclose(people.bmi_kg_m2, bmi, atol=0.0501)
