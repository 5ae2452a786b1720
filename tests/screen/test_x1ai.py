import numpy as np
import pytest

from osteolib.runs import store
from osteolib.screen.mlp_search import SearchRecipe
from osteolib.screen.sub_clusters import CUTS, ClusterRecipe
from osteolib.screen.x1ai import cell_names, fit_x1ai

SEARCH = SearchRecipe(generations=1, population=3, epochs=(10, 30), neurons=(4, 8))


@pytest.fixture(scope="module")
def toy(tmp_path_factory, toy_features):
    """A fitted pipeline with the test hips it never saw."""
    patch = pytest.MonkeyPatch()
    patch.setattr(store, "STORE", tmp_path_factory.mktemp("store"))
    x, t, people = toy_features(180)
    train = np.arange(len(t)) < 280
    yield fit_x1ai(x[train], t[train], people[train], ClusterRecipe(min_members=6), SEARCH), x, t, people, train
    patch.undo()


def test_a_planted_t_score_is_found_again(toy):
    model, x, t, _, train = toy
    predicted = model.predict(x[~train])
    assert np.corrcoef(predicted["t_score"], t[~train])[0, 1] > 0.75
    assert (predicted["called"] == (t[~train] <= -2.5)).mean() > 0.75
    assert predicted["kept"].all()
    assert len(model.hypers) == len(model.clusters.cuts) + 1 == model.history["cell"].nunique()
    np.testing.assert_array_equal(predicted["called"], predicted["cell"] < model.clusters.n_low)


def test_the_true_t_score_in_routing_or_filter_flatters_the_result(toy):
    model, x, t, _, train = toy
    new, truth = x[~train], t[~train]

    def r(predicted):
        return np.corrcoef(predicted["t_score"][predicted["kept"]], truth[predicted["kept"]])[0, 1]

    honest = r(model.predict(new))
    routed = r(model.predict(new, truth, "true T-score"))
    both = model.predict(new, truth, "true T-score", "training and test")
    assert honest < r(model.predict(new, truth, "class known")) < routed < r(both)
    assert not both["kept"].all()
    error = model.clusters.regression_error(new, truth, both["called"])
    np.testing.assert_array_equal(both["kept"], np.abs(error) < 0.5)


def test_what_a_new_patient_cannot_have_changes_nothing(toy):
    model, x, t, people, train = toy
    predicted = model.predict(x[~train])
    rng = np.random.default_rng(0)
    for other in (rng.permutation(t[~train]), np.full((~train).sum(), np.nan)):
        assert model.predict(x[~train], other).equals(predicted)
    again = fit_x1ai(x[train], t[train], people[train], ClusterRecipe(min_members=6), SEARCH)
    assert again.predict(x[~train]).equals(predicted) and again.hypers == model.hypers


def test_a_hips_answer_does_not_depend_on_the_others(toy):
    model, x, *_ = toy
    every, one = model.predict(x[-20:]), model.predict(x[-1:])
    np.testing.assert_allclose(every.iloc[[-1]].to_numpy(float), one.to_numpy(float))


def test_what_cannot_be_asked_is_refused(toy):
    model, x, *_ = toy
    with pytest.raises(ValueError, match="filtering must be one of training, training and test"):
        model.predict(x, filtering="all")
    with pytest.raises(ValueError, match="filtering test hips needs their true T-scores"):
        model.predict(x, filtering="training and test")


def test_few_people_have_fewer_sub_clusters_and_too_few_are_refused(toy, toy_features):
    x, t, people = toy_features(30)
    few = fit_x1ai(x, t, people, ClusterRecipe(min_members=8), SEARCH)
    assert 2 <= len(few.hypers) < 8
    with pytest.raises(ValueError, match="needs 40: train on more people or lower min_members"):
        fit_x1ai(x, t, people, ClusterRecipe(min_members=40), SEARCH)


def test_cells_are_named_by_their_range_and_class():
    names = cell_names(CUTS)
    assert names[0] == "up to −4 (class 1)" and names[3] == "−3 to −2.5 (class 1)"
    assert names[4] == "−2.5 to −2 (class 0)" and names[-1] == "above −1 (class 0)"
