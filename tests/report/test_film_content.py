import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.report import film_content as content
from osteolib.report import film_content_page as page


class FakeRun:
    """Takes facts and results; shows nothing."""

    def __init__(self):
        self.facts, self.rows = {}, []

    def fact(self, **values):
        self.facts |= values

    def result(self, *row, **more):
        self.rows.append((row, more))

    def write(self, name, text):
        pass


@pytest.fixture(scope="module")
def knees():
    """150 people, two knees each: the film shows the sex, and osteoporosis only as far as sex goes with it."""
    rng = np.random.default_rng(0)
    n = 150
    male = rng.random(n) < 0.5
    ill = rng.random(n) < np.where(male, 0.55, 0.1)
    label = np.where(ill, "osteoporosis", np.where(rng.random(n) < 0.3, "normal", "osteopenia"))
    age = rng.uniform(40, 80, n) + 8 * ill
    age[3] = np.nan
    people = pd.DataFrame({
        "subject_id": [f"p{i}" for i in range(n)], "image_id": [f"f{i}" for i in range(n)], "label": label,
        "sex": np.where(male, "M", "F"), "age_years": age, "t_score": -1.0 - 2 * ill + rng.normal(0, 0.3, n),
        "film_layout": np.where(rng.random(n) < 0.5, "bilateral", "single"),
        "path": [f"{i}.{'jpg' if i % 2 else 'JPEG'}" for i in range(n)], "split_group": [f"p{i}" for i in range(n)],
        "sha256": ["x"] * 4 + [f"{i}" for i in range(4, n)],
    })  # fmt: skip
    units = people.loc[people.index.repeat(2)].reset_index(drop=True)
    features = rng.normal(size=(2 * n, 40))
    features[:, :8] += 3 * np.repeat(male, 2)[:, None]
    return units, features


@pytest.fixture(scope="module")
def answers(knees):
    units, features = knees
    noise = np.random.default_rng(1).normal(size=features.shape)
    how = {"n_folds": 4, "n_repeats": 2, "n_shuffles": 20, "seed": 0}
    return {"shows": content.ask(units, features, **how), "noise": content.ask(units, noise, **how)}


@pytest.fixture(scope="module")
def rows(answers):
    return content.answer_rows(answers, n_boot=200, seed=0)


def test_what_is_planted_is_read_and_noise_lies_among_the_shuffles(answers, rows):
    at = rows.set_index(["features", "target"])
    assert at.loc[("shows", "sex"), "ci_low"] > 0.9
    assert at.loc[("shows", "osteoporosis"), "value"] > at.loc[("shows", "osteoporosis"), "null_high"]
    assert at.loc[("noise", "osteoporosis"), "value"] < at.loc[("noise", "osteoporosis"), "null_high"] + 0.05
    assert at.loc[("shows", "age over 50"), "n"] == 149  # one age is missing
    each = answers["shows"]
    y, score = each.truth["osteoporosis"], each.score("osteoporosis")
    assert at.loc[("shows", "osteoporosis"), "value"] == pytest.approx(roc_auc_score(y, score))
    assert at.loc[("shows", "T-score"), "value"] == pytest.approx(
        np.corrcoef(each.truth["T-score"], each.score("T-score"))[0, 1]
    )


def test_the_mean_of_the_folds_compares_within_folds(answers):
    each = answers["shows"]
    at = list(each.truth).index("sex")
    found = [
        roc_auc_score(each.truth["sex"][folds == f], each.each[d, at][folds == f])
        for d, folds in enumerate(each.folds)
        for f in range(4)
    ]
    assert each.mean_of_folds("sex") == pytest.approx(np.mean(found))


def test_the_best_of_several_looks_needs_more_than_each(answers):
    best = content.best_of_looks(answers, "osteoporosis")
    singles = [np.percentile(each.nothing("osteoporosis"), 97.5) for each in answers.values()]
    assert best >= max(singles)
    dealt = [each.shuffled["osteoporosis"][0] for each in answers.values()]
    assert (dealt[0] == dealt[1]).all()


def test_what_is_read_is_sex_and_within_a_sex_there_is_nothing(answers):
    groups = content.subgroups(answers["shows"], "osteoporosis", n_boot=200, seed=0).set_index("people")
    assert groups.loc["everybody", "sex"][0] > 0.65
    low, high = groups.loc["men", "osteoporosis"][1:]
    assert low < 0.5 < high
    assert groups.loc["films of one row only", "n"] == 146
    assert groups.loc["men", "n"] + groups.loc["women", "n"] == groups.loc["everybody", "n"] == 150


def test_the_image_adds_to_age_and_not_to_age_and_sex(knees):
    added = content.image_added(*knees, n_folds=4, n_repeats=1, n_boot=200, seed=0)
    assert added.difference("age, image", "age", "osteoporosis")[1] > 0
    value, low, _ = added.difference("age and sex, image", "age and sex", "osteoporosis")
    assert low < 0 or value < 0.02
    assert set(added.metrics) == {"osteoporosis", "bone loss"}


def test_age_probability_and_predictions_are_by_person(knees, answers):
    probability = content.age_probability(knees[0], n_folds=4, n_repeats=2, seed=0)
    assert probability.shape == (150,)
    assert ((probability > 0) & (probability < 1)).all()
    table = content.prediction_table(answers["shows"], "osteoporosis", "m", 0)
    assert table["subject_id"].is_unique
    assert roc_auc_score(table["y_true"], table["y_score"]) == pytest.approx(answers["shows"].measure("osteoporosis"))


def test_the_sentences_follow_the_numbers(answers, rows, monkeypatch):
    said = []
    for name in ("table", "figure"):
        monkeypatch.setattr(page, name, lambda *a, **k: None)
    monkeypatch.setattr(page, "say", lambda run, text: said.append(text.format(**run.facts)))
    page.show_answers(run := FakeRun(), rows)
    assert len(run.rows) == 12
    page.show_verdict(run, rows, answers, "shows")
    page.show_verdict(run, rows, answers, "noise")
    assert "**Found, by the rule.**" in said[1]
    assert "**Not found.**" in said[4]
    assert "6 pairs of features and question" in said[2]
    assert "Not all of them are read" in said[3]
    page.show_subgroups(run, content.subgroups(answers["shows"], "osteoporosis", 200, 0), "osteoporosis")
    assert "ranks people about as well" in said[-1]
