import numpy as np
import pandas as pd
import pytest

from osteolib.cohorts import flow
from osteolib.cohorts.cohort import COLUMNS, make_cohort
from osteolib.cohorts.manifest import DataFile, Manifest

MANIFEST = Manifest("set", "A set", "real", "https://", "CC0", "none", files=(DataFile("a.csv", "0" * 64, 1),))
TWO = {
    "subject_id": ["a", "b"], "unit": "film", "unit_id": ["a", "b"], "split_group": ["a", "b"], "sex": ["F", "M"],
    "age_years": [50, 60], "label": ["normal", "osteopenia"], "extra": [1, 2],
}  # fmt: skip


def test_every_cohort_has_the_columns_of_the_contract_first_and_in_order():
    subjects = make_cohort(MANIFEST, {}, pd.DataFrame(TWO)).subjects
    assert list(subjects) == [*COLUMNS, "extra"]
    assert subjects.age_years.dtype == np.float64
    assert subjects.t_score.isna().all()
    assert subjects.dtypes[list(COLUMNS)].astype(str).to_dict() == COLUMNS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age_years": [50, 150]}, "unit 'b', age_years: 150"),
        ({"sex": ["F", "female"]}, "unit 'b', sex: 'female'"),
        ({"label": ["normal", "healthy"]}, "unit 'b', label: 'healthy'"),
        ({"unit_id": ["a", "a"]}, "unit_id: 'a'"),
        ({"subject_id": ["a", None]}, "subject_id"),
        ({"subject_id": ["a", "<script>"]}, "subject_id: '<script>'"),
        ({"bmd_g_cm2": [0.8, 800]}, "unit 'b', bmd_g_cm2: 800"),
    ],
)
def test_a_value_outside_the_contract_is_named_with_its_unit(change, message):
    with pytest.raises(ValueError, match="^set: .*" + message):
        make_cohort(MANIFEST, {}, pd.DataFrame(TWO | change))


def test_the_fingerprint_follows_manifest_options_and_files_and_not_the_place():
    def fingerprint(options=None, **changes):
        manifest = Manifest(**(vars(MANIFEST) | changes))
        return make_cohort(manifest, options or {}, pd.DataFrame(TWO)).fingerprint

    base = fingerprint()
    assert fingerprint(folder="/elsewhere") == base
    assert len({base, fingerprint({"unit": "film"}), fingerprint(label_rule="hip"),
                fingerprint(files=(DataFile("a.csv", "1" * 64, 1),))}) == 4  # fmt: skip


def test_the_flow_adds_up():
    exclusions = [("c", "excluded", "no film", ""), ("d", "excluded", "no film", ""), ("a", "flagged", "odd", "")]
    cohort = make_cohort(MANIFEST, {}, pd.DataFrame(TWO), exclusions)
    assert flow(cohort).to_numpy().tolist() == [
        ["subjects in the table", 4],
        ["left out: no film", -2],
        ["subjects", 2],
    ]
