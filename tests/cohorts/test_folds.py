import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.cohorts import grouped_folds


def people(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Up to two knees a person; some persons share a duplicated film with another one."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(n), rng.integers(1, 3, n))
    group = np.where(subject % 7 == 1, subject - 1, subject)
    frame = pd.DataFrame({"subject_id": subject.astype(str), "split_group": group.astype(str)})
    return frame, (subject % 3 == 0).astype(int)


@settings(deadline=None, max_examples=20)
@given(st.integers(40, 120), st.integers(2, 5), st.integers(0, 1000))
def test_neither_a_subject_nor_a_group_straddles_folds(n, n_folds, seed):
    frame, target = people(n, seed)
    fold = grouped_folds(frame, target, n_folds, seed)
    assert set(fold) == set(range(n_folds))
    for key in ("subject_id", "split_group"):
        assert frame.assign(fold=fold).groupby(key).fold.nunique().max() == 1


def test_folds_have_the_prevalence_of_the_whole():
    frame, target = people(500, 0)
    fold = grouped_folds(frame, target, 5, 0)
    by_fold = pd.Series(target).groupby(fold).mean()
    assert (by_fold - target.mean()).abs().max() < 0.02  # a random split of 150 units would stray by 0.04 (one SE)


def test_subjects_joined_through_another_subject_share_a_fold():
    """a shares a group with b, and b another film's group with c."""
    frame = pd.DataFrame({"subject_id": list("abbcdefghi"), "split_group": list("1122345678")})
    fold = grouped_folds(frame, [0, 0, 0, 0, 1, 1, 1, 0, 0, 1], 2, 0)
    assert len(set(fold[:4])) == 1


def test_the_seed_decides():
    frame, target = people(100, 1)
    first, again, other = (grouped_folds(frame, target, 5, seed) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_a_class_that_would_be_absent_from_a_fold_is_an_error():
    frame = pd.DataFrame({"subject_id": list("abcdef"), "split_group": list("abcdef")})
    with pytest.raises(ValueError, match=r"3 folds cannot each hold every class.*'osteoporosis': 2.*at most 2 folds"):
        grouped_folds(frame, ["normal"] * 4 + ["osteoporosis"] * 2, 3)
    with pytest.raises(ValueError, match="cannot each hold every class"):
        grouped_folds(frame, ["normal"] * 6, 2)


def test_a_large_group_that_holds_most_of_a_class_is_an_error():
    """Two groups hold class 1, so two folds look possible, but one of them also needs a group of class 0."""
    frame = pd.DataFrame({"subject_id": list("abcd"), "split_group": list("1112")})
    with pytest.raises(ValueError, match=r"cannot each hold|has no unit of"):
        grouped_folds(frame, [0, 0, 1, 1], 2)


def test_missing_targets_are_an_error():
    frame = pd.DataFrame({"subject_id": list("ab"), "split_group": list("ab")})
    with pytest.raises(ValueError, match="1 missing"):
        grouped_folds(frame, [1.0, np.nan], 2)
