import numpy as np
import pandas as pd
import pytest

from osteolib.report import hip_agreement as page
from osteolib.runs.recorded import Record, find_cell
from osteolib.screen import hip_cells
from osteolib.stats import bland_altman

USES = "hip-phantom"


@pytest.fixture
def hips():
    """40 people with two hips each, whose errors share a part."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(40), 2)
    t = np.repeat(rng.normal(-2.6, 1, 40), 2) + rng.normal(0, 0.3, 80)
    return t, t + np.repeat(rng.normal(0, 0.4, 40), 2) + rng.normal(0, 0.5, 80), person


def test_hips_are_wider_apart_than_the_means_of_people(hips):
    t, said, person = hips
    found = page.by_hip_and_patient(t, said, person)
    means = [np.add.reduceat(part, np.arange(0, 80, 2)) / 2 for part in (t, said)]
    mean, hip = found["by patient, mean of the hips"], found["by hip"]
    assert (mean.loa_low, mean.loa_high) == pytest.approx((bland_altman(*means).loa_low, bland_altman(*means).loa_high))
    assert hip.loa_low < mean.loa_low < mean.loa_high < hip.loa_high and (hip.n, mean.n) == (80, 40)


def test_printed_and_simulated_limits_stand_apart_and_the_slope_beside_what_is_expected(hips, run):
    page.show_agreement(run, *hips, 200, 0)
    shown = pd.read_csv(run.folder / "limits.csv")
    assert shown["kind"].tolist() == ["phantom"] * 3 + ["printed"]
    assert shown.iloc[-1]["lower limit"] == "−0.214" and shown.iloc[-1]["upper limit"] == "0.194"
    r = np.corrcoef(hips[0], hips[1])[0, 1]
    assert run.facts["expected_on_mean"] == pytest.approx(-2 * (1 - r**2) / (1 + 3 * r**2))
    assert pd.read_csv(run.folder / "calibration.csv")["hips"].sum() == 80


def test_a_page_tells_what_was_recorded_or_that_it_was_not(run, monkeypatch):
    cell = find_cell("hip-pipeline-0")
    monkeypatch.setattr(page, "read_record", lambda name: None)
    monkeypatch.setattr(page, "state_of", lambda name: "failed on 2026-01-01: ValueError: no room")
    page.show_recorded(run, cell.name)
    assert run.facts == {"declared_people": 1000, "declared_pixels": 224,
                         "declared_state": "failed on 2026-01-01: ValueError: no room"}  # fmt: skip
    kinds = [("osteoporosis", "auroc", hip_cells.PIPELINE), *(("t_score", "pearson_r", name) for name in
             (hip_cells.PIPELINE, hip_cells.RIDGE, hip_cells.NO_FILM))]  # fmt: skip
    rows = [(method, target, metric, 0.1 * k, 0.1 * k - 0.05, 0.1 * k + 0.05) for k, (target, metric, method) in
            enumerate(kinds, 5)]  # fmt: skip
    results = pd.DataFrame(rows, columns=["method", "target", "metric", "value", "ci_low", "ci_high"])
    about = {"n_phantoms": 1000, "image_size": 224, "epochs": 30, "n_test": 290}
    record = Record(cell, results, results, results, {"configuration": about}, stale=True)
    monkeypatch.setattr(page, "read_record", lambda name: record)
    page.show_recorded(run, cell.name)
    assert run.facts["recorded_r"] == "0.60 (0.55 to 0.65)" and run.facts["recorded_blind"].startswith("0.80")
    assert run.facts["recorded_people"] == 1000 and "other code" in run.facts["recorded_code"]
