import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.cohorts import load_cohort
from osteolib.runs.parameters import load_profile
from osteolib.runs.recorded import find_cell
from osteolib.screen import ct_cells
from osteolib.screen.ct_devices import CROSSED, EXPERTS, ONE, PAPER, SHUFFLED, TOLD, WITHHELD
from osteolib.screen.ct_study import UNLABELLED

USES = "vertebra-phantom"


@pytest.fixture(scope="module")
def sizes():
    return load_profile("smoke")


@pytest.fixture(scope="module")
def recording(sizes):
    return ct_cells.experts(sizes, 0)


def test_predictions_are_of_people_who_did_not_train_and_give_the_results(recording, sizes):
    cohort = load_cohort(USES, n_subjects=sizes["n_ct_study"], seed=0, preset="tpswav2025", unlabelled=UNLABELLED)
    labelled = cohort.subjects[cohort.subjects["labelled"].astype(bool)]
    table, test = recording.predictions, labelled["split"] == "test"
    assert set(table["unit_id"]) == set(labelled.loc[test, "unit_id"])
    assert not set(table["subject_id"]) & set(labelled.loc[~test, "subject_id"])
    assert recording.configuration["n_test"] == test.sum()
    networks = table.groupby("split")["method"].unique().map(set)
    assert networks[PAPER] == {ONE, TOLD, EXPERTS, SHUFFLED, WITHHELD} and networks[CROSSED] == {ONE, TOLD, EXPERTS}
    calls = table.query("method == @EXPERTS and split == @PAPER and target == 'osteoporosis'")
    found = recording.results.set_index(["method", "target", "split", "metric"])["value"]
    assert found[EXPERTS, "osteoporosis", PAPER, "auroc"] == pytest.approx(
        roc_auc_score(calls["y_true"], calls["y_score"])
    )


def test_crossed_machines_read_the_same_bones_anew(recording):
    of = recording.predictions.query("method == @ONE and target == 'bmd'").pivot(index="unit_id", columns="split")
    assert np.array_equal(of["bmd_true_g_cm2", PAPER], of["bmd_true_g_cm2", CROSSED])
    assert (of["y_true", PAPER] != of["y_true", CROSSED]).any() and (of["y_score", PAPER] > 0.2).all()
    assert (of["site", PAPER] == of["site", CROSSED]).all()


def test_the_backbones_are_the_paper_s_and_asked_for_the_class_alone(sizes, monkeypatch, tmp_path):
    """With a straight line in place of the networks; all else is the cell's own code."""
    given = {}

    def train(study, recipes):
        given.update(recipes)
        pd.DataFrame({"epoch": [0]}).to_parquet(tmp_path / "history.parquet")
        return dict.fromkeys(recipes, tmp_path)

    def scored(study, folder):
        rows = study.rows[study.parts["test"]]
        return rows.assign(y=rows["label"].eq("osteoporosis").astype(int), score=np.linspace(0, 1, len(rows)))

    monkeypatch.setattr(ct_cells, "trained", train)
    monkeypatch.setattr(ct_cells, "scored_test", scored)
    made = ct_cells.backbones(sizes, 0, epochs=3)
    assert [recipe.encoder for recipe in given.values()] == ["swin_t", "resnet34", "resnet18-half"]
    assert all((r.n_experts, r.loss_weights, r.epochs, r.start) == (1, (1, 0, 0), 3, None) for r in given.values())
    assert set(made.predictions["target"]) == {"osteoporosis"} and made.configuration["epochs"] == 3
    assert set(made.results["method"]) == set(ct_cells.BACKBONES)


def test_the_cells_are_declared():
    assert find_cell("ct-experts-0").job.endswith("ct_cells.experts")
    assert find_cell("ct-swin-0").options == {"seed": 0, "epochs": 20}
