from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from osteolib.phantoms.knee.best_t_score import best_t_score, known_of
from osteolib.phantoms.knee.people import simulate
from osteolib.phantoms.settings import phantom_settings
from osteolib.report import knee_results, model_plots, plots
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen.knee_folds import CrossValidated, Recipe
from osteolib.screen.phantom_control import PhantomControl
from osteolib.stats import bland_altman, bootstrap_statistic, lin_ccc


def two_knees(n_people: int) -> pd.DataFrame:
    """Both knees of some people, the two in validation of one fold and in test of another."""
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"person": np.arange(n_people), "truth": np.arange(n_people) % 2,
                           "age": rng.normal(50, 10, n_people)})  # fmt: skip
    people["age"] += 8 * people["truth"]
    knees = people.loc[people.index.repeat(2)].reset_index(drop=True)
    return knees.assign(unit_id=[f"K{i}" for i in knees.index], score=rng.normal(knees["truth"]).round(1))


def test_each_knee_is_scored_by_a_regression_of_the_validation_knees_of_its_own_fold():
    knees = two_knees(20)
    fold = knees["person"] // 2 % 2
    rows = pd.concat([knees.assign(fold=fold, part="test"), knees.assign(fold=1 - fold, part="validation")])
    fitted = knee_results.fitted_on_validation(rows, ["age"], rows["truth"])
    line = knee_results.fitted_on_validation(rows, ["age"], rows["age"] * 0.1 - 2)
    assert fitted.index.tolist() == knees["unit_id"].tolist()
    for number in (0, 1):
        seen, held = rows[(rows["fold"] == number) & (rows["part"] == "validation")], knees[fold == number]
        scale = lambda ages, seen=seen: (ages - seen["age"].mean()).to_frame() / seen["age"].std(ddof=0)  # noqa: E731
        model = LogisticRegression().fit(scale(seen["age"]), seen["truth"])
        assert np.allclose(fitted[held["unit_id"]], model.predict_proba(scale(held["age"]))[:, 1])
    assert np.allclose(line, LinearRegression().fit(knees[["age"]], knees["age"] * 0.1 - 2).predict(knees[["age"]]))


def test_rows_hold_the_log_odds_and_keep_the_two_t_scores_apart(monkeypatch):
    scores = pd.DataFrame({"unit_id": ["a", "a"], "fold": [0, 1], "part": ["test", "validation"],
                           "screen": [0.5, 0.75], "severity": 0.2, "t_score": -1.0})  # fmt: skip
    history = pd.DataFrame({"fold": [0]})
    monkeypatch.setattr(knee_results, "knee_images", lambda subjects, size: np.zeros((1, size, size), np.uint8))
    monkeypatch.setattr(knee_results, "cross_validate", lambda *_: CrossValidated(scores, history, {}))
    cohort = SimpleNamespace(subjects=pd.DataFrame({"unit_id": ["a"], "t_score": [-2.0]}), fingerprint="f")
    rows, same = knee_results.out_of_fold_rows(cohort, Recipe(image_size=8), 2)
    assert same is history
    assert rows["image"].tolist() == pytest.approx([0, np.log(3)])
    assert rows[["t_score", "predicted_t_score"]].to_numpy().tolist() == [[-2.0, -1.0]] * 2


def test_t_scores_of_a_person_are_means_over_the_knees():
    """With a T-score that is a straight line of age, every regression on age finds it, whatever it was fitted on."""
    knees = two_knees(20).rename(columns={"age": "age_years", "person": "subject_id"})
    knees["t_score"], knees["label"] = -0.1 * knees["age_years"], np.where(knees["truth"], "osteopenia", "normal")
    knees["predicted_t_score"] = np.random.default_rng(1).normal(size=40)
    knees["split_group"] = knees["subject_id"] // 2
    fold = knees["subject_id"] // 2 % 2
    rows = pd.concat([knees.assign(fold=fold, part="test"), knees.assign(fold=1 - fold, part="validation")])
    found = knee_results.t_scores_by_person(rows)
    means = knees.groupby("subject_id")[["t_score", "predicted_t_score"]].mean()
    for name in (knee_results.AGE, knee_results.REFITTED, knee_results.JOINED):
        assert np.allclose(found[name], found["t_score"])
    assert np.allclose(found[knee_results.HEAD], means["predicted_t_score"])
    other_fold = means["t_score"].groupby(means.index // 2 % 2).mean()[::-1].to_numpy()
    assert np.allclose(found["mean of all"], other_fold[found["split_group"] % 2])
    assert found.groupby("label")["true class mean"].nunique().tolist() == [1, 1]
    assert np.allclose(found.groupby("label")["true class mean"].first(), found.groupby("label")["t_score"].mean())
    without = knee_results.t_scores_by_person(rows.assign(age_years=np.nan))
    ages = [knee_results.AGE, knee_results.REFITTED, knee_results.JOINED]
    pd.testing.assert_frame_equal(without, found.drop(columns=ages))


def test_steps_are_batches_times_epochs_and_the_last_knee_alone_makes_no_batch():
    """Of 40 knees 10 test and 10 validate: 20 train, in batches of 19 (one left alone) or of 8 (three a epoch)."""
    knees = two_knees(20)
    fold = knees["person"] % 4
    rows = pd.concat([knees.assign(fold=fold, part="test"), knees.assign(fold=(fold + 1) % 4, part="validation")])
    history = pd.DataFrame({"fold": [0, 0, 0, 1, 2, 3], "epoch": [0, 1, 2, 0, 0, 0]})
    assert knee_results.optimiser_steps(rows, history, 19)["steps"].tolist() == [3, 1, 1, 1]
    found = knee_results.optimiser_steps(rows, history, 8)
    assert found["steps"].tolist() == [9, 3, 3, 3] and set(found["knees"]) == {20}


def test_predictions_have_the_columns_of_the_contract():
    knees = pd.DataFrame({"unit_id": ["a", "b"], "subject_id": "s", "image_id": "i", "fold": 0, "screen": [0.2, 0.9],
                          "label": ["normal", "osteopenia"]}).set_index("unit_id")  # fmt: skip
    found = knee_results.prediction_table(knees, "screen", 7, "m")
    assert tuple(found.columns) == PREDICTION_COLUMNS
    assert found[["unit_id", "y_true", "y_score"]].to_numpy().tolist() == [["a", 0, 0.2], ["b", 1, 0.9]]


def test_a_phantom_person_is_the_mean_of_the_knees_that_did_not_train_or_validate(tmp_path):
    knees = pd.DataFrame({"unit_id": list("abcd"), "subject_id": [1, 1, 2, 3], "t_score": -1.0, "hip_t_score": -2.0,
                          "density": [1.0, 3, 5, 7], "age_years": 60, "label": "osteopenia"})  # fmt: skip
    part = ["test, A", "test, A", "external, B", "validation"]
    scores = pd.DataFrame({"unit_id": list("abcd"), "t_score": [0.0, 1, 2, 3], "part": part})
    scores.to_parquet(tmp_path / "scores.parquet")
    people = knee_results.phantom_people(PhantomControl(knees, np.empty(0), {}, tmp_path))
    assert people.index.tolist() == [("A", 1), ("B", 2)]
    assert people[knee_results.HEAD].tolist() == [0.5, 2] and people["density"].tolist() == [2, 5]


def test_what_needs_no_network_is_fitted_on_the_people_who_trained(tmp_path):
    people = [simulate(phantom_settings("knee-phantom"), 40, part, seed=i) for i, part in enumerate("AB")]
    people = pd.concat(people, ignore_index=True)
    people["unit_id"] = people["subject_id"] = [f"{part}{i}" for part in "AB" for i in range(40)]
    knees = people.assign(hip_t_score=0.0, label="normal")
    part = np.array(["train"] * 20 + ["test, A"] * 20 + ["external, B"] * 40)
    pd.DataFrame({"unit_id": knees["unit_id"], "t_score": 0.0, "part": part})[20:].to_parquet(
        tmp_path / "scores.parquet"
    )
    control = PhantomControl(knees, np.empty(0), {"train": part == "train"}, tmp_path)
    found = knee_results.phantom_predictions(control)
    fit = LinearRegression().fit(knees.loc[:19, ["age_years"]], knees["t_score"][:20])
    for name, here in found.items():
        assert len(here) == {"A": 20, "B": 40}[name]
        own = knees.set_index("subject_id").loc[here.index]
        assert np.allclose(here[knee_results.AGE], fit.predict(own[["age_years"]]))
        assert np.allclose(here["mean of all"], knees["t_score"][:20].mean())
        assert np.allclose(here["attainable"], best_t_score(name).predict(known_of(own)))


def test_the_auroc_of_a_fold_sees_that_fold_alone():
    knees = two_knees(40)
    fold = knees["person"] % 3
    found = knee_results.auroc_by_fold(knees["truth"], {"score": knees["score"] + 9 * fold}, fold)
    for number, own in knees.groupby(fold):
        assert found.loc[number, "score"] == pytest.approx(roc_auc_score(own["truth"], own["score"]))


def test_the_middle_of_a_band_is_the_curve_of_scikit_learn():
    knees = two_knees(60)
    band = knee_results.curve_bands(knees["truth"], knees["score"], knees["person"], n_boot=100)
    fpr, tpr, _ = roc_curve(knees["truth"], knees["score"], drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(knees["truth"], knees["score"])
    for row in band.itertuples():
        assert row.sensitivity == tpr[fpr <= row.at + 1e-12].max()
        enough = recall[(recall >= row.at - 1e-12) & (recall > 0)].min()
        assert row.precision == pytest.approx(precision[recall == enough].max())
    assert (band["sensitivity_low"] <= band["sensitivity_high"]).all()


def test_a_band_of_scores_that_separate_has_no_width_and_copies_widen_nothing():
    knees = two_knees(40)
    sure = knee_results.curve_bands(knees["truth"], knees["truth"], knees["person"], n_boot=100)
    assert (sure.drop(columns="at") == 1).all(axis=None)
    first = knees.drop_duplicates("person")
    once = knee_results.curve_bands(first["truth"], first["score"], first["person"], n_boot=100, seed=3)
    twice = pd.concat([first, first])  # the second knee a copy of the first: no more people, no narrower band
    copied = knee_results.curve_bands(twice["truth"], twice["score"], twice["person"], n_boot=100, seed=3)
    pd.testing.assert_frame_equal(once, copied)


@pytest.mark.parametrize("offset", [0.0, 1.5])
def test_agreement_in_every_replicate_is_what_a_plain_loop_gives(offset):
    knees = two_knees(25)
    x = knees["score"].to_numpy()
    y = 0.5 * x + offset + np.random.default_rng(1).normal(0, 0.3, x.size)
    draws = knee_results.agreement_draws(x, y, knees["person"], n_boot=150, seed=4)
    predictions = {"model": y, "copy": y + 1, "constant": np.ones(x.size)}
    found = knee_results.compare_agreement(x, predictions, knees["person"], [("copy", "model")], n_boot=150, seed=4)
    plain = {"r": lambda a, b: np.corrcoef(a, b)[0, 1], "CCC": lambda a, b: lin_ccc(a, b).ccc,
             "MAE": lambda a, b: np.abs(b - a).mean(), "RMSE": lambda a, b: np.sqrt(((b - a) ** 2).mean()),
             "bias": lambda a, b: (b - a).mean(), "lower limit": lambda a, b: bland_altman(a, b).loa_low,
             "upper limit": lambda a, b: bland_altman(a, b).loa_high}  # fmt: skip
    for name, statistic in plain.items():
        loop = bootstrap_statistic(statistic, x, y, groups=knees["person"], n_boot=150, seed=4)
        assert found.estimate("model", name) == pytest.approx((loop.estimate, *loop.ci))
        assert np.allclose(draws[name][1:], loop.replicates)
    assert found.difference("copy", "model", "r") == pytest.approx((0, 0, 0), abs=1e-9)
    assert found.differences["metric"].tolist() == ["r", "CCC", "MAE", "RMSE"]
    assert set(found.rows["n"]) == {50} and set(found.rows["people"]) == {25}
    assert "r" not in found.rows.loc[found.rows["method"] == "constant", "metric"].tolist()


def test_a_constant_prediction_has_no_correlation_but_an_error():
    x = np.random.default_rng(0).normal(-1.8, 0.7, 224)
    assert knee_results.agreement_draws(x, np.full(224, -0.3), np.arange(224), n_boot=100)["r"].isna().all()
    draws = knee_results.agreement_draws([0.0, 1.0, 2.0], [1.0, 1.0, 1.0], [1, 2, 3], n_boot=100)
    assert draws["r"].isna().all()
    assert draws["CCC"][0] == 0
    assert draws["RMSE"][0] == pytest.approx(np.sqrt(2 / 3))


def test_curves_are_drawn_with_their_bands_and_classes_with_their_markers():
    band = pd.DataFrame({"at": [0, 1.0], "sensitivity": [0.2, 1], "precision": [1, 0.5]})
    for name in ("sensitivity", "precision"):
        band[f"{name}_low"], band[f"{name}_high"] = band[name] - 0.1, band[name] + 0.1
    roc, precision = model_plots.curves_with_bands({"image": band}, 0.4).axes
    assert roc.lines[0].get_ydata().tolist() == [0.2, 1]
    assert precision.lines[-1].get_ydata() == [0.4, 0.4]
    corners = roc.collections[0].get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((0.1, 1.1))

    x, y = np.array([-3.0, -1.5, 0.0]), np.array([-2.0, -1.0, 0.5])
    labels = ["osteoporosis", "osteopenia", "normal"]
    left, right = plots.scatter_and_difference(x, y, bland_altman(x, y), ("a", "b"), "T", labels).axes
    assert [c.get_offsets().tolist() for c in left.collections] == [[[0, 0.5]], [[-1.5, -1]], [[-3, -2]]]
    assert left.lines[1].get_ydata() == pytest.approx(np.polyval(np.polyfit(x, y, 1), [-3, 0]))
    assert len(right.collections) == 3


def test_the_head_by_knee_stands_beside_the_recorded_ones(run, tmp_path):
    """Each knee is tested once; its validation row, with another prediction, has no say."""
    rng = np.random.default_rng(5)
    knees = pd.DataFrame({"t_score": rng.normal(size=60), "split_group": [f"P{i // 2}" for i in range(60)]})
    test = knees.assign(part="test", predicted_t_score=knees["t_score"] + rng.normal(size=60))
    rows = pd.concat([test, knees.assign(part="validation", predicted_t_score=-knees["t_score"])])
    knee_results.show_recorded_heads(run, rows, Recipe("resnet18", image_size=32, epochs=2), 200, 0)
    shown = pd.read_csv(tmp_path / "recorded.csv")
    r = np.corrcoef(test["t_score"], test["predicted_t_score"])[0, 1]
    assert shown["run"][0].startswith("live") and shown["estimate (95 % CI)"][0].startswith(f"{r:.2f} (")
    assert all(cell in run for cell, run in zip(knee_results.RECORDED_KNEES, shown["run"][1:], strict=True))
