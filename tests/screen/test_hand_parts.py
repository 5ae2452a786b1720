from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from osteolib.cohorts import load_cohort
from osteolib.screen import hand_parts
from osteolib.screen.hand_parts import FULL, labelled_steps, pictures, train_steps, unlabelled_steps
from osteolib.segment.bones import film_rows

USES = "hand-phantom"
SIZES = ("resnet18", 1, 32)


def few_people(seed):
    """Every other one ill, whatever their bones: enough of each class for four parts."""
    cohort = load_cohort("hand-phantom", seed=seed, size=film_rows(32), n_subjects=24)
    return replace(cohort, subjects=cohort.subjects.assign(label=["normal", "osteoporosis"] * 12))


@pytest.fixture(scope="module")
def given():
    return pictures(few_people(0), few_people(1), 32, 0)


@pytest.fixture(scope="module")
def scores(given):
    return train_steps(given, SIZES, [0, 1], 2, 2)


def test_each_step_differs_from_the_full_method_in_one_thing():
    steps = unlabelled_steps(SIZES, 3)
    kind, full = steps[FULL]
    for name, (other, recipe) in steps.items():
        changed = {key for key in vars(full) if getattr(full, key) != getattr(recipe, key)}
        expected = {hand_parts.CROPS_ALONE: {"augmentation"}, hand_parts.CONVENTIONAL: {"min_content"}}
        assert changed == expected.get(name, set()), name
        assert (other != kind) == (name in (hand_parts.FILMED, hand_parts.SQUARES, hand_parts.PATCHES))
    assert full.seed == 3


def test_the_whole_hand_is_trained_for_as_many_images_as_the_bones(given):
    steps = labelled_steps(SIZES, 0, given.images)
    bones, hand = (len(given.images[kind].table) for kind in ("bones", "hand"))
    assert steps[hand_parts.HAND][1].epochs == round(bones / hand) * steps[hand_parts.LABELS][1].epochs > 1
    assert labelled_steps(("resnet50", 1, 512), 0, given.images)[hand_parts.VGG][1].encoder == "vgg16"


def test_a_person_is_of_one_part_in_all_kinds_of_images_and_new_people_train_nothing(given):
    parts = [pd.Series(p, s) for _, s, p in map(given.told, given.images)]
    for part in parts:
        assert (part.groupby(level=0).nunique() == 1).all()
        assert (part[part.index.str.startswith("new ")] == "new").all()
    first = parts[0].groupby(level=0).first()
    assert all(part.groupby(level=0).first().equals(first) for part in parts)


def test_nobody_who_trained_is_scored_and_all_others_are(given, scores):
    _, people, part = given.told("hand")
    untold = set(people[part != "train"])
    for step in scores.kind:
        assert set(scores.people(step, [0])["group"]) == untold
    own = given.told("bones")[2] == "train"
    assert all(np.isnan(p[:, own]).all() for (step, _), p in scores.said.items() if scores.kind[step] == "bones")


def test_layers_and_seeds_are_averaged_and_random_weights_have_one_seed(scores):
    assert scores.said[FULL, 0].shape[0] == 2 and scores.said[hand_parts.LABELS, 1].shape[0] == 1
    assert (hand_parts.UNTRAINED, 1) not in scores.said
    single = [scores.people(FULL, [k]).set_index("group")["y_score"] for k in (0, 1)]
    both = scores.people(FULL, [0, 1]).set_index("group")["y_score"]
    pd.testing.assert_series_equal(both, (single[0] + single[1]) / 2)


def test_a_recorded_seed_draws_people_split_and_trainings(monkeypatch):
    drawn = []

    def few(name, seed, preset, size):
        drawn.append((preset, seed))
        return few_people(seed)

    def blind(features, target, groups, part, *_):
        return np.where(part == "train", np.nan, 0.5), None

    monkeypatch.setattr(hand_parts, "load_cohort", few)
    monkeypatch.setattr(hand_parts, "held_out_probability", blind)
    found = hand_parts.one_seed({"image_size": 32, "backbone": "resnet18", "ssl_epochs": 1}, 2)
    assert drawn == [("lee2025", 4), ("lee2025", 5)] and set(found.history["seed"]) == {2}
    people = found.predictions.groupby("method")["subject_id"]
    assert people.nunique().eq(found.configuration["n_test"]).all() and len(people) == 11
    assert set(found.cohorts) == {"hand-phantom, 0", "hand-phantom, 1"}
    assert found.predictions.query("method == @FULL")["y_score"].eq(0.5).all()
