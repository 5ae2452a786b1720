import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.cohorts import load_cohort
from osteolib.views.texture import FEATURES, texture_maps
from osteolib.views.texture_readings import (
    CLIP,
    HU,
    Binning,
    enlarged_crops,
    middle_slice,
    read_all,
    read_means,
    relative_noise,
    simulated_bodies,
    under_change,
)


@pytest.fixture(scope="module")
def patch():
    """Noise around 150 HU in a body amid fat, one voxel of cortex and one of gas far away."""
    rng = np.random.default_rng(0)
    bone = np.zeros((14, 15, 16), bool)
    bone[3:12, 2:12, 3:14] = True
    core = np.zeros_like(bone)
    core[5:10, 4:10, 5:12] = True
    voxels = np.where(bone, 150, -90) + rng.normal(0, 40, bone.shape).round()
    voxels[0, 0, 0], voxels[13, 14, 15] = 1400, -700
    return voxels.astype(np.int16), bone, core


@pytest.mark.parametrize("window", [3, 5])
def test_a_reading_is_the_mean_of_the_whole_map_over_the_core(patch, window):
    voxels, bone, core = patch
    for binning, options in (
        (Binning(16), {"levels": 16}),
        (Binning(bin_width=25), {"levels": None, "bin_width": 25}),
        (Binning(16, inside=True), {"levels": 16, "mask": bone}),
    ):
        maps = texture_maps(voxels, window=window, **options)
        means = read_means(*patch, binning, window)
        assert means[HU] == pytest.approx(voxels[core].mean())
        for name in FEATURES:
            assert means[name] == pytest.approx(maps[name].numpy()[core].mean(), rel=1e-5)


def test_what_sets_the_bins_decides_what_a_map_knows(patch):
    """A gas bubble far away moves maps that are binned by the patch, and no other."""
    voxels, bone, core = patch
    gas = voxels.copy()
    gas[13, 14, 15] = -1000
    for binning, moves in ((Binning(32), True), (Binning(32, inside=True), False), (Binning(32, clip=CLIP), False)):
        before, after = (read_means(hu, bone, core, binning) for hu in (voxels, gas))
        assert (before != after) == moves, binning.name
    denser = np.where(bone, 2 * voxels, voxels)
    before, after = (read_means(hu, bone, core, Binning(32, inside=True)) for hu in (voxels, denser))
    assert after["joint_average"] == pytest.approx(before["joint_average"]) and after[HU] == 2 * before[HU]


def test_binnings_are_called_what_they_are():
    names = [Binning(8), Binning(bin_width=25.0), Binning(8, inside=True), Binning(8, clip=CLIP)]
    assert [b.name for b in names] == ["8 levels, by the patch", "width 25 HU, by the patch", "8 levels, by the bone",
                                       "8 levels, HU clipped"]  # fmt: skip


def test_changes_are_read_in_order(patch):
    changes = {"as it is": lambda hu: hu, "brighter": lambda hu: hu + 100}
    frame = under_change(*patch, [Binning(8), Binning(16)], changes)
    assert frame["change"].tolist() == ["as it is"] * 2 + ["brighter"] * 2
    assert frame[HU].diff()[2] == 100
    assert np.allclose(frame[list(FEATURES)][:2], frame[list(FEATURES)][2:], rtol=1e-4)  # blind to an offset


def test_a_crop_of_everything_keeps_everything_and_a_small_one_is_smoothed():
    rng = np.random.default_rng(0)
    image, body = rng.normal(100, 50, (40, 40)), np.zeros((40, 40), bool)
    body[10:30, 10:30] = True
    state = torch.random.get_rng_state()
    whole = enlarged_crops(image, body, (1.0, 1.0), 3, 0)
    assert torch.equal(state, torch.random.get_rng_state())
    assert (whole[["share", "enlarged"]] == 1).all(axis=None) and whole["contrast"].to_numpy() == pytest.approx(1)
    small = enlarged_crops(image, body, (0.05, 0.14), 60, 0)
    assert small["enlarged"].between(2.5, 4.7).all() and small["share"].max() < 1
    missed = small["share"] == 0
    assert len(small) == 60 and 0 < missed.sum() < 60 and small["contrast"][missed].isna().all()
    assert small["contrast"].median() < 0.3  # neighbours lie within one pixel of the original
    pd.testing.assert_frame_equal(small, enlarged_crops(image, body, (0.05, 0.14), 60, 0))


def test_a_slice_lies_in_the_middle_of_the_body_with_the_head_up(patch):
    voxels, bone, _ = patch
    cut, body = middle_slice({"original": torch.from_numpy(voxels)}, bone)
    assert np.array_equal(cut["original"], voxels[::-1, ::-1, 8]) and np.array_equal(body, bone[::-1, ::-1, 8])


def test_the_same_bone_on_two_scanners(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    phantom = load_cohort("vertebra-phantom", n_subjects=2, seed=0, render=False)
    rows = phantom.subjects[phantom.subjects["labelled"]].head(1)
    settings = phantom.manifest.settings
    soft, sharp, clean = (
        simulated_bodies(settings, rows, name, 0, noise=noise) for name, noise in (("A", 1), ("B", 1), ("A", 0))
    )
    assert np.array_equal(soft.bone, sharp.bone) and not np.array_equal(soft.voxels, sharp.voxels)
    assert (soft.bone | ~soft.core).all() and soft.core.any()
    off = (soft.voxels.astype(float) - clean.voxels)[~soft.bone]
    planned = settings["scanners"]["A"]["noise_hu"] * relative_noise(settings, rows)[0]
    assert off.std() == pytest.approx(planned, rel=0.05)
    denser = simulated_bodies(settings, rows.assign(spongy_mg_cm3=rows["spongy_mg_cm3"] + 60), "A", 0)  # the same ids
    assert denser.voxels[denser.core].mean() > soft.voxels[soft.core].mean() + 40
    means = read_all(clean, [(Binning(32, clip=CLIP), 5), (Binning(32), 3)])
    assert means["vertebra"].tolist() == [0, 0] and means["window"].tolist() == [5, 3]
    assert abs(means[HU][0] - sharp.voxels[0][sharp.core[0]].mean()) < 5
