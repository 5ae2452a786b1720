from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.runs import store
from osteolib.screen import hip_study
from osteolib.screen.hip_study import (
    StudyHips,
    StudyRecipe,
    fit_study,
    parts_of,
    study_hips,
    study_recipe,
    taking_part,
    trained_networks,
)
from osteolib.screen.mlp_search import SearchRecipe
from osteolib.screen.sub_clusters import ClusterRecipe
from osteolib.screen.triplet import TripletRecipe


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path / "store")


def subjects(n=60, seed=0):
    rng = np.random.default_rng(seed)
    people = np.repeat([f"p{i:02}" for i in range(n)], 2)
    return pd.DataFrame({
        "subject_id": people, "split_group": people, "image_id": people, "side": ["right", "left"] * n,
        "unit_id": [f"{p}-{s}" for p, s in zip(people, ["right", "left"] * n, strict=True)],
        "t_score": rng.normal(-2.6, 1.1, 2 * n), "obstructed": rng.random(2 * n) < 0.14,
        "age_years": np.repeat(rng.normal(72, 9, n), 2), "bmi_kg_m2": np.repeat(rng.normal(24, 3, n), 2),
        "sex": np.repeat(rng.choice(["F", "M"], n), 2),
    })  # fmt: skip


RECIPE = StudyRecipe(image_size=32, triplet=TripletRecipe(widths=(8, 16), epochs=1), networks=(),
                     clusters=ClusterRecipe(min_members=4),
                     search=SearchRecipe(generations=1, population=3, epochs=(5, 10), neurons=(2, 4)),
                     n_imputations=2, missing_bmi=0.3)  # fmt: skip


def study_of(hips, toy_squares):
    squares, _ = toy_squares(len(hips))
    classes = (hips["t_score"] <= -2.5).to_numpy(np.int64)
    return StudyHips(hips.assign(part=parts_of(hips, 0)), squares._replace(classes=classes))


def test_hips_with_obstacles_or_without_a_t_score_are_left_out():
    hips = subjects()
    hips.loc[0, "t_score"], hips.loc[0, "obstructed"] = np.nan, False
    left = taking_part(hips)
    assert len(left) == 120 - hips["obstructed"].sum() - 1 and left.index.tolist() == list(range(len(left)))
    with pytest.raises(ValueError, match="of 120 hips none is without an obstacle"):
        taking_part(hips.assign(obstructed=True))


def test_a_person_is_in_one_part_and_the_proportions_are_about_the_papers():
    hips = taking_part(subjects(300))
    part = parts_of(hips, 3)
    assert (part.groupby(hips["subject_id"]).nunique() == 1).all()
    people = hips.assign(part=part).groupby("part")["subject_id"].nunique()
    assert people["test"] / people.sum() == pytest.approx(300 / 1730, abs=0.02)
    assert people["validation"] / people.sum() == pytest.approx(1 / 6, abs=0.02)
    assert not part.equals(parts_of(hips, 4))


def test_sizes_below_the_papers_give_the_open_networks_less():
    small, whole = study_recipe(128, 8, 4, 11), study_recipe(224, 100, 40, 11)
    assert [n.image_size for n in small.networks] == [64, 75] and {n.epochs for n in small.networks} == {3}
    assert [n.image_size for n in whole.networks] == [224, 224] and {n.epochs for n in whole.networks} == {100}
    assert (small.search.generations, whole.search.generations, small.n_imputations) == (4, 40, 11)
    assert study_recipe(32, 1, 1, 2).triplet.epochs == 1


def test_nothing_that_is_fitted_sees_a_test_hips_label_t_score_or_covariates(toy_squares):
    hips = taking_part(subjects())
    study = study_of(hips, toy_squares)
    networks = trained_networks(study, RECIPE)
    fitted = fit_study(study, networks.features, RECIPE)
    test = study.rows("test")

    rng = np.random.default_rng(1)
    other = study.hips.copy()
    other.loc[test, "t_score"] = rng.permutation(other.loc[test, "t_score"])
    classes = study.squares.classes.copy()
    classes[test] = 1 - classes[test]
    changed = StudyHips(other, study.squares._replace(classes=classes))
    again = trained_networks(changed, RECIPE)
    assert again.folder == networks.folder  # found in the store: the same training
    refitted = fit_study(changed, again.features, RECIPE)
    for before, after in zip(fitted.x_test, refitted.x_test, strict=True):
        pd.testing.assert_frame_equal(fitted.model.predict(before), refitted.model.predict(after))
    np.testing.assert_array_equal(fitted.x_train, refitted.x_train)

    older = study.hips.copy()
    older.loc[test, ["age_years", "bmi_kg_m2"]] += 5
    aged = fit_study(StudyHips(older, study.squares), networks.features, RECIPE)
    np.testing.assert_array_equal(fitted.x_train, aged.x_train)
    assert fitted.model.hypers == aged.model.hypers and fitted.model.clusters.cuts == aged.model.clusters.cuts


def test_features_and_covariates_meet_at_the_right_hip(toy_squares):
    hips = taking_part(subjects())
    study = study_of(hips, toy_squares)
    features = np.arange(len(hips))[:, None] * np.ones(128)
    fitted = fit_study(study, features + np.random.default_rng(0).normal(0, 0.1, features.shape), RECIPE)
    test = study.rows("test")
    for x in fitted.x_test:
        np.testing.assert_array_equal(np.rint(x[:, 0]), test)
        np.testing.assert_allclose(x[:, 128], hips["age_years"].iloc[test])
        np.testing.assert_array_equal(x[:, 130], hips["sex"].iloc[test] == "F")
        people = pd.Series(x[:, 129]).groupby(hips["subject_id"].iloc[test].to_numpy())
        assert (people.nunique() == 1).all()  # both hips have the BMI that was drawn
    assert 0.05 < fitted.missing < 0.7


def test_squares_come_with_classes_and_parts(monkeypatch, toy_squares):
    table = subjects()

    def images(hips, size):
        squares, _ = toy_squares(len(hips), size)
        return squares.images, squares.femur

    monkeypatch.setattr(hip_study, "hip_images", images)
    study = study_hips(SimpleNamespace(subjects=table), 16)
    np.testing.assert_array_equal(study.squares.classes, study.hips["t_score"] <= -2.5)
    assert set(study.hips["part"]) == {"train", "validation", "test"}
    together = np.concatenate([study.rows("train", "validation"), study.rows("test")])
    assert sorted(together) == list(range(len(study.hips)))
