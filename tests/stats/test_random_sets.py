from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.stats.random_sets import auroc_of_random_sets


def test_the_draws_are_the_sets_that_there_are():
    y, score, groups = [0, 1, 1, 0, 1], [0.1, 0.9, 0.2, 0.3, 0.25], ["a", "a", "b", "c", "d"]
    found = auroc_of_random_sets(y, score, groups, 2, n_draws=400)
    member = {"a": [0, 1], "b": [2], "c": [3], "d": [4]}
    possible = {}
    for pair in combinations("abcd", 2):
        rows = [row for group in pair for row in member[group]]
        one_class = len({y[row] for row in rows}) < 2
        value = np.nan if one_class else roc_auc_score([y[r] for r in rows], [score[r] for r in rows])
        possible[round(value, 9)] = possible.get(round(value, 9), 0) + 1 / 6
    for value, share in possible.items():
        same = np.isnan(found) if np.isnan(value) else np.isclose(found, value)
        assert same.mean() == pytest.approx(share, abs=0.08)


def test_all_groups_give_the_auroc_of_all_and_a_wrong_number_is_refused():
    y, score = [0, 1, 0, 1], [0.2, 0.1, 0.3, 0.4]
    assert auroc_of_random_sets(y, score, [1, 2, 3, 4], 4, n_draws=3) == pytest.approx(roc_auc_score(y, score))
    with pytest.raises(ValueError, match="a set needs 2 to 4 groups, got 5"):
        auroc_of_random_sets(y, score, [1, 2, 3, 4], 5)
