"""What stands where under the four splits, which knees have a copy in training, and what is left within strata."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import roc_auc_score

from osteolib.radiograph import normalise_intensity, otsu_crop, resize
from osteolib.screen.copies import auroc_within, file_facts, has_copy
from osteolib.screen.copy_splits import SPLITS, each_once, folds_by, knee_pixels


@pytest.fixture
def knees() -> pd.DataFrame:
    """40 films, each as two pictures of two byte strings in two files; a film has one label."""
    rows = [
        (f"k{i}", f"b{i // 2}", f"p{i // 4}", f"s{i // 8}", ("normal", "osteopenia")[i // 8 % 2]) for i in range(320)
    ]
    return pd.DataFrame(rows, columns=["unit_id", "bytes_group", "picture_group", "source_group", "label"])


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_tears_apart_what_is_finer_than_its_groups_and_nothing_else(knees, split):
    fold = pd.Series(folds_by(knees, split, 5, seed=0))
    grades = list(SPLITS.values())
    for grade in grades[: grades.index(SPLITS[split]) + 1]:
        assert (fold.groupby(knees[grade]).nunique() == 1).all()
    for grade in grades[grades.index(SPLITS[split]) + 1 :]:
        assert (fold.groupby(knees[grade]).nunique() > 1).any()
    assert sorted(set(fold)) == [0, 1, 2, 3, 4]
    share = (knees["label"] != "normal").groupby(fold).mean()  # stratified by bone loss
    np.testing.assert_allclose(share, 0.5, atol=0.11)


def test_subjects_and_split_groups_of_the_cohort_do_not_bind_a_split(knees):
    """The cohort's own groups are source films; by image they must not count, or no split would tear anything apart."""
    bound = knees.assign(subject_id=knees["source_group"], split_group=knees["source_group"])
    np.testing.assert_array_equal(folds_by(bound, "image", 5, 0), folds_by(knees, "image", 5, 0))


def test_an_unknown_split_and_too_few_groups_are_errors(knees):
    with pytest.raises(ValueError, match="split must be one of image, bytes, picture, film, got 'person'"):
        folds_by(knees, "person", 5, 0)
    with pytest.raises(ValueError, match=r"25 folds cannot each hold every class: .*{0: 20, 1: 20}"):
        folds_by(knees, "film", 25, 0)


def test_each_distinct_knee_stands_once_and_is_found_again_for_every_row():
    boxes = [(0, 0, 9, 9), (0, 0, 9, 9), (0, 0, 9, 8), (0, 0, 9, 9), (0, 0, 9, 9)]
    knees = pd.DataFrame(boxes, columns=["x0", "y0", "x1", "y1"], index=list("pqrst"))
    knees["sha256"] = ["a", "b", "a", "a", "b"]
    distinct, number = each_once(knees)
    assert distinct.index.tolist() == ["p", "q", "r"]
    assert number.tolist() == [0, 1, 2, 0, 1]
    pd.testing.assert_frame_equal(distinct.iloc[number].reset_index(drop=True), knees.reset_index(drop=True))


def test_knee_pixels_are_read_once_and_come_in_the_order_of_the_rows(tmp_path, monkeypatch):
    """Oracle: crop, window and size of each row by hand. The second path of one content is not even there."""
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")
    films = np.random.default_rng(0).integers(30, 220, (2, 60, 80), np.uint8)
    for name, film in zip("ab", films, strict=True):
        Image.fromarray(film).save(tmp_path / f"{name}.png")
    rows = [("b", "b", 0), ("a", "a", 0), ("gone", "b", 0), ("a", "a", 40), ("a", "a", 0)]
    table = [(str(tmp_path / f"{file}.png"), sha, x, 0, x + 40, 60) for file, sha, x in rows]
    knees = pd.DataFrame(table, columns=["path", "sha256", "x0", "y0", "x1", "y1"])
    pixels = knee_pixels(knees, 24)
    assert pixels.shape == (5, 24, 24) and pixels.dtype == np.uint8
    for found, (_, sha, x) in zip(pixels, rows, strict=True):
        knee = films["ab".index(sha)][:, x : x + 40]
        left, top, right, bottom = otsu_crop(knee)
        np.testing.assert_array_equal(found, resize(normalise_intensity(knee[top:bottom, left:right]), 24))


def test_a_knee_has_a_copy_if_its_group_stands_in_another_fold():
    knees = pd.DataFrame({"source_group": list("aabbbc"), "bytes_group": list("aabcdd")}, index=[9, 3, 4, 7, 1, 0])
    assert has_copy(knees, [0, 1, 2, 2, 2, 3]).tolist() == [True, True, False, False, False, False]
    assert has_copy(knees, [0, 0, 2, 2, 2, 3], "bytes_group").tolist() == [False, False, False, False, True, True]


def test_under_the_split_by_film_nothing_has_a_copy_and_by_image_nearly_everything(knees):
    copied = {split: has_copy(knees, folds_by(knees, split, 5, 0)).mean() for split in SPLITS}
    assert copied["film"] == 0
    assert copied["image"] > 0.95
    assert 0 < copied["picture"] < copied["image"]


def by_pairs(y, score, stratum) -> float:
    won = [1.0 if a > b else 0.5 if a == b else 0.0
           for y_a, a, g_a in zip(y, score, stratum, strict=True) if y_a
           for y_b, b, g_b in zip(y, score, stratum, strict=True) if not y_b and g_a == g_b]  # fmt: skip
    return float(np.mean(won)) if won else float("nan")


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.sampled_from("xyz")), min_size=1, max_size=25))
def test_auroc_within_counts_the_pairs_of_each_stratum(rows):
    """Oracle: every pair looked at, ties half."""
    y, score, stratum = zip(*rows, strict=True)
    assert auroc_within(y, score, stratum) == pytest.approx(by_pairs(y, score, stratum), nan_ok=True)


def test_within_one_stratum_it_is_the_auroc_and_what_only_strata_tell_is_gone():
    """Oracle: scikit-learn. A score that only names the stratum tells cases apart overall, within it not at all."""
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 200), rng.normal(size=200).round(1)
    assert auroc_within(y, score, np.zeros(200)) == pytest.approx(roc_auc_score(y, score))
    stratum = (rng.random(200) < np.where(y == 1, 0.9, 0.1)).astype(int)
    assert roc_auc_score(y, stratum) > 0.8
    assert auroc_within(y, stratum, stratum) == 0.5


def test_strata_of_one_class_or_without_a_name_count_for_nothing():
    assert np.isnan(auroc_within([1, 1, 0], [0.1, 0.2, 0.3], ["a", "a", "b"]))
    assert auroc_within([1, 0, 1, 0], [2, 1, 1, 2], ["a", "a", None, None]) == 1


def test_file_facts_are_those_of_the_original_and_missing_where_nobody_saw_it():
    knees = pd.DataFrame(
        {"original_width": [10, 20, np.nan], "original_height": [20, 20, np.nan], "original_bytes": [100, 800, np.nan],
         "original_format": [".png", ".jpg", ".png"]}, index=[5, 6, 7])  # fmt: skip
    facts = file_facts(knees)
    assert list(facts) == ["width", "height", "bytes", "bytes_per_pixel", "format_.jpg", "format_.png"]
    expected = [[10, 20, 100, 0.5, 0, 1], [20, 20, 800, 2, 1, 0], [np.nan] * 4 + [0, 1]]
    np.testing.assert_allclose(facts.to_numpy(), expected)
    assert facts.index.tolist() == [5, 6, 7]
