import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from osteolib.screen import knee_grey
from osteolib.screen.knee_grey import IN_BONE, PREPARED, RANKED, kinds_of_grey, photograph_features, told_of_knees

RNG = np.random.default_rng(0)
KNEES = RNG.integers(1, 120, (3, 12, 12)).astype(np.uint8)


def test_ranks_undo_every_rising_curve_and_those_in_the_bone_know_nothing_beside_it():
    bone = np.zeros((3, 12, 12), bool)
    bone[:, 3:9, 2:7] = True
    lit = (2 * KNEES + 5).astype(np.uint8)
    first, second = kinds_of_grey(KNEES, bone), kinds_of_grey(lit, bone)
    assert list(first) == [PREPARED, RANKED, IN_BONE] and (first[PREPARED] == KNEES).all()
    for kind in (RANKED, IN_BONE):
        np.testing.assert_array_equal(first[kind], second[kind])
    brighter = KNEES.copy()
    brighter[~bone] = 255
    np.testing.assert_array_equal(kinds_of_grey(brighter, bone)[IN_BONE], first[IN_BONE])
    assert not (kinds_of_grey(brighter, bone)[RANKED] == first[RANKED]).all()
    assert (first[IN_BONE][~bone] == 0).all() and (first[IN_BONE][bone] >= 40).all()
    assert (rankdata(first[RANKED][0]) == rankdata(KNEES[0])).mean() > 0.9  # 8 bits may join two neighbours


def test_without_a_mask_there_are_no_ranks_of_bone_and_black_pixels_have_one():
    kinds = kinds_of_grey(np.zeros((1, 4, 4), np.uint8))
    assert list(kinds) == [PREPARED, RANKED] and (kinds[RANKED] == 148).all()


def test_identical_pictures_are_looked_at_once_and_each_keeps_its_row(monkeypatch, tmp_path):
    seen = []

    def looked(name, images):
        seen.append(len(images))
        return images.reshape(len(images), -1)[:, :2].astype(np.float32)

    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    monkeypatch.setattr(knee_grey, "frozen_features", looked)
    twice = np.concatenate([KNEES, KNEES[[1, 0]]])
    np.testing.assert_array_equal(photograph_features(twice), twice.reshape(5, -1)[:, :2])
    assert seen == [3]


def test_what_is_planted_is_told_of_people_who_taught_nothing():
    person = np.repeat(np.arange(150), 2)
    density, label = RNG.normal(size=300), np.repeat(np.arange(150) % 3 == 0, 2).astype(int)
    features = np.column_stack([density, label + 0.3 * RNG.normal(size=300), RNG.normal(size=300)])
    knees = pd.DataFrame({"subject_id": [f"S{p}" for p in person], "split_group": [f"S{p}" for p in person]})
    noise = RNG.normal(size=300)
    asked = {"density": density, "noise": noise}
    said, held = told_of_knees(features.astype(np.float32), knees, asked, label, 0)
    assert not set(knees["subject_id"][held]) & set(knees["subject_id"][~held]) and 0.4 < held.mean() < 0.6
    assert np.corrcoef(said["density"], density[held])[0, 1] == pytest.approx(1, abs=1e-3)
    assert abs(np.corrcoef(said["noise"], noise[held])[0, 1]) < 0.3
    assert said["risk"][label[held] == 1].mean() > said["risk"][label[held] == 0].mean() + 0.1
