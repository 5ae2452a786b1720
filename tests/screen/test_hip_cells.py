import pytest

from osteolib.cohorts import load_cohort
from osteolib.runs.parameters import load_profile
from osteolib.screen import hip_cells
from osteolib.screen.hip_study import parts_of, taking_part
from osteolib.stats import bootstrap_ci


@pytest.fixture(scope="module")
def recording():
    return hip_cells.pipeline(load_profile("smoke"), 0)


def test_predictions_are_of_people_who_did_not_train_and_give_the_results(recording):
    table, sizes = recording.predictions, load_profile("smoke")
    cohort = load_cohort("hip-phantom", preset="chen2024", seed=0, n_subjects=sizes["n_hip_people"],
                         film_width=sizes["film_width"])  # fmt: skip
    hips = taking_part(cohort.subjects)
    held_out = parts_of(hips, 0) == "test"
    assert set(table["unit_id"]) == set(hips.loc[held_out, "unit_id"])
    assert not set(table["subject_id"]) & set(hips.loc[~held_out, "subject_id"])
    sides = {side: recording.configuration[side] for side in ("n_test", "n_train")}
    assert sides == {"n_test": held_out.sum(), "n_train": (~held_out).sum()}
    calls = table[(table["method"] == hip_cells.PIPELINE) & (table["target"] == "osteoporosis")]
    expected = bootstrap_ci(calls["y_true"], calls["y_score"], "auroc", groups=calls["split_group"])
    found = recording.results.set_index(["method", "target", "metric"])
    found = found.loc[(hip_cells.PIPELINE, "osteoporosis", "auroc")]
    assert found["value"] == expected.estimate["auroc"] and found["n_groups"] == calls["split_group"].nunique()
    t = table[table["target"] == "t_score"]
    assert set(t["method"]) == {hip_cells.PIPELINE, hip_cells.RIDGE, hip_cells.NO_FILM}
    assert ((t["y_true"] <= -2.5).to_numpy() == t.merge(calls, on="unit_id")["y_true_y"].astype(bool).to_numpy()).all()
