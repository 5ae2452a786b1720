import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.cohorts import LABELS, bone_loss, label_from_t_score


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # WHO: normal is -1 and above, osteoporosis -2.5 and below
        ("who", ["normal", "osteopenia", "osteopenia", "osteopenia", "osteoporosis"]),
        ("hip", ["normal", "normal", "osteopenia", "osteopenia", "osteoporosis"]),
        ("hand", ["normal", "normal", "normal", "normal", "normal"]),
    ],
)
def test_borders_belong_where_each_study_puts_them(rule, expected):
    assert label_from_t_score([-1.0, -1.01, -1.5, -2.49, -2.5], rule).tolist() == expected


def test_the_hand_papers_put_only_lower_scores_than_minus_2_5_into_osteoporosis():
    assert label_from_t_score([-2.51], "hand").tolist() == ["osteoporosis"]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-8, 6), min_size=2), st.sampled_from(["who", "hip", "hand"]))
def test_a_lower_t_score_is_never_a_milder_class(scores, rule):
    severity = label_from_t_score(sorted(scores), rule).map(LABELS.index)
    assert severity.is_monotonic_decreasing


def test_a_missing_score_has_no_label_and_the_index_stays():
    label = label_from_t_score(pd.Series([np.nan, 0.0], index=["a", "b"]))
    assert label.isna().tolist() == [True, False]
    assert label.index.tolist() == ["a", "b"]


def test_bone_loss_joins_osteopenia_and_osteoporosis():
    assert bone_loss(LABELS).tolist() == [0, 1, 1]


def test_what_is_no_label_has_no_target():
    with pytest.raises(ValueError, match="'osteopenic'"):
        bone_loss(["normal", "osteopenic"])
    with pytest.raises(ValueError, match="unknown label rule 'WHO'"):
        label_from_t_score([0.0], "WHO")
