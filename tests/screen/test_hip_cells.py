import pytest

from osteolib.runs.parameters import load_profile
from osteolib.screen import hip_cells
from osteolib.stats import bootstrap_ci


@pytest.fixture(scope="module")
def recording():
    return hip_cells.pipeline(load_profile("smoke"), 0)


def test_predictions_are_of_people_who_did_not_train_and_give_the_results(recording):
    table = recording.predictions
    assert set(table["split"]) == {"test"} and recording.configuration["n_test"] == table["unit_id"].nunique()
    calls = table[(table["method"] == hip_cells.PIPELINE) & (table["target"] == "osteoporosis")]
    expected = bootstrap_ci(calls["y_true"], calls["y_score"], "auroc", groups=calls["split_group"])
    found = recording.results.set_index(["method", "target", "metric"])
    found = found.loc[(hip_cells.PIPELINE, "osteoporosis", "auroc")]
    assert found["value"] == expected.estimate["auroc"] and found["n_groups"] == calls["split_group"].nunique()
    t = table[table["target"] == "t_score"]
    assert set(t["method"]) == {hip_cells.PIPELINE, hip_cells.RIDGE, hip_cells.NO_FILM}
    assert ((t["y_true"] <= -2.5).to_numpy() == t.merge(calls, on="unit_id")["y_true_y"].astype(bool).to_numpy()).all()
