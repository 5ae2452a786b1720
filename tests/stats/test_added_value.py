import numpy as np
import pytest
from scipy.stats import norm

from osteolib.stats.added_value import added_value_found

Y = np.repeat([0, 1], 300)
GROUPS = np.arange(600)


def test_beside_a_score_that_knows_nothing_the_gain_is_the_added_score_s_own():
    """Log-odds that are all alike: together the AUROC is the added score's, alone it is 0.5."""
    found = added_value_found(Y, np.full(600, 0.3), GROUPS, (0.5, 0.8), n_studies=40, n_boot=100).set_index("auroc")
    assert found.loc[0.5, "gain"] == 0
    assert found.loc[0.8, "gain"] == pytest.approx(0.3, abs=0.01)
    assert found.loc[0.8, "found"] == 1 and found.loc[0.5, "found"] == 0


def test_two_independent_scores_join_as_their_squared_shifts_add_up():
    """Binormal: log-likelihood ratios of shifts a and b together are one of shift sqrt(a² + b²)."""
    shift = np.sqrt(2) * norm.ppf(0.75)
    known = shift * (shift * Y + np.random.default_rng(0).normal(size=600)) - shift**2 / 2
    own = (known[300:, None] > known[:300]).mean()
    joined = norm.cdf(np.sqrt(shift**2 + (np.sqrt(2) * norm.ppf(0.8)) ** 2) / np.sqrt(2))
    found = added_value_found(Y, 1 / (1 + np.exp(-known)), GROUPS, [0.8], n_studies=60, n_boot=100)
    assert found["gain"][0] + own == pytest.approx(joined, abs=0.015)


def test_copies_add_no_witnesses():
    once = added_value_found(Y, np.full(600, 0.3), GROUPS, [0.6], n_studies=20, n_boot=100)
    twice = added_value_found(np.tile(Y, 2), np.full(1200, 0.3), np.tile(GROUPS, 2), [0.6], n_studies=20, n_boot=100)
    assert once.equals(twice)


def test_an_auroc_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"must lie in \[0.5, 1\), got 1"):
        added_value_found(Y, np.full(600, 0.3), GROUPS, [1])
