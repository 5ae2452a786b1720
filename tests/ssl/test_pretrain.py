import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.runs import ROOT, store
from osteolib.ssl import pretrain as module
from osteolib.ssl.encoders import build_encoder
from osteolib.ssl.pretrain import SMALLEST_VIEW, Learner, Recipe, load_encoder, pretrain, pretrained
from osteolib.train import read_weights
from osteolib.views.multicrop import Crop

torch.set_num_threads(1)
N = 24
RECIPE = Recipe("simclr", "resnet18-half", "small", (Crop(2, 24, (0.3, 1)), Crop(1, 17, (0.1, 0.3))), batch_size=8,
                epochs=3)  # fmt: skip
GROUPS = [f"S{number // 2}" for number in range(N)]
LABELS = np.where(np.arange(N) % 3 == 0, np.nan, np.arange(N) // 2 % 2)


def shafts():
    """Upright bones with a dark canal, each of its own width and brightness, on black."""
    rng = np.random.default_rng(0)
    x = np.abs(np.linspace(-1, 1, 32))
    bones = []
    for _ in range(N):
        half, cortex, grey = rng.uniform(0.3, 0.9), rng.uniform(0.1, 0.25), rng.uniform(100, 250)
        profile = np.where(x < half - cortex, 0.4, 1.0) * (x < half) * grey
        bones.append(np.tile(profile, (32, 1)))
    return np.array(bones).astype(np.uint8)


BONES = shafts()


UNKNOWN = np.full(N, np.nan)


def run(folder, recipe=RECIPE, held_out=(), labels=UNKNOWN, **options):
    return pretrain(BONES, GROUPS, labels, held_out, recipe, folder, precision="32-true", **options)


def test_held_out_subjects_are_refused_unless_the_run_is_transductive(tmp_path):
    with pytest.raises(ValueError, match=r"2 images belong to 1 held-out groups, the first S3: .* transductive=True"):
        run(tmp_path, held_out=["S3", "of nobody here"])
    assert not list(tmp_path.iterdir())
    one = replace(RECIPE, epochs=1)
    assert len(run(tmp_path, one, held_out=["S3"], transductive=True).history) == 1


def test_labels_of_held_out_subjects_are_never_shown(tmp_path):
    with pytest.raises(ValueError, match="labels of held-out groups are shown, the first of S3"):
        run(tmp_path, replace(RECIPE, method="supcon"), ["S3"], labels=LABELS, transductive=True)


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ({"method": "byol"}, {}, "method must be one of simclr, supcon, swav, vicreg, got 'byol'"),
        ({"head": "huge"}, {}, "head must be one of paper, small, got 'huge'"),
        ({"encoder": "vgg16"}, {}, "encoder must be one of resnet50, resnet18, resnet18-half, got 'vgg16'"),
        ({"crops": (Crop(2, 16, (0.3, 1)),)}, {}, "at least 17 pixels"),
        ({"method": "supcon"}, {}, "supcon needs labels of two classes"),
        ({"method": "supcon"}, {"labels": np.ones(N)}, "supcon needs labels of two classes"),
        ({"batch_size": 1}, {}, "a batch of 1 .* less than two images"),
        ({}, {"labels": [1.0]}, "24 bones, 24 groups and 1 labels"),
    ],
)
def test_what_cannot_be_pre_trained_is_named(tmp_path, recipe, options, message):
    with pytest.raises(ValueError, match=message):
        run(tmp_path, replace(RECIPE, **recipe), **options)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, monkeypatch):
    """As when the first step has made the weights infinite."""
    monkeypatch.setattr(module, "gathered", lambda z: z * torch.nan)
    with pytest.raises(ValueError, match="the loss of epoch 0 is nan"):
        run(tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_run_ends_bit_for_bit_where_it_would_have(tmp_path, cut_in_epoch):
    swav = replace(RECIPE, method="swav", queue=8)  # prototypes and queue are part of what comes back
    whole = run(tmp_path / "whole", swav)
    cut_in_epoch(3)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", swav)
    torch.manual_seed(99)
    resumed = run(tmp_path / "cut", swav)
    assert resumed.history.equals(whole.history) and len(whole.history) == 3
    assert resumed.weights.read_bytes() == whole.weights.read_bytes()
    with pytest.raises(ValueError, match=r"other settings: seed 0 \(now 1\)"):
        run(tmp_path / "cut", replace(swav, seed=1))
    with pytest.raises(ValueError, match="other settings: rows"):
        run(tmp_path / "cut", swav, labels=LABELS)


def test_the_learning_rate_follows_the_cosine_and_scales_with_the_batch(tmp_path):
    history = run(tmp_path).history
    expected = 0.3 * 8 / 256 * (1 + np.cos(np.pi * np.arange(3) / 3)) / 2
    np.testing.assert_allclose(history.lr, expected)


def test_views_of_one_bone_are_told_from_those_of_others(tmp_path):
    """The loss leaves ln(2 * 8 - 1), where it stands after a collapse, and the same seed gives the same run."""
    longer = replace(RECIPE, epochs=5, lr=5.0)
    history = run(tmp_path / "a", longer).history
    np.testing.assert_allclose(history.collapsed_loss, np.log(15), rtol=1e-6)
    assert history.loss.iloc[0] > history.loss.iloc[-1] < np.log(15)
    assert history.effective_rank.between(1, 8).all() and (history.embedding_sd > 0.1).all()
    assert run(tmp_path / "b", longer).history.equals(history)


def test_a_step_that_only_shrinks_distances_is_seen_to_collapse(tmp_path, monkeypatch):
    """Without its variance and covariance terms VICReg has nothing against one point (arXiv:2105.04906, Table 7)."""
    monkeypatch.setattr(module, "vicreg", lambda z: (z[:2, None] - z).square().sum(3).mean())
    history = run(tmp_path, replace(RECIPE, method="vicreg", epochs=8, lr=20.0)).history
    assert history.embedding_sd.iloc[-1] < 0.5 * history.embedding_sd.iloc[0]
    assert history.effective_rank.iloc[-1] < history.effective_rank.iloc[0]


def test_labels_reach_supcon_and_no_other_method(tmp_path):
    one = replace(RECIPE, epochs=1)
    for method, same in (("simclr", True), ("vicreg", True), ("supcon", False)):
        losses = [
            run(tmp_path / f"{method}-{name}", replace(one, method=method), labels=labels).history.loss[0]
            for name, labels in (("these", LABELS), ("others", LABELS[::-1]))
        ]
        assert (losses[0] == losses[1]) == same


def test_views_of_one_size_go_through_the_encoder_together():
    """In evaluation mode that changes nothing: each view alone gives the same embedding, views in order."""
    torch.manual_seed(0)
    learner = Learner(RECIPE).eval()
    crops = [torch.rand(2, 4, 1, 24, 24), torch.rand(3, 4, 1, 17, 17)]
    with torch.no_grad():
        alone = torch.stack([learner.head(learner.encoder(view)) for crop in crops for view in crop])
        torch.testing.assert_close(learner.embed(crops), alone, rtol=1e-4, atol=1e-5)


def test_gradients_at_the_smallest_view_are_whole_in_bf16():
    """Memory full of NaN does not reach them: what a kernel leaves unwritten would show."""
    learner = Learner(RECIPE).to(memory_format=torch.channels_last)
    crops = [torch.rand(2, 8, 1, SMALLEST_VIEW, SMALLEST_VIEW)]
    for _ in range(5):
        dirt = [torch.full((channels**2 * 9,), torch.nan) for channels in (32, 64, 128, 256) for _ in range(3)]
        del dirt
        learner.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = learner(crops, torch.zeros(8))["loss"]
        loss.backward()
        assert all(p.grad.isfinite().all() for p in learner.parameters())


def test_the_artefact_holds_the_encoder_and_the_history(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path / "store")
    one = replace(RECIPE, epochs=1)
    arguments = (BONES, GROUPS, UNKNOWN, ["elsewhere"], one)
    folder = pretrained(*arguments)
    assert {p.name for p in folder.iterdir()} == {"encoder.safetensors", "history.parquet", "key.json"}
    assert len(pd.read_parquet(folder / "history.parquet")) == 1
    loaded = load_encoder(folder, one.encoder)
    assert not loaded.training and not torch.equal(loaded.conv1.weight, build_encoder(one.encoder).conv1.weight)
    monkeypatch.setattr(module, "pretrain", None)
    assert pretrained(*arguments) == folder
    with pytest.raises(ValueError, match="held-out"):  # found or not
        pretrained(BONES, GROUPS, UNKNOWN, ["S0"], one)


def test_two_processes_train_as_one_with_the_same_global_batch(tmp_path, monkeypatch):
    script = Path(__file__).with_name("two_processes.py")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    two = subprocess.Popen([sys.executable, script, tmp_path / "two"], cwd=ROOT, text=True, stderr=subprocess.PIPE)
    for name in ("build_encoder", "build_head"):  # what the script replaces comes back after the test
        monkeypatch.setattr(module, name, getattr(module, name))
    runpy.run_path(str(script))["train"](tmp_path / "one")
    _, errors = two.communicate(timeout=300)
    assert two.returncode == 0, errors[-3000:]
    for method in ("simclr", "supcon", "swav", "vicreg"):
        alone, together = (pd.read_csv(tmp_path / name / f"{method}.csv") for name in ("one", "two"))
        np.testing.assert_allclose(together, alone, rtol=1e-4)
        weights = [read_weights(tmp_path / name / method / "epoch-0001.safetensors") for name in ("one", "two")]
        for name, tensor in weights[0].items():
            torch.testing.assert_close(weights[1][name], tensor, rtol=1e-3, atol=1e-5, msg=f"{method} {name}")
