import numpy as np
import pandas as pd
import pytest
from scipy import stats

from osteolib.screen import out_of_fold
from osteolib.screen.covariates import COLUMNS, pearson_r, sets_beside_shuffles


@pytest.fixture
def films():
    rng = np.random.default_rng(0)
    age = rng.normal(60, 10, 80)
    return pd.DataFrame({"age": age, "noise": rng.normal(size=80), "split_group": np.arange(80),
                         "ill": (age + rng.normal(0, 4, 80) > 60).astype(int),
                         "t": -age / 20 + rng.normal(0, 0.3, 80)})  # fmt: skip


@pytest.mark.parametrize("target", ["ill", "t"])
def test_what_knows_lies_outside_the_shuffles_and_noise_inside(films, target):
    fold, sets = np.arange(80) % 4, {"age": ["age"], "noise": ["noise"]}
    scores = {name: out_of_fold(films[columns], films[target], fold) for name, columns in sets.items()}
    rows = sets_beside_shuffles(films, sets, films[target], scores, fold, n_boot=200, n_shuffles=40, seed=1)
    assert rows.columns.tolist() == list(COLUMNS) and rows.index.tolist() == ["age", "noise"]
    ill = films["ill"] == 1
    expected = (
        stats.mannwhitneyu(scores["age"][ill], scores["age"][~ill]).statistic / (ill.sum() * (~ill).sum())
        if target == "ill"
        else stats.pearsonr(films["t"], scores["age"]).statistic
    )
    assert rows.loc["age", "value"] == pytest.approx(expected)
    assert rows.loc["age", "ci_low"] > rows.loc["age", "null_high"]
    assert rows.loc["noise", "ci_low"] < rows.loc["noise", "null_high"]
    nothing = 0.5 if target == "ill" else 0
    assert rows.loc["noise", "null_low"] < nothing < rows.loc["noise", "null_high"]


def test_r_of_a_line_is_one():
    assert pearson_r([1, 2, 3], [3, 5, 7]) == pytest.approx(1)
