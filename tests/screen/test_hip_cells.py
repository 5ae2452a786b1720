import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.cohorts import load_cohort
from osteolib.runs.parameters import load_profile
from osteolib.screen import hip_cells
from osteolib.screen.hip_parts import held_out, parts_of, taking_part
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
    expected = bootstrap_ci(
        calls["y_true"], calls["y_score"], "auroc", method="percentile", groups=calls["split_group"]
    )
    found = recording.results.set_index(["method", "target", "metric"])
    found = found.loc[(hip_cells.PIPELINE, "osteoporosis", "auroc")]
    assert found["value"] == expected.estimate["auroc"] and found["n_groups"] == calls["split_group"].nunique()
    t = table[table["target"] == "t_score"]
    assert set(t["method"]) == {hip_cells.PIPELINE, hip_cells.RIDGE, hip_cells.NO_FILM}
    assert ((t["y_true"] <= -2.5).to_numpy() == t.merge(calls, on="unit_id")["y_true_y"].astype(bool).to_numpy()).all()


def test_the_outlines_are_of_people_held_out_and_the_results_follow(monkeypatch, tmp_path):
    """With chance in place of the detector; all else is the cell's own code."""
    sizes, given = load_profile("smoke"), {}
    cohort = load_cohort("hip-phantom", preset="chen2024", seed=0, n_subjects=sizes["n_hip_people"],
                         film_width=sizes["film_width"])  # fmt: skip

    def train(halves, recipe):
        given.update(n=len(halves.images), recipe=recipe)
        return given["folder"]

    def judged(model, hips, columns):
        rng = np.random.default_rng(0)
        table = hips[["subject_id", "image_id", "unit_id", "split_group", "obstructed"]].copy()
        for name in ("femur", "joint", "screw"):
            table[f"there_{name}"] = name == "femur" or hips["obstacle"] == name
            table[f"score_{name}"] = rng.random(len(hips))
            table[f"iou_{name}"] = np.where(table[f"there_{name}"], rng.random(len(hips)), np.nan)
        return table

    given["folder"] = tmp_path
    pd.DataFrame({"epoch": [0], "loss": [1.0]}).to_parquet(tmp_path / "history.parquet")
    monkeypatch.setattr(hip_cells, "trained_mask_rcnn", train)
    monkeypatch.setattr(hip_cells, "load_mask_rcnn", lambda folder, recipe: None)
    monkeypatch.setattr(hip_cells, "judged_hips", judged)
    made = hip_cells.outlines(sizes, 0, visits=7)
    new = held_out(cohort.subjects, 0)
    assert given["n"] == (~new).sum() == made.configuration["n_train"] and given["recipe"].visits == 7
    people = set(cohort.subjects.loc[~new, "subject_id"])
    assert not set(made.predictions["subject_id"]) & people
    femur = made.predictions[made.predictions["target"] == hip_cells.OVERLAP + "femur"]
    assert set(femur["unit_id"]) == set(cohort.subjects.loc[new, "unit_id"])
    metal = made.predictions[made.predictions["target"] == hip_cells.METAL]
    found = made.results.set_index(["target", "metric"])["value"]
    assert found[(hip_cells.METAL, "auroc")] == pytest.approx(roc_auc_score(metal["y_true"], metal["y_score"]))
    r = np.corrcoef(femur["y_true"], femur["y_score"])[0, 1]
    assert found[(hip_cells.OVERLAP + "femur", "pearson_r")] == pytest.approx(r)
