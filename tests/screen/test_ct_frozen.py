import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from torch import nn

from osteolib.cohorts import load_cohort
from osteolib.runs.parameters import load_profile
from osteolib.runs.recorded import find_cell
from osteolib.screen import ct_frozen
from osteolib.screen.ct_study import UNLABELLED, ct_study

USES = "vertebra-phantom"


class Mean(nn.Module):
    """In place of a ResNet-152: the mean of each octant of what it is shown."""

    def forward(self, x):
        return nn.functional.adaptive_avg_pool3d(x[:, :1], 2).flatten(1)


@pytest.fixture(scope="module")
def recording():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ct_frozen, "load_installed", Mean)
        patch.setattr(ct_frozen, "build_installed", Mean)
        patch.setattr(ct_frozen, "SHA256", "of a test")
        yield ct_frozen.compared(load_profile("smoke"), 0)


def test_all_readers_answer_for_the_same_people_who_did_not_train(recording):
    sizes, table = load_profile("smoke"), recording.predictions
    cohort = load_cohort(USES, n_subjects=sizes["n_ct_study"], seed=0, preset="tpswav2025", unlabelled=UNLABELLED)
    study = ct_study(cohort)
    test = set(study.rows.loc[study.parts["test"], "unit_id"])
    assert table.groupby(["method", "target"])["unit_id"].agg(set).map(lambda units: units == test).all()
    assert {ct_frozen.INSTALLED, ct_frozen.UNTRAINED, "tp-swav", "swav", "mae", "mean HU"} <= set(table["method"])
    assert set(table["target"]) == set(ct_frozen.ASKED) and set(recording.history["method"]) == {
        "swav",
        "tp-swav",
        "mae",
    }


def test_results_follow_from_the_predictions_and_equal_features_give_equal_answers(recording):
    own = recording.predictions.query("method == @ct_frozen.INSTALLED and target == 'osteoporosis'")
    other = recording.predictions.query("method == @ct_frozen.UNTRAINED and target == 'osteoporosis'")
    assert np.array_equal(own["y_score"], other["y_score"])
    found = recording.results.set_index(["method", "target", "metric"])["value"]
    assert found[ct_frozen.INSTALLED, "osteoporosis", "auroc"] == pytest.approx(
        roc_auc_score(own["y_true"], own["y_score"])
    )


def test_the_cell_is_declared():
    assert find_cell("ct-frozen-0").job == "osteolib.screen.ct_frozen.compared"
