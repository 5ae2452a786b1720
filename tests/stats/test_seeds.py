import numpy as np
import pytest
from scipy.stats import t

from osteolib.stats.seeds import seeded_steps


def anova(x):
    """Closed form of a balanced table: variance of seeds and of the rest by mean squares."""
    n, k = x.shape
    rest = x - x.mean(0) - x.mean(1, keepdims=True) + x.mean()
    ms_rest = (rest**2).sum() / ((n - 1) * (k - 1))
    ms_seed = k * ((x.mean(1) - x.mean()) ** 2).sum() / (n - 1)
    return (ms_seed - ms_rest) / k, ms_rest


def table(n, k, sd_seed, sd_rest, seed=0):
    rng = np.random.default_rng(seed)
    return 0.8 + 0.05 * np.arange(k) + sd_seed * rng.normal(size=(n, 1)) + sd_rest * rng.normal(size=(n, k))


@pytest.mark.parametrize(("n", "k"), [(3, 4), (5, 2), (8, 6)])
def test_a_full_table_has_the_closed_form(n, k):
    x = table(n, k, 0.05, 0.02)
    found, (between, rest) = seeded_steps(x), anova(x)
    assert between > 0
    np.testing.assert_allclose(found.difference, (x - x[:, :1]).mean(0)[1:], atol=1e-7)
    assert (found.sd_seed**2, found.sd_rest**2) == pytest.approx((between, rest), rel=1e-3)
    half = t.ppf(0.975, (n - 1) * (k - 1)) * np.sqrt(2 * rest / n)
    np.testing.assert_allclose(found.ci_high - found.difference, half, rtol=1e-3)
    np.testing.assert_allclose(found.difference - found.ci_low, half, rtol=1e-3)


def test_where_nothing_is_shared_all_spread_is_the_rests():
    x = table(4, 3, 0, 0.02, seed=1)
    x -= x.mean(1, keepdims=True)  # every seed alike on average
    found = seeded_steps(x)
    assert found.sd_seed == 0
    assert found.sd_rest**2 == pytest.approx(((x - x.mean(0)) ** 2).sum() / (x.size - 3))
    np.testing.assert_allclose(found.difference, (x - x[:, :1]).mean(0)[1:], atol=1e-12)


def test_a_missing_training_costs_its_value_and_no_more():
    """With hardly any rest, two seeds of a step give its change exactly, though the third, by luck high, is missing."""
    x = 0.7 + np.array([[0.0], [0.1], [0.3]]) + np.array([0.0, 0.02, -0.05])
    x += 1e-5 * np.random.default_rng(0).normal(size=x.shape)
    x[2, 1] = np.nan
    found = seeded_steps(x)
    assert found.n == 8 and found.difference == pytest.approx([0.02, -0.05], abs=1e-4)
    assert np.nanmean(x[:, 1]) - x[:, 0].mean() == pytest.approx(-0.063, abs=1e-3)  # what plain means would say


def test_its_interval_holds_the_planted_change_as_often_as_it_says():
    found = [seeded_steps(table(3, 4, 0.03, 0.02, k)) for k in range(200)]
    hits = [f.ci_low[0] < 0.05 < f.ci_high[0] for f in found]
    assert 0.90 < np.mean(hits) <= 0.995


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.1, 0.2], "a row a seed and a column a step"),
        ([[0.1, 0.2]], "two of each at least"),
        ([[0.1, np.nan], [0.2, np.nan]], "of every step"),
        ([[0.1, 0.2], [np.nan, np.nan]], "of every seed"),
        ([[0.1, 0.2], [0.3, np.nan]], "too few for an interval: 3 of 2 steps from 2 seeds"),
        ([[0.1, 0.2], [0.1, 0.2]], "no spread beyond"),
        ([[0.1, 0.2, 0.4], [0.2, 0.3, 0.5]], "no spread beyond"),
        ([[0.1, np.inf], [0.1, 0.2]], "must be finite"),
    ],
)
def test_what_cannot_be_answered_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        seeded_steps(values)
