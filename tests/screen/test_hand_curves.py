"""Learning curves on made-up people: sets lie within one another, nobody is on both sides, a sign is learned."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.cohorts import load_cohort
from osteolib.screen import hand_curves, hand_people
from osteolib.screen.hand_grid import Segments
from osteolib.screen.hand_people import HandPeople
from osteolib.screen.taught_bones import Taught
from osteolib.views.multicrop import Crop


def people(n, first, rng):
    """Two bones of each of n people, 32 pixels; those of the ill have a dark middle, in the noise."""
    ids = [f"{first} {k:03}" for k in range(n)]
    y = np.arange(n) % 2
    images = rng.integers(100, 200, (2 * n, 32, 32))
    images[np.repeat(y, 2) == 1, 12:20] -= 60
    table = pd.DataFrame({"subject_id": np.repeat(ids, 2), "bone": ["M2", "ulna"] * n, "y": np.repeat(y, 2)})
    table = table.assign(bone_id=table["subject_id"] + table["bone"], split_group=table["subject_id"])
    label = np.where(y, "osteoporosis", "normal")
    return Segments(images.astype(np.uint8), table, pd.DataFrame()), pd.DataFrame({"label": label}, index=ids)


@pytest.fixture(scope="module")
def hands():
    rng = np.random.default_rng(0)
    old, _ = people(192, "a", rng)
    new, who = people(96, "b", rng)
    number = old.table.groupby("subject_id").ngroup()
    old = replace(old, table=old.table.assign(block=number // 48))
    return HandPeople(old, new, who.rename_axis("subject_id"), [])


def test_sets_of_one_drawing_lie_within_one_another_and_drawings_share_nobody(hands):
    small, large, other = hands.drawn(48, 0), hands.drawn(96, 0), hands.drawn(48, 1)
    assert not (small & ~large).any()
    assert not (small & other).any()
    assert hands.training.table[small]["subject_id"].nunique() == 48
    assert hands.drawn(192, 0).all()


@pytest.mark.parametrize("n", [12, 24])
def test_few_people_lie_in_the_drawing_of_48_and_have_its_share_of_ill(hands, n):
    seen = hand_curves.some_of_block(hands, n, 1)
    assert not (seen & ~hands.drawn(48, 1)).any()
    own = hands.training.table[seen].groupby("subject_id")["y"].first()
    assert (len(own), own.sum()) == (n, n // 2)


def test_few_people_that_do_not_divide_a_block_are_refused(hands):
    with pytest.raises(ValueError, match="must divide 48 and be fewer, got 13"):
        hand_curves.some_of_block(hands, 13, 0)


@pytest.mark.parametrize(("n", "draw"), [(50, 0), (0, 0), (192, 1), (96, 2)])
def test_a_drawing_that_is_not_there_is_refused(hands, n, draw):
    with pytest.raises(ValueError, match="multiple of 48"):
        hands.drawn(n, draw)


def test_a_linear_layer_reads_a_planted_feature(hands):
    everybody = np.concatenate([hands.training.images, hands.new.images])
    features = np.stack([everybody[:, 12:20].mean((1, 2)), everybody[:, :8].mean((1, 2))], 1).astype(np.float32)
    said = hand_curves.probed(features, hands, 48, 0)
    assert roc_auc_score(hands.people["label"].eq("osteoporosis"), said) > 0.99
    shuffled = np.random.default_rng(1).permutation(features)
    assert (
        0.3 < roc_auc_score(hands.people["label"].eq("osteoporosis"), hand_curves.probed(shuffled, hands, 48, 0)) < 0.7
    )


def test_a_network_learns_the_sign_from_training_people(hands, monkeypatch, tmp_path):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    monkeypatch.setattr(hand_curves, "STEPS", 24)
    recipe = Taught(crops=(Crop(1, 32, (0.7, 1.0)),), batch_size=32)
    said, history = hand_curves.scored_network(hands, hands.drawn(96, 0), recipe)
    assert len(history) == 4  # 24 steps of 32 out of 192 bones
    assert roc_auc_score(hands.people["label"].eq("osteoporosis"), said) > 0.9
    record = hand_curves.recording(
        hands, {("supervised", 96, 0): said}, [history], 0, {"image_size": 32, "backbone": "resnet18"}
    )
    assert set(record.predictions["method"]) == {"supervised, 96 people, draw 0"}
    assert record.results["value"].between(0, 1).all()


def test_cohorts_are_named_apart_and_cut_into_blocks_of_48(monkeypatch):
    def small(name, preset, seed, size):
        cohort = load_cohort(name, preset=preset, seed=seed, size=size, render=False)
        return cohort

    def one_bone(cohort, image_size):
        subjects = cohort.subjects
        table = subjects[["subject_id", "split_group"]].assign(
            bone_id=subjects["subject_id"] + "-M2", bone="M2", y=subjects["label"].eq("osteoporosis").astype(int)
        )
        return Segments(np.full((len(table), 4, 4), 9, np.uint8), table, pd.DataFrame(columns=["subject_id"]))

    monkeypatch.setattr(hand_people, "load_cohort", small)
    monkeypatch.setattr(hand_people, "cut_segments", one_bone)
    made = hand_people.hand_people(384, 0, 32)
    assert made.training.table["subject_id"].is_unique
    assert made.training.table["block"].value_counts().tolist() == [48] * 8
    assert not set(made.training.table["subject_id"]) & set(made.new.table["subject_id"])
    assert list(made.people.index) == made.new.table["subject_id"].tolist()
    ill = made.training.table.groupby("block")["y"].mean()
    assert np.ptp(ill) <= 1 / 48 + 1e-9
    with pytest.raises(ValueError, match="n_people must be a multiple of 192"):
        hand_people.hand_people(100, 0, 32)
