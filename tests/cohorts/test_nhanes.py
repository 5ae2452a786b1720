import numpy as np
import pandas as pd
import pytest
import yaml

from osteolib.cohorts import load_cohort, load_manifest
from osteolib.cohorts.manifest import FOLDER

REAL = yaml.safe_load((FOLDER / "nhanes-dxa.yaml").read_text())


@pytest.fixture
def nhanes(world):
    """A small extract whose own T-scores follow a mean of 0.9 (men) or 0.8 (women) and an SD of 0.1."""

    def make(change=None, n=12):
        rng = np.random.default_rng(0)
        sex = np.arange(n) % 2 + 1
        neck, hip = rng.uniform(0.5, 1.1, (2, n)).round(3)
        neck[0], hip[0] = 0.558, 0.943  # exactly -2.5 at the neck
        neck[1], hip[1] = 1.0, 0.637  # exactly -2.5 at the hip
        neck[2], hip[2] = 0.738, 1.0  # exactly -1
        own = np.where(sex == 1, 0.9, 0.8)
        frame = pd.DataFrame({
            "SEQN": np.arange(n) + 41475.0, "cycle": "2007-2008", "RIDAGEYR": np.linspace(8, 80, n).round(),
            "RIAGENDR": sex, "RIDRETH1": 3.0, "BMXBMI": 25.5, "BMXHT": 165.1, "BMXWT": 70.0, "DXXNKBMD": neck,
            "DXXOFBMD": hip, "DXXOSBMD": np.where(np.arange(n) > 3, 1.047, np.nan),
            "femurneck_t_score": (neck - own) / 0.1, "femur_t_score": (hip - own) / 0.1,
        })  # fmt: skip
        (world.data / "nhanes-dxa").mkdir(exist_ok=True)
        (change or (lambda x: x))(frame).to_csv(world.data / "nhanes-dxa" / REAL["table"]["file"], index=False)
        fields = {k: REAL[k] for k in ("reader", "label_rule", "table", "settings", "folder")}
        world.manifest("nhanes-dxa", **fields)
        return frame

    return make


def test_t_scores_are_distances_from_the_young_women_of_the_manifest(nhanes):
    """Oracle: T = (BMD - mean) / SD with the figures of Looker 1998 written out here, for both sexes."""
    raw = nhanes()
    people = load_cohort("nhanes-dxa").subjects
    np.testing.assert_allclose(people.t_score_neck, (raw.DXXNKBMD - 0.858) / 0.120, atol=1e-6)
    np.testing.assert_allclose(people.t_score_total_hip, (raw.DXXOFBMD - 0.942) / 0.122, atol=1e-6)
    assert people.t_score_spine.isna().sum() == 4
    assert (people.t_score_spine.dropna() == 0).all()  # 1.047 g/cm2 is the mean of the spine's reference
    lower = np.minimum(people.t_score_neck, people.t_score_total_hip)
    np.testing.assert_array_equal(people.t_score, lower)


def test_a_bmd_exactly_on_a_border_has_the_class_of_the_border(nhanes):
    nhanes()
    first = load_cohort("nhanes-dxa").subjects.iloc[:3]
    assert first.t_score.tolist() == [-2.5, -2.5, -1.0]
    assert first.label.tolist() == ["osteoporosis", "osteoporosis", "normal"]
    assert first.t_score_site.tolist() == ["femoral neck", "total hip", "femoral neck"]
    assert first.bmd_g_cm2.tolist() == [0.558, 0.637, 0.738]


def test_the_reference_that_the_extract_used_is_found_from_its_numbers(nhanes):
    nhanes()
    notes = " ".join(load_cohort("nhanes-dxa").notes)
    assert "own femoral neck T-scores of sex M follow mean 0.900 and SD 0.100" in notes
    assert "own total hip T-scores of sex F follow mean 0.800 and SD 0.100" in notes


def test_the_minimum_age_leaves_out_and_lists_the_younger(nhanes):
    raw = nhanes()
    everyone, adults = load_cohort("nhanes-dxa"), load_cohort("nhanes-dxa", min_age_years=20)
    young = set(raw.SEQN[raw.RIDAGEYR < 20].astype(int).astype(str))
    assert set(adults.exclusions.subject_id) == young
    assert set(everyone.subjects.subject_id) - set(adults.subjects.subject_id) == young
    assert everyone.fingerprint != adults.fingerprint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.drop(columns="DXXNKBMD"), "column 'DXXNKBMD' is missing"),
        (lambda x: x.assign(DXXNKBMD=x.DXXNKBMD * 1000), "DXXNKBMD: '558.0' must lie between 0.05 and 3"),
        (lambda x: x.assign(RIAGENDR=3), "RIAGENDR: '3' must be one of 1, 2"),
        (lambda x: x.assign(SEQN=41475), "SEQN: '41475' appears more than once"),
        (lambda x: x.assign(DXXOFBMD="0,9"), "'0,9' is not a number: write a decimal point"),
    ],
)
def test_a_broken_table_is_named_with_row_and_column(nhanes, change, message):
    nhanes(change)
    with pytest.raises(ValueError, match=message):
        load_cohort("nhanes-dxa")


def test_an_unknown_option_is_named_with_the_known_ones(nhanes):
    nhanes()
    with pytest.raises(ValueError, match="no option unit: its options are min_age_years"):
        load_cohort("nhanes-dxa", unit="hip")


def test_the_manifest_cites_a_source_for_each_reference():
    for site in ("neck", "total_hip", "spine"):
        assert "doi:10." in load_manifest("nhanes-dxa").settings["reference"][site]["note"]
