import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from osteolib.radiograph import normalise_intensity, otsu_crop, resize
from osteolib.runs import store
from osteolib.screen import knee_folds
from osteolib.screen.knee_folds import Recipe, covariates_of, cross_validate, fold_thresholds, knee_images, train_once


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path / "store")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def knees(n_people: int) -> pd.DataFrame:
    """Two knees a person; labels in turn."""
    person = np.repeat(np.arange(n_people), 2)
    label = np.array(["normal", "osteopenia", "osteoporosis"])[person % 3]
    return pd.DataFrame(
        {
            "unit_id": [f"p{p}-{side}" for p, side in zip(person, ["right", "left"] * n_people, strict=True)],
            "subject_id": [f"p{p}" for p in person],
            "split_group": [f"p{p}" for p in person],
            "label": label,
            "t_score": np.select([label == "normal", label == "osteopenia"], [0.0, -2.0], -3.0),
            "age_years": 50.0 + person,
            "sex": np.where(person % 2, "F", "M"),
            "bmi_kg_m2": 25.0,
        }
    )


def test_every_knee_is_tested_once_and_validates_once_and_never_with_its_person_in_training():
    subjects = knees(18)
    images = np.random.default_rng(0).integers(0, 256, (36, 32, 32), dtype=np.uint8)
    recipe = Recipe("resnet18", image_size=32, epochs=1, batch_size=8)
    seen = []

    def spy(table, pixels, parts, *rest):
        person = {part: set(table["subject_id"][rows]) for part, rows in parts.items()}
        seen.append(person)
        return original(table, pixels, parts, *rest)

    original, knee_folds._train = knee_folds._train, spy
    try:
        scores, history, _ = cross_validate(subjects, images, recipe, 3, "abc")
    finally:
        knee_folds._train = original
    assert len(seen) == 3
    for person in seen:
        assert not person["train"] & (person["test"] | person["validation"])
        assert not person["test"] & person["validation"]
    for part in ("test", "validation"):
        assert sorted(scores.loc[scores["part"] == part, "unit_id"]) == sorted(subjects["unit_id"])
    assert scores[["screen", "severity"]].stack().between(0, 1).all()
    assert history.groupby("fold").size().tolist() == [1, 1, 1]

    again = cross_validate(subjects, images, recipe, 3, "abc").scores  # from the store: nothing is trained
    pd.testing.assert_frame_equal(again, scores)
    assert len(seen) == 3


def test_a_fold_cut_off_half_way_trains_only_the_epochs_that_are_left(tmp_path, monkeypatch, cut_in_epoch):
    subjects = knees(18)
    images = np.random.default_rng(0).integers(0, 256, (36, 32, 32), dtype=np.uint8)
    part = np.repeat(["train", "validation", "test"], 12)
    parts = {name: part == name for name in ("test", "validation", "train")}
    call = (subjects, images, parts, Recipe("resnet18", image_size=32, epochs=2, batch_size=8), {"cohort": "abc"})
    whole = train_once(*call)
    assert not list((store.STORE / "unfinished").iterdir())
    monkeypatch.setattr(store, "STORE", tmp_path / "another store")
    begun = cut_in_epoch(2)
    with pytest.raises(KeyboardInterrupt):
        train_once(*call)
    (unfinished,) = (store.STORE / "unfinished").iterdir()
    resumed = train_once(*call)
    assert len(begun) == 3 and not unfinished.exists()
    for name in ("history", "scores"):
        pd.testing.assert_frame_equal(*(pd.read_parquet(at / f"{name}.parquet") for at in (resumed, whole)))
    assert len(pd.read_parquet(resumed / "history.parquet")) == 2
    assert (resumed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_prepared_knee_is_the_chain_of_section_2_2_on_its_own_box(tmp_path):
    rng = np.random.default_rng(0)
    film = rng.integers(0, 20, (120, 160), dtype=np.uint8)
    film[10:110, 20:60] = rng.integers(100, 250, (100, 40), dtype=np.uint8)
    Image.fromarray(film).save(tmp_path / "film.png")
    subjects = pd.DataFrame(
        {"path": str(tmp_path / "film.png"), "sha256": "x", "x0": 0, "y0": 0, "x1": [80, 160], "y1": 120}
    )
    prepared = knee_images(subjects, 48)
    x0, y0, x1, y1 = otsu_crop(film[:, :80])
    assert (prepared[0] == resize(normalise_intensity(film[:, :80][y0:y1, x0:x1]), 48)).all()
    assert prepared.shape == (2, 48, 48)


def test_covariates_have_fixed_codes_and_keep_what_is_missing():
    subjects = pd.DataFrame({"age_years": [50.0, np.nan], "sex": ["F", None], "bmi_kg_m2": [25.0, 30.0]})
    expected = np.array([[50, 1, 25], [np.nan, np.nan, 30]], np.float32)
    np.testing.assert_array_equal(covariates_of(subjects), expected)


def test_a_threshold_is_chosen_on_validation_and_judged_on_test():
    """Validation: positives at .5 and .7, negatives at .3 and .4, so (0.40, 0.50] is perfect and .41 the lowest."""
    label = pd.Series({"a": "osteopenia", "b": "osteoporosis", "c": "normal", "d": "normal"})
    units = list("abcd")
    validation = pd.DataFrame({"unit_id": units, "screen": [0.5, 0.7, 0.3, 0.4], "part": "validation"})
    test = pd.DataFrame({"unit_id": units, "screen": [0.45, 0.2, 0.9, 0.1], "part": "test"})
    (row,) = fold_thresholds(pd.concat([validation, test]).assign(fold=0), label).to_dict("records")
    assert row["threshold"] == 0.41
    assert (row["sensitivity_validation"], row["specificity_validation"]) == (1, 1)
    assert (row["sensitivity_test"], row["specificity_test"]) == (0.5, 0.5)


def test_a_fold_without_a_feasible_threshold_says_so():
    label = pd.Series({"a": "osteopenia", "b": "normal"})
    low = pd.DataFrame({"unit_id": ["a", "b"], "screen": [0.01, 0.02], "fold": 0})
    scores = pd.concat([low.assign(part="validation"), low.assign(part="test")])
    (row,) = fold_thresholds(scores, label).to_dict("records")
    assert row["tied"] == 0
    assert np.isnan([row["threshold"], row["sensitivity_test"], row["specificity_test"]]).all()
