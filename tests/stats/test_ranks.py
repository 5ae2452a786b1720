import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from osteolib.stats.ranks import auroc_within, spearman


def test_spearman_is_that_of_scipy_with_ties_and_nothing_where_a_vector_is_constant():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 40), rng.normal(size=40)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(spearman(np.ones(5), np.arange(5)))


def test_one_stratum_gives_the_auroc_with_ties_as_half():
    y, score = np.tile([0, 1], 20), np.random.default_rng(1).integers(0, 5, 40).astype(float)
    assert auroc_within(y, score, np.zeros(40)) == pytest.approx(roc_auc_score(y, score))


def test_a_score_that_knows_the_stratum_alone_is_worth_nothing_within():
    stratum = np.repeat([0, 1], 20)
    y = np.r_[np.tile([0, 0, 0, 1], 5), np.tile([0, 1, 1, 1], 5)]
    assert roc_auc_score(y, stratum) > 0.7
    assert auroc_within(y, stratum.astype(float), stratum) == 0.5
    assert np.isnan(auroc_within(np.array([0, 1]), np.array([0.0, 1.0]), np.array([0, 1])))


def test_pairs_of_two_strata_are_not_compared_by_hand():
    """Stratum 0: one pair, right. Stratum 1: two pairs, one right. Two of three."""
    y, stratum = np.array([1, 0, 1, 0, 0]), np.array([0, 0, 1, 1, 1])
    score = np.array([2.0, 1.0, 5.0, 4.0, 6.0])
    assert auroc_within(y, score, stratum) == pytest.approx(2 / 3)
