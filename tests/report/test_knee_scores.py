import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss

from osteolib.report import knee_scores
from osteolib.report.comparison import compare_scores, together
from osteolib.report.knee_results import curve_bands
from osteolib.report.knee_scores import calibration_table, called_at_youden, within_class_likeness
from osteolib.screen.knee_folds import fold_thresholds
from osteolib.screen.phantom_control import PhantomControl
from osteolib.stats import bootstrap_ci, sensitivity_constrained_threshold


def out_of_fold(n: int = 60, seed: int = 5) -> pd.DataFrame:
    """Knees of 30 people in three folds, each tested once and validating once; severity and age know a little."""
    rng = np.random.default_rng(seed)
    label = np.array(["normal", "osteopenia", "osteoporosis"])[np.arange(n) // 2 % 3]
    knees = pd.DataFrame({"unit_id": [f"k{i}" for i in range(n)], "split_group": np.arange(n) // 2, "label": label})
    worse = np.arange(n) // 2 % 3
    knees["age_years"] = 50 + 5 * worse + rng.normal(0, 6, n)
    fold = np.arange(n) // 6 % 3
    rows = [knees.assign(fold=(fold - shift) % 3, part=part) for shift, part in ((0, "test"), (1, "validation"))]
    rows = pd.concat(rows, ignore_index=True)
    for name in ("screen", "severity"):
        rows[name] = 1 / (1 + np.exp(-(np.tile(worse, 2) - 1 + rng.normal(0, 1.5, 2 * n))))
    return rows.assign(image=np.log(rows["screen"] / (1 - rows["screen"])))


def test_a_threshold_comes_from_the_validation_units_of_its_own_fold():
    """Fold 0 separates at 3 on validation, fold 1 at 30: the same test score is called in one and not in the other."""
    validation = pd.DataFrame({"fold": [0] * 4 + [1] * 4, "score": [1, 2, 3, 4, 10, 20, 30, 40], "y": [0, 0, 1, 1] * 2,
                               "part": "validation", "unit_id": list("efghabcd")})  # fmt: skip
    test = pd.DataFrame({"fold": [1, 0, 1, 0], "score": [29, 29, 30, 2], "y": [0, 1, 1, 0], "part": "test",
                         "unit_id": list("abef")})  # fmt: skip
    called = called_at_youden(pd.concat([validation, test]), "score", "y")
    assert called.index.tolist() == list("abef")
    assert called.tolist() == [False, True, True, False]


def test_calibration_says_brier_and_its_sum():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, 400)
    y = (rng.random(400) < p).astype(int)
    row = calibration_table(y, {"honest": p}).loc["honest"]
    assert row["Brier"] == round(brier_score_loss(y, p), 3)
    assert row["uncertainty"] == round(y.mean() * (1 - y.mean()), 3)
    assert float(row["slope"].split()[0]) == pytest.approx(1, abs=0.3)


def test_likeness_of_two_knees_does_not_come_from_the_class():
    """Both knees of a film share its class and nothing else: within the class they do not correlate."""
    rng = np.random.default_rng(0)
    y = np.repeat(rng.integers(0, 2, 3000), 2)
    knees = pd.DataFrame({"image_id": np.arange(6000) // 2, "side": ["L", "R"] * 3000, "part": "test", "y": y,
                          "p": 1 / (1 + np.exp(-(3 * y + rng.normal(size=6000))))})  # fmt: skip
    r, n = within_class_likeness(knees, "p", "y")
    assert n == 3000 and r == pytest.approx(0, abs=0.05)
    same = knees.assign(p=knees["p"].to_numpy()[np.arange(6000) // 2 * 2])
    assert within_class_likeness(same, "p", "y")[0] == pytest.approx(1)


def test_the_phantom_s_threshold_is_that_of_a_s_validation_knees(tmp_path):
    y = np.tile([0, 1], 60)
    knees = pd.DataFrame({"unit_id": np.arange(120), "split_group": np.arange(120), "t_score": 0.0,
                          "label": np.where(y, "osteopenia", "normal")})  # fmt: skip
    part = np.repeat(["test, A", "validation", "external, B"], 40)
    screen = 1 / (1 + np.exp(-(y + np.random.default_rng(6).normal(size=120))))
    scores = pd.DataFrame({"unit_id": np.arange(120), "screen": screen, "part": part, "t_score": 0.0})
    scores.to_parquet(tmp_path / "scores.parquet")
    found, threshold = knee_scores.phantom_knees(PhantomControl(knees, np.empty(0), {}, tmp_path))
    seen = part == "validation"
    grid = np.arange(1, 100) / 100
    assert threshold == sensitivity_constrained_threshold(y[seen], screen[seen], grid=grid).threshold
    assert found["part"].value_counts().to_dict() == {"A": 40, "validation": 40, "B": 40}
    compared = knee_scores.compare_parts(found, threshold, n_boot=100)
    assert compared.methods == ["A", "B"]
    b = part == "external, B"
    alone = bootstrap_ci(y[b], screen[b], "sensitivity", threshold, n_boot=100, groups=np.arange(40))
    assert compared.estimate("B", "sensitivity") == (alone.estimate["sensitivity"], *alone.ci["sensitivity"])
    assert "sensitivity" not in knee_scores.compare_parts(found, np.nan, n_boot=100).metrics


def test_a_person_is_the_mean_of_both_knees():
    knees = knee_scores.with_regressions(out_of_fold()).assign(subject_id=lambda t: t["split_group"].map("p{}".format))
    people = knee_scores.by_person(knees)
    mine = knees[knees["subject_id"] == "p4"]
    assert len(people) == 30 and len(mine) == 2
    assert people.loc["p4", "image, as it comes"] == pytest.approx(mine["screen"].mean())
    assert people.loc["p4", "split_group"] == 4 and people.loc["p4", "loss"] == mine["loss"].iloc[0]


def test_calls_are_counted_only_where_the_fold_has_a_threshold():
    rows = out_of_fold()
    knees = knee_scores.with_regressions(rows)
    none = fold_thresholds(rows, knees["label"]).set_index("fold")["threshold"].isna()
    assert (knees["called"].isna() == knees["fold"].map(lambda fold: none[fold + 1])).all()
    knees["called"] = (knees["screen"] >= 0.5).where(knees["fold"] != 0).astype(float)
    found = knee_scores.compare_knees(knees, n_boot=100)
    able = knees[knees["fold"] != 0]
    hit = able["called"][able["loss"] == 1].mean()
    rows = found.rows.set_index(["method", "metric"])
    assert found.estimate("image", "sensitivity")[0] == pytest.approx(hit)
    assert rows.loc[("image", "sensitivity"), "n"] == len(able) and rows.loc[("age", "auroc"), "n"] == len(knees)
    assert knee_scores.compare_knees(knees.assign(called=np.nan), n_boot=100).metrics == ["auroc", "auprc"]


def test_points_are_the_metrics_of_those_who_call_and_nobody_called_has_no_ppv():
    y, score = np.repeat([1, 0], (4, 5)), np.array([0.9, 0.8, 0.6, 0.1, 0.7, 0.6, 0.3, 0.2, 0.1])
    metrics = ("sensitivity", "specificity", "ppv")
    calls = compare_scores(y, {"some": score, "none": score - 1}, metrics, threshold=0.5, n_boot=100)
    both = together(calls, compare_scores(y, {"some": score, "age": score}, "auroc", n_boot=100))
    points = knee_scores.operating_points(both)
    assert points.keys() == {"some", "none"} and points["some"] == (0.75, 0.6, 0.6)
    assert points["none"][:2] == (0, 1) and np.isnan(points["none"][2])


def test_curves_are_those_of_the_score_that_names_them():
    knees = knee_scores.with_regressions(out_of_fold())
    found = knee_scores.curves({"image": (knees, "screen"), "age": (knees, "age")}, n_boot=100, seed=2)
    assert list(found) == ["image", "age"]
    assert found["age"].equals(curve_bands(knees["loss"], knees["age"], knees["split_group"], 100, 2))


def test_a_threshold_carried_over_is_said_with_its_intervals_or_said_to_be_missing():
    rng = np.random.default_rng(3)
    knees = pd.DataFrame({"loss": np.tile([0, 1], 60), "part": np.repeat(["A", "B"], 60), "split_group": range(120)})
    knees["screen"] = 1 / (1 + np.exp(-(knees["loss"] + rng.normal(size=120))))
    compared = knee_scores.compare_parts(knees, 0.4, n_boot=100)
    said = knee_scores.carried_over(compared, 0.4, 0.86)
    b = knees[knees["part"] == "B"]
    spared = (b.loc[b["loss"] == 0, "screen"] < 0.4).mean()
    assert "finds" not in said and "find 86% of A's" in said and f"and {spared:.2f} (" in said
    kept = knee_scores.beyond(compared, "auroc")
    assert set(compared.metrics) - set(kept.metrics) == {"auroc"} and kept.methods == ["A", "B"]
    free = knee_scores.compare_parts(knees, np.nan, n_boot=100)
    assert knee_scores.carried_over(free, np.nan, 0.86).startswith("No threshold")


def test_severity_is_told_among_knees_with_bone_loss():
    rows = out_of_fold()
    found = knee_scores.severity_comparison(rows, n_boot=100)
    ill = rows[(rows["part"] == "test") & (rows["label"] != "normal")]
    alone = bootstrap_ci(
        ill["label"] == "osteoporosis", ill["severity"], "auroc", groups=ill["split_group"], n_boot=100
    )
    assert found.estimate("severity head", "auroc") == (alone.estimate["auroc"], *alone.ci["auroc"])
    assert set(found.rows["n"]) == {len(ill)} and found.methods == ["severity head", "age"]
