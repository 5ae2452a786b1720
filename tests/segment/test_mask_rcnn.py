from dataclasses import replace

import numpy as np
import pytest
import torch

from osteolib.phantoms.hip.truth import FEMUR, JOINT, SCREW
from osteolib.segment.hip_instances import HipHalves, frame, to_network
from osteolib.segment.mask_rcnn import (
    SURE,
    MaskRecipe,
    find_hips,
    hip_mask_rcnn,
    load_mask_rcnn,
    sized,
    train_mask_rcnn,
    trained_mask_rcnn,
)

torch.set_num_threads(1)
TINY = MaskRecipe(columns=32, channels=16, epochs=5, visits=56, batch=4, lr=2e-3)


def bar_film(rng, metal=0):
    """A bright upright bar in each half of a film of 96 x 128, and a brighter lying one of metal in the right hip."""
    film, bits = rng.normal(40, 6, (96, 128)), np.zeros((96, 128), np.uint8)
    for half in (0, 64):
        x, y = half + rng.integers(10, 34), rng.integers(6, 26)
        bits[y : y + 60, x : x + 20] |= FEMUR
    film[bits > 0] += 110
    if metal:
        bits[60:72, 8:56] |= metal
        film[60:72, 8:56] = 250
    return film.clip(0, 255).astype(np.uint8), bits


def halves_of(films, columns=32):
    both = [[to_network(part, side, columns, flags=bool(k)) for film in films for side in ("right", "left")
             for part in film[k : k + 1]] for k in (0, 1)]  # fmt: skip
    return HipHalves(*(torch.from_numpy(np.stack(part)) for part in both))


@pytest.fixture(scope="module")
def bars():
    rng = np.random.default_rng(0)
    return [bar_film(rng, (0, 0, JOINT)[k % 3]) for k in range(24)]


@pytest.fixture(scope="module")
def trained(bars, tmp_path_factory):
    return train_mask_rcnn(halves_of(bars[:18]), TINY, tmp_path_factory.mktemp("bars"))


def test_a_trained_tiny_network_finds_a_bright_bar_in_each_half(trained, bars):
    model, fitted = trained
    assert fitted.history["loss"].iloc[-1] < 0.5 * fitted.history["loss"].iloc[0]
    overlaps = []
    for film, bits in bars[18:]:
        for found, half in zip(find_hips(model, film, TINY.columns), (np.s_[:, :64], np.s_[:, 64:]), strict=True):
            assert found.scores["femur"] >= SURE and found.reason == "" and found.square is not None
            mask, true = found.masks["femur"], bits & FEMUR > 0
            assert mask.shape == film.shape and mask.sum() == mask[half].sum()  # nothing in the other hip
            overlaps.append((mask[half] & true[half]).sum() / (mask[half] | true[half]).sum())
    assert np.mean(overlaps) > 0.5  # after 70 steps 0.6 or 0.7, by how the processor rounds


def test_a_mirrored_film_is_seen_mirrored(trained, bars):
    model, film = trained[0], bars[18][0]
    (right, left), (other_right, other_left) = (find_hips(model, f, TINY.columns) for f in (film, film[:, ::-1]))
    for one, other in ((right, other_left), (left, other_right)):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)
        np.testing.assert_array_equal(one.masks["femur"], other.masks["femur"][:, ::-1])


def test_a_film_with_one_hip_or_none_says_which_is_missing(trained, bars):
    film = bars[18][0].copy()
    film[:, 64:] = 40
    right, left = find_hips(trained[0], film, TINY.columns)
    assert right.square is not None and left.square is None and not left.masks
    assert left.reason.startswith("no femur found in the left half of the film: its best score is 0.")
    for empty in (np.zeros((96, 128), np.uint8), np.full((96, 128), 65535, np.uint16)):
        assert all(hip.square is None and hip.reason for hip in find_hips(trained[0], empty, TINY.columns))


def test_training_goes_on_where_it_stopped(bars, tmp_path):
    """Two epochs, cut off after one, give the weights of two in one go."""
    recipe = replace(TINY, epochs=2, visits=4)
    data = halves_of(bars[:6])
    whole, _ = train_mask_rcnn(data, recipe, tmp_path / "whole")
    stopped = {"now": True}

    def cut(folder):
        import osteolib.segment.mask_rcnn as module

        original = module.fit

        def fit(*args, **options):
            return original(*args, **options | ({"epochs": 1} if stopped["now"] else {}))

        module.fit = fit
        try:
            return train_mask_rcnn(data, recipe, folder)
        finally:
            module.fit = original

    cut(tmp_path / "parts")
    stopped["now"] = False
    resumed, fitted = cut(tmp_path / "parts")
    assert len(fitted.history) == 2
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_stored_training_is_found_again_and_sees_the_same(bars, tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    data, recipe = halves_of(bars[:4]), replace(TINY, epochs=1, visits=8)
    folder = trained_mask_rcnn(data, recipe)
    assert trained_mask_rcnn(data, recipe) == folder != trained_mask_rcnn(data.take([0, 1, 2]), recipe)
    again, _ = train_mask_rcnn(data, recipe, tmp_path / "again")
    for a, b in zip(load_mask_rcnn(folder, recipe).state_dict().values(), again.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b)
    with pytest.raises(ValueError, match="is of another model"):
        load_mask_rcnn(folder, replace(recipe, channels=8))


def test_metal_is_shown_more_often_than_it_occurs(bars, tmp_path, monkeypatch):
    """One hip in six has a joint, half of what is shown has; a third of three kinds."""
    seen = []

    def fit(model, loss, batches, validate, **options):
        for images, wanted in batches(0, torch.Generator().manual_seed(0)):
            assert len(images) == len(wanted) <= TINY.batch and images[0].shape == (1, *frame(32))
            seen.extend(bool((t["labels"] > 1).any()) for t in wanted)

    monkeypatch.setattr("osteolib.segment.mask_rcnn.fit", fit)
    train_mask_rcnn(halves_of(bars), replace(TINY, visits=3000), tmp_path)
    assert len(seen) == 3000 and np.mean(seen) == pytest.approx(1 / 2, abs=0.04)
    seen.clear()
    screws = [bar_film(np.random.default_rng(1), SCREW)]
    train_mask_rcnn(halves_of(bars + screws), replace(TINY, visits=3000), tmp_path)
    assert np.mean(seen) == pytest.approx(2 / 3, abs=0.04)


def test_films_without_a_femur_cannot_be_trained_on(tmp_path):
    film = np.zeros((96, 128), np.uint8), np.full((96, 128), SCREW, np.uint8)
    with pytest.raises(ValueError, match="none of the 2 half films to train on shows a femur"):
        train_mask_rcnn(halves_of([film]), TINY, tmp_path)


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_both_depths_are_built_and_random_weights_follow_the_seed(backbone):
    recipe = MaskRecipe(columns=32, backbone=backbone, channels=16)
    one, same, other = (hip_mask_rcnn(replace(recipe, seed=seed)).backbone.body.conv1.weight for seed in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other) and one.shape[1] == 1
    with pytest.raises(ValueError, match="resnet18 or resnet50, got 'vgg16'"):
        hip_mask_rcnn(replace(recipe, backbone="vgg16"))


def test_the_network_is_as_wide_as_the_film_allows():
    assert [sized(width, "resnet18", 6, 0).columns for width in (192, 256, 640, 896)] == [32, 64, 128, 192]
    assert sized(2048, "resnet50", 50, 3) == MaskRecipe(416, "resnet50", 256, 50, seed=3)
