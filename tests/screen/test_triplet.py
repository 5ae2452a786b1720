from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer

from osteolib.runs import store
from osteolib.screen.triplet import (
    Hips,
    TripletNet,
    TripletRecipe,
    balanced_batches,
    centre_score,
    describe,
    load_triplet,
    read_features,
    trained_triplet,
    triplet_loss,
    warm_then_cosine,
)

RECIPE = TripletRecipe(epochs=3, widths=(8, 16, 16), batch_size=16)
TRAIN, VALIDATION = np.arange(60), np.arange(60, 80)


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path / "store")


def batch(n=14, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 5, generator=generator), torch.arange(n) % 2


def test_the_loss_of_three_hips_by_hand():
    features = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])  # d(a, p) = 5, d(a, n) = 1
    loss = triplet_loss(features, torch.tensor([1, 1, 0]), 0.5)
    other = 5 - (9 + 9) ** 0.5 + 0.5  # the anchor at (3, 4)
    assert float(loss) == pytest.approx(((5 - 1 + 0.5) + other) / 2, abs=1e-5)


@pytest.mark.parametrize("margin", [0.2, 1.0])
def test_all_triplets_as_another_library_has_them(margin):
    features, classes = batch()
    distance = LpDistance(normalize_embeddings=False)
    theirs = TripletMarginLoss(margin=margin, distance=distance, triplets_per_anchor="all", reducer=MeanReducer())
    assert float(triplet_loss(features, classes, margin)) == pytest.approx(float(theirs(features, classes)), rel=1e-5)


def test_the_hardest_triplets_as_another_library_has_them():
    features, classes = batch()
    distance = LpDistance(normalize_embeddings=False)
    hardest = BatchHardMiner(distance=distance)(features, classes)
    theirs = TripletMarginLoss(margin=0.3, distance=distance, reducer=MeanReducer())(features, classes, hardest)
    assert float(triplet_loss(features, classes, 0.3, "hard")) == pytest.approx(float(theirs), rel=1e-5)


@pytest.mark.parametrize("mining", ["all", "hard"])
def test_classes_that_lie_apart_cost_nothing_and_equal_features_have_a_gradient(mining):
    _, classes = batch()
    apart = 10.0 * classes[:, None] + 0.001 * torch.randn(14, 3)
    assert float(triplet_loss(apart, classes, 1.0, mining)) == 0
    equal = torch.zeros(6, 3, requires_grad=True)
    triplet_loss(equal, torch.arange(6) % 2, 0.5, mining).backward()
    assert torch.isfinite(equal.grad).all()
    one_class = triplet_loss(torch.randn(5, 3), torch.ones(5), 0.5, mining)
    assert float(one_class) == 0


def test_features_are_128_numbers_of_length_one():
    features = TripletNet((8, 16))(torch.rand(3, 1, 32, 32))
    assert features.shape == (3, 128)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(3))


def test_every_batch_has_both_classes_and_every_hip_comes_once():
    classes = torch.tensor([1] * 5 + [0] * 20)
    parts = list(balanced_batches(torch.randperm(25), classes, 8))
    assert sorted(torch.cat(parts).tolist()) == list(range(25))
    assert all(len(set(classes[part].tolist())) == 2 for part in parts)


def test_the_learning_rate_rises_for_three_epochs_and_falls_to_nothing():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    rates, schedule = [], warm_then_cosine(optimizer, 8)
    for _ in range(9):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx(1 / 3) and int(np.argmax(rates)) == 2
    assert rates[4] == pytest.approx(0.5) and rates[8] == pytest.approx(0)


def test_the_score_is_the_difference_of_two_distances():
    features = np.array([[0.0, 0], [0, 2], [4, 0], [4, 2], [1, 1]])
    classes = np.array([0, 0, 1, 1, 0])
    assert centre_score(features, np.arange(4), classes, np.array([4])).tolist() == [1 - 3]


def test_training_parts_hips_it_never_saw_and_is_found_again(toy_squares, monkeypatch):
    hips, t = toy_squares(140)
    folder = trained_triplet(hips, TRAIN, VALIDATION, RECIPE)
    features = read_features(folder)
    new = np.arange(80, 140)
    score = centre_score(features, TRAIN, hips.classes, new)
    assert np.corrcoef(score, t[new])[0, 1] < -0.6
    model = load_triplet(folder, RECIPE)
    np.testing.assert_allclose(describe(model, hips.images[:3], hips.femur[:3]), features[:3], atol=1e-5)
    history = pd.read_parquet(folder / "history.parquet")
    assert history["epoch"].tolist() == [0, 1, 2] and {"loss", "auroc"} <= set(history)
    monkeypatch.setattr("osteolib.screen.triplet._train", lambda *given: 1 / 0)
    assert trained_triplet(hips, TRAIN, VALIDATION, RECIPE) == folder


def test_labels_of_test_hips_change_nothing(toy_squares, monkeypatch):
    hips, _ = toy_squares(100)
    folder = trained_triplet(hips, TRAIN, VALIDATION, RECIPE)
    other = hips.classes.copy()
    other[80:] = 1 - other[80:]
    assert trained_triplet(Hips(hips.images, hips.femur, other), TRAIN, VALIDATION, RECIPE) == folder
    again = hips.images.copy()
    again[80:] = 255 - again[80:]
    changed = trained_triplet(Hips(again, hips.femur, hips.classes), TRAIN, VALIDATION, RECIPE)
    assert (changed / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    np.testing.assert_array_equal(read_features(changed)[:80], read_features(folder)[:80])


def test_a_training_that_was_cut_off_ends_as_one_that_was_not(toy_squares, tmp_path, monkeypatch, cut_in_epoch):
    hips, _ = toy_squares(100)
    whole = read_features(trained_triplet(hips, TRAIN, VALIDATION, RECIPE))
    monkeypatch.setattr(store, "STORE", tmp_path / "another store")
    with monkeypatch.context() as _:
        cut_in_epoch(2)
        with pytest.raises(KeyboardInterrupt):
            trained_triplet(hips, TRAIN, VALIDATION, RECIPE)
    np.testing.assert_array_equal(read_features(trained_triplet(hips, TRAIN, VALIDATION, RECIPE)), whole)


def test_one_class_cannot_be_trained_on_and_an_unknown_mining_is_named(toy_squares):
    hips, _ = toy_squares(100)
    low = np.flatnonzero(hips.classes[:80] == 1)
    with pytest.raises(ValueError, match=r"hips for training \(\d+\) are all of one class: a network needs both"):
        trained_triplet(hips, low, VALIDATION, RECIPE)
    with pytest.raises(ValueError, match="mining must be one of all, hard"):
        replace(RECIPE, mining="soft")
