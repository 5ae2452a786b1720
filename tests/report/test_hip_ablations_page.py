import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.report import hip_ablations_page as page
from osteolib.screen import hip_ablations as parts

USES = "hip-phantom"
CELL = "hip-parts-0"
RNG = np.random.default_rng(3)
N = 160
T = RNG.normal(-2.5, 1, N)
SHARED = RNG.normal(size=N)


def step(name, sharp=1.5, error=0.4):
    who = {"unit_id": [f"h{i}" for i in range(N)], "group": [f"p{i // 2}" for i in range(N)]}
    return pd.DataFrame({"method": name, **who,
                         "y_true": (T <= -2.5).astype(int), "t_score": T, "predicted": T + error * RNG.normal(size=N),
                         "y_score": -sharp * T + SHARED + 0.2 * RNG.normal(size=N)})  # fmt: skip


WHOLE = step(parts.FULL)
SAID = pd.concat([WHOLE, *(
    step(name, 0.1 if name == parts.PLAIN_SQUARES else 1.5, {parts.RIDGE: 0.1, parts.NO_FILM: 1.2}.get(name, 0.4))
    if name not in parts.SAME_SCORE else WHOLE.assign(method=name) for name in parts.STEPS)])  # fmt: skip


def test_only_the_planted_loss_of_the_class_is_told_and_steps_without_a_say_are_left_out(run):
    found = page.show_class(run, SAID, 200, 0)
    shown = pd.read_csv(run.folder / "class_steps.csv", index_col=0)
    assert set(shown.index) == set(parts.STEPS) - set(parts.SAME_SCORE) and "table" not in shown
    assert shown["it is"].to_dict() == dict.fromkeys(shown.index, "cannot tell") | {parts.PLAIN_SQUARES: "a loss"}
    assert found.estimate(parts.FULL)[0] == pytest.approx(roc_auc_score(WHOLE["y_true"], WHOLE["y_score"]))
    assert run.facts["class_clear"].startswith(f"*{parts.PLAIN_SQUARES}*, a loss")


def test_errors_of_the_t_score_are_paired_and_named_by_their_intervals(run):
    found = page.show_t_scores(run, SAID, 200, 0)
    assert found.estimate(parts.FULL, "MAE")[0] == pytest.approx(np.abs(WHOLE["predicted"] - T).mean())
    assert found.difference(parts.NO_FILTER, parts.FULL, "MAE") == pytest.approx((0, 0, 0))
    assert run.facts["t_better"].startswith(f"*{parts.RIDGE}*") and run.facts["t_worse"].startswith(
        f"*{parts.NO_FILM}*"
    )


def test_what_was_recorded_stands_beside_the_pages_or_its_absence_is_said(run, monkeypatch):
    live = {"class": page.show_class(run, SAID, 200, 0), "T-score": page.show_t_scores(run, SAID, 200, 0)}
    monkeypatch.setattr(page, "read_record", lambda name: None)
    monkeypatch.setattr(page, "state_of", lambda name: "failed on 2026-01-01: ValueError: no room")
    page.show_recorded(run, CELL, live, 200, 0)
    assert run.facts["declared_state"].startswith("failed on")
    rows = SAID.rename(columns={"group": "split_group"})
    targets = [rows.assign(target="osteoporosis"),
               rows.assign(target="t_score", y_true=rows["t_score"], y_score=rows["predicted"])]  # fmt: skip
    made = {"configuration": {"n_test": N, "image_size": 224, "epochs": 30}}
    predictions = pd.concat(targets).drop(columns=["t_score", "predicted"])
    record = type("Record", (), {"stale": False, "run": made, "predictions": predictions})
    monkeypatch.setattr(page, "read_record", lambda name: record)
    page.show_recorded(run, CELL, live, 200, 0)
    shown = pd.read_csv(run.folder / "recorded.csv", index_col=0)
    assert (shown["AUROC, live"] == shown["AUROC, recorded"]).all() and (
        shown["MAE, T, live"] == shown["MAE, T, recorded"]
    ).all()
    assert shown.loc[parts.NO_SEARCH, "AUROC, recorded"] == "none by construction"


def test_three_hips_are_shown_in_both_ways(run):
    images = np.zeros((3, 8, 8), np.uint8)
    page.show_squares(run, images, images + 9)
    assert list(run.folder.glob("squares.*"))
