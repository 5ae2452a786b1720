import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.report import hip_pipeline_figures as figures
from osteolib.report import hip_pipeline_page as page
from osteolib.report import hip_pipeline_rows as rows
from osteolib.runs import store
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen.hip_study import Fitted, Networks, StudyHips, StudyRecipe
from osteolib.screen.mlp_search import Hyper
from osteolib.screen.sub_clusters import ClusterRecipe, fit_sub_clusters
from osteolib.screen.triplet import Hips, TripletNet, TripletRecipe
from osteolib.screen.x1ai import X1ai, cell_names

USES = "hip-phantom"
BEST = {"auroc": 0.99, "r": 0.98, "mae": 0.1, "sd": 0.12, "scan_r": 0.99, "scan_sd": 0.13}


class NamesTheMean:
    def __init__(self, t):
        self.t = t

    def predict(self, z):
        return np.full(len(z), self.t)


@pytest.fixture(scope="module")
def fitted_study():
    """120 people, features that follow the T-score, and MLPs that name the mean of their sub-cluster."""
    rng = np.random.default_rng(0)
    people = np.repeat([f"p{i:03}" for i in range(120)], 2)
    t = rng.normal(-2.6, 1.1, 240)
    x = np.column_stack([np.outer(t + rng.normal(0, 0.4, 240), rng.normal(size=9)) + rng.normal(size=(240, 9)),
                         rng.normal(size=(240, 3))])  # fmt: skip
    hips = pd.DataFrame({"subject_id": people, "image_id": people, "unit_id": [f"{p}-{i % 2}" for i, p in enumerate(
        people)], "side": ["right", "left"] * 120, "sex": np.repeat(rng.choice(["F", "M"], 120), 2), "age_years": 70.0,
        "bmi_kg_m2": 24.0, "t_score": t, "obstructed": False, "part": np.repeat(np.where(np.arange(120) < 90, "train",
        "test"), 2)})  # fmt: skip
    hips["label"] = np.where(t <= -2.5, "osteoporosis", np.where(t <= -1.5, "osteopenia", "normal"))
    hips.loc[:19, "part"] = "validation"
    blank = np.zeros((240, 8, 8))
    study = StudyHips(hips, Hips(blank.astype(np.uint8), blank.astype(bool), (t <= -2.5).astype(int)))
    old, new = study.rows("train", "validation"), study.rows("test")
    clusters = fit_sub_clusters(x[old], t[old], ClusterRecipe(min_members=5))
    cells = range(len(clusters.cuts) + 1)
    mlps = tuple(NamesTheMean(t[old][clusters.cell == cell].mean()) for cell in cells)
    history = pd.DataFrame([{"cell": c, "generation": g, "best": 0.2, "mean": 0.3} for c in cells for g in (0, 1)])
    model = X1ai(clusters, (Hyper(0.01, (4, 3, 2), 20),) * len(cells), history, mlps)
    return study, Fitted(model, x[old], [x[new], x[new] + rng.normal(0, 0.1, x[new].shape)], 0.1)


def answers(fitted):
    both = [fitted.model.predict(x) for x in fitted.x_test]
    return [one["score"] for one in both], [one["t_score"] for one in both]


def test_one_table_has_the_bootstraps_interval_and_several_are_pooled(fitted_study):
    study, fitted = fitted_study
    new = study.rows("test")
    y, people = study.squares.classes[new], study.hips["subject_id"].iloc[new]
    sets, _ = answers(fitted)
    found = rows.measures(y, {"one": sets[:1], "two": sets, "nobody": [np.zeros(len(y))]}, people, 200, 0)
    found = found.set_index(["method", "metric"])
    called = np.asarray(sets[0]) >= 0.5
    assert found.loc[("one", "sensitivity"), "value"] == pytest.approx(called[y == 1].mean())
    assert found.loc[("one", "ppv"), "value"] == pytest.approx(y[called].mean())
    assert found.loc[("one", "auroc"), "value"] == pytest.approx(roc_auc_score(y, sets[0]))
    halves = found.loc[("one", ["sensitivity", "specificity"]), "value"].mean()
    assert found.loc[("one", "auroc of calls"), "value"] == pytest.approx(halves)
    mean = np.mean([roc_auc_score(y, one) for one in sets])
    value, low, high = found.loc[("two", "auroc"), ["value", "ci_low", "ci_high"]]
    assert value == pytest.approx(mean) and 0 <= low < value < high <= 1
    assert ("nobody", "ppv") not in found.index and found.loc[("nobody", "auroc"), "value"] == 0.5


def test_phantom_and_printed_stand_in_rows_of_their_own():
    found = pd.DataFrame({"method": rows.PIPELINE, "metric": ["sensitivity", "auroc"], "value": [0.5, 0.75],
                          "ci_low": [0.4, 0.7], "ci_high": [0.6, 0.8]})  # fmt: skip
    shown = rows.table_3(found)
    assert shown["kind"].tolist() == ["phantom"] + ["printed"] * 3
    assert shown.loc[0, ["sensitivity", "PPV", "AUC, score"]].tolist() == ["50 (40 to 60)", "–", "75 (70 to 80)"]
    assert shown.loc[1, ["sensitivity", "AUC, score", "AUC, calls"]].tolist() == ["97.2", "–", "96.4"]


def test_who_takes_part_adds_up(fitted_study, run):
    study, _ = fitted_study
    every = pd.concat([study.hips, study.hips.iloc[:2].assign(obstructed=True, subject_id="q")])
    shown = rows.people_table(study.hips, every)
    assert shown.loc["people"].tolist() == ["90", "30", "121"] and shown.loc["hips"].tolist() == ["180", "60", "242"]
    assert shown.loc["obstructed hips, %"].tolist() == ["0.0", "0.0", "0.8"]
    page.show_people(run, study, every)
    assert (run.facts["n_out"], run.facts["n_train"], run.facts["n_test_hips"]) == (2, 80, 60)


def test_predictions_have_the_contracts_columns_and_count_imputed_tables(fitted_study):
    study, fitted = fitted_study
    hips = study.hips.iloc[study.rows("test")]
    scores, t_scores = answers(fitted)
    kept = rows.predictions(hips, USES, 0, {"a": scores}, {"a": t_scores, "b": t_scores[:1]})
    assert tuple(kept.columns) == PREDICTION_COLUMNS and len(kept) == 60 * (2 + 2 + 1)
    first = kept[(kept["target"] == "t_score") & (kept["method"] == "a") & (kept["fold"] == 0)]
    np.testing.assert_array_equal(first["y_score"], t_scores[0])
    np.testing.assert_array_equal(first["y_true"], hips["t_score"])


def test_the_plane_is_that_of_the_pipeline_and_its_line_parts_the_calls(fitted_study):
    study, fitted = fitted_study
    low, new = study.squares.classes, study.rows("test")
    old = study.rows("train", "validation")
    fig = figures.plane(fitted.model.clusters, fitted.x_train, low[old], fitted.x_test[0], low[new])
    class_1 = fig.axes[2].collections[1].get_offsets()
    np.testing.assert_allclose(class_1, fitted.model.clusters.plane(fitted.x_test[0])[low[new] == 1])
    x, y = fig.axes[0].lines[0].get_data()
    a, b, c = fitted.model.clusters.line
    np.testing.assert_allclose(a * x + b * y + c, 0, atol=1e-9)
    crossed = fig.axes[1].collections[0].get_offsets()
    assert len(crossed) == (~fitted.model.clusters.kept).sum()


def test_the_chart_counts_the_parameters_and_cells_of_what_was_trained():
    model = TripletNet((4, 8))
    fig = figures.flow(model, 32, 7)
    words = " ".join(t.get_text() for t in fig.axes[0].texts).replace("\n", " ")
    assert f"{sum(p.numel() for p in model.parameters()):,} parameters" in words and "8 channels of 8 × 8" in words
    assert "of 7" in words


def test_sentences_follow_the_numbers(fitted_study, run):
    study, fitted = fitted_study
    new = study.rows("test")
    hips = study.hips.iloc[new]
    scores, t_scores = answers(fitted)
    flipped = [1 - np.asarray(one) for one in scores]
    coin = [np.random.default_rng(0).random(len(new))]
    methods = {rows.PIPELINE: scores, "ResNet-50": flipped[:1], rows.NO_FILM: coin}
    found = rows.measures(study.squares.classes[new], methods, hips["subject_id"], 200, 0)
    page.show_table_3(run, found, len(hips))
    page.show_roc(run, study, methods, found, BEST, 200, 0)
    assert run.facts["rivals"].startswith("above ResNet-50")
    truth = {rows.PIPELINE: t_scores[0], rows.RIDGE: hips["t_score"] + 0.01, rows.NO_FILM: coin[0]}
    compared = rows.agreement(hips["t_score"], truth, hips["subject_id"], 200, 0)
    page.show_t_scores(run, study, fitted, compared, t_scores[0], BEST)
    assert run.facts["single"] == "The MLPs err more than"
    assert run.facts["routed"] < run.facts["mae"] and "part of the answer" in run.facts["most"]
    page.show_plane(run, study, fitted)
    page.show_searches(run, fitted)
    cells = fitted.model.predict(fitted.x_test[0])["cell"]
    own = cells.to_numpy() == fitted.model.clusters.route(fitted.x_test[0], hips["t_score"], "true T-score")
    assert run.facts["own"] == pytest.approx(own.mean())
    chosen = pd.read_csv(run.folder / "mlps.csv")
    assert chosen["T-scores"].tolist() == cell_names(fitted.model.clusters.cuts)
    assert chosen["hips"].sum() == fitted.model.clusters.kept.sum()
    checks = [row for row in run.rows if row["metric"] == "method_check"]
    assert {row["published_id"] for row in checks} == {"chen2024_hip.T3.X1AI-Osteo.auc", "chen2024_hip.r"}
    assert [row["value"] for row in checks] == [1, 1]
    assert all(row["published_id"] is None for row in run.rows if row not in checks)
    assert json.loads((run.folder / "facts.json").read_text())["attainable_r"] == 0.98


def test_pooling_correlations_that_agree_gives_fishers_interval(run, fitted_study):
    """Of independent hips, normal ones, the bootstrap's interval is Fisher's; each hip twice it stays that of once."""
    rng = np.random.default_rng(1)
    t = rng.normal(size=200)
    guess = t + rng.normal(size=200)
    value, low, high, made = page.pooled_r(t, [guess, guess], np.arange(200), 2000, 0)
    r = np.corrcoef(t, guess)[0, 1]
    half = 1.959964 / np.sqrt(197)
    assert value == pytest.approx(r) and made == 0
    assert (low, high) == pytest.approx((np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)), abs=0.02)
    twice = page.pooled_r(np.repeat(t, 2), [np.repeat(guess, 2)] * 2, np.repeat(np.arange(200), 2), 2000, 0)
    assert twice == pytest.approx((value, low, high, 0), abs=1e-9)
    hips = pd.DataFrame({"t_score": t, "subject_id": np.arange(200)})
    page.show_imputation(run, fitted_study[1], hips, [guess, -guess], 200, 0)
    assert run.facts["made"] > 0.9 and run.facts["n_sets"] == 2


def test_the_kept_epoch_is_the_one_of_the_best_validation(run, fitted_study, tmp_path):
    from safetensors.torch import save_file

    history = pd.DataFrame({"epoch": [0, 1, 2], "loss": [0.5, 0.4, 0.3], "auroc": [0.6, 0.8, 0.7]})
    history.to_parquet(tmp_path / "history.parquet")
    recipe = StudyRecipe(image_size=32, triplet=TripletRecipe(widths=(4, 8)))
    save_file(TripletNet((4, 8)).state_dict(), tmp_path / "model.safetensors")
    networks = Networks(tmp_path, np.zeros((1, 128)), {})
    page.show_training(run, networks, fitted_study[0])
    page.show_network(run, networks, recipe, 8)
    assert run.facts["kept"] == 2 and run.facts["validation"] == 0.8


def test_the_stages_are_those_of_a_film(run, tmp_path, monkeypatch):
    from osteolib.cohorts import load_cohort
    from osteolib.views.hip_views import hip_images

    monkeypatch.setattr(store, "STORE", tmp_path)
    hips = load_cohort("hip-phantom", n_subjects=1, film_width=192).subjects
    study = StudyHips(hips.assign(part="test"), Hips(*hip_images(hips, 32), np.zeros(2, int)))
    page.show_stages(run, study, 1, 6.0, 0)
    assert (run.folder / "stages.png").is_file()
