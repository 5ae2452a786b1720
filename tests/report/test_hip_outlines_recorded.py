import numpy as np
import pandas as pd
import pytest

from osteolib.report import hip_outlines_recorded as page
from osteolib.report.hip_paper import published_hip
from osteolib.report.hip_segmentation_page import compare_overlap, required
from osteolib.runs.recorded import Record, find_cell, read_record
from osteolib.screen.hip_cells import METAL, OVERLAP

USES = "hip-phantom"
PAPER = published_hip()


@pytest.fixture
def predictions():
    """Twenty people, forty hips: IoU of femurs from 0.90 to 0.99, one missed; joints in four, of one score under ½."""
    hips = pd.DataFrame(
        {"unit_id": [f"u{k}" for k in range(40)], "split_group": np.repeat([f"p{k}" for k in range(20)], 2)}
    )
    femur = hips.assign(target=OVERLAP + "femur", y_true=np.linspace(0.90, 0.99, 40), y_score=0.9)
    femur.loc[7, ["y_true", "y_score"]] = 0.0, 0.2
    joint = hips.iloc[[0, 3, 8, 21]].assign(target=OVERLAP + "joint", y_true=[0.8, 0.7, 0.0, 0.9],
                                            y_score=[0.9, 0.9, 0.1, 0.8])  # fmt: skip
    metal = hips.assign(target=METAL, y_true=hips.index.isin(joint.index).astype(float), y_score=0.5)
    return pd.concat([femur, joint, metal], ignore_index=True)


def test_overlaps_come_back_from_predictions(predictions):
    table = page.overlaps_of(predictions)
    assert len(table) == 40 and table["there_femur"].all() and not table.loc["u7", "found_femur"]
    assert table["there_joint"].sum() == 4 and table["found_joint"].sum() == 3
    assert table["iou_joint"].mean() == pytest.approx((0.8 + 0.7 + 0 + 0.9) / 4)
    assert table["iou_screw"].isna().all() and not table["there_screw"].any()


def test_recorded_stands_beside_live_or_is_said_to_be_missing(predictions, run, monkeypatch):
    cell = find_cell("hip-outlines-0")
    live = compare_overlap(page.overlaps_of(predictions), required(PAPER), 200, 0)
    monkeypatch.setattr(page, "read_record", lambda name: None)
    page.show_recorded(run, cell.name, live, PAPER, 200, 0)
    assert run.facts["declared"] == 30 * cell.options["visits"] and run.facts["declared_columns"] == 192
    about = {"visits": 256, "epochs": 30, "columns": 192, "n_phantoms": 1000, "n_test": 40}
    record = Record(cell, predictions, predictions, predictions, {"configuration": about}, stale=True)
    monkeypatch.setattr(page, "read_record", lambda name: record)
    page.show_recorded(run, cell.name, live, PAPER, 200, 0)
    femur = predictions[predictions["target"] == OVERLAP + "femur"]
    assert run.facts["recorded_iou"].startswith(f"femur {femur['y_true'].mean():.3f} (")
    assert run.facts["recorded_reach"].startswith(f"{(femur['y_true'] > 0.97).mean():.2f}")
    assert "other code" in run.facts["recorded_code"]
    assert set(pd.read_csv(run.folder / "recorded.csv")["run"]) == {"live, this page", "recorded"}


def test_every_recorded_overlap_follows_from_its_predictions():
    record = read_record("hip-outlines-0")
    found = compare_overlap(page.overlaps_of(record.predictions), required(PAPER), 200, 0)
    own = record.predictions[record.predictions["target"] == OVERLAP + "femur"]
    assert found.estimate("femur", "mean IoU")[0] == pytest.approx(own["y_true"].mean())
    assert ((own["y_true"] >= 0) & (own["y_true"] <= 1)).all() and len(own) == record.run["configuration"]["n_test"]
