import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.views.multicrop import PRESETS, Crop
from osteolib.views.rejection import (
    happens,
    sampled_boxes,
    shares_without_content,
    silhouettes,
    turned,
    views_and_contents,
)


def test_a_turned_image_has_the_same_values_and_keeps_a_disc_in_its_middle():
    y, x = torch.meshgrid(torch.arange(65) - 32, torch.arange(65) - 32, indexing="ij")
    disc = ((x**2 + y**2) < 15**2).float()[None]
    rng = np.random.default_rng(0)
    for preset in PRESETS.values():
        for _ in range(5):
            found = turned(disc, rng, preset)
            assert set(found.unique().tolist()) <= {0.0, 1.0}
            assert found.sum().item() == pytest.approx(disc.sum().item(), rel=0.03)
            middle = torch.nonzero(found[0]).float().mean(0) - 32
            assert middle.abs().max() <= round(preset.translation * 65) + 0.5


def test_boxes_of_the_sampler_hold_enough_and_lie_in_the_image():
    bone = torch.zeros(1, 128, 128)
    bone[:, 20:108, 50:70] = 1
    found = sampled_boxes(bone, Crop(1, 96, (0.05, 0.14)), PRESETS["lee2025"], 0.1, 300, 0)
    content, tall, x, y = found.T
    assert found.shape == (300, 4)
    assert content.min() >= 0.1
    assert ((tall >= 128 * np.sqrt(0.05 * 0.75) - 1) & (tall <= 128 * np.sqrt(0.14 * 4 / 3) + 1)).all()
    assert ((x > 0) & (x < 128) & (y > 0) & (y < 128)).all()


def test_a_bright_bone_becomes_a_silhouette_and_a_dark_one_does_not():
    bones = torch.zeros(2, 1, 64, 64)
    bones[:, :, 10:50, 20:40] = torch.tensor([1.0, 0.2])[:, None, None, None]
    views, themselves = silhouettes(bones, PRESETS["lee2023"], 0, n=3)  # a recipe without light
    assert themselves.tolist() == [True, False]
    assert views.tolist() == [True, False] * 3


@pytest.mark.parametrize("least", [0, 0.1])
def test_content_is_what_the_views_hold(least):
    bones = torch.zeros(3, 1, 128, 128)
    bones[:, :, 20:108, 50:70] = 1
    views, contents = views_and_contents(bones, (Crop(4, 64, (0.05, 0.14)),), PRESETS["lee2023"], least, 0)
    assert len(views) == len(contents) == 4
    for view, content in zip(views, contents, strict=True):
        assert content.min() >= least
        np.testing.assert_allclose((view > 0.5).mean((1, 2)), content, atol=0.06)


def test_events_at_their_bounds():
    content = np.array([0.0, 1e-9, 0.0999, 0.1])
    assert happens(content, "empty").tolist() == [True, False, False, False]
    assert happens(content, "under 10 %").tolist() == [True, True, True, False]


def test_shares_by_hand():
    segments = pd.DataFrame({"hand": [0, 0, 1, 1], "bone": ["M1", "M2"] * 2})
    content = np.array([[0, 0, 0.5, 0.5], [0, 0.05, 0.5, 0.5], [0, 0, 0.5, 0.5], [0.5, 0.5, 0.05, 0.5]])
    found = shares_without_content({96: content}, segments, 100, 0).set_index(["bone", "event"])
    assert found["share"].to_dict() == {
        ("M1", "empty"): 0.5, ("M1", "under 10 %"): 0.5, ("M2", "empty"): 0.125, ("M2", "under 10 %"): 0.375,
        ("all", "empty"): 0.3125, ("all", "under 10 %"): 0.4375,
    }  # fmt: skip
    assert found["n"].tolist() == [2, 2, 2, 2, 4, 4]
    assert found.loc[("M1", "empty"), ["low", "high"]].tolist() == [0.5, 0.5]  # both hands are alike
    assert found.loc[("all", "empty"), "low"] < 0.3125 < found.loc[("all", "empty"), "high"]
