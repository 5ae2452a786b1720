import numpy as np
import pandas as pd
import pytest

from osteolib.screen.bone_probe import linear_probe
from osteolib.screen.held_out_bones import held_out_probability, mean_probability_by_bone, scores_of_people

RNG = np.random.default_rng(0)
PERSON = np.repeat(np.arange(24), 2)
Y = PERSON % 2
PART = np.select([PERSON < 12, PERSON < 18], ["train", "validation"], "test")
X = RNG.normal(size=(48, 3)) + 2 * Y[:, None]


def test_both_held_out_parts_are_scored_by_a_layer_chosen_on_the_other():
    p, history = held_out_probability(X, Y, PERSON, PART, seed=3, epochs=4)
    assert np.isnan(p).tolist() == (PART == "train").tolist()
    test, _ = linear_probe(X, Y, PERSON, PART, seed=3, epochs=4)
    swapped = pd.Series(PART).replace({"test": "validation", "validation": "test"}).to_numpy(str)
    validation, second = linear_probe(X, Y, PERSON, swapped, seed=3, epochs=4)
    assert p[PART == "test"] == pytest.approx(test(X[PART == "test"]))
    assert p[PART == "validation"] == pytest.approx(validation(X[PART == "validation"]))
    pd.testing.assert_frame_equal(history, second)


def test_new_people_have_the_mean_of_both_layers():
    part = np.where(PERSON == 23, "new", PART)
    p, _ = held_out_probability(X, Y, PERSON, part, seed=3, epochs=4)
    swapped = pd.Series(part).replace({"test": "validation", "validation": "test"}).to_numpy(str)
    layers = [linear_probe(X, Y, PERSON, way, seed=3, epochs=4)[0] for way in (part, swapped)]
    assert p[part == "new"] == pytest.approx(np.mean([layer(X[part == "new"]) for layer in layers], axis=0))


BONES = pd.DataFrame(
    {"subject_id": list("aabbccdd"), "bone": ["M1", "M2"] * 4, "y": [1, 1, 1, 1, 0, 0, 0, 0]}
)  # fmt: skip
P = np.array([0.9, 0.7, 0.2, 0.4, 0.9, 0.3, np.nan, np.nan])


def test_people_without_a_probability_have_no_vote_and_seeds_are_averaged():
    people = scores_of_people(BONES, P)
    assert people["group"].tolist() == list("abc") and people["y_true"].tolist() == [1, 1, 0]
    assert people["y_score"].tolist() == pytest.approx([0.8, 0.3, 0.6])
    assert scores_of_people(BONES, np.stack([P, P + 0.1]))["y_score"].tolist() == pytest.approx([0.85, 0.35, 0.65])


def test_a_bone_that_is_high_in_everybody_is_high_in_false_positives_too():
    means, people_in = mean_probability_by_bone(BONES, P, scores_of_people(BONES, P), ["M1", "M2", "M3"])
    assert people_in == {"true positives": 1, "all with osteoporosis": 2, "all without": 1, "false positives": 1}
    assert means.loc["M1"].tolist() == pytest.approx([0.9, 0.55, 0.9, 0.9])
    assert means.loc["M2"].tolist() == pytest.approx([0.7, 0.55, 0.3, 0.3])
    assert means.loc["M3"].isna().all()
