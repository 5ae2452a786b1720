import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_curve

from osteolib.screen.ct_cuts import at_cut, best_cut, chosen_epoch, scored_at_cut
from osteolib.screen.ct_study import CTStudy


def test_no_cut_parts_the_classes_better():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    score = 1 / (1 + np.exp(-(y + rng.normal(0, 1, 60) - 2)))
    false, true, _ = roc_curve(y, score)
    assert balanced_accuracy_score(y, score >= best_cut(y, score)) == pytest.approx(0.5 + (true - false).max() / 2)


def test_of_equal_cuts_the_middle_is_taken():
    assert best_cut([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]) == 0.5
    assert best_cut([0, 0, 1, 1], [0.01, 0.02, 0.1, 0.3]) == pytest.approx(0.06)
    assert best_cut([0, 0], [0.1, 0.9]) == best_cut([1, 1], [0.1, 0.2]) == 0.5


def test_moving_keeps_the_order_and_puts_the_cut_in_the_middle():
    score = np.array([0.0, 0.01, 0.2, 0.4, 0.999, 1.0])
    moved = at_cut(score, 0.2)
    assert (np.diff(moved) > 0).all() and moved[2] == pytest.approx(0.5)
    np.testing.assert_allclose(at_cut(score[1:-1], 0.5), score[1:-1])


def test_the_cut_is_that_of_validation_alone(tmp_path):
    rows = pd.DataFrame({"unit_id": list("abcdef"), "label": ["normal", "osteoporosis"] * 3})
    parts = {"train": np.zeros(6, bool), "validation": np.arange(6) < 4, "test": np.arange(6) >= 4}
    study = CTStudy(rows, np.zeros((6, 3, 2, 2), np.uint8), parts, rows[:0], {})
    pd.DataFrame({"unit_id": list("fedcba"), "part": ["test"] * 2 + ["validation"] * 4,
                  "osteoporosis": [0.05, 0.9, 0.2, 0.1, 0.2, 0.1], "bmd_g_cm2": 1.0, "level": "L1",
                  "told": "Hologic", "gate_1": 1.0}).to_parquet(tmp_path / "scores.parquet")  # fmt: skip
    pd.DataFrame({"negative_loss": [-2.0, -0.5, -1.0]}).to_parquet(tmp_path / "history.parquet")
    scored = scored_at_cut(study, tmp_path).set_index("unit_id")
    assert scored["cut"].unique() == pytest.approx([0.15]) and scored.index.tolist() == ["e", "f"]
    assert scored.loc["e", "score"] > 0.5 > scored.loc["f", "score"] and scored["y"].tolist() == [0, 1]
    assert chosen_epoch(tmp_path) == 2


@pytest.mark.parametrize(
    ("y", "score", "message"),
    [([0, 1], [0.1], "one of each"), ([0, 1], [0.1, np.nan], "not missing"), ([0, 1], [0.1, 1.2], "from 0 to 1")],
)
def test_bad_input_is_named(y, score, message):
    with pytest.raises(ValueError, match=message):
        best_cut(y, score)
