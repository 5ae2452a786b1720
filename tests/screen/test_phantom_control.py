from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

from osteolib.cohorts import bone_loss, load_cohort
from osteolib.runs import store
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen import knee_cells
from osteolib.screen.knee_folds import Recipe, covariates_of, knee_images
from osteolib.screen.phantom_control import phantom_control, trained_network, true_regions


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("store")
        patch.setattr(store, "STORE", folder)
        yield (
            load_cohort("knee-phantom", n_subjects=50, size=64),
            load_cohort("knee-phantom", n_subjects=6, acquisition="B", seed=1, size=64),
        )
    torch.set_num_threads(threads)


def test_the_control_trains_on_a_alone_and_its_network_is_the_one_that_was_scored(cohorts):
    from osteolib.radiograph import to_tensor_range
    from osteolib.screen.strnet import predict

    recipe = Recipe("resnet18", image_size=32, epochs=1, batch_size=16)
    control = phantom_control(*cohorts, recipe)
    subjects, parts = control.subjects, control.parts
    assert np.sum(list(parts.values()), axis=0).tolist() == [1] * len(subjects)
    person = {name: set(subjects["subject_id"][rows]) for name, rows in parts.items()}
    assert sum(len(people) for people in person.values()) == 56  # nobody stands in two parts
    assert person["external, B"] == set(cohorts[1].subjects["subject_id"])
    assert control.images.shape == (len(subjects), 32, 32)

    known = pd.read_parquet(control.folder / "scores.parquet").set_index("unit_id")["screen"]
    rows = np.flatnonzero(parts["test, A"])
    pixels = torch.from_numpy(to_tensor_range(control.images[rows]))[:, None]
    again = predict(trained_network(control.folder, recipe), pixels, torch.from_numpy(covariates_of(subjects)[rows]))
    np.testing.assert_allclose(again["screen"], known[subjects["unit_id"].iloc[rows]], atol=0.02)  # bf16 where it can

    with pytest.raises(ValueError, match="of another model"):
        trained_network(control.folder, Recipe("resnet50"))


def test_regions_go_the_way_of_the_film(cohorts, tmp_path):
    """Films that show the region itself, bright on grey, come out of the preparation as the masks do."""
    path = tmp_path / "masks.npz"
    rng = np.random.default_rng(0)
    film, bits = np.zeros((90, 120), np.uint8), np.zeros((90, 120), np.uint8)
    for left in (0, 60):
        top, x = rng.integers(10, 30), left + rng.integers(8, 20)
        film[top : top + 50, x : x + 34] = 120
        bits[top : top + 50, x : x + 34] = 1
        film[top + 10 : top + 30, x + 5 : x + 25] = 250
        bits[top + 10 : top + 30, x + 5 : x + 25] = 3
    Image.fromarray(film).save(tmp_path / "film.png")
    np.savez(path, film=bits)
    knees = pd.DataFrame({
        "image_id": "film", "path": str(tmp_path / "film.png"), "masks_path": str(path),
        "x0": [0, 60], "x1": [60, 120], "y0": 0, "y1": 90,
    })  # fmt: skip
    bone, joint = true_regions(knees, 48)
    prepared = knee_images(knees, 48)
    assert (joint & ~bone).sum() == 0 and 0.1 < joint.mean() < bone.mean()
    assert (joint == (prepared > (120 + 250) / 2 / 250 * 255)).mean() > 0.99  # but for a pixel at the edge
    assert (bone == (prepared > 60 / 250 * 255)).mean() > 0.99


def test_the_region_of_a_phantom_lies_on_its_bone(cohorts):
    knees = cohorts[0].subjects
    bone, joint = true_regions(knees, 48)
    assert bone.shape == (len(knees), 48, 48)
    assert not (joint & ~bone).any() and joint.any(axis=(1, 2)).all()


# the recorded cells

SIZES = {"backbone": "resnet18", "image_size": 32, "epochs": 1, "n_phantoms": 50, "n_folds": 3}


def follow(recording, subjects):
    """What holds of every cell: the truth is the table's own, and every value comes from the predictions."""
    predictions = recording.predictions
    assert list(predictions.columns) == [*PREDICTION_COLUMNS, "split_group"]
    assert not predictions.duplicated(["unit_id", "method", "target"]).any()
    known = subjects.set_index("unit_id")
    for target, truth in (("bone_loss", bone_loss(known["label"])), ("t_score", known["t_score"])):
        rows = predictions[predictions["target"] == target]
        assert rows["y_true"].tolist() == pd.Series(truth, known.index)[rows["unit_id"]].tolist()
    for column in ("subject_id", "image_id", "split_group"):
        assert predictions[column].tolist() == known.loc[predictions["unit_id"], column].tolist()
    keys = ["method", "target", "split"]
    parts = {key: part for key, part in predictions.groupby(keys)}
    by_hand = {"auroc": roc_auc_score, "auprc": average_precision_score, "mae": lambda y, s: np.abs(y - s).mean(),
               "pearson_r": lambda y, s: np.corrcoef(y, s)[0, 1]}  # fmt: skip
    for row in recording.results.itertuples():
        part = parts[row.method, row.target, row.split]
        assert row.value == pytest.approx(by_hand[row.metric](part["y_true"], part["y_score"]))
        assert (row.n, row.n_groups) == (len(part), part["split_group"].nunique())
    metrics = {"bone_loss": ["auroc", "auprc"], "t_score": ["pearson_r", "mae"]}
    there = recording.results.groupby(keys, sort=False)["metric"].agg(list)
    assert there.to_dict() == {key: metrics[key[1]] for key in parts}


def test_the_phantom_s_cell_scores_the_people_who_trained_nothing(cohorts, monkeypatch):
    asked = []

    def load(name, n_subjects, seed, acquisition="A"):
        asked.append((name, n_subjects, seed, acquisition))
        return cohorts["AB".index(acquisition)]

    monkeypatch.setattr(knee_cells, "load_cohort", load)
    monkeypatch.setattr(knee_cells, "attainable_auroc", lambda acquisition, seed: {"A": 0.8, "B": 0.7}[acquisition])
    recording = knee_cells.phantom(SIZES, 0)
    assert asked == [("knee-phantom", 50, 0, "A"), ("knee-phantom", 25, 1, "B")]
    subjects, _, parts, folder = phantom_control(*cohorts, Recipe("resnet18", image_size=32, epochs=1))
    follow(recording, subjects)
    predictions = recording.predictions
    kinds = set(predictions[["method", "target"]].itertuples(index=False, name=None))
    assert kinds == {("STR-Net", "bone_loss"), ("STR-Net", "t_score"), ("whole-film brightness", "bone_loss")}
    for _, rows in predictions.groupby(["method", "target"]):
        for part in ("test, A", "external, B"):
            units = rows.loc[rows["split"] == part, "unit_id"]
            assert sorted(units) == sorted(subjects["unit_id"][parts[part]])
        assert set(rows["split"]) == {"test, A", "external, B"}
    fitted = set(subjects["subject_id"][parts["train"] | parts["validation"]])
    assert not fitted & set(predictions["subject_id"])
    scores = pd.read_parquet(folder / "scores.parquet").set_index("unit_id")
    for target, column in (("bone_loss", "screen"), ("t_score", "t_score")):
        rows = predictions[(predictions["method"] == "STR-Net") & (predictions["target"] == target)]
        assert rows["y_score"].tolist() == scores.loc[rows["unit_id"], column].tolist()
    told = recording.configuration
    assert (told["n_train"], told["attainable_A"], told["attainable_B"]) == (parts["train"].sum(), 0.8, 0.7)
    assert {entry["fingerprint"] for entry in recording.cohorts.values()} == {c.fingerprint for c in cohorts}
    assert len(recording.history) == 1


def test_the_cell_of_the_real_knees_scores_each_once_out_of_fold(cohorts, monkeypatch):
    """A few phantoms stand for the real knees, with labels in turn, so that each fold trains on all three."""
    person = cohorts[0].subjects["subject_id"].factorize()[0]
    labels = np.array(["normal", "osteopenia", "osteoporosis"])[person % 3]
    knees = replace(cohorts[0], subjects=cohorts[0].subjects.assign(label=labels))
    monkeypatch.setattr(knee_cells, "load_cohort", lambda name: knees)
    recording = knee_cells.real_folds(SIZES, 0)
    follow(recording, knees.subjects)
    for _, rows in recording.predictions.groupby("target"):
        assert sorted(rows["unit_id"]) == sorted(knees.subjects["unit_id"])
        assert rows.groupby("split_group")["fold"].nunique().eq(1).all() and set(rows["fold"]) == {0, 1, 2}
    assert set(recording.predictions["split"]) == {"out-of-fold"} and recording.configuration["n_folds"] == 3
    assert recording.history.groupby("fold").size().tolist() == [1, 1, 1]
