from dataclasses import replace

import numpy as np
import pytest
import torch

from osteolib.cohorts import load_cohort
from osteolib.phantoms.hip.truth import FEMUR, read_masks
from osteolib.radiograph import read_radiograph
from osteolib.screen import hip_ablations as parts
from osteolib.screen.hip_study import fit_study, study_hips, study_recipe, trained_networks
from osteolib.screen.sub_clusters import CLASS_CUT
from osteolib.views.hip_views import enhance, right_hip

RECIPE = replace(study_recipe(32, 1, 1, 1, 0), networks=())


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A small study, what was fitted for it, and the features of the two other networks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("osteolib.runs.store.STORE", tmp_path_factory.mktemp("store"))
        cohort = load_cohort("hip-phantom", preset="chen2024", seed=0, n_subjects=40, film_width=256)
        study = study_hips(cohort, 32, 0)
        fitted = fit_study(study, trained_networks(study, RECIPE).features, RECIPE)
        yield study, fitted, parts.other_features(study, RECIPE)


def test_the_whole_pipeline_is_the_chapters_bit_for_bit(done):
    study, fitted, features = done
    said = parts.said_by_steps(study, fitted, features, RECIPE)
    whole = fitted.model.predict(fitted.x_test[0])
    np.testing.assert_array_equal(said[parts.FULL].score, whole["score"])
    np.testing.assert_array_equal(said[parts.FULL].t_score, whole["t_score"])
    assert set(said) == {parts.FULL, *parts.STEPS}


def test_what_comes_after_the_boundary_changes_no_score_and_what_comes_before_does(done):
    said = parts.said_by_steps(*done, RECIPE)
    for step, one in said.items():
        same = np.array_equal(one.score, said[parts.FULL].score)
        assert same == (step in (parts.FULL, *parts.SAME_SCORE)), step
    assert not np.array_equal(said[parts.ONE_A_CLASS].t_score, said[parts.ONE_FOR_ALL].t_score)


def test_no_test_hip_enters_any_fit(done):
    """T-scores and classes of the test hips may be anything: nothing that is said changes."""
    study, fitted, features = done
    test = study.hips["part"].eq("test")
    other = study._replace(hips=study.hips.assign(t_score=study.hips["t_score"].where(~test, 3.0)))
    for step, one in parts.said_by_steps(other, fitted, features, RECIPE).items():
        np.testing.assert_array_equal(one.t_score, parts.said_by_steps(*done, RECIPE)[step].t_score)


def test_squares_without_enhancement_are_those_that_enhancement_makes_the_networks(done):
    study, _, _ = done
    plain = parts.without_enhancement(study, 32)
    assert plain.squares.femur is study.squares.femur and not np.array_equal(plain.squares.images, study.squares.images)
    for i in (0, 5):
        np.testing.assert_array_equal(enhance(plain.squares.images[i]), study.squares.images[i])
        row = study.hips.iloc[i]
        femur = (read_masks(row["masks_path"], row["image_id"]) & FEMUR).astype(bool)
        cut, _ = right_hip(read_radiograph(row["path"]).pixels, femur, row["side"], 32)
        np.testing.assert_array_equal(cut, plain.squares.images[i])


def test_cross_entropy_parts_hips_whose_stripes_fade(toy_squares, tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    torch.manual_seed(0)
    hips, _ = toy_squares(96)
    train, validation = np.arange(64), np.arange(64, 96)
    recipe = replace(RECIPE.triplet, epochs=12, seed=1)
    folder = parts.cross_entropy_features(hips, train, validation, recipe)
    x = np.load(folder / parts.FEATURES)
    assert x.shape == (96, 128)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, atol=1e-5)
    near = [x[train][hips.classes[train] == c].mean(0) for c in (0, 1)]
    called = np.linalg.norm(x[validation] - near[0], axis=1) > np.linalg.norm(x[validation] - near[1], axis=1)
    assert (called == hips.classes[validation]).mean() > 0.8
    assert parts.cross_entropy_features(hips, train, validation, recipe) == folder  # from the store


def test_a_table_has_each_test_hip_once_a_step_and_its_person(done):
    study, fitted, features = done
    said = parts.said_by_steps(study, fitted, features, RECIPE)
    found = parts.as_table(study, said)
    n = len(study.rows("test"))
    assert len(found) == n * len(said) and found.groupby("method")["unit_id"].nunique().eq(n).all()
    one = found[found["method"] == parts.RIDGE].set_index("unit_id")
    hips = study.hips.set_index("unit_id")
    assert (one["y_true"] == (hips.loc[one.index, "t_score"] <= CLASS_CUT)).all()
    assert (one["group"] == hips.loc[one.index, "subject_id"]).all() and (one["y_score"] == -one["predicted"]).all()


def test_a_recorded_seed_has_both_targets_of_every_step(done, monkeypatch):
    study, fitted, features = done
    monkeypatch.setattr(parts, "study_hips", lambda *_: study)
    monkeypatch.setattr(parts, "fit_study", lambda *_: fitted)
    monkeypatch.setattr(parts, "other_features", lambda *_: features)
    sizes = {"n_hip_people": 40, "film_width": 256, "roi_size": 32, "hip_epochs": 1, "ga_generations": 1}
    found = parts.one_seed(sizes, 0)
    counted = found.predictions.groupby(["method", "target"]).size()
    assert counted.eq(len(study.rows("test"))).all() and len(counted) == 2 * (1 + len(parts.STEPS))
    assert found.configuration["n_test"] == len(study.rows("test"))
