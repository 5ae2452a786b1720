import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.runs import store
from osteolib.screen.taught_bones import Taught, supervised
from osteolib.views.multicrop import Crop

N = 20
TARGET = np.arange(N) % 2
PART = np.repeat(["train", "validation", "test", "new"], [10, 4, 4, 2])
X = np.abs(np.linspace(-1, 1, 16))
BONES = np.array([np.tile((X < 0.8) * np.where(0.25 + 0.4 * c > X, 60, 200), (16, 1)) for c in TARGET])
"""Class 1 has a thin cortex around a dark canal."""


@pytest.mark.parametrize("crops", [(Crop(1, 24, (0.7, 1)),), (Crop(2, 24, (0.5, 1)), Crop(1, 17, (0.2, 0.5)))])
def test_a_planted_class_is_learned_and_the_training_is_found_again(crops, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path)
    recipe = Taught(crops=crops, batch_size=5, epochs=8)
    folder = supervised(BONES.astype(np.uint8), TARGET, np.arange(N), PART, recipe)
    probability = pd.read_parquet(folder / "probability.parquet")["probability"].to_numpy()
    history = pd.read_parquet(folder / "history.parquet")
    unseen = PART != "train"
    assert roc_auc_score(TARGET[unseen], probability[unseen]) == 1
    assert list(history) == ["epoch", "lr", "loss", "train_macro_f1", "macro_f1"] and len(history) == 8
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["train_macro_f1"].iloc[-1] > 0.85
    assert supervised(BONES.astype(np.uint8), TARGET, np.arange(N), PART, recipe) == folder


def test_no_label_of_another_part_has_a_say(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path)
    recipe = Taught(crops=(Crop(1, 24, (0.7, 1)),), batch_size=5, epochs=2)
    turned = np.where(PART == "train", TARGET, 1 - TARGET)
    one, other = (pd.read_parquet(supervised(BONES.astype(np.uint8), y, np.arange(N), PART, recipe)
                                  / "probability.parquet") for y in (TARGET, turned))  # fmt: skip
    pd.testing.assert_frame_equal(one, other)


def test_a_group_on_both_sides_is_named():
    with pytest.raises(ValueError, match="is in test and in train"):
        supervised(BONES.astype(np.uint8), TARGET, np.arange(N) % 14, PART, Taught(epochs=1))
