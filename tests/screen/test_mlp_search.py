import random
from dataclasses import replace

import numpy as np
import pytest

from osteolib.runs import store
from osteolib.screen import mlp_search
from osteolib.screen.mlp_search import Hyper, SearchRecipe, decode, fit_mlp, search_mlp, unseen_error

RECIPE = SearchRecipe(generations=2, population=4, epochs=(5, 20), neurons=(2, 8))


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path / "store")


def hips(n=24, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    return x, -3 + 0.2 * x[:, 0], np.repeat([f"p{i:02}" for i in range(n // 2)], 2)


def test_genes_reach_from_one_end_of_each_range_to_the_other():
    recipe = SearchRecipe()
    assert decode([0] * 5, recipe) == (pytest.approx(3e-4), (2, 2, 2), 10)
    assert decode([1] * 5, recipe) == (pytest.approx(3e-2), (64, 64, 64), 120)
    assert decode([0.5] * 5, recipe).neurons == (11, 11, 11)  # the root of 2 x 64


def test_an_mlp_has_the_layers_and_epochs_it_is_given_and_learns_from_the_mean_on():
    x, t, _ = hips()
    model = fit_mlp(x, t, Hyper(0.01, (5, 4, 3), 7), 0)
    assert [w.shape for w in model.regressor_.coefs_] == [(6, 5), (5, 4), (4, 3), (3, 1)]
    assert model.regressor_.n_iter_ == 7
    shifted = fit_mlp(x, t - 40, Hyper(0.01, (5, 4, 3), 7), 0)  # what is learned is the difference from the mean
    np.testing.assert_allclose(shifted.predict(x) + 40, model.predict(x))
    long = fit_mlp(x, t, Hyper(0.01, (16, 8, 8), 400), 0)
    assert np.corrcoef(long.predict(x), t)[0, 1] > 0.9


def test_both_hips_of_a_person_are_left_out_together(monkeypatch):
    x, t, people = hips()
    left = []

    def watched(x_train, t_train, hyper, seed):
        left.append(set(map(tuple, x_train)))
        return fit_mlp(x_train, t_train, hyper, seed)

    monkeypatch.setattr(mlp_search, "fit_mlp", watched)
    unseen_error(x, t, people, Hyper(0.01, (2, 2, 2), 3), 3, 0)
    assert len(left) == 3
    for seen in left:
        inside = np.array([tuple(row) in seen for row in x])
        assert (inside[::2] == inside[1::2]).all() and not inside.all()


def test_the_best_never_gets_worse_and_the_same_seed_finds_the_same():
    first = search_mlp(*hips(), RECIPE)
    assert first.history["generation"].tolist() == [0, 1, 2]
    assert (first.history["best"].diff().dropna() <= 0).all()
    assert (first.history["best"] <= first.history["mean"]).all()
    error = unseen_error(*hips(), first.hyper, RECIPE.folds, RECIPE.seed)
    assert error == pytest.approx(first.history["best"].iloc[-1])
    other = search_mlp(*hips(), replace(RECIPE, seed=1))
    assert other.hyper != first.hyper


def test_a_search_that_was_cut_off_goes_on_with_its_generation(tmp_path, monkeypatch):
    whole = search_mlp(*hips(), RECIPE)
    monkeypatch.setattr(store, "STORE", tmp_path / "another store")
    calls, plain = [], unseen_error

    def cut(*given):
        calls.append(given)
        if len(calls) == RECIPE.population + 1:  # the first of generation 1
            raise KeyboardInterrupt
        return plain(*given)

    monkeypatch.setattr(mlp_search, "unseen_error", cut)
    with pytest.raises(KeyboardInterrupt):
        search_mlp(*hips(), RECIPE)
    before = len(calls)
    again = search_mlp(*hips(), RECIPE)
    assert again.hyper == whole.hyper and again.history.equals(whole.history)
    assert len(calls) - before <= 2 * (RECIPE.population - 1)  # generation 0 is not done again
    assert not list((store.STORE / "unfinished").iterdir())
    search_mlp(*hips(), RECIPE)
    assert len(calls) - before <= 2 * (RECIPE.population - 1)  # found in the store


def test_the_generator_of_others_is_left_as_it_was():
    random.seed(5)
    expected = [random.random() for _ in range(3)]
    random.seed(5)
    first = random.random()
    search_mlp(*hips(), RECIPE)
    assert [first, random.random(), random.random()] == expected


def test_one_person_cannot_be_left_out():
    x, t, _ = hips()
    with pytest.raises(ValueError, match=r"two people or more.*there is 1"):
        search_mlp(x, t, np.zeros(len(t)), RECIPE)
