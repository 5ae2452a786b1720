import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from torch import nn
from torch.nn import functional

from osteolib.runs import store
from osteolib.screen.bone_probe import embed, embed_stored, linear_probe, macro_f1, split_bones, vote
from osteolib.ssl.encoders import build_encoder

torch.set_num_threads(1)
SUBJECTS, BONES = 60, 7
SUBJECT = np.repeat([f"S{n:02}" for n in range(SUBJECTS)], BONES)
TARGET = np.repeat(np.arange(SUBJECTS) % 3 == 0, BONES).astype(int)
TABLE = pd.DataFrame({"subject_id": SUBJECT, "split_group": SUBJECT, "bone_id": [f"B{n}" for n in range(SUBJECT.size)]})


def planted(seed=0, effect=1.0):
    """Features of each bone: noise of five dimensions, and along the first the class."""
    features = np.random.default_rng(seed).normal(size=(SUBJECT.size, 5))
    features[:, 0] += effect * TARGET
    return (features * [1, 10, 0.1, 1, 1] + 3).astype(np.float32)


def test_the_split_is_by_subject_and_each_tests_once():
    parts = np.array([split_bones(TABLE, TARGET, fold=fold) for fold in range(10)])
    assert (pd.DataFrame(parts.T).groupby(SUBJECT).nunique() == 1).all(axis=None)
    for name, times in (("test", 1), ("validation", 1), ("train", 8)):
        assert ((parts == name).sum(0) == times).all()
        assert np.mean(parts[0] == name) == pytest.approx(times / 10)


def test_a_split_by_segment_puts_bones_of_one_subject_on_both_sides():
    part = split_bones(TABLE, TARGET, by="bone_id")
    assert np.mean(part == "test") == pytest.approx(0.1, abs=0.01)
    assert set(SUBJECT[part == "test"]) <= set(SUBJECT[part == "train"])
    with pytest.raises(ValueError, match="subject_id or bone_id, not by 'hand'"):
        split_bones(TABLE, TARGET, by="hand")


def test_the_probe_ends_where_logistic_regression_does():
    """With full batches and without an early choice, both maximise the same likelihood."""
    features, part = planted(), split_bones(TABLE, TARGET)
    probe, history = linear_probe(features, TARGET, SUBJECT, part, epochs=400, batch_size=1000, lr=10.0)
    train = part == "train"
    peer = LogisticRegression(C=np.inf, max_iter=1000).fit(features[train], TARGET[train])
    last = peer.predict_proba(features)[:, 1]
    truth = -np.mean(np.log(np.where(TARGET == 1, last, 1 - last))[train])
    assert history.loss.iloc[-1] == pytest.approx(truth, abs=2e-3)
    assert np.corrcoef(probe(features), last)[0, 1] > 0.97


def test_the_first_best_epoch_on_validation_subjects_counts():
    features, part = planted(effect=0.4), split_bones(TABLE, TARGET)
    probe, history = linear_probe(features, TARGET, SUBJECT, part, seed=3)
    validation = part == "validation"
    scores = pd.DataFrame({"s": SUBJECT, "p": probe(features), "y": TARGET})[validation].groupby("s").mean()
    expected = f1_score(scores.y, scores.p > 0.5, average="macro")
    assert history.macro_f1.max() == pytest.approx(expected)
    until = history.macro_f1.argmax() + 1
    assert until < len(history)
    again, _ = linear_probe(features, TARGET, SUBJECT, part, seed=3)
    other, _ = linear_probe(features, TARGET, SUBJECT, part, seed=4)
    assert torch.equal(again.weight, probe.weight) and not torch.equal(other.weight, probe.weight)


def test_the_layer_of_that_epoch_scores_new_bones():
    features, part = planted(), split_bones(TABLE, TARGET)
    probe, _ = linear_probe(features, TARGET, SUBJECT, part, seed=3, epochs=9)
    x = (features[5] - features[part == "train"].mean(0)) / features[part == "train"].std(0)
    healthy, ill = (probe.weight.numpy() * x).sum(1) + probe.bias.numpy()
    assert probe(features[5:6]) == pytest.approx(1 / (1 + np.exp(healthy - ill)))


def test_the_test_part_has_no_say():
    features, part = planted(), split_bones(TABLE, TARGET)
    changed = np.where((part == "test")[:, None], 100, features)
    one, other = (linear_probe(x, TARGET, SUBJECT, part, epochs=5) for x in (features, changed))
    assert torch.equal(one[0].weight, other[0].weight) and one[1].equals(other[1])


def test_leakage_shows_in_the_segment_protocol_alone():
    """Features that know the person and nothing of the disease: subjects near chance, segments far above it."""
    person = np.random.default_rng(5).normal(size=(SUBJECTS, 60)).repeat(BONES, 0)
    features = (person + 0.1 * np.random.default_rng(0).normal(size=person.shape)).astype(np.float32)
    auroc = {}
    for by in ("subject_id", "bone_id"):
        scores = []
        for fold in range(3):
            part = split_bones(TABLE, TARGET, by, fold, n_folds=6)
            test = part == "test"
            probe, _ = linear_probe(features, TARGET, TABLE[by], part, epochs=40)
            scores.append(vote(TABLE[by][test], TARGET[test], probe(features[test])))
        pooled = pd.concat(scores)
        auroc[by] = roc_auc_score(pooled.y_true, pooled.y_score)
    assert auroc["bone_id"] > 0.97 and auroc["subject_id"] < 0.75


def test_the_vote_is_the_mean_of_the_bones_present():
    scores = vote(["b", "a", "b", "b"], [1, 0, 1, 1], [0.2, 0.9, 0.6, 1.0])
    assert scores.to_dict("list") == {"group": ["b", "a"], "y_true": [1, 0], "y_score": [pytest.approx(0.6), 0.9],
                                      "n_bones": [3, 1]}  # fmt: skip
    with pytest.raises(ValueError, match="bones of 'b' are of two classes"):
        vote(["b", "b"], [1, 0], [0.1, 0.2])


def test_macro_f1_by_hand():
    """Three subjects, one healthy called ill: F1 of 2/3 in either class."""
    columns = [1, 1, 0, 0], [0.9, 0.3, 0.6, 0.1], ["a", "a", "b", "c"]
    assert macro_f1(*map(np.array, columns)) == pytest.approx(2 / 3)


def test_features_are_those_of_the_whole_bone_resized():
    bones = np.random.default_rng(0).integers(0, 256, (5, 12, 8), dtype=np.uint8)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.Dropout(0.5)).train()
    with torch.no_grad():
        small = functional.interpolate(
            torch.tensor(bones[:, None] / 255).float(), (4, 4), mode="bilinear", antialias=True
        )
        expected = encoder[1](small.flatten(1)).numpy()
    np.testing.assert_allclose(embed(encoder, bones, 4, batch_size=2), expected, rtol=1e-5, atol=1e-6)


def test_stored_features_are_those_of_the_encoder_and_follow_the_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path / "store")
    torch.manual_seed(0)
    encoder = build_encoder("resnet18-half")
    save_file(encoder.state_dict(), tmp_path / "encoder.safetensors")
    bones = np.random.default_rng(0).integers(0, 256, (4, 24, 24), dtype=np.uint8)
    for _ in range(2):  # made, then found
        found = embed_stored(tmp_path, "resnet18-half", bones, 24)
        np.testing.assert_allclose(found, embed(encoder, bones, 24), rtol=1e-5, atol=1e-6)
    others = embed_stored(tmp_path, "resnet18-half", 255 - bones, 24)
    np.testing.assert_allclose(others, embed(encoder, 255 - bones, 24), rtol=1e-5, atol=1e-6)


def test_what_cannot_be_probed_is_named():
    features, part = planted(), split_bones(TABLE, TARGET)
    broken = features.copy()
    broken[4, 2] = np.nan
    for x, changed, message in (
        (broken, {}, "features are not all finite"),
        (features, {"target": np.zeros_like(TARGET)}, "the train bones are not of classes 0 and 1"),
        (features, {"target": np.where(part == "test", 1, TARGET)}, "the test bones are not of classes"),
        (features, {"part": split_bones(TABLE, TARGET, by="bone_id")}, "S.* is in validation and in train"),
    ):
        with pytest.raises(ValueError, match=message):
            linear_probe(x, **{"target": TARGET, "groups": SUBJECT, "part": part} | changed)
