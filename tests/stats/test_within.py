import numpy as np
import pytest

from osteolib.stats.bootstrap_any import bootstrap_statistic
from osteolib.stats.ranks import auroc_within
from osteolib.stats.within import aurocs_within


def sample(n=60, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    scores = {"a": y + rng.normal(0, 1, n), "b": rng.integers(0, 4, n).astype(float)}  # the second has ties
    return y, scores, rng.integers(0, 3, n).astype(float), np.arange(n) // 2


@pytest.mark.parametrize("strata", ["three", "one"])
def test_replicates_are_those_of_the_plain_bootstrap(strata):
    y, scores, stratum, groups = sample()
    stratum = stratum if strata == "three" else np.zeros(len(y))
    found = aurocs_within(y, scores, stratum, groups, 200, 7)
    for name, score in scores.items():
        plain = bootstrap_statistic(auroc_within, y, score, stratum, groups=groups, n_boot=200, seed=7)
        assert found[name][0] == pytest.approx(plain.estimate)
        np.testing.assert_allclose(found[name][1:], plain.replicates)


def test_without_a_pair_there_is_nothing():
    _, scores, stratum, groups = sample()
    assert np.isnan(aurocs_within(np.zeros(60), scores, stratum, groups, 100, 0)["a"]).all()
