import numpy as np
import pytest
import torch

from osteolib.screen import ct_designed as module
from osteolib.screen.ct_designed import (
    AROUND_HU,
    CASES,
    SD_HU,
    SIZE,
    TARGETS,
    body,
    designed_answers,
    designed_cube,
    designed_pictures,
    measured,
)
from osteolib.screen.ct_pool import fixed_levels
from osteolib.ssl.ct_pretrain import CTRecipe
from osteolib.views.texture import directions, level_maps

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")


def test_mean_and_sd_are_exact_in_every_cube_whatever_its_scale():
    rng = np.random.default_rng(0)
    for scale, mean in ((0.6, 100.0), (2.4, 250.0)):
        hu = designed_cube(scale, mean, rng)
        assert hu[body()].mean() == pytest.approx(mean, abs=0.01) and hu[body()].std() == pytest.approx(SD_HU, rel=1e-4)
        assert (hu[~body()] == AROUND_HU).all()


def test_the_contrast_of_a_field_is_its_closed_form():
    """2 s² (1 - exp(-d² / 2 scale²)) over the 13 directions, in bins of 31.25 HU, plus 1/6 for the bins themselves."""
    inner = body(inner=4)
    for scale in (1.0, 2.0):
        cubes = [fixed_levels(designed_cube(scale, 250.0, np.random.default_rng(k))) for k in range(4)]
        found = np.mean([level_maps(grey, ["contrast"])["contrast"].numpy()[inner].mean() for grey in cubes])
        d2 = np.array([sum(s * s for s in step) for step in directions(3)])
        expected = (2 * (SD_HU / 31.25) ** 2 * (1 - np.exp(-d2 / (2 * scale**2)))).mean() + 1 / 6
        assert found == pytest.approx(expected, rel=0.12)


def test_scale_and_mean_are_drawn_apart_and_made_once(monkeypatch):
    few = designed_pictures(12, 3)
    assert few.pool.shape == (12, 5, 3, SIZE, SIZE) and tuple(few.truth) == TARGETS
    assert not np.array_equal(few.pool, designed_pictures(12, 4).pool)
    monkeypatch.setattr(module, "pool_of_cube", None)
    np.testing.assert_array_equal(designed_pictures(12, 3).pool, few.pool)
    np.testing.assert_array_equal(designed_pictures(12, 3).truth, few.truth)


def test_many_pictures_fill_both_ranges_apart(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "artefact", lambda *_: tmp_path)
    np.save(tmp_path / "pool.npy", np.zeros(0))
    truth = designed_pictures(4000, 0).truth
    assert abs(truth.corr().iloc[0, 1]) < 0.05
    assert np.exp(truth[TARGETS[0]].agg(["min", "max"])).tolist() == pytest.approx(module.SCALE_VOXELS, rel=0.01)
    assert truth["mean"].agg(["min", "max"]).tolist() == pytest.approx(module.MEAN_HU, rel=0.01)


def test_the_plain_measures_know_each_the_one_thing_and_not_the_other():
    pictures = designed_pictures(60, 0)
    of = {name: x[:, 0] for name, x in measured(pictures.pool).items()}
    r = {(name, t): np.corrcoef(x, pictures.truth[t])[0, 1] for name, x in of.items() for t in TARGETS}
    assert r["mean of HU", "mean"] > 0.99 and r["mean of the contrast map", TARGETS[0]] < -0.95
    assert abs(r["mean of HU", TARGETS[0]]) < 0.35 and abs(r["mean of the contrast map", "mean"]) < 0.35


def test_every_reader_answers_for_the_second_half_alone():
    unlabelled, asked = ({case: designed_pictures(n, seed, vary) for case, vary in CASES.items()}
                         for n, seed in ((8, 0), (10, 1)))  # fmt: skip
    told = designed_answers(unlabelled, asked, CTRecipe(epochs=1, batch_size=4))
    assert list(told["reader"].unique()) == ["random", "swav", "tp-swav", "mean of HU", "mean of the contrast map"]
    assert list(told["question"].unique()) == ["scale, alone", "scale, both vary", "mean, both vary"]
    assert set(told["picture"]) == set(range(5, 10)) and len(told) == 5 * 3 * 5
    assert np.isfinite(told[["truth", "predicted"]]).all(axis=None)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="n must be at least 2 pictures, got 1"):
        designed_pictures(1, 0)
    with pytest.raises(ValueError, match="vary must name one or both of scale, mean, got \\['colour'\\]"):
        designed_pictures(4, 0, ["colour"])


def test_what_does_not_vary_stays_in_the_middle():
    pictures = designed_pictures(6, 0, ("scale",))
    assert list(pictures.truth) == ["scale"]
    inside = np.take(body(inner=2), SIZE // 2, 0)[::-1]
    hu = -200 + 1000 * pictures.pool[:, 0, 0][:, inside].mean(1) / 255
    assert (abs(hu - 200) < 40).all()  # a plane of a coarse field is not its cube
