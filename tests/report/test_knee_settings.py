from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from osteolib.report import knee_results, knee_settings
from osteolib.report.knee_settings import Trained
from osteolib.screen.knee_folds import Recipe

USES = "knee-wani"
SMALL = Recipe("resnet18", "text", image_size=64, epochs=6, class_weights="released")
LABELS = np.repeat(["normal", "osteopenia", "osteoporosis"], (10, 30, 20))
SUBJECTS = pd.DataFrame({"label": LABELS, "t_score": -1.0})


@pytest.fixture(scope="module")
def both():
    paper = knee_settings.at_profile(Recipe("resnet18", image_size=64, epochs=6), "paper")
    paper = paper._replace(recipe=replace(paper.recipe, initialisation="imagenet"))  # which may not lie here
    return knee_settings.beside_table_2({"quick": Trained(SMALL, 5), "paper": paper}, SUBJECTS)


def test_the_profile_paper_takes_every_printed_setting_but_the_seed(both):
    """What `book/states.yaml` promises of the rows of Table 2; the starting weights are those that can be had."""
    _, same = both
    assert same.index[~same["paper"]].tolist() == ["random seed"]


def test_what_a_small_recipe_changes_is_named_and_shown(both):
    rows, same = both
    rows = rows.set_index("setting")
    changed = {"backbone": "resnet18", "input side (px)": "64", "backbone pre-training": "none", "random seed": "0",
               "maximum epochs": "6", "TARR adapter hidden dim": "none"}  # fmt: skip
    assert rows.loc[[*changed], "quick"].to_dict() == changed
    other = set(same.index[~same["quick"]])
    assert other - set(changed) == {"trainable parameters, approx., millions"}
    assert rows.loc["learning rate", "quick"] == rows.loc["learning rate", "paper"] == "1e-4"
    assert rows.loc["T-score tabular encoder", "quick"] == "3 to 32 to 32"


def test_what_the_table_leaves_out_by_hand(both):
    """60 knees in five folds train 36: a batch of 32 and one of 4, six times. The paper's 1,120: 35 batches, 100 times.

    Positives of Table 1's training: 841 to 279 (so the code's weight is 1), of osteoporosis 391.
    """
    rows = both[0].set_index("setting")
    assert rows.loc["knees that one network trains on", "quick"] == "about 36"
    assert rows.loc["steps of the optimiser, at most", ["paper", "quick"]].tolist() == ["200", "12"]
    weights = rows.loc["weights of the positive cases, screening and severity"]
    assert weights["quick"] == "released: 1 and 1"
    assert weights["paper"] == f"text: {10 / 50:.2g} and {30 / 20:.2g}"
    assert weights["text or code"] == "code: 1 and 1"
    assert rows.loc["fourth loss, on normal knees", "text or code"] == "code: 0.1, from epoch 5 on"


def test_steps_are_those_that_a_training_takes():
    """Of 40 knees in 4 folds 20 train: as the histories of such a training are counted."""
    fold = np.arange(40) % 4
    rows = pd.concat([pd.DataFrame({"unit_id": range(40), "fold": (fold + k) % 4}) for k in range(2)])
    history = pd.DataFrame({"fold": np.repeat(range(4), 3)})
    for batch in (8, 19, 32):
        counted = knee_results.optimiser_steps(rows, history, batch)["steps"].unique().tolist()
        assert counted == [knee_settings.most_steps(Trained(SMALL, 4).n_train(40), batch, 3)]


def test_numbers_agree_as_numbers_and_words_as_words():
    lr, words = ({"value": 1e-4, "reported": "1e-4"}, {"value": np.nan, "reported": "ResNet-50"})
    assert knee_settings.agrees(0.0001, pd.Series(lr)) and not knee_settings.agrees(0.001, pd.Series(lr))
    assert knee_settings.agrees("resnet50", pd.Series(words)) and not knee_settings.agrees("resnet18", pd.Series(words))


def test_the_sentence_names_what_differs(run):
    knee_settings.show_settings(run, SMALL, 5, SUBJECTS)
    there = run.facts["settings_there"].split("; ")
    assert {"backbone pre-training", "random seed"} < set(there) and "maximum epochs" not in there
    assert run.facts["n_settings"] - run.facts["n_same"] == len(run.facts["settings_here"].split("; "))
