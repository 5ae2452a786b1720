"""Planted features of known correlation, closed forms, and a pipeline simple enough to follow by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from osteolib.screen import hip_created as created
from osteolib.screen.hip_created import BOTH, CELL, CLASS, HONEST, OUTLIERS, PLAIN
from osteolib.screen.mlp_search import Hyper
from osteolib.screen.sub_clusters import CUTS, ClusterRecipe
from osteolib.stats.built_in import r_when_routed

MEAN, SD = -2.6, 1.1


def planted(n, r, seed=0, noise=3):
    """One feature with correlation r to the T-score, and some that know nothing."""
    rng = np.random.default_rng(seed)
    t = rng.normal(size=n)
    seen = r * t + np.sqrt(1 - r**2) * rng.normal(size=n)
    return np.column_stack([3 * seen, rng.normal(size=(n, noise))]), (MEAN + SD * t).round(2)


def correlation(t, predicted):
    kept = np.isfinite(predicted)
    return np.corrcoef(t[kept], predicted[kept])[0, 1]


class Nearest:
    """Names the T-score of the nearest hip of training, whatever the route."""

    def __init__(self, x, t):
        self.x, self.t = x, t

    def predict(self, x, t_score, routing, filtering):
        assert (routing, filtering) == ("features", "training") and t_score is None
        nearest = ((x[:, None] - self.x) ** 2).sum(2).argmin(1)
        return pd.DataFrame({"t_score": self.t[nearest], "kept": True})


@pytest.fixture(scope="module")
def helped():
    (x, t), (new, truth) = planted(1500, 0.7), planted(1500, 0.7, seed=1)
    recipe = ClusterRecipe(outlier=50)  # no filter of training: the closed form knows none
    return created.with_helps(created.fit_like(recipe=recipe)(x, t), new, truth), truth, (x, t, new)


def test_routing_by_the_truth_gives_what_the_closed_form_says(helped):
    found, truth, _ = helped
    sub_cluster = r_when_routed(0.7, CUTS, MEAN, SD)
    assert correlation(truth, found[CELL].to_numpy()) == pytest.approx(sub_cluster, abs=0.01)
    assert correlation(truth, found[HONEST].to_numpy()) < 0.75 < sub_cluster
    by_class = r_when_routed(0, (-2.5,), MEAN, SD)
    assert correlation(truth, found[CLASS].to_numpy()) == pytest.approx(by_class, abs=0.1)


def test_the_mean_of_the_sub_cluster_needs_no_feature(helped):
    _, truth, (_, t, _) = helped
    named = created.cell_means(t, truth, CUTS)
    assert correlation(truth, named) == pytest.approx(r_when_routed(0, CUTS, MEAN, SD), abs=0.005)
    cells = np.searchsorted(CUTS, truth)
    assert named[cells == 2][0] == pytest.approx(t[(t > -3.5) & (t <= -3)].mean())
    assert created.cell_means([-3.2, -2.2], [-2.7], (-3.0, -2.5)).tolist() == [pytest.approx(-2.7)]


def test_a_filter_leaves_out_those_whose_truth_lies_far_and_changes_no_prediction(helped):
    _, truth, (x, t, new) = helped
    model = created.fit_like()(x, t)
    found = created.with_helps(model, new, truth)
    kept = found[OUTLIERS].notna()
    assert 0.2 < kept.mean() < 0.9
    assert found[OUTLIERS][kept].tolist() == found[HONEST][kept].tolist()
    called = model.predict(new)["called"]
    error = model.clusters.regression_error(new, truth, called)
    assert (np.abs(error[kept]) < 0.5).all() and (np.abs(error[~kept]) >= 0.5).all()
    assert correlation(truth, found[OUTLIERS].to_numpy()) > correlation(truth, found[HONEST].to_numpy()) + 0.1
    assert correlation(truth, found[BOTH].to_numpy()) > 0.97


def test_features_without_knowledge_reach_the_same_when_they_are_routed():
    (x, t), (new, truth) = planted(800, 0), planted(800, 0, seed=1)
    found = created.with_helps(created.fit_like()(x, t), new, truth)
    assert abs(correlation(truth, found[HONEST].to_numpy())) < 0.15
    assert correlation(truth, found[CELL].to_numpy()) > 0.9


def test_hyper_parameters_are_those_of_the_sub_cluster_that_holds_the_mean():
    x, t = planted(800, 0.7)
    all_of_them = ClusterRecipe(outlier=50)
    hypers = tuple(Hyper(0.01, (2, 2, 2 + k), 5) for k in range(8))
    searched = replace(created.fit_like(recipe=all_of_them)(x, t), hypers=hypers)
    assert created.fit_like(searched, all_of_them)(x, t).hypers == hypers
    few = created.fit_like(searched, ClusterRecipe(cuts=(-3.0, -2.5, -2.0), outlier=50))(x, t)
    means = [t[few.clusters.cell == k].mean() for k in range(4)]
    assert few.hypers == tuple(hypers[np.searchsorted(CUTS, mean)] for mean in means)
    assert created.fit_like(recipe=all_of_them)(x, t).hypers == (PLAIN,) * 8


def test_even_cuts_are_quarters_of_each_class():
    _, t = planted(4000, 0.5)
    cuts = created.even_cuts(t)
    counts = np.bincount(np.searchsorted(cuts, t))
    assert len(cuts) == 7 and cuts[3] == -2.5
    assert np.ptp(counts[:4]) / counts[:4].mean() < 0.1 and np.ptp(counts[4:]) / counts[4:].mean() < 0.1
    with pytest.raises(ValueError, match="4 sub-clusters a class need as many different T-scores"):
        created.even_cuts([-3.0, -3.0, -3.0, -1.0, -0.9, 0.0, 1.0])


def test_out_of_fold_nobody_is_seen_before():
    """A pipeline that knows what it was fitted on says so when it is asked about it."""

    class Knows:
        def __init__(self, x, t):
            self.seen = set(x[:, 0])

        def predict(self, x, t_score, routing, filtering):
            assert not self.seen & set(x[:, 0])
            return pd.DataFrame({"t_score": t_score, "kept": True})

    x = np.arange(12.0)[:, None]
    found = created.helps_out_of_fold(x, np.arange(12.0), np.arange(12) % 3, Knows)
    assert found[HONEST].tolist() == list(range(12)) and found.index.tolist() == list(range(12))


# rows: people 0 to 5 with two hips, 6 and 7 with one; 4 to 7 are tested
PERSON = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7])
SIDE = np.array(["left", "right"] * 6 + ["left", "right"])
TRAIN, TEST = np.arange(8), np.arange(8, 14)


def test_siblings_stand_on_the_other_side_and_training_keeps_its_size():
    left, right = created.sibling_leaks(PERSON, SIDE, TRAIN, TEST, seed=0)
    for leak, side, other in ((left, "left", "right"), (right, "right", "left")):
        assert (SIDE[leak.tested] == side).all() and PERSON[leak.tested].tolist() == [4, 5]
        taught = leak.train[leak.train >= 8]
        assert (SIDE[taught] == other).all() and PERSON[taught].tolist() == [4, 5]
        assert len(leak.train) == len(set(leak.train)) == 8
        assert not set(leak.train) & set(leak.tested)
    assert not {12, 13} & {*left.tested, *right.tested}  # one hip a person: nothing leaks


def test_a_memory_names_the_other_hip_of_the_same_person():
    """Features that name the person: a prediction is the other hip's T-score, and its r that of the two sides."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(400), 2)
    side = np.tile(["left", "right"], 400)
    t = rng.multivariate_normal([MEAN, MEAN], SD**2 * np.array([[1, 0.8], [0.8, 1]]), 400).ravel()
    x = np.column_stack([person * 1.0, np.zeros(800)])
    test = np.arange(400, 800)
    leaks = created.sibling_leaks(person, side, np.arange(400), test, seed=0)
    found = created.predicted_after(leaks, lambda train: x, t, Nearest)
    assert np.isnan(found[:400]).all()
    pairs = t.reshape(-1, 2)
    assert found[test].tolist() == pairs[200:, ::-1].ravel().tolist()
    sides = np.corrcoef(np.r_[pairs[200:, 0], pairs[200:, 1]], np.r_[pairs[200:, 1], pairs[200:, 0]])[0, 1]
    assert correlation(t, found) == pytest.approx(sides)


def test_a_memory_knows_a_copy_by_heart():
    x, t = planted(60, 0.5)
    test = np.arange(40, 60)
    both, scores = np.concatenate([x, x[test] + 1e-6]), np.concatenate([t, t[test]])
    leak = created.copy_leak(np.arange(40), test, np.arange(60, 80), seed=0)
    assert len(leak.train) == 40 and set(leak.train[20:]) == set(range(60, 80))
    asked = []
    found = created.predicted_after([leak], lambda train: asked.append(train) or both, scores, Nearest)
    assert found[test].tolist() == t[test].tolist()
    assert asked[0].tolist() == leak.train.tolist()  # the network is taught by the leak as well
