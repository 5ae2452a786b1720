"""A number planted in bones, each kind in its own way, is read of other people; their own truth is not used."""

import numpy as np
import pandas as pd

from osteolib.screen.read_people import read_by_bone, what_bones_tell

RNG = np.random.default_rng(0)
BONES = pd.DataFrame([(f"P{k}", b) for k in range(120) for b in ("M1", "M2", "M3")], columns=["subject_id", "bone"])
TRUTH = np.repeat(RNG.normal(size=120), 3)
HELD = np.repeat(np.arange(120) >= 60, 3)
SIGN = BONES["bone"].map({"M1": 1, "M2": -1, "M3": 3}).to_numpy()
FEATURES = np.column_stack([SIGN * TRUTH + RNG.normal(0, 0.5, 360), RNG.normal(size=(360, 4))])


def test_each_kind_of_bone_has_a_model_of_its_own():
    said = read_by_bone(FEATURES, BONES, TRUTH, HELD)
    truth = pd.Series(TRUTH[HELD]).groupby(BONES["subject_id"].to_numpy()[HELD]).first()
    assert list(said.index) == list(truth.index) and len(said) == 60
    assert np.corrcoef(said, truth)[0, 1] > 0.9  # one line for all bones would see signs that cancel


def test_the_truth_of_those_who_are_read_plays_no_part():
    other = np.where(HELD, RNG.permutation(TRUTH), TRUTH)
    assert (read_by_bone(FEATURES, BONES, other, HELD) == read_by_bone(FEATURES, BONES, TRUTH, HELD)).all()


def test_features_that_hold_the_answers_tell_them_and_noise_tells_none():
    truth = {"cortex": pd.Series(TRUTH, index=BONES["subject_id"]).groupby(level=0).first()}
    named = np.column_stack([FEATURES, BONES["bone"].eq("M1"), BONES["bone"].eq("M2")]).astype(float)
    told = what_bones_tell(named, BONES, truth, HELD)
    assert list(told) == ["which bone", "cortex"] and told["which bone"] == 1 and told["cortex"] > 0.9
    noise = what_bones_tell(np.random.default_rng(1).normal(size=(360, 4)), BONES, truth, HELD)
    assert noise["which bone"] < 0.5 and abs(noise["cortex"]) < 0.4
