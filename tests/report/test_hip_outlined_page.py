from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.report import hip_outlined_page as page
from osteolib.screen.hip_outlined import Outlined
from osteolib.screen.hip_study import StudyHips
from osteolib.screen.triplet import Hips

USES = "hip-phantom"


@pytest.fixture
def setting(monkeypatch):
    """Twelve people, the last six to test; found outlines add 0.4 T to every other hip, one hip has no square."""
    rng = np.random.default_rng(0)
    people = np.repeat([f"p{k:02}" for k in range(12)], 2)
    t = rng.normal(-2.6, 1, 24)
    hips = pd.DataFrame({"subject_id": people, "t_score": t, "part": np.repeat(["train", "test"], 12)})
    grey = rng.integers(0, 255, (24, 16, 16)).astype(np.uint8)
    femur = np.zeros((24, 16, 16), bool)
    femur[:, 3:, 4:10] = True
    study = StudyHips(hips, Hips(grey, femur, (t <= -2.5).astype(int)))
    given = t[12:] + 0.2
    found = given + 0.4 * (np.arange(12) % 2)
    found[5] = np.nan
    table = pd.DataFrame(
        {"iou": np.linspace(0.7, 0.95, 12), "reason": ["no femur" if k == 5 else "" for k in range(12)]}
    )
    outlined = Outlined(grey[12:], femur[12:], table)
    model = SimpleNamespace(predict=lambda x: pd.DataFrame({"t_score": given}))
    monkeypatch.setattr(page, "outlined_hips", lambda find, hips, size: outlined)
    monkeypatch.setattr(page, "outlined_t_scores", lambda *given: found)
    monkeypatch.setattr(page, "load_triplet", lambda *given: None)
    fitted = SimpleNamespace(model=model, x_test=[np.zeros((12, 131))])
    recipe = SimpleNamespace(image_size=16, triplet=None)
    return study, fitted, SimpleNamespace(folder=None), recipe, outlined


def test_errors_are_compared_on_the_hips_that_have_both(setting, run):
    study, fitted, networks, recipe, _ = setting
    page.show_outlined(run, study, fitted, networks, recipe, (None, 32), 200, 0)
    rows = {row["metric"]: row["value"] for row in run.rows}
    assert rows["MAE of T-scores, true outlines"] == pytest.approx(0.2)
    assert rows["MAE of T-scores, outlines found"] == pytest.approx((6 * 0.2 + 5 * 0.6) / 11)
    assert rows["MAE, outlines found − true outlines"] == pytest.approx(5 * 0.4 / 11)
    assert (run.facts["outlined"], run.facts["outlined_of"], run.facts["not_outlined"]) == (11, 12, 1)
    assert run.facts["outlined_verdict"] == "The error grows" and run.facts["moved"].startswith("0.18")
    assert run.facts["shift"] == pytest.approx(5 * 0.4 / 11) and (run.folder / "outlined.png").is_file()


def test_hips_are_drawn_from_best_to_worst(setting):
    outlined = setting[-1]
    rows = page.drawn_hips(outlined.table["iou"], outlined.there)
    assert rows.tolist()[0] == 11 and rows.tolist()[-1] == 0 and len(rows) == page.DRAWN and 5 not in rows
    assert page.drawn_hips([0.5, 0.9], np.array([True, True])).tolist() == [1, 0]
    assert len(page.drawn_hips([0.5], np.array([False]))) == 0


def test_a_detector_that_finds_nothing_says_so(setting, run, monkeypatch):
    study, fitted, networks, recipe, outlined = setting
    none = outlined._replace(table=outlined.table.assign(iou=0.0, reason="no femur"))
    monkeypatch.setattr(page, "outlined_hips", lambda find, hips, size: none)
    page.show_outlined(run, study, fitted, networks, recipe, (None, 32), 200, 0)
    assert run.facts["outlined"] == 0 and not run.rows
