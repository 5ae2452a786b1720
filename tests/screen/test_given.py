import numpy as np
import pandas as pd
import pytest

from osteolib.screen.given import COLUMNS, given, same_given


@pytest.fixture
def knees():
    rng = np.random.default_rng(0)
    subjects = pd.DataFrame({name: [f"{name}{i:03d}" for i in range(60)] for name in COLUMNS})
    subjects = subjects.assign(t_score=rng.normal(size=60), age_years=50.0, bmi_kg_m2=np.nan)
    return subjects, rng.integers(0, 250, (60, 8, 8)).astype(np.uint8)


def told(subjects, images, fold, looked=5):
    return given(subjects, lambda some: images[subjects.index.get_indexer(some.index)], fold, looked)


def test_mean_and_sd_of_evenly_spread_units(knees):
    subjects, images = knees
    found = told(subjects, images, np.arange(60) % 3)
    assert found["n"] == 60 and list(found["grey"]) == [f"unit_id{i:03d}" for i in (0, 15, 30, 44, 59)]
    assert found["grey"]["unit_id015"] == pytest.approx([images[15].mean(), images[15].std()], abs=0.005)


def test_a_fold_a_label_or_a_picture_that_is_another_is_seen_and_a_pixel_rounded_otherwise_is_not(knees):
    subjects, images = knees
    fold = np.arange(60) % 3
    then = told(subjects, images, fold)
    assert same_given(told(subjects, images, fold), then)
    assert same_given(told(subjects, images, {str(k): fold == k for k in range(3)}), then)
    rounded = images + (np.random.default_rng(1).random(images.shape) < 0.2).astype(np.uint8)
    assert same_given(told(subjects, rounded, fold), then)
    for changed in (
        told(subjects, images, np.roll(fold, 1)),
        told(subjects.assign(label="normal"), images, fold),
        told(subjects.assign(t_score=subjects["t_score"] + 0.01), images, fold),
        told(subjects, images[::-1], fold),
        told(subjects[:-1], images[:-1], fold[:-1]),
    ):
        assert not same_given(changed, then)
