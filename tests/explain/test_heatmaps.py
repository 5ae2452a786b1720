from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from osteolib.explain.heatmaps import (
    cascading_randomisation,
    centred_gaussian,
    grad_cam,
    out_of_fold_maps,
    roi_scores,
)
from osteolib.radiograph import to_tensor_range
from osteolib.screen.knee_folds import CrossValidated, Recipe
from osteolib.screen.strnet import STRNet

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Linear(nn.Module):
    """Convolution, mean over places, linear answer: the case in which Grad-CAM is the class activation map."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 5, 4, stride=4)
        self.dropout = nn.Dropout(dropout)
        self.answer = nn.Linear(5, 1)

    def forward(self, images):
        pooled = self.dropout(self.features(images)).mean((2, 3))
        return SimpleNamespace(screen=self.answer(pooled).squeeze(1))


def strnet(seed: int = 0) -> STRNet:
    torch.manual_seed(seed)
    return STRNet("resnet18").eval()


# Grad-CAM


def test_of_a_linear_network_it_is_the_class_activation_map():
    """With y = sum_k w_k mean(A_k) + b every dy/dA_k is w_k / Z: the map is ReLU(sum_k w_k A_k) / Z (Zhou 2016)."""
    torch.manual_seed(0)
    model = Linear()
    with torch.no_grad():
        channels = model.features(torch.from_numpy(to_tensor_range(IMAGES))[:, None])
        cam = torch.einsum("k,nkij->nij", model.answer.weight[0], channels).relu() / 16**2
    maps = grad_cam(model, IMAGES, "features")
    assert maps.shape == IMAGES.shape and (maps > 0).any()
    enlarged = nn.functional.interpolate(cam[:, None], (64, 64), mode="bilinear")[:, 0]
    np.testing.assert_allclose(maps, enlarged.numpy(), rtol=1e-4, atol=1e-8)


def test_it_finds_the_only_spot_that_counts():
    """A bright square, a convolution that passes brightness on, a positive weight: the map is warm there alone."""
    model = Linear()
    with torch.no_grad():
        model.features.weight.fill_(1 / 16)
        model.features.bias.fill_(2)  # black is -2
        model.answer.weight.fill_(1)
    image = np.zeros((1, 64, 64), np.uint8)
    image[0, 40:48, 8:16] = 255
    (heat,) = grad_cam(model, image, "features")
    assert np.unravel_index(heat.argmax(), heat.shape) in {(r, c) for r in range(40, 48) for c in range(8, 16)}
    assert heat[:30].max() == pytest.approx(0, abs=1e-7)


def test_the_mode_of_the_model_neither_matters_nor_changes():
    model = strnet()
    in_evaluation = grad_cam(model, IMAGES)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.train()
    np.testing.assert_array_equal(grad_cam(model, IMAGES), in_evaluation)  # dropout and batch statistics are off
    assert model.training and model.backbone.relu.inplace
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


def test_a_map_does_not_depend_on_who_else_is_in_the_batch():
    model = strnet()
    together = grad_cam(model, IMAGES)
    np.testing.assert_allclose(grad_cam(model, IMAGES, batch_size=2), together, rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(grad_cam(model, IMAGES[[1]])[0], together[1], rtol=1e-3, atol=1e-9)


def test_guided_it_is_the_product_with_guided_backpropagation():
    """Of a network without ReLU guided backpropagation is the gradient: here a constant for each place of a tile."""
    torch.manual_seed(1)
    model = Linear()
    gradient = torch.einsum("k,kij->ij", model.answer.weight[0], model.features.weight[:, 0]).detach() / 16**2
    expected = grad_cam(model, IMAGES, "features") * np.tile(gradient.abs().numpy(), (16, 16))
    np.testing.assert_allclose(grad_cam(model, IMAGES, "features", guided=True), expected, rtol=1e-3, atol=1e-10)


def test_of_the_whole_network_it_is_finer_when_guided_and_never_negative():
    model = strnet()
    for guided in (False, True):
        maps = grad_cam(model, IMAGES, "backbone.layer3", guided)
        assert maps.shape == IMAGES.shape and maps.dtype == np.float32 and maps.min() >= 0 and maps.max() > 0


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"STRNet has no layer 'layer4': name one of its modules"):
        grad_cam(strnet(), IMAGES, "layer4")


# scores


def test_energy_and_pointing_game_by_hand():
    """A 2 x 4 image whose left half is the region; 6 of 8 parts of the first map lie there, and its peak."""
    mask = np.zeros((2, 2, 4), bool)
    mask[:, :, :2] = True
    maps = np.array([[[4, 1, 1, 0], [0, 1, 0, 1]], [[0, 1, 0, 0], [0, 0, 3, 0]]], float)
    scores = roi_scores(maps, mask)
    assert scores["energy"].tolist() == [6 / 8, 1 / 4]
    assert scores["hit"].tolist() == [1, 0]
    assert scores["area"].tolist() == [0.5, 0.5]


def test_several_equal_peaks_share_the_hit():
    mask = np.array([[[True, False, False, False]]])
    assert roi_scores(np.array([[[2.0, 2, 0, 0]]]), mask)["hit"].tolist() == [0.5]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_chance_is_the_area_and_scale_means_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    mask, heat = rng.random((4, 6, 5)) < 0.3, rng.random((4, 6, 5))
    even = roi_scores(np.full(mask.shape, scale), mask)
    np.testing.assert_allclose(even[["energy", "hit"]], even[["area", "area"]])
    pd.testing.assert_frame_equal(roi_scores(scale * heat, mask), roi_scores(heat, mask))
    inside, outside = roi_scores(heat, mask), roi_scores(heat, ~mask)
    np.testing.assert_allclose(inside + outside, 1)


def test_an_empty_map_points_nowhere():
    scores = roi_scores(np.zeros((1, 3, 3)), np.ones((1, 3, 3), bool))
    assert scores[["energy", "hit"]].isna().all(axis=None) and scores["area"].tolist() == [1]


def test_masks_of_another_shape_and_negative_maps_are_refused():
    with pytest.raises(ValueError, match=r"maps \(1, 4, 4\) and masks \(1, 8, 8\) must both be"):
        roi_scores(np.ones((1, 4, 4)), np.ones((1, 8, 8), bool))
    with pytest.raises(ValueError, match="negative values"):
        roi_scores(-np.ones((1, 4, 4)), np.ones((1, 4, 4), bool))


def test_the_yardstick_stands_in_the_middle():
    """Its mass within one SD of the middle is that of a bivariate normal distribution cut off at two SD."""
    heat = centred_gaussian(200)
    np.testing.assert_allclose(heat, heat[::-1])
    np.testing.assert_allclose(heat, heat.T)
    square = np.zeros((1, 200, 200), bool)
    square[0, 50:150, 50:150] = True
    assert roi_scores(heat[None], square)["energy"][0] == pytest.approx((0.682689 / 0.954500) ** 2, abs=1e-4)


# randomisation


def test_a_map_follows_its_weights_and_the_same_weights_give_the_same_map():
    same = cascading_randomisation(strnet(0), strnet(0), IMAGES)
    assert same[["rank_correlation", "ssim"]].to_numpy() == pytest.approx(1)
    other = cascading_randomisation(strnet(0), strnet(1), IMAGES)
    assert other.groupby("part").size().eq(3).all() and other["part"].iloc[0] == "screen_head"
    assert other.groupby("part")["ssim"].mean().max() < 0.9


def test_at_the_end_of_the_cascade_stands_the_untrained_network():
    """Every weight of it, so that its map is the untrained network's own."""
    from skimage.metrics import structural_similarity

    before, after = (grad_cam(strnet(seed), IMAGES) for seed in (0, 1))
    last = cascading_randomisation(strnet(0), strnet(1), IMAGES).tail(3)
    expected = [
        structural_similarity(a / max(a.max(), 1e-30), b / max(b.max(), 1e-30), data_range=1)
        for a, b in zip(before, after, strict=True)
    ]
    assert last["part"].eq("backbone.conv1").all()
    np.testing.assert_allclose(last["ssim"], expected, atol=1e-6)


def test_a_map_without_variation_has_no_rank_correlation():
    """32 pixels leave one place in the last stage."""
    checked = cascading_randomisation(strnet(0), strnet(1), IMAGES[:1, :32, :32])
    assert checked["rank_correlation"].isna().all() and checked["ssim"].notna().all()


# out of fold


def test_each_knee_is_looked_at_by_the_network_that_did_not_see_it(tmp_path):
    """Five knees, three networks; that a knee validates in another fold than it is tested in changes nothing."""
    folders = {fold: tmp_path / str(fold) for fold in range(3)}
    for fold, folder in folders.items():
        folder.mkdir()
        save_file(strnet(fold).state_dict(), folder / "model.safetensors")
    subjects, tested = pd.DataFrame({"unit_id": list("abcde")}), np.array([2, 0, 1, 2, 0])
    parts = [subjects.assign(fold=(tested + shift) % 3, part=part) for shift, part in ((1, "validation"), (0, "test"))]
    trained = CrossValidated(pd.concat(parts).sample(frac=1, random_state=0), pd.DataFrame(), folders)
    images = np.random.default_rng(1).integers(0, 256, (5, 64, 64), dtype=np.uint8)
    rows = np.array([3, 1, 2, 0])
    maps = out_of_fold_maps(subjects, images, Recipe("resnet18", image_size=64), trained, rows)
    for row, heat in zip(rows, maps, strict=True):
        mine, another = (grad_cam(strnet(seed), images[[row]])[0] for seed in (tested[row], (tested[row] + 1) % 3))
        np.testing.assert_allclose(heat, mine, rtol=1e-3, atol=1e-8)
        assert not np.allclose(heat, another, rtol=1e-3, atol=1e-8)


# at the edges


def test_masks_of_zeros_and_ones_are_regions_and_others_are_refused():
    maps, region = np.random.default_rng(0).random((2, 9, 9)), np.zeros((2, 9, 9), bool)
    region[:, 2:5, 3:7] = True
    expected = roi_scores(maps, region)
    assert (expected["energy"] <= 1).all()
    for kind in (int, np.uint8, float, np.int8):
        pd.testing.assert_frame_equal(roi_scores(maps, region.astype(kind)), expected)
    for wrong in (region * 255, region * 0.5, np.where(region, 1, np.nan), np.ma.array(region, mask=region)):
        with pytest.raises(ValueError, match="masks"):
            roi_scores(maps, wrong)
    with pytest.raises(ValueError, match="maps has values that are not finite"):
        roi_scores(np.where(region, np.nan, maps), region)


@pytest.mark.parametrize("change", [lambda x: x.astype(np.uint16) * 257, lambda x: x / 255, lambda x: x.astype(int)])
def test_pictures_of_another_type_are_refused_and_not_mapped_as_another_picture(change):
    with pytest.raises(ValueError, match=r"images must be prepared pictures \(n, height, width\), 0 to 255 as uint8"):
        grad_cam(Linear(), change(IMAGES), "features")


def test_gradients_are_taken_whatever_is_switched_off():
    torch.manual_seed(0)
    model = Linear()
    for guided in (False, True):
        expected = grad_cam(model, IMAGES, "features", guided)
        for off in (torch.no_grad, torch.inference_mode):
            with off():
                np.testing.assert_array_equal(grad_cam(model, IMAGES, "features", guided), expected)
    frozen = Linear().requires_grad_(False)
    frozen.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(grad_cam(frozen, IMAGES, "features"), grad_cam(model, IMAGES, "features"))
    with torch.inference_mode():
        torch.manual_seed(0)
        made_there = Linear()
    np.testing.assert_array_equal(grad_cam(made_there, IMAGES, "features"), grad_cam(model, IMAGES, "features"))


def test_an_answer_that_no_map_explains_is_refused():
    class Detached(Linear):
        def forward(self, images):
            return SimpleNamespace(screen=super().forward(images).screen.detach())

    with pytest.raises(ValueError, match="does not follow from layer 'features' by gradients"):
        grad_cam(Detached(), IMAGES, "features")
    with pytest.raises(ValueError, match="layer 'answer' does not give channels with places"):
        grad_cam(Linear(), IMAGES, "answer")
    with pytest.raises(ValueError, match="model must be a torch module"):
        grad_cam(lambda x: x, IMAGES)
