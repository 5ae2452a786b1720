import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torchvision.transforms.functional import InterpolationMode, resized_crop

from osteolib.ssl import ct_pretrain as module
from osteolib.ssl.ct_encoders import build_ct_encoder
from osteolib.ssl.ct_pretrain import (
    CTRecipe,
    Painted,
    SwappedViews,
    as_input,
    crop_views,
    embed_vertebrae,
    load_ct_encoder,
    pool_views,
    pretrain_vertebrae,
    pretrained_vertebrae,
    prototype_similarity,
)  # fmt: skip
from osteolib.ssl.losses import sinkhorn

torch.set_num_threads(1)
N = 16
SMALL = CTRecipe("tp-swav", epochs=2, batch_size=8, lr=1e-3, warmup=1, prototypes=8)


def pools(n=N, size=24):
    """Vertebrae whose five members share a grey value of their own."""
    rng = np.random.default_rng(0)
    level = rng.uniform(60, 190, (n, 1, 1, 1, 1))
    return (level + rng.normal(0, 20, (n, 5, 3, size, size))).clip(0, 255).astype(np.uint8)


POOL, GROUPS = pools(), [f"V{k // 2}" for k in range(N)]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")


def test_equation_1_by_a_plain_loop():
    """The loss is half of the printed sum of two views, averaged over the batch."""
    torch.manual_seed(0)
    net = SwappedViews(replace(SMALL, diversity=0.0)).eval()
    views = torch.randn(2, 3, 3, 24, 24)
    with torch.no_grad():
        loss = net(views)["loss"]
        p = [torch.nn.functional.normalize(net.head(net.encoder(view)), dim=1) for view in views]
        c = net.swav.prototypes.weight
        q = [sinkhorn(view @ c.T, 0.05) for view in p]
        total = 0.0
        for t, s in ((0, 1), (1, 0)):
            for n in range(3):
                exps = [math.exp(float(p[t][n] @ c[k]) / 0.1) for k in range(8)]
                total -= sum(float(q[s][n, k]) * math.log(exps[k] / sum(exps)) for k in range(8))
    np.testing.assert_allclose(float(loss), total / 3 / 2, rtol=1e-4)


def test_similarity_of_prototypes_in_closed_form():
    assert float(prototype_similarity(5 * torch.eye(4, 6))) == pytest.approx(0, abs=1e-7)
    assert float(prototype_similarity(torch.ones(4, 6))) == pytest.approx(1)
    a = math.radians(60)
    planar = torch.tensor([[1.0, 0.0], [math.cos(a), math.sin(a)], [2.0, 0.0]])  # squared cosines 1/4, 1, 1/4
    assert float(prototype_similarity(planar)) == pytest.approx(0.5)


def test_the_weight_of_diversity_is_that_of_the_similarity():
    torch.manual_seed(0)
    net = SwappedViews(replace(SMALL, diversity=7.0)).eval()
    with torch.no_grad():
        net.swav.prototypes.weight.copy_(torch.ones(8, 64))
        terms = net(torch.randn(2, 3, 3, 24, 24))
    torch.testing.assert_close(terms["loss"], terms["swapped"] + 7)
    torch.testing.assert_close(terms["swapped"], terms["collapsed_loss"])  # one prototype, K times, tells nothing


def test_two_different_members_of_the_same_vertebra_each_as_often():
    marked = torch.arange(3000)[:, None].expand(-1, 5) * 10 + torch.arange(5)
    first, second = pool_views(marked[:, :, None, None, None], torch.Generator().manual_seed(0)).flatten(1)
    assert (first // 10 == second // 10).all() and (first // 10 == torch.arange(3000)).all()
    assert (first % 10 != second % 10).all()
    counts = torch.bincount(5 * (first % 10) + second % 10, minlength=25).reshape(5, 5)
    assert (counts.diagonal() == 0).all() and counts[~torch.eye(5, dtype=bool)].min() > 110  # 150 expected


def test_crops_are_those_of_torchvision_in_all_planes(monkeypatch):
    boxes = torch.tensor([[2, 3, 10, 12], [0, 0, 24, 24], [5, 5, 12, 9], [1, 10, 12, 12]])
    monkeypatch.setattr(module, "random_resized_crop", lambda *_: boxes)
    images = torch.from_numpy(POOL[:2, 0]).float()
    views = crop_views(images, None)
    assert views.shape == (2, 2, 3, 24, 24)
    torch.testing.assert_close(views[1, 0], images[0])  # the whole picture is itself
    for k, (vertebra, view) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        cut = resized_crop(images[vertebra], *boxes[k].tolist(), [24, 24], InterpolationMode.BILINEAR, antialias=False)
        # inside the crop; at its border torchvision repeats the last pixel where ours sees the neighbour
        torch.testing.assert_close(views[view, vertebra][:, 3:-3, 3:-3], cut[:, 3:-3, 3:-3], rtol=0, atol=1e-3)


def test_the_encoder_sees_what_the_training_sees_that_follows():
    from osteolib.screen.moe_training import to_input

    torch.testing.assert_close(as_input(torch.from_numpy(POOL)), to_input(POOL))


def test_held_out_patients_are_refused():
    with pytest.raises(ValueError, match="2 images belong to 1 held-out groups, the first V3"):
        pretrained_vertebrae(POOL, GROUPS, ["V3"], SMALL)
    with pytest.raises(ValueError, match="16 bones, 1 groups"):
        pretrained_vertebrae(POOL, ["V0"], [], SMALL)


@pytest.mark.parametrize(
    ("method", "encoder"), [("swav", "resnet18-half"), ("tp-swav", "resnet34-half"), ("mae", "vit-tiny")]
)
def test_every_method_leaves_an_encoder_that_loads(method, encoder, monkeypatch):
    recipe = replace(SMALL, method=method, encoder=encoder, epochs=1)
    folder = pretrained_vertebrae(POOL, GROUPS, ["elsewhere"], recipe)
    assert {p.name for p in folder.iterdir()} == {"encoder.safetensors", "history.parquet", "key.json"}
    history = pd.read_parquet(folder / "history.parquet")
    assert {"loss", "collapsed_loss", "embedding_sd", "effective_rank"} <= set(history) and len(history) == 1
    features = embed_vertebrae(load_ct_encoder(folder, encoder), POOL[:4, 0])
    assert len(features) == 4 and np.isfinite(features).all()
    monkeypatch.setattr(module, "pretrain_vertebrae", None)
    assert pretrained_vertebrae(POOL, GROUPS, [], recipe) == folder  # found again


def test_methods_that_see_the_original_alone_are_named_by_it(monkeypatch):
    monkeypatch.setattr(module, "resumable_artefact", lambda name, key, *_: key["pixels"])
    other = POOL.copy()
    other[:, 3] += 1
    for method, encoder, same in (("swav", "resnet18-half", True), ("mae", "vit-tiny", True),
                                  ("tp-swav", "resnet18-half", False)):  # fmt: skip
        recipe = CTRecipe(method, encoder)
        assert (
            pretrained_vertebrae(POOL, GROUPS, [], recipe) == pretrained_vertebrae(other, GROUPS, [], recipe)
        ) == same


def test_an_interrupted_run_ends_bit_for_bit_where_it_would_have(tmp_path, cut_in_epoch):
    whole = pretrain_vertebrae(POOL, SMALL, tmp_path / "whole")
    cut_in_epoch(2)
    with pytest.raises(KeyboardInterrupt):
        pretrain_vertebrae(POOL, SMALL, tmp_path / "cut")
    torch.manual_seed(99)
    resumed = pretrain_vertebrae(POOL, SMALL, tmp_path / "cut")
    assert resumed.history.equals(whole.history) and resumed.weights.read_bytes() == whole.weights.read_bytes()


def test_the_rate_warms_up_in_a_straight_line_and_stays(tmp_path):
    history = pretrain_vertebrae(POOL, replace(SMALL, epochs=4, warmup=2, lr=3e-3), tmp_path).history
    np.testing.assert_allclose(history.lr, [1e-3, 2e-3, 3e-3, 3e-3])


def test_members_that_share_a_grey_value_are_matched(tmp_path):
    """What all members of a vertebra share can be predicted: the loss leaves ln K, where a collapse stands."""
    history = pretrain_vertebrae(POOL, replace(SMALL, epochs=8, lr=2e-3), tmp_path).history
    assert history.swapped.iloc[-1] < history.collapsed_loss.iloc[-1] - 0.2 and history.embedding_sd.iloc[-1] > 0.3
    np.testing.assert_allclose(history.collapsed_loss, math.log(8), rtol=1e-6)


def test_the_mean_picture_is_what_painting_is_held_against():
    pixels = torch.from_numpy(POOL[:, 0])
    net = Painted(CTRecipe("mae", "vit-tiny"), pixels)
    images = as_input(pixels)
    found = net(images, torch.rand(N, 9).argsort(1))["collapsed_loss"]
    expected = ((images - images.mean(0)) ** 2).mean() / images.var()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "byol"}, "method must be one of swav, tp-swav, mae, got 'byol'"),
        ({"encoder": "resnet50"}, "encoder must be one of .*, got 'resnet50'"),
        ({"method": "mae"}, "mae does not pre-train resnet18-half: mae takes vit-tiny"),
        ({"encoder": "vit-tiny"}, "tp-swav does not pre-train vit-tiny"),
        ({"encoder": "resnet34-3d"}, "tp-swav does not pre-train resnet34-3d"),
        ({"batch_size": 1}, "batch_size and prototypes from 2 on"),
    ],
)
def test_what_cannot_be_pre_trained_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        CTRecipe(**settings)


def test_pictures_that_cannot_be_learned_from_are_named(tmp_path):
    with pytest.raises(ValueError, match="1 vertebrae: pre-training needs two"):
        pretrain_vertebrae(POOL[:1], SMALL, tmp_path)
    with pytest.raises(ValueError, match="planes of 20 pixels do not divide into patches of 8"):
        pretrain_vertebrae(pools(4, 20), CTRecipe("mae", "vit-tiny"), tmp_path)


def test_features_do_not_depend_on_the_batch():
    torch.manual_seed(0)
    net = build_ct_encoder("resnet18-half")
    np.testing.assert_allclose(embed_vertebrae(net, POOL[:, 0], 7), embed_vertebrae(net, POOL[:, 0]), atol=1e-4)
