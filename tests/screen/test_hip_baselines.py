from dataclasses import replace

import numpy as np
import pytest
import torch

from osteolib.runs import store
from osteolib.screen import hip_baselines
from osteolib.screen.hip_baselines import (
    NETWORKS,
    NetworkRecipe,
    build_network,
    frozen_predictions,
    ridge,
    trained_network,
)
from osteolib.screen.triplet import Hips

TRAIN, VALIDATION = np.arange(60), np.arange(60, 80)


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path / "store")


@pytest.mark.parametrize(("name", "millions"), [("resnet50", 23.5), ("inception_v3", 21.8)])
def test_the_networks_have_the_published_number_of_parameters(name, millions):
    model = build_network(name)  # without the thousand classes
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)
    with torch.no_grad():
        assert model.eval()(torch.rand(1, 3, NETWORKS[name], NETWORKS[name])).shape == (1, 1)


@pytest.fixture
def small_network(monkeypatch):
    """In the place of a network one that a test can train."""

    def build(name):
        first = torch.nn.Conv2d(3, 8, 5, 2), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3)
        last = torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 1)
        return torch.nn.Sequential(*first, *last)

    monkeypatch.setattr(hip_baselines, "build_network", build)


RECIPE = NetworkRecipe(image_size=32, epochs=4, batch_size=10, learning_rate=0.01)


def test_a_network_scores_hips_it_never_saw_and_their_labels_change_nothing(toy_squares, small_network):
    hips, t = toy_squares(140)
    score = trained_network(hips, TRAIN, VALIDATION, RECIPE)
    assert score.shape == (140,) and ((score > 0) & (score < 1)).all()
    assert np.corrcoef(score[80:], t[80:])[0, 1] < -0.3
    other = hips.classes.copy()
    other[80:] = 0
    np.testing.assert_array_equal(trained_network(hips._replace(classes=other), TRAIN, VALIDATION, RECIPE), score)


def test_squares_are_brought_to_the_networks_size(toy_squares, small_network):
    hips, _ = toy_squares(90)
    score = trained_network(hips, TRAIN, VALIDATION, replace(RECIPE, image_size=40, epochs=1))
    assert np.isfinite(score).all()


def test_what_a_network_cannot_take_is_refused(toy_squares):
    with pytest.raises(ValueError, match="inception_v3 needs images of 75 pixels or more, got 64: raise image_size"):
        NetworkRecipe("inception_v3", 64)
    with pytest.raises(ValueError, match="network must be one of resnet50, inception_v3"):
        NetworkRecipe("vgg16")
    hips, _ = toy_squares(90)
    with pytest.raises(ValueError, match=r"hips for validation \(\d+\) are all of one class"):
        trained_network(hips, TRAIN, VALIDATION[hips.classes[60:80] == 1], RECIPE)


def test_linear_models_on_frozen_features_are_fitted_on_training_hips_alone(toy_squares, monkeypatch):
    def features(name, images):
        x = images.reshape(len(images), -1).astype(float)
        return np.column_stack([x.std(1), x.mean(1)]).astype(np.float32)

    monkeypatch.setattr(hip_baselines, "frozen_features", features)
    hips, t = toy_squares(200)
    found = frozen_predictions(hips, t, np.arange(200) // 2, np.arange(120))
    assert np.corrcoef(found.t_score[120:], t[120:])[0, 1] > 0.5
    assert np.corrcoef(found.score[120:], t[120:])[0, 1] < -0.4
    changed = t.copy()
    changed[120:] = 0
    again = frozen_predictions(Hips(hips.images, hips.femur, np.where(np.arange(200) < 120, hips.classes, 0)),
                               changed, np.arange(200) // 2, np.arange(120))  # fmt: skip
    np.testing.assert_array_equal(found.t_score, again.t_score)
    np.testing.assert_array_equal(found.score, again.score)


def test_the_penalty_of_a_ridge_does_not_see_a_persons_other_hip():
    """Every row twice, under one person, says no more than once: leaving one row out would take a weak penalty."""
    rng = np.random.default_rng(0)
    x, people = rng.normal(size=(60, 200)), np.arange(60)
    t = x[:, 0] + 2 * rng.normal(size=60)
    once = ridge(x, t, people)
    twice = ridge(np.repeat(x, 2, 0), np.repeat(t, 2), np.repeat(people, 2))
    alone = ridge(np.repeat(x, 2, 0), np.repeat(t, 2), np.arange(120))
    assert twice[-1].alpha_ >= once[-1].alpha_ > alone[-1].alpha_
